#pragma once

/// The fit of the three constants of Megatron-Core's layer with experts: expert_launch,
/// expert_traffic and grouped_rate (sim/framework.h), all other constants as they stand in the
/// rows.
///
/// One set for all presets that drive Megatron-Core, because the layer is one library's. Least is
/// the mean over groups of the mean absolute log error of a group, plus a prior that one standard
/// deviation of each constant (a factor e^0.4 for traffic, e^0.2 for the rate, e^0.7 for the
/// launch) costs a hundredth: a row must gain more than that for a constant to leave its start
/// value. Coordinates in turn, each by golden section over the logarithm, until a round gains less
/// than 1e-4.

#include <array>
#include <string>
#include <vector>

#include "sim/published_row.h"

namespace forerun::published {

struct ExpertConstant {
  const char* name;
  const char* unit;  ///< as a preset writes it after the number
  double start, least, most, spread;
};
inline constexpr std::array<ExpertConstant, 3> kExpertConstants = {
    {{"expert_launch", " us", 6, 2, 100, 0.7},
     {"expert_traffic", "", 1, 0.7, 4, 0.4},
     {"grouped_rate", "", 1, 0.5, 1.1, 0.2}}};

/// By index of kExpertConstants.
using ExpertValues = std::array<double, kExpertConstants.size()>;
[[nodiscard]] ExpertValues expert_start();

/// The presets that share the constants.
inline constexpr std::array<const char*, 8> kExpertPresets = {
    "generic",     "megatron-bridge", "megatron-core", "megatron-lm-b200",
    "megatron-lm", "nemo-1",          "nemo-2",        "nemo-mlperf"};

[[nodiscard]] bool has_experts(const sim::PublishedRow&);

/// ln(predicted / measured) of each row with those constants; the same whatever the number of
/// threads. Asserts that the rows' presets share them.
[[nodiscard]] std::vector<double> log_errors(std::vector<sim::PublishedRow> rows,
                                             const ExpertValues&, int threads);

/// Three digits, as the presets' files hold them.
[[nodiscard]] ExpertValues fit_experts(const std::vector<sim::PublishedRow>& rows, int threads);
/// A constant's value as a preset's JSON states it.
[[nodiscard]] std::string expert_text(std::size_t constant, double value);

}  // namespace forerun::published
