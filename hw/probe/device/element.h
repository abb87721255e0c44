#pragma once

/// Formats of elements in device memory, and the check of the runtime's calls. Read by nvcc too, as
/// C++17: nothing newer here.

#include <cuda_runtime_api.h>

#include <cstddef>
#include <cstdint>

namespace forerun::hw::device {

enum class Element : std::uint8_t { bf16, fp16, fp32, e4m3, int32 };
[[nodiscard]] std::size_t size_of(Element);

/// Throws Error with the runtime's own words unless it succeeded.
void check(cudaError_t result, const char* call);

}  // namespace forerun::hw::device
