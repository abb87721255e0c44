#pragma once

/// Fits a GemmFit to the rows of a table: the constants of the tile-and-wave model by coordinate
/// search, then the residual grid, then both once more given the other.

#include <optional>
#include <vector>

#include "hw/gemm_surface.h"
#include "hw/kernel_table.h"

namespace forerun::hw {

struct GemmFitTask {
  std::vector<GemmRow> rows;  ///< of one dtype, those to fit
  FlopRate peak{};
  GemmMachine machine;  ///< its rate is `peak`
  /// Given for tables that cast the activation inside the timed call: then the cast is fitted too,
  /// while start and memory efficiency of the product are those of this 16-bit fit (the cast could
  /// not be told from them).
  std::optional<GemmFit> plain;
};

[[nodiscard]] GemmFit fit_gemm(const GemmFitTask& task);

}  // namespace forerun::hw
