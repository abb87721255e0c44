#pragma once

/// Predicts the step times of published rows with constants that are set in memory. Remembers what
/// it has simulated, so that a search may ask twice.

#include <array>
#include <map>
#include <span>
#include <string>
#include <utility>
#include <vector>

#include "constants.h"
#include "sim/published_row.h"

namespace forerun::published {

/// Of every constant its value for every subject: by index of the constant, then by subject's name.
using Values = std::vector<std::map<std::string, double>>;
[[nodiscard]] Values start_values(const Catalogue&);
/// Those that the profiles and presets hold now.
[[nodiscard]] Values current_values(const Catalogue&);

/// Indices of rows, ascending.
using Rows = std::vector<std::size_t>;

class Predictor {
 public:
  /// `rows` have a measured step time. Catalogue and predictor live as long as each other.
  Predictor(const Catalogue&, std::vector<sim::PublishedRow> rows, int threads);

  /// ln(predicted / measured) of each row of `which`, in that order; the same whatever the number
  /// of threads.
  [[nodiscard]] std::vector<double> log_errors(const Rows& which, const Values&);

  [[nodiscard]] const std::vector<sim::PublishedRow>& rows() const { return rows_; }
  /// The row with those constants in its scenario.
  [[nodiscard]] sim::PublishedRow row_with(std::size_t row, const Values&) const;
  [[nodiscard]] int threads() const { return threads_; }
  /// The accelerator or framework of a row.
  [[nodiscard]] const std::string& subject(std::size_t row, Of) const;
  [[nodiscard]] const Catalogue& catalogue() const { return catalogue_; }
  [[nodiscard]] std::uint64_t simulated() const { return simulated_; }

  static constexpr std::size_t kConstants = 6;  ///< that a row can feel

 private:
  using Setting = std::array<double, kConstants>;
  [[nodiscard]] Setting setting(std::size_t row, const Values&) const;
  static void apply(const Setting&, sim::Scenario&);
  [[nodiscard]] double simulate(std::size_t row, const Setting&);

  const Catalogue& catalogue_;
  std::vector<sim::PublishedRow> rows_;
  int threads_;
  std::vector<double> cost_;  ///< seconds that the row's last simulation took
  std::vector<std::map<Setting, double>> known_;
  std::uint64_t simulated_ = 0;
};

/// The rows of tests/published/rows with a step time that can be simulated. Throws Error if one
/// of Korthikanti's is marked for the fit.
[[nodiscard]] std::vector<sim::PublishedRow> load_rows();

}  // namespace forerun::published
