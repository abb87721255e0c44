#pragma once

/// Published runs with what they said of their stability, and what is predicted for each:
/// models/stability/anchors.json. Constants were set once, not run by run; the file says which runs
/// set one, and which the prediction misses.

#include <array>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "core/problem.h"
#include "core/statistics.h"
#include "core/table.h"
#include "models/stability/constants.h"
#include "models/stability/stability_case.h"

namespace forerun::stability {

enum class Measure : std::uint8_t { gradient, loss, diverging, lost };
inline constexpr std::array<Choice<Measure>, 4> kMeasures{{
    {"gradient", Measure::gradient},    // spikes of the gradient norm
    {"loss", Measure::loss},            // spikes of the loss
    {"diverging", Measure::diverging},  // spikes that are rolled back
    {"lost", Measure::lost},            // probability that the run ends
}};
[[nodiscard]] inline std::string_view name(Measure m) { return name_in(kMeasures, m); }

struct Anchor {
  std::string name;
  Measure measure = Measure::loss;
  Interval published;
  std::string said;
  bool agrees = false;
  bool sets_a_constant = false;
  std::string source;
  StabilityCase run;
};

[[nodiscard]] std::optional<std::vector<Anchor>> read_anchors(const std::string& json_text,
                                                              Problems&);
[[nodiscard]] std::vector<Anchor> load_anchors();

struct Prediction {
  double value = 0;
  Interval band;  ///< 10th to 90th percentile over the constants' ranges
};
[[nodiscard]] Prediction predict(const Anchor&, const Constants&, std::uint64_t seed,
                                 std::int64_t draws);

/// Published beside predicted, a row a run.
[[nodiscard]] Table anchor_table(const std::vector<Anchor>&, const Constants&, std::uint64_t seed,
                                 std::int64_t draws);

}  // namespace forerun::stability
