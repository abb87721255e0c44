#pragma once

/// A point's answer as a sweep keeps it, and what answers it.

#include <array>
#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "core/reader.h"
#include "sim/answer/answer.h"
#include "sim/sweep/sweep.h"

namespace forerun::sim {

enum class PointStatus : std::uint8_t {
  answered,
  infeasible,  ///< it does not fit in memory, or no network carries it
  refused,     ///< a rule across the scenario's fields is broken
  failed       ///< it could not be simulated
};
inline constexpr std::array kPointStatuses = {
    Choice<PointStatus>{"answered", PointStatus::answered},
    Choice<PointStatus>{"infeasible", PointStatus::infeasible},
    Choice<PointStatus>{"refused", PointStatus::refused},
    Choice<PointStatus>{"failed", PointStatus::failed}};

struct PointResult {
  std::int64_t point = 0;
  PointStatus status = PointStatus::answered;
  /// What kept it from an answer, short and equal for equal causes: "memory", "/plan/tensor" ...
  std::string cause;
  std::string reason;           ///< in a sentence; both are empty where it was answered
  std::vector<Metric> metrics;  ///< those that are known; none unless it was answered
};

/// Answers the points of a sweep, from any number of threads at a time. A step that depends on no
/// setting that differs is simulated once and remembered (remembered.h).
class PointAnswerer {
 public:
  explicit PointAnswerer(const Sweep&);
  ~PointAnswerer();
  PointAnswerer(const PointAnswerer&) = delete;
  PointAnswerer& operator=(const PointAnswerer&) = delete;
  /// The same whoever asks, and in whatever order.
  [[nodiscard]] PointResult answer(std::int64_t point);

 private:
  struct Parts;
  std::unique_ptr<Parts> parts_;
};

/// As bytes for another process of the same machine architecture, and back. Asserts that they are
/// such bytes.
[[nodiscard]] std::string packed(const PointResult&);
[[nodiscard]] PointResult unpacked(std::string_view bytes);

}  // namespace forerun::sim
