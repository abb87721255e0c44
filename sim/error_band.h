#pragma once

/// The band that is printed beside a step time: where measured times of published runs lay,
/// relative to predictions that they had no part in. Data: sim/bands.json, made by
/// tests/published/fit.
///
/// A model with experts has its band from runs of models with experts, another from the others.
/// Of those it is the band of the accelerator's generation with the framework's preset if enough
/// published groups have both, else of the preset on any accelerator, else of the generation, else
/// of all.

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "core/problem.h"
#include "core/quantity.h"
#include "sim/scenario.h"

namespace forerun::sim {

/// ln(measured / predicted) of the runs of a kind; "*" is any.
struct ErrorBand {
  bool experts = false;  ///< of models with experts, or of those without
  std::string generation, framework;
  double low = 0, high = 0;
  std::int64_t rows = 0, groups = 0;  ///< that it rests on
  bool operator==(const ErrorBand&) const = default;
};

struct ErrorBands {
  double level = 0;  ///< share of runs inside
  std::vector<ErrorBand> bands;
  /// The nearest band, or null if there is none for all that have experts, or have not.
  [[nodiscard]] const ErrorBand* find(bool experts, std::string_view generation,
                                      std::string_view framework) const;
};

[[nodiscard]] std::optional<ErrorBands> read_error_bands(const std::string& json_text, Problems&);
/// sim/bands.json. Throws Error if it is wrong.
[[nodiscard]] ErrorBands load_error_bands();

/// A predicted time with its band.
struct TimeBand {
  double level = 0;
  Seconds low{}, high{};
  std::string rests_on;  ///< "hopper with nanotron, no experts: 9 published groups, 261 rows"
};
[[nodiscard]] std::optional<TimeBand> time_band(const ErrorBands&, const Scenario&, Seconds time);

}  // namespace forerun::sim
