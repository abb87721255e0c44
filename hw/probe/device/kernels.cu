#include <cuda_bf16.h>
#include <cuda_fp16.h>
#include <cuda_fp8.h>

#include <algorithm>

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

__device__ float real(bf16 x) { return __bfloat162float(x); }
__device__ bf16 rounded(float x) { return __float2bfloat16_rn(x); }

/// Weyl sequence and the finaliser of MurmurHash3: a hash of (seed, index), good enough for data.
__device__ std::uint32_t hash(std::uint64_t seed, std::int64_t i) {
  std::uint64_t z = seed * 0x9E3779B97F4A7C15ull + static_cast<std::uint64_t>(i) + 1;
  z *= 0x9E3779B97F4A7C15ull;
  z = (z ^ (z >> 33)) * 0xFF51AFD7ED558CCDull;
  z = (z ^ (z >> 33)) * 0xC4CEB9FE1A85EC53ull;
  return static_cast<std::uint32_t>((z ^ (z >> 33)) >> 32);
}

__device__ std::int64_t first_index() {
  return static_cast<std::int64_t>(blockIdx.x) * blockDim.x + threadIdx.x;
}
__device__ std::int64_t grid_size() { return static_cast<std::int64_t>(gridDim.x) * blockDim.x; }

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

__global__ void gather_kernel(const Eight* table, const std::int32_t* index, Eight* out,
                              std::int64_t rows, std::int64_t lanes) {
  for (std::int64_t i = first_index(); i < rows * lanes; i += grid_size()) {
    out[i] = table[index[i / lanes] * lanes + i % lanes];
  }
}

__global__ void scatter_kernel(const Eight* in, const std::int32_t* index, Eight* out,
                               std::int64_t rows, std::int64_t lanes) {
  for (std::int64_t i = first_index(); i < rows * lanes; i += grid_size()) {
    out[index[i / lanes] * lanes + i % lanes] = in[i];
  }
}

__global__ void scatter_add_kernel(const bf16* in, const std::int32_t* index, bf16* table,
                                   std::int64_t rows, std::int64_t width) {
  const std::int64_t pairs = width / 2;
  for (std::int64_t i = first_index(); i < rows * pairs; i += grid_size()) {
    const __nv_bfloat162 value = reinterpret_cast<const __nv_bfloat162*>(in)[i];
    auto* row = reinterpret_cast<__nv_bfloat162*>(table) + index[i / pairs] * pairs;
    atomicAdd(row + i % pairs, value);
  }
}

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

/// Blocks for grid-stride loops: enough for every multiprocessor of today's machines.
unsigned blocks(std::int64_t work) {
  return static_cast<unsigned>(std::clamp<std::int64_t>((work + kThreads - 1) / kThreads, 1, 8192));
}

void launched() { check(cudaGetLastError(), "kernel launch"); }

/// Only sizes matter: elements are moved, not read.
template <class T>
void gather_as(const void* in, std::int64_t first, std::int64_t stride, void* out,
               std::int64_t count, cudaStream_t s) {
  element_kernel<<<blocks(count), kThreads, 0, s>>>(static_cast<const T*>(in) + first, stride,
                                                    static_cast<T*>(out), count);
  launched();
}

const bf16* in(const void* p) { return static_cast<const bf16*>(p); }
bf16* out(void* p) { return static_cast<bf16*>(p); }

template <class T>
void fill(void* at, std::int64_t count, std::uint64_t seed, float scale, cudaStream_t s) {
  random_kernel<<<blocks(count), kThreads, 0, s>>>(static_cast<T*>(at), count, seed, scale);
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

void gather_rows(const void* table, const std::int32_t* index, void* result, std::int64_t rows,
                 std::int64_t width, cudaStream_t s) {
  gather_kernel<<<blocks(rows * width / kLanes), kThreads, 0, s>>>(
      static_cast<const Eight*>(table), index, static_cast<Eight*>(result), rows, width / kLanes);
  launched();
}

void scatter_rows(const void* from, const std::int32_t* index, void* result, std::int64_t rows,
                  std::int64_t width, cudaStream_t s) {
  scatter_kernel<<<blocks(rows * width / kLanes), kThreads, 0, s>>>(
      static_cast<const Eight*>(from), index, static_cast<Eight*>(result), rows, width / kLanes);
  launched();
}

void scatter_add_rows(const void* from, const std::int32_t* index, void* table, std::int64_t rows,
                      std::int64_t width, cudaStream_t s) {
  scatter_add_kernel<<<blocks(rows * width / 2), kThreads, 0, s>>>(in(from), index, out(table),
                                                                   rows, width);
  launched();
}

void adam_step(const void* gradient, float* master, float* moment1, float* moment2, void* copy,
               std::int64_t count, const AdamConstants& c, cudaStream_t s) {
  adam_kernel<<<blocks(count), kThreads, 0, s>>>(in(gradient), master, moment1, moment2, out(copy),
                                                 count, c);
  launched();
}

}  // namespace forerun::hw::device
