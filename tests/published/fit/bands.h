#pragma once

/// How far measured step times lie from predictions that they had no part in: what a printed band
/// rests on.

#include <string>

#include "fit.h"
#include "sim/error_band.h"

namespace forerun::published {

struct Bands {
  sim::ErrorBands table;
  /// Share of rows inside their band, and the same with each band made without the row's family.
  double covered = 0, covered_left_out = 0;
  double groups_covered_left_out = 0;  ///< the latter, mean over groups
};

/// Bands of accelerator generation and framework preset, of each alone, and of all, for models with
/// experts and for those without: of each that has left-out rows of kLeastBandFamilies or more
/// families, for errors of one family are alike.
[[nodiscard]] Bands make_bands(const Predictor&, const CrossValidation&);
inline constexpr std::size_t kLeastBandFamilies = 4;

[[nodiscard]] std::string bands_json(const Bands&);
[[nodiscard]] std::string bands_text(const Bands&);

}  // namespace forerun::published
