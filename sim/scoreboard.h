#pragma once

/// How well the predictions of published rows hold up. Errors are averaged within a group (model
/// family x accelerator) and then over groups, so that a sweep of 900 runs weighs as one result.
/// A row that was refused counts as an error of 100 %; kinds of model that are not simulated at all
/// are listed, not scored.

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include "core/statistics.h"
#include "sim/row_outcome.h"

namespace forerun::sim {

/// Errors of one group, framework or accelerator; fractions, not per cent.
struct GroupScore {
  std::string name;
  std::int64_t rows = 0;     ///< with a measured step time
  std::int64_t refused = 0;  ///< of those
  double error = 0;          ///< mean absolute error of step time, relative
  double bias = 0;           ///< mean signed error: positive is too slow
  double worst = 0;          ///< largest absolute error
  std::int64_t memory_rows = 0;
  double memory_error = 0;
};

/// Which plan of a group is fastest. Plans are compared by accelerator-seconds a token, so that
/// rows of different batch or machine size can be chosen between; rows with equal plans but another
/// precision are plans too.
struct ChoiceScore {
  std::string group;
  std::int64_t plans = 0;
  double regret = 0;  ///< measured cost of the plan predicted cheapest over the cheapest, minus 1
  double spearman = 0;
};

/// Fits / does not fit, over the frameworks and accelerators of which some row ran out of memory.
struct FitScore {
  std::int64_t ran = 0, ran_right = 0;
  std::int64_t out_of_memory = 0, out_right = 0;
  /// Mean of the two recalls; nothing unless both kinds are there.
  [[nodiscard]] std::optional<double> balanced() const;
};

/// Measured and predicted ratio of cost a token between two accelerators for one model, each with
/// the plan and precision that was measured cheapest there.
struct RatioScore {
  std::string model, from, to;
  double measured = 0, predicted = 0;
};

struct Scoreboard {
  std::int64_t rows = 0, scored = 0, refused = 0, out_of_scope = 0;
  std::vector<GroupScore> groups, frameworks, families;  ///< by name
  double mean_over_groups = 0, median_over_groups = 0, mean_over_rows = 0;
  std::optional<Interval> over_families;  ///< bootstrap 90 % interval of the mean over families
  std::optional<double> tested;           ///< mean over groups of the rows with split "test"
  /// The mean over groups with each group's model family left out of the fit, and its bootstrap 90
  /// % interval over families: as recorded, see add_left_out.
  std::optional<double> left_out;
  std::optional<Interval> left_out_families;
  /// Share of the rows with split "test" (of all, where no row says) whose measured time lies in
  /// the band that is printed beside the prediction; and what it promises.
  std::optional<double> in_band, band_level;
  std::optional<double> memory_error;      ///< mean over groups, peak allocated
  std::optional<double> after_step_error;  ///< mean over rows
  std::optional<double> peak_in_reserved;  ///< share of rows whose predicted peak is 0.8-1.0 of it
  FitScore fit, fit_near, fit_clear;       ///< all; within 10 % of capacity; the others
  std::vector<ChoiceScore> choices;        ///< groups with at least kLeastPlans plans
  std::optional<double> median_regret, mean_regret, median_spearman;
  std::vector<RatioScore> ratios;
  std::optional<double> ratio_error;
};

inline constexpr std::int64_t kLeastPlans = 5;

[[nodiscard]] Scoreboard make_scoreboard(const std::vector<RowOutcome>&, std::uint64_t seed = 1);

/// A group's error of step time when its model family was left out of the fit.
struct LeftOutError {
  std::string family;
  double error = 0;
};
/// Adds what was recorded of the board's groups, by name; a board with a group that has no record
/// stays as it is.
void add_left_out(Scoreboard&, const std::map<std::string, LeftOutError>&, std::uint64_t seed);

}  // namespace forerun::sim
