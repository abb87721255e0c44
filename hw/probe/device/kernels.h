#pragma once

/// The probe's own kernels: one pass over memory each, neighbouring threads at neighbouring
/// addresses (16 bytes each where rows allow it), 32-bit arithmetic on bf16 values, as training
/// frameworks' fused kernels do. Widths and vocabularies are multiples of 8, head sizes of 16.
/// Nothing waits. nvcc reads this as C++17.

#include <cuda_runtime_api.h>

#include <cstdint>

#include "hw/probe/device/element.h"

namespace forerun::hw::device {

/// Uniform in [-scale, scale), rounded to the format; element i depends on (seed, i) only.
void fill_random(void* out, Element, std::int64_t count, std::uint64_t seed, float scale,
                 cudaStream_t);
/// Integers in [0, bound).
void fill_indices(std::int32_t* out, std::int64_t count, std::int32_t bound, std::uint64_t seed,
                  cudaStream_t);
/// Writes the first half of `bytes` and reads the second, so that a cache smaller than a half holds
/// nothing else, and nothing that what runs next would have to write back.
void flush_caches(void* scratch, std::size_t bytes, cudaStream_t);
void launch_empty(cudaStream_t);
/// out[i] = in[first + i stride], elements of that format.
void gather_elements(const void* in, Element, std::int64_t first, std::int64_t stride, void* out,
                     std::int64_t count, cudaStream_t);

/// y = x / rms(x) w;  statistic: 1 / rms, one a row.
void rms_norm_forward(const void* x, const void* weight, void* y, float* statistic,
                      std::int64_t rows, std::int64_t width, cudaStream_t);
/// dx of the above from dy; weights' gradient is not computed.
void rms_norm_backward(const void* x, const void* weight, const void* dy, const float* statistic,
                       void* dx, std::int64_t rows, std::int64_t width, cudaStream_t);
/// y = (x - mean) / sd w + b;  statistics: mean and 1 / sd, two a row.
void layer_norm_forward(const void* x, const void* weight, const void* bias, void* y,
                        float* statistics, std::int64_t rows, std::int64_t width, cudaStream_t);
void layer_norm_backward(const void* x, const void* weight, const void* dy, const float* statistics,
                         void* dx, std::int64_t rows, std::int64_t width, cudaStream_t);
/// x is [rows, 2 width]: y = silu(x[:, :width]) x[:, width:].
void swiglu_forward(const void* x, void* y, std::int64_t rows, std::int64_t width, cudaStream_t);
void swiglu_backward(const void* x, const void* dy, void* dx, std::int64_t rows, std::int64_t width,
                     cudaStream_t);
void gelu_forward(const void* x, void* y, std::int64_t count, cudaStream_t);
void gelu_backward(const void* x, const void* dy, void* dx, std::int64_t count, cudaStream_t);
/// Pairs (i, i + head_dim / 2) turned by position / 10000^(2i / head_dim); position = token.
void rotary(const void* x, void* y, std::int64_t tokens, std::int64_t heads, std::int64_t head_dim,
            cudaStream_t);
/// loss = log sum exp(logits) - logits[target].
void cross_entropy_forward(const void* logits, const std::int32_t* target, float* loss,
                           float* log_sum, std::int64_t rows, std::int64_t vocabulary,
                           cudaStream_t);
/// d logits of the sum of losses.
void cross_entropy_backward(const void* logits, const std::int32_t* target, const float* log_sum,
                            void* gradient, std::int64_t rows, std::int64_t vocabulary,
                            cudaStream_t);
/// out[i] = table[index[i]], rows of `width`.
void gather_rows(const void* table, const std::int32_t* index, void* out, std::int64_t rows,
                 std::int64_t width, cudaStream_t);
/// out[index[i]] = in[i]; indices differ.
void scatter_rows(const void* in, const std::int32_t* index, void* out, std::int64_t rows,
                  std::int64_t width, cudaStream_t);
/// table[index[i]] += in[i], two values an atomic operation.
void scatter_add_rows(const void* in, const std::int32_t* index, void* table, std::int64_t rows,
                      std::int64_t width, cudaStream_t);

struct AdamConstants {
  float learning_rate = 1e-3F, beta1 = 0.9F, beta2 = 0.95F, epsilon = 1e-8F, decay = 0.1F;
  float correction1 = 0.1F, correction2 = 0.05F;  ///< 1 - beta^step, of step 1
};
/// AdamW with decoupled decay; also writes the 16-bit copy.
void adam_step(const void* gradient, float* master, float* moment1, float* moment2, void* copy,
               std::int64_t count, const AdamConstants&, cudaStream_t);

}  // namespace forerun::hw::device
