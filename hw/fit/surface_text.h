#pragma once

/// A surface file's JSON text, with one line a row of numbers so that a difference can be read.

#include <map>
#include <string>

#include "hw/attention_surface.h"
#include "hw/error_summary.h"
#include "hw/gemm_surface.h"

namespace forerun::hw {

/// Errors on rows that a fit saw and on those held out by shape and by group; relative, for the
/// large shapes (m or seq_len of 512 or more).
struct FitErrors {
  ErrorSummary fitted, by_shape, by_group;
  ErrorSummary training_by_shape,
      training_by_group;  ///< m, n, k of 1024 or more; only for products
};

struct SurfaceText {
  std::string name, source, licence, changes;
  std::map<Precision, GemmFit> gemm;
  std::map<Precision, FitErrors> gemm_errors;
  std::map<AttentionKernel, AttentionFit> attention;
  std::map<AttentionKernel, FitErrors> attention_errors;
  std::map<AttentionKernel, std::string> attention_basis;  ///< what each kernel was fitted to
};

[[nodiscard]] std::string surface_text(const SurfaceText& surface);

}  // namespace forerun::hw
