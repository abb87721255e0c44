// The loss of next tokens, forward and backward.

#include "hw/probe/device/kernel_parts.cuh"

namespace forerun::hw::device {
namespace {

__global__ void cross_entropy_forward_kernel(const bf16* logits, const std::int32_t* target,
                                             float* loss, float* log_sum, std::int64_t vocabulary) {
  const auto* in =
      reinterpret_cast<const Eight*>(logits + static_cast<std::int64_t>(blockIdx.x) * vocabulary);
  float largest = -INFINITY, sum = 0;  // of what this thread has seen; one pass over memory
  for (std::int64_t i = threadIdx.x; i < vocabulary / kLanes; i += blockDim.x) {
    const Eight v = in[i];
    float top = real(v.v[0]);
    for (int j = 1; j < kLanes; ++j) top = fmaxf(top, real(v.v[j]));
    if (top > largest) {
      sum *= __expf(largest - top);
      largest = top;
    }
    for (int j = 0; j < kLanes; ++j) sum += __expf(real(v.v[j]) - largest);
  }
  const float top = over_block<true>(largest);
  const float all = over_block<false>(sum > 0 ? sum * __expf(largest - top) : 0.0F);
  if (threadIdx.x == 0) {
    const float log_all = top + logf(all);
    const std::int64_t row = blockIdx.x;
    log_sum[row] = log_all;
    loss[row] = log_all - real(logits[row * vocabulary + target[row]]);
  }
}

__global__ void cross_entropy_backward_kernel(const bf16* logits, const std::int32_t* target,
                                              const float* log_sum, bf16* gradient,
                                              std::int64_t vocabulary) {
  const std::int64_t row = blockIdx.x;
  const auto* in = reinterpret_cast<const Eight*>(logits + row * vocabulary);
  auto* out = reinterpret_cast<Eight*>(gradient + row * vocabulary);
  const float log_all = log_sum[row];
  const std::int64_t right = target[row];
  for (std::int64_t i = threadIdx.x; i < vocabulary / kLanes; i += blockDim.x) {
    const Eight v = in[i];
    Eight result;
    for (int j = 0; j < kLanes; ++j) {
      const float p = __expf(real(v.v[j]) - log_all);
      result.v[j] = rounded(i * kLanes + j == right ? p - 1.0F : p);
    }
    out[i] = result;
  }
}

}  // namespace

void cross_entropy_forward(const void* logits, const std::int32_t* target, float* loss,
                           float* log_sum, std::int64_t rows, std::int64_t vocabulary,
                           cudaStream_t s) {
  cross_entropy_forward_kernel<<<static_cast<unsigned>(rows), 512, 0, s>>>(in(logits), target, loss,
                                                                           log_sum, vocabulary);
  launched();
}

void cross_entropy_backward(const void* logits, const std::int32_t* target, const float* log_sum,
                            void* gradient, std::int64_t rows, std::int64_t vocabulary,
                            cudaStream_t s) {
  cross_entropy_backward_kernel<<<static_cast<unsigned>(rows), 512, 0, s>>>(
      in(logits), target, log_sum, out(gradient), vocabulary);
  launched();
}

}  // namespace forerun::hw::device
