#pragma once

/// The file that `forerun probe` writes and `forerun calibrate` reads: times of kernels as one
/// machine ran them, with how they were measured. JSON, written aside and renamed after every group
/// of shapes, so that a run that is cut off leaves what it has (`finished` is then false).
///
///   {"format": "forerun-probe", "schema": 1, "program": "0.1.0", "when": "2026-03-01T12:00:00Z",
///    "seed": 1, "budget_s": 480, "elapsed_s": 478.2, "finished": true,
///    "device": {"name": "NVIDIA H100 80GB HBM3", "compute_capability": "9.0", "count": 1,
///      "memory_B": 85014609920, "l2_B": 52428800, "multiprocessors": 132, "clock_MHz": 1980,
///      "memory_clock_MHz": 2619, "power_cap_W": 700, "driver": "13.0", "runtime": "13.0",
///      "libraries": {"cublas_lt": "13.0.2", "cudnn": null}},
///    "points": [{"family": "gemm", "arguments": {"m": 4096, "n": 4096, "k": 4096,
///      "accumulates": 0}, "precision": "bf16", "pass": "forward", "implementation": "cublas_lt",
///      "mode": "burst", "median_s": 1.8e-4, "spread_s": 2e-6, "samples": 21, "calls": 1,
///      "clock_MHz": 1980, "power_W": null, "error": 0.001, "alone_s": null}],
///    "left_out": [{"family": ..., "reason": "no libcudnn.so.9"}]}
///
/// median_s is the median over `samples` of the time of one call; a sample is the mean of `calls`
/// calls between two CUDA events. spread_s is the samples' interquartile range. clock_MHz and
/// power_W are means while the samples ran (of a tax: alone), null where not read. error is the
/// largest deviation of the result from one computed in double precision, relative to the largest
/// value of that; null where nothing is computed. alone_s belongs to taxes only: the same kernel,
/// alone.

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "core/json_writer.h"
#include "core/problem.h"
#include "core/quantity.h"
#include "hw/probe/families.h"

namespace forerun::hw {

inline constexpr std::string_view kProbeFormat = "forerun-probe";
inline constexpr std::size_t kMostProbePoints = 100000;

struct ProbePoint {
  ProbeShape shape;
  ProbeMode mode = ProbeMode::burst;
  Seconds median{}, spread{};
  std::int64_t samples = 0, calls = 1;
  std::optional<double> clock_mhz;
  std::optional<Watts> power;
  std::optional<double> error;
  std::optional<Seconds> alone;
  bool operator==(const ProbePoint&) const = default;
};

/// Planned and not measured: the reason, in words.
struct ProbeLeftOut {
  ProbeShape shape;
  ProbeMode mode = ProbeMode::burst;
  std::string reason;
  bool operator==(const ProbeLeftOut&) const = default;
};

/// As the driver and NVML tell it.
struct ProbeDevice {
  std::string name;
  int major = 0, minor = 0;  ///< compute capability
  int count = 1;             ///< CUDA devices that the program saw, of any kind
  int multiprocessors = 0;
  Bytes memory{}, l2{};
  std::optional<double> clock_mhz, memory_clock_mhz;  ///< highest of the multiprocessors, of memory
  std::optional<Watts> power_cap;
  std::string driver, runtime;                                  ///< CUDA versions
  std::map<std::string, std::optional<std::string>> libraries;  ///< version, or none: not found
  bool operator==(const ProbeDevice&) const = default;
};

struct ProbeMeasurements {
  std::string program;  ///< version of forerun
  std::string when;     ///< UTC, ISO 8601 to the second, of the start
  std::int64_t seed = 1;
  Seconds budget{}, elapsed{};
  bool finished = false;
  ProbeDevice device;
  std::vector<ProbePoint> points;
  std::vector<ProbeLeftOut> left_out;
  bool operator==(const ProbeMeasurements&) const = default;
};

/// Wrong input is reported with path, value and rule, all of it; two points of the same shape,
/// implementation and mode are refused.
[[nodiscard]] std::optional<ProbeMeasurements> read_probe_measurements(std::string_view json_text,
                                                                       Problems&);
/// The keys family, arguments, precision, pass and implementation, in an object that is open.
void write_probe_shape(JsonWriter&, const ProbeShape&);
/// Reading it gives an equal value. Asserts what the reader would refuse of finite numbers.
[[nodiscard]] std::string probe_measurements_text(const ProbeMeasurements&);

}  // namespace forerun::hw
