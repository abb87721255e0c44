// Norms, forward and backward.

#include "hw/probe/device/kernel_parts.cuh"

namespace forerun::hw::device {
namespace {

// Norms: a block has one row, which it keeps in shared memory between its passes.

__global__ void rms_forward_kernel(const bf16* x, const bf16* weight, bf16* y, float* statistic,
                                   int width) {
  extern __shared__ Eight row[];
  const auto* in =
      reinterpret_cast<const Eight*>(x + static_cast<std::int64_t>(blockIdx.x) * width);
  auto* out = reinterpret_cast<Eight*>(y + static_cast<std::int64_t>(blockIdx.x) * width);
  const auto* w = reinterpret_cast<const Eight*>(weight);
  float sum = 0;
  for (int i = threadIdx.x; i < width / kLanes; i += blockDim.x) {
    row[i] = in[i];
    for (int j = 0; j < kLanes; ++j) sum += real(row[i].v[j]) * real(row[i].v[j]);
  }
  const float inverse = rsqrtf(over_block<false>(sum) / width + 1e-6F);
  for (int i = threadIdx.x; i < width / kLanes; i += blockDim.x) {
    const Eight scale = w[i];
    Eight result;
    for (int j = 0; j < kLanes; ++j) {
      result.v[j] = rounded(real(row[i].v[j]) * inverse * real(scale.v[j]));
    }
    out[i] = result;
  }
  if (threadIdx.x == 0) statistic[blockIdx.x] = inverse;
}

/// dx = r (w dy - x r^2 mean(x w dy)).
__global__ void rms_backward_kernel(const bf16* x, const bf16* weight, const bf16* dy,
                                    const float* statistic, bf16* dx, int width) {
  extern __shared__ Eight row[];
  const std::int64_t start = static_cast<std::int64_t>(blockIdx.x) * width;
  const auto* in = reinterpret_cast<const Eight*>(x + start);
  const auto* up = reinterpret_cast<const Eight*>(dy + start);
  const auto* w = reinterpret_cast<const Eight*>(weight);
  auto* out = reinterpret_cast<Eight*>(dx + start);
  Eight* row_up = row + width / kLanes;
  float sum = 0;
  for (int i = threadIdx.x; i < width / kLanes; i += blockDim.x) {
    row[i] = in[i];
    row_up[i] = up[i];
    for (int j = 0; j < kLanes; ++j) {
      sum += real(row[i].v[j]) * real(row_up[i].v[j]) * real(w[i].v[j]);
    }
  }
  const float inverse = statistic[blockIdx.x];
  const float shift = over_block<false>(sum) / width * inverse * inverse;
  for (int i = threadIdx.x; i < width / kLanes; i += blockDim.x) {
    Eight result;
    for (int j = 0; j < kLanes; ++j) {
      const float scaled = real(w[i].v[j]) * real(row_up[i].v[j]);
      result.v[j] = rounded(inverse * (scaled - real(row[i].v[j]) * shift));
    }
    out[i] = result;
  }
}

__global__ void layer_forward_kernel(const bf16* x, const bf16* weight, const bf16* bias, bf16* y,
                                     float* statistics, int width) {
  extern __shared__ Eight row[];
  const std::int64_t start = static_cast<std::int64_t>(blockIdx.x) * width;
  const auto* in = reinterpret_cast<const Eight*>(x + start);
  const auto* w = reinterpret_cast<const Eight*>(weight);
  const auto* b = reinterpret_cast<const Eight*>(bias);
  auto* out = reinterpret_cast<Eight*>(y + start);
  float sum = 0;
  for (int i = threadIdx.x; i < width / kLanes; i += blockDim.x) {
    row[i] = in[i];
    for (int j = 0; j < kLanes; ++j) sum += real(row[i].v[j]);
  }
  const float mean = over_block<false>(sum) / width;
  float squares = 0;
  for (int i = threadIdx.x; i < width / kLanes; i += blockDim.x) {
    for (int j = 0; j < kLanes; ++j) {
      const float d = real(row[i].v[j]) - mean;
      squares += d * d;
    }
  }
  const float inverse = rsqrtf(over_block<false>(squares) / width + 1e-5F);
  for (int i = threadIdx.x; i < width / kLanes; i += blockDim.x) {
    Eight result;
    for (int j = 0; j < kLanes; ++j) {
      const float normal = (real(row[i].v[j]) - mean) * inverse;
      result.v[j] = rounded(normal * real(w[i].v[j]) + real(b[i].v[j]));
    }
    out[i] = result;
  }
  if (threadIdx.x == 0) {
    statistics[2 * blockIdx.x] = mean;
    statistics[2 * blockIdx.x + 1] = inverse;
  }
}

/// dx = r (w dy - mean(w dy) - z mean(z w dy)), z = (x - mean) r.
__global__ void layer_backward_kernel(const bf16* x, const bf16* weight, const bf16* dy,
                                      const float* statistics, bf16* dx, int width) {
  extern __shared__ Eight row[];
  const std::int64_t start = static_cast<std::int64_t>(blockIdx.x) * width;
  const auto* in = reinterpret_cast<const Eight*>(x + start);
  const auto* up = reinterpret_cast<const Eight*>(dy + start);
  const auto* w = reinterpret_cast<const Eight*>(weight);
  auto* out = reinterpret_cast<Eight*>(dx + start);
  Eight* row_up = row + width / kLanes;
  const float mean = statistics[2 * blockIdx.x], inverse = statistics[2 * blockIdx.x + 1];
  float plain = 0, weighted = 0;
  for (int i = threadIdx.x; i < width / kLanes; i += blockDim.x) {
    row[i] = in[i];
    row_up[i] = up[i];
    for (int j = 0; j < kLanes; ++j) {
      const float scaled = real(w[i].v[j]) * real(row_up[i].v[j]);
      plain += scaled;
      weighted += scaled * (real(row[i].v[j]) - mean) * inverse;
    }
  }
  const float mean_plain = over_block<false>(plain) / width;
  const float mean_weighted = over_block<false>(weighted) / width;
  for (int i = threadIdx.x; i < width / kLanes; i += blockDim.x) {
    Eight result;
    for (int j = 0; j < kLanes; ++j) {
      const float scaled = real(w[i].v[j]) * real(row_up[i].v[j]);
      const float normal = (real(row[i].v[j]) - mean) * inverse;
      result.v[j] = rounded(inverse * (scaled - mean_plain - normal * mean_weighted));
    }
    out[i] = result;
  }
}

/// Shared memory for `rows` rows of a norm; above 48 KiB a kernel must be told.
template <class Kernel>
std::size_t shared_rows(Kernel* kernel, int rows, std::int64_t width) {
  const std::size_t bytes = static_cast<std::size_t>(rows) * static_cast<std::size_t>(width) * 2;
  if (bytes > 48 * 1024) {
    check(cudaFuncSetAttribute(kernel, cudaFuncAttributeMaxDynamicSharedMemorySize,
                               static_cast<int>(bytes)),
          "cudaFuncSetAttribute");
  }
  return bytes;
}

}  // namespace

void rms_norm_forward(const void* x, const void* weight, void* y, float* statistic,
                      std::int64_t rows, std::int64_t width, cudaStream_t s) {
  rms_forward_kernel<<<static_cast<unsigned>(rows), kThreads,
                       shared_rows(rms_forward_kernel, 1, width), s>>>(
      in(x), in(weight), out(y), statistic, static_cast<int>(width));
  launched();
}

void rms_norm_backward(const void* x, const void* weight, const void* dy, const float* statistic,
                       void* dx, std::int64_t rows, std::int64_t width, cudaStream_t s) {
  rms_backward_kernel<<<static_cast<unsigned>(rows), kThreads,
                        shared_rows(rms_backward_kernel, 2, width), s>>>(
      in(x), in(weight), in(dy), statistic, out(dx), static_cast<int>(width));
  launched();
}

void layer_norm_forward(const void* x, const void* weight, const void* bias, void* y,
                        float* statistics, std::int64_t rows, std::int64_t width, cudaStream_t s) {
  layer_forward_kernel<<<static_cast<unsigned>(rows), kThreads,
                         shared_rows(layer_forward_kernel, 1, width), s>>>(
      in(x), in(weight), in(bias), out(y), statistics, static_cast<int>(width));
  launched();
}

void layer_norm_backward(const void* x, const void* weight, const void* dy, const float* statistics,
                         void* dx, std::int64_t rows, std::int64_t width, cudaStream_t s) {
  layer_backward_kernel<<<static_cast<unsigned>(rows), kThreads,
                          shared_rows(layer_backward_kernel, 2, width), s>>>(
      in(x), in(weight), in(dy), statistics, out(dx), static_cast<int>(width));
  launched();
}

}  // namespace forerun::hw::device
