// The optimiser.

#include "hw/probe/device/kernel_parts.cuh"

namespace forerun::hw::device {
namespace {

__global__ void adam_kernel(const bf16* gradient, float* master, float* moment1, float* moment2,
                            bf16* copy, std::int64_t count, AdamConstants c) {
  for (std::int64_t i = first_index(); i < count; i += grid_size()) {
    const float g = real(gradient[i]);
    const float m = c.beta1 * moment1[i] + (1.0F - c.beta1) * g;
    const float v = c.beta2 * moment2[i] + (1.0F - c.beta2) * g * g;
    const float step = m / c.correction1 / (sqrtf(v / c.correction2) + c.epsilon);
    const float w = master[i] * (1.0F - c.learning_rate * c.decay) - c.learning_rate * step;
    moment1[i] = m;
    moment2[i] = v;
    master[i] = w;
    copy[i] = rounded(w);
  }
}

}  // namespace

void adam_step(const void* gradient, float* master, float* moment1, float* moment2, void* copy,
               std::int64_t count, const AdamConstants& c, cudaStream_t s) {
  adam_kernel<<<blocks(count), kThreads, 0, s>>>(in(gradient), master, moment1, moment2, out(copy),
                                                 count, c);
  launched();
}

}  // namespace forerun::hw::device
