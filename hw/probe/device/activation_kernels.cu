// Activations and the rotary embedding.

#include "hw/probe/device/kernel_parts.cuh"

namespace forerun::hw::device {
namespace {

__device__ float sigmoid(float x) { return 1.0F / (1.0F + __expf(-x)); }

__global__ void swiglu_forward_kernel(const bf16* x, bf16* y, std::int64_t rows,
                                      std::int64_t width) {
  const std::int64_t lanes = width / kLanes;
  for (std::int64_t i = first_index(); i < rows * lanes; i += grid_size()) {
    const std::int64_t row = i / lanes, at = i % lanes;
    const auto* in = reinterpret_cast<const Eight*>(x) + row * 2 * lanes;
    const Eight a = in[at], b = in[lanes + at];
    Eight result;
    for (int j = 0; j < kLanes; ++j) {
      const float g = real(a.v[j]);
      result.v[j] = rounded(g * sigmoid(g) * real(b.v[j]));
    }
    reinterpret_cast<Eight*>(y)[i] = result;
  }
}

__global__ void swiglu_backward_kernel(const bf16* x, const bf16* dy, bf16* dx, std::int64_t rows,
                                       std::int64_t width) {
  const std::int64_t lanes = width / kLanes;
  for (std::int64_t i = first_index(); i < rows * lanes; i += grid_size()) {
    const std::int64_t row = i / lanes, at = i % lanes;
    const auto* in = reinterpret_cast<const Eight*>(x) + row * 2 * lanes;
    auto* out = reinterpret_cast<Eight*>(dx) + row * 2 * lanes;
    const Eight a = in[at], b = in[lanes + at];
    const Eight up = reinterpret_cast<const Eight*>(dy)[i];
    Eight da, db;
    for (int j = 0; j < kLanes; ++j) {
      const float g = real(a.v[j]), s = sigmoid(g), u = real(up.v[j]);
      da.v[j] = rounded(u * real(b.v[j]) * s * (1.0F + g * (1.0F - s)));
      db.v[j] = rounded(u * g * s);
    }
    out[at] = da;
    out[lanes + at] = db;
  }
}

constexpr float kGeluRate = 0.7978845608F, kGeluCube = 0.044715F;

__global__ void gelu_forward_kernel(const bf16* x, bf16* y, std::int64_t eights) {
  for (std::int64_t i = first_index(); i < eights; i += grid_size()) {
    const Eight in = reinterpret_cast<const Eight*>(x)[i];
    Eight result;
    for (int j = 0; j < kLanes; ++j) {
      const float v = real(in.v[j]);
      result.v[j] = rounded(0.5F * v * (1.0F + tanhf(kGeluRate * (v + kGeluCube * v * v * v))));
    }
    reinterpret_cast<Eight*>(y)[i] = result;
  }
}

__global__ void gelu_backward_kernel(const bf16* x, const bf16* dy, bf16* dx, std::int64_t eights) {
  for (std::int64_t i = first_index(); i < eights; i += grid_size()) {
    const Eight in = reinterpret_cast<const Eight*>(x)[i];
    const Eight up = reinterpret_cast<const Eight*>(dy)[i];
    Eight result;
    for (int j = 0; j < kLanes; ++j) {
      const float v = real(in.v[j]);
      const float t = tanhf(kGeluRate * (v + kGeluCube * v * v * v));
      const float slope = kGeluRate * (1.0F + 3.0F * kGeluCube * v * v);
      result.v[j] =
          rounded(real(up.v[j]) * (0.5F * (1.0F + t) + 0.5F * v * (1.0F - t * t) * slope));
    }
    reinterpret_cast<Eight*>(dx)[i] = result;
  }
}

/// A thread turns eight pairs of one head: lanes `at` of its first and of its second half.
__global__ void rotary_kernel(const bf16* x, bf16* y, std::int64_t tokens, int heads,
                              int head_dim) {
  const int lanes = head_dim / 2 / kLanes;
  for (std::int64_t i = first_index(); i < tokens * heads * lanes; i += grid_size()) {
    const int at = static_cast<int>(i % lanes);
    const std::int64_t head = i / lanes, first = head * 2 * lanes + at;
    const Eight a = reinterpret_cast<const Eight*>(x)[first];
    const Eight b = reinterpret_cast<const Eight*>(x)[first + lanes];
    Eight c, d;
    for (int j = 0; j < kLanes; ++j) {
      const auto pair = static_cast<float>(at * kLanes + j);
      // 10000^(-2 pair / head_dim); log2(10000) = 13.2877.
      const float frequency = exp2f(-13.2877124F * 2.0F * pair / static_cast<float>(head_dim));
      float sine = 0, cosine = 0;
      sincosf(static_cast<float>(head / heads) * frequency, &sine, &cosine);
      c.v[j] = rounded(real(a.v[j]) * cosine - real(b.v[j]) * sine);
      d.v[j] = rounded(real(a.v[j]) * sine + real(b.v[j]) * cosine);
    }
    reinterpret_cast<Eight*>(y)[first] = c;
    reinterpret_cast<Eight*>(y)[first + lanes] = d;
  }
}

}  // namespace

void swiglu_forward(const void* x, void* y, std::int64_t rows, std::int64_t width, cudaStream_t s) {
  swiglu_forward_kernel<<<blocks(rows * width / kLanes), kThreads, 0, s>>>(in(x), out(y), rows,
                                                                           width);
  launched();
}

void swiglu_backward(const void* x, const void* dy, void* dx, std::int64_t rows, std::int64_t width,
                     cudaStream_t s) {
  swiglu_backward_kernel<<<blocks(rows * width / kLanes), kThreads, 0, s>>>(in(x), in(dy), out(dx),
                                                                            rows, width);
  launched();
}

void gelu_forward(const void* x, void* y, std::int64_t count, cudaStream_t s) {
  gelu_forward_kernel<<<blocks(count / kLanes), kThreads, 0, s>>>(in(x), out(y), count / kLanes);
  launched();
}

void gelu_backward(const void* x, const void* dy, void* dx, std::int64_t count, cudaStream_t s) {
  gelu_backward_kernel<<<blocks(count / kLanes), kThreads, 0, s>>>(in(x), in(dy), out(dx),
                                                                   count / kLanes);
  launched();
}

void rotary(const void* x, void* y, std::int64_t tokens, std::int64_t heads, std::int64_t head_dim,
            cudaStream_t s) {
  rotary_kernel<<<blocks(tokens * heads * head_dim / 2 / kLanes), kThreads, 0, s>>>(
      in(x), out(y), tokens, static_cast<int>(heads), static_cast<int>(head_dim));
  launched();
}

}  // namespace forerun::hw::device
