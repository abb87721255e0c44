#pragma once

/// What `forerun fit` says: constants, residuals, warnings, the runs that would tell most.

#include <optional>
#include <string>
#include <vector>

#include "core/json_writer.h"
#include "models/loss/fit/identifiability.h"

namespace forerun::cli {

/// A fit and what was made of it.
struct FitAnswer {
  models::Fit fit;
  std::vector<std::string> sources, warnings;
  double budget = 0;  ///< FLOPs a next run may take; 0: none proposed
  std::size_t weakest_stage = 0;
  std::vector<models::NextRun> next;
  std::string output;
};

[[nodiscard]] std::string fit_text(const FitAnswer&);
void write_fit(JsonWriter&, const FitAnswer&);
/// stage, run, measured, fitted, residual (of the logarithm) a row.
[[nodiscard]] std::string residual_csv(const models::Fit&, const models::Stages&);
/// Fitted against measured losses, a colour a stage.
[[nodiscard]] std::string residual_svg(const models::Fit&, const std::string& title);

}  // namespace forerun::cli
