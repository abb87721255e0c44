#pragma once

/// Fits what the rooflines of all accelerators share (hw/roofline.h) to those that have tables.

#include <string>
#include <vector>

#include "hw/error_summary.h"
#include "hw/kernel_table.h"
#include "hw/roofline.h"

namespace forerun::hw {

/// An accelerator with a table, and the rate that its best bf16 product reaches.
struct RooflineSubject {
  Accelerator accelerator;
  FlopRate reached{};
  std::vector<GemmRow> fitted;    ///< bf16, of those that no fit holds out
  std::vector<GemmRow> held_out;  ///< bf16
};

/// Least mean error over the subjects' fitted rows, each subject with the same weight.
[[nodiscard]] GemmRooflineShape fit_gemm_shape(const std::vector<RooflineSubject>& subjects);
/// Errors of the shape on rows of one subject.
[[nodiscard]] ErrorSummary roofline_errors(const RooflineSubject&, const std::vector<GemmRow>& rows,
                                           const GemmRooflineShape&);

}  // namespace forerun::hw
