// Rows by index: embedding, gather and scatter of tokens.

#include "hw/probe/device/kernel_parts.cuh"

namespace forerun::hw::device {
namespace {

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

}  // namespace

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

}  // namespace forerun::hw::device
