#pragma once

/// Clocks and power of the board as the management library (libnvidia-ml.so.1, part of the driver)
/// reports them. Absent is an answer: every reading is then empty.

#include <memory>
#include <optional>
#include <string>

#include "core/quantity.h"

namespace forerun::hw::device {

class Nvml {
 public:
  /// `bus_id` as cudaDeviceGetPCIBusId writes it: the management library counts devices otherwise.
  explicit Nvml(const std::string& bus_id);
  ~Nvml();
  Nvml(const Nvml&) = delete;
  Nvml& operator=(const Nvml&) = delete;

  [[nodiscard]] std::optional<double> clock_mhz() const;  ///< of the multiprocessors, now
  [[nodiscard]] std::optional<Watts> power() const;       ///< of the board, now
  [[nodiscard]] std::optional<double> highest_clock_mhz() const;
  [[nodiscard]] std::optional<double> highest_memory_clock_mhz() const;
  [[nodiscard]] std::optional<Watts> power_cap() const;
  [[nodiscard]] const std::string& missing() const { return missing_; }  ///< why there is none
  [[nodiscard]] std::optional<std::string> driver() const;               ///< "580.65.06"

 private:
  struct Functions;
  std::unique_ptr<Functions> functions_;
  void* device_ = nullptr;
  std::string missing_;
};

}  // namespace forerun::hw::device
