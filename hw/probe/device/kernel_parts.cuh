#pragma once

/// What the probe's kernels share: bf16 values by eights, places in a grid, sums over a block.
/// Included by .cu files only; each has its own copy.

#include <cuda_bf16.h>

#include <algorithm>
#include <cstdint>

#include "hw/probe/device/kernels.h"

namespace forerun::hw::device {
namespace {

using bf16 = __nv_bfloat16;
constexpr int kThreads = 256;
constexpr int kLanes = 8;  // bf16 values of a 16-byte access

/// Eight bf16 values, read or written by one access.
struct alignas(16) Eight {
  bf16 v[kLanes];
};

[[maybe_unused]] __device__ float real(bf16 x) { return __bfloat162float(x); }
[[maybe_unused]] __device__ bf16 rounded(float x) { return __float2bfloat16_rn(x); }

[[maybe_unused]] __device__ std::int64_t first_index() {
  return static_cast<std::int64_t>(blockIdx.x) * blockDim.x + threadIdx.x;
}
[[maybe_unused]] __device__ std::int64_t grid_size() {
  return static_cast<std::int64_t>(gridDim.x) * blockDim.x;
}

/// Sum, or largest, over the block's threads, known to all of them.
template <bool Largest>
__device__ float over_block(float x) {
  __shared__ float parts[32];
  for (int step = 16; step > 0; step /= 2) {
    const float other = __shfl_xor_sync(0xFFFFFFFFu, x, step);
    x = Largest ? fmaxf(x, other) : x + other;
  }
  __syncthreads();  // `parts` may still be read from the call before
  if (threadIdx.x % 32 == 0) parts[threadIdx.x / 32] = x;
  __syncthreads();
  float all = parts[0];
  for (int w = 1; w < static_cast<int>(blockDim.x) / 32; ++w) {
    all = Largest ? fmaxf(all, parts[w]) : all + parts[w];
  }
  return all;
}

/// Blocks for grid-stride loops: enough for every multiprocessor of today's machines.
[[maybe_unused]] unsigned blocks(std::int64_t work) {
  return static_cast<unsigned>(std::clamp<std::int64_t>((work + kThreads - 1) / kThreads, 1, 8192));
}

[[maybe_unused]] void launched() { check(cudaGetLastError(), "kernel launch"); }

[[maybe_unused]] const bf16* in(const void* p) { return static_cast<const bf16*>(p); }
[[maybe_unused]] bf16* out(void* p) { return static_cast<bf16*>(p); }

}  // namespace
}  // namespace forerun::hw::device
