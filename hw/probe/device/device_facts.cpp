#include <cuda_runtime_api.h>
#include <dlfcn.h>
#include <fmt/format.h>

#include <array>
#include <functional>

#include "core/error.h"
#include "hw/probe/device/cublas_lt.h"
#include "hw/probe/device/cudnn.h"
#include "hw/probe/device/library.h"
#include "hw/probe/device/nccl.h"
#include "hw/probe/device/runtime.h"
#include "hw/probe/device/session.h"

namespace forerun::hw::device {
namespace {

std::string version_text(int v) { return fmt::format("{}.{}", v / 1000, v % 1000 / 10); }

std::optional<std::string> version_of(const std::function<std::string()>& ask) {
  try {
    return ask();
  } catch (const Error&) {
    return std::nullopt;
  }
}

int attribute(cudaDeviceAttr which) {
  int value = 0;
  check(cudaDeviceGetAttribute(&value, which, 0), "cudaDeviceGetAttribute");
  return value;
}

}  // namespace

void require_accelerator() {
  void* const driver = dlopen("libcuda.so.1", RTLD_NOW);
  if (driver == nullptr) {
    const char* const reason = dlerror();
    throw Error(ExitCode::no_device,
                fmt::format("no NVIDIA driver: {}", reason != nullptr ? reason : "libcuda.so.1"));
  }
  int count = 0;
  const cudaError_t result = cudaGetDeviceCount(&count);
  if (result != cudaSuccess) {
    throw Error(ExitCode::no_device,
                fmt::format("no usable accelerator: {}", cudaGetErrorString(result)));
  }
  if (count == 0) throw Error(ExitCode::no_device, "the driver sees no accelerator");
}

std::string bus_id() {
  std::array<char, 32> text{};
  check(cudaDeviceGetPCIBusId(text.data(), static_cast<int>(text.size()), 0),
        "cudaDeviceGetPCIBusId");
  return text.data();
}

ProbeDevice device_facts(const Nvml& nvml) {
  cudaDeviceProp properties{};
  check(cudaGetDeviceProperties(&properties, 0), "cudaGetDeviceProperties");
  ProbeDevice d;
  d.name = static_cast<const char*>(properties.name);
  d.major = properties.major;
  d.minor = properties.minor;
  check(cudaGetDeviceCount(&d.count), "cudaGetDeviceCount");
  d.multiprocessors = properties.multiProcessorCount;
  d.memory = Bytes(static_cast<double>(properties.totalGlobalMem));
  d.l2 = Bytes(static_cast<double>(properties.l2CacheSize));
  d.clock_mhz = nvml.highest_clock_mhz();
  if (!d.clock_mhz) d.clock_mhz = 1e-3 * attribute(cudaDevAttrClockRate);
  d.memory_clock_mhz = nvml.highest_memory_clock_mhz();
  d.power_cap = nvml.power_cap();
  int driver = 0, runtime = 0;
  check(cudaDriverGetVersion(&driver), "cudaDriverGetVersion");
  check(cudaRuntimeGetVersion(&runtime), "cudaRuntimeGetVersion");
  d.driver = version_text(driver);
  d.runtime = version_text(runtime);
  d.libraries["cublas_lt"] = version_of([] { return CublasLt().version(); });
  d.libraries["cudnn"] = version_of([] { return Cudnn().version(); });
  d.libraries["nccl"] = version_of([] { return Nccl().version(); });
  d.libraries["nvml"] = nvml.driver();
  return d;
}

}  // namespace forerun::hw::device
