// Data to work on: random values and indices, cold caches, single elements, and kernels that do
// nothing.
#include <cuda_fp16.h>
#include <cuda_fp8.h>

#include "hw/probe/device/kernel_parts.cuh"

namespace forerun::hw::device {
namespace {

/// Weyl sequence and the finaliser of MurmurHash3: a hash of (seed, index), good enough for data.
__device__ std::uint32_t hash(std::uint64_t seed, std::int64_t i) {
  std::uint64_t z = seed * 0x9E3779B97F4A7C15ull + static_cast<std::uint64_t>(i) + 1;
  z *= 0x9E3779B97F4A7C15ull;
  z = (z ^ (z >> 33)) * 0xFF51AFD7ED558CCDull;
  z = (z ^ (z >> 33)) * 0xC4CEB9FE1A85EC53ull;
  return static_cast<std::uint32_t>((z ^ (z >> 33)) >> 32);
}

template <class T>
__device__ void put(T* out, float x);
template <>
__device__ void put(float* out, float x) {
  *out = x;
}
template <>
__device__ void put(bf16* out, float x) {
  *out = rounded(x);
}
template <>
__device__ void put(__half* out, float x) {
  *out = __float2half_rn(x);
}
template <>
__device__ void put(__nv_fp8_e4m3* out, float x) {
  *out = __nv_fp8_e4m3(x);
}

template <class T>
__global__ void random_kernel(T* out, std::int64_t count, std::uint64_t seed, float scale) {
  for (std::int64_t i = first_index(); i < count; i += grid_size()) {
    put(out + i, (static_cast<float>(hash(seed, i) >> 8) * 0x1p-23F - 1.0F) * scale);
  }
}

__global__ void index_kernel(std::int32_t* out, std::int64_t count, std::int32_t bound,
                             std::uint64_t seed) {
  for (std::int64_t i = first_index(); i < count; i += grid_size()) {
    const std::uint64_t wide = static_cast<std::uint64_t>(hash(seed, i));
    out[i] = static_cast<std::int32_t>((wide * static_cast<std::uint64_t>(bound)) >> 32);
  }
}

__global__ void flush_kernel(float4* out, std::int64_t count, float x) {
  for (std::int64_t i = first_index(); i < count; i += grid_size()) {
    out[i] = make_float4(x, x, x, x);
  }
}

/// Writes only what it never finds, or the compiler would drop the reads.
__global__ void read_kernel(const float4* in, std::int64_t count, float* sink) {
  float sum = 0;
  for (std::int64_t i = first_index(); i < count; i += grid_size()) {
    const float4 v = in[i];
    sum += v.x + v.y + v.z + v.w;
  }
  if (sum == -1.25F) *sink = sum;
}

template <class T>
__global__ void element_kernel(const T* in, std::int64_t stride, T* out, std::int64_t count) {
  for (std::int64_t i = first_index(); i < count; i += grid_size()) out[i] = in[i * stride];
}

__global__ void empty_kernel() {}

/// Only sizes matter: elements are moved, not read.
template <class T>
void gather_as(const void* in, std::int64_t first, std::int64_t stride, void* out,
               std::int64_t count, cudaStream_t s) {
  element_kernel<<<blocks(count), kThreads, 0, s>>>(static_cast<const T*>(in) + first, stride,
                                                    static_cast<T*>(out), count);
  launched();
}

template <class T>
void fill(void* at, std::int64_t count, std::uint64_t seed, float scale, cudaStream_t s) {
  random_kernel<<<blocks(count), kThreads, 0, s>>>(static_cast<T*>(at), count, seed, scale);
}

}  // namespace

void fill_random(void* at, Element e, std::int64_t count, std::uint64_t seed, float scale,
                 cudaStream_t s) {
  switch (e) {
    case Element::bf16:
      fill<bf16>(at, count, seed, scale, s);
      break;
    case Element::fp16:
      fill<__half>(at, count, seed, scale, s);
      break;
    case Element::fp32:
      fill<float>(at, count, seed, scale, s);
      break;
    case Element::e4m3:
      fill<__nv_fp8_e4m3>(at, count, seed, scale, s);
      break;
    case Element::int32:
      check(cudaErrorInvalidValue, "fill_random of integers");
      break;
  }
  launched();
}

void fill_indices(std::int32_t* at, std::int64_t count, std::int32_t bound, std::uint64_t seed,
                  cudaStream_t s) {
  index_kernel<<<blocks(count), kThreads, 0, s>>>(at, count, bound, seed);
  launched();
}

void flush_caches(void* scratch, std::size_t bytes, cudaStream_t s) {
  const auto count = static_cast<std::int64_t>(bytes / 2 / sizeof(float4));
  auto* const written = static_cast<float4*>(scratch);
  flush_kernel<<<blocks(count), kThreads, 0, s>>>(written, count, 1.0F);
  launched();
  read_kernel<<<blocks(count), kThreads, 0, s>>>(written + count, count, &written->x);
  launched();
}

void launch_empty(cudaStream_t s) {
  empty_kernel<<<1, 32, 0, s>>>();
  launched();
}

void gather_elements(const void* in, Element e, std::int64_t first, std::int64_t stride, void* out,
                     std::int64_t count, cudaStream_t s) {
  switch (e) {
    case Element::bf16:
    case Element::fp16:
      return gather_as<std::uint16_t>(in, first, stride, out, count, s);
    case Element::fp32:
    case Element::int32:
      return gather_as<std::uint32_t>(in, first, stride, out, count, s);
    case Element::e4m3:
      return gather_as<std::uint8_t>(in, first, stride, out, count, s);
  }
}

}  // namespace forerun::hw::device
