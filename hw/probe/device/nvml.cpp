#include "hw/probe/device/nvml.h"

#include <array>

#include "core/error.h"
#include "hw/probe/device/library.h"

namespace forerun::hw::device {
namespace {

// The management library's C interface, stable since driver 300: 0 is success.
constexpr unsigned kMultiprocessorClock = 1, kMemoryClock = 2;

}  // namespace

struct Nvml::Functions {
  Library library{std::string("libnvidia-ml.so.1")};
  int (*initialise)() = library.function<int()>("nvmlInit_v2");
  int (*shut_down)() = library.function<int()>("nvmlShutdown");
  int (*by_bus)(const char*, void**) =
      library.function<int(const char*, void**)>("nvmlDeviceGetHandleByPciBusId_v2");
  int (*clock)(void*, unsigned, unsigned*) =
      library.function<int(void*, unsigned, unsigned*)>("nvmlDeviceGetClockInfo");
  int (*highest_clock)(void*, unsigned, unsigned*) =
      library.function<int(void*, unsigned, unsigned*)>("nvmlDeviceGetMaxClockInfo");
  int (*power)(void*,
               unsigned*) = library.function<int(void*, unsigned*)>("nvmlDeviceGetPowerUsage");
  int (*power_cap)(void*, unsigned*) =
      library.function<int(void*, unsigned*)>("nvmlDeviceGetEnforcedPowerLimit");
  int (*driver)(char*,
                unsigned) = library.function<int(char*, unsigned)>("nvmlSystemGetDriverVersion");
};

Nvml::Nvml(const std::string& bus_id) {
  try {
    functions_ = std::make_unique<Functions>();
  } catch (const Error& e) {
    missing_ = e.what();
    return;
  }
  if (functions_->initialise() == 0 && functions_->by_bus(bus_id.c_str(), &device_) == 0) return;
  missing_ = "the management library does not know device " + bus_id;
  device_ = nullptr;
}

Nvml::~Nvml() {
  if (functions_) (void)functions_->shut_down();
}

std::optional<double> Nvml::clock_mhz() const {
  unsigned value = 0;
  if (device_ == nullptr || functions_->clock(device_, kMultiprocessorClock, &value) != 0)
    return {};
  return value;
}

std::optional<Watts> Nvml::power() const {
  unsigned milliwatts = 0;
  if (device_ == nullptr || functions_->power(device_, &milliwatts) != 0) return {};
  return Watts(1e-3 * milliwatts);
}

std::optional<double> Nvml::highest_clock_mhz() const {
  unsigned value = 0;
  if (device_ == nullptr || functions_->highest_clock(device_, kMultiprocessorClock, &value) != 0) {
    return {};
  }
  return value;
}

std::optional<double> Nvml::highest_memory_clock_mhz() const {
  unsigned value = 0;
  if (device_ == nullptr || functions_->highest_clock(device_, kMemoryClock, &value) != 0)
    return {};
  return value;
}

std::optional<Watts> Nvml::power_cap() const {
  unsigned milliwatts = 0;
  if (device_ == nullptr || functions_->power_cap(device_, &milliwatts) != 0) return {};
  return Watts(1e-3 * milliwatts);
}

std::optional<std::string> Nvml::driver() const {
  std::array<char, 96> text{};
  if (device_ == nullptr || functions_->driver(text.data(), text.size()) != 0) return {};
  return std::string(text.data());
}

}  // namespace forerun::hw::device
