#include "models/low_precision.h"

namespace forerun::models {
namespace {

/// Bytes an element read and written, and kernels, of casting one tensor for all its products.
struct Cast {
  double read = 0, written = 0;
  int launches = 0;
};

Cast cast(PrecisionRecipe recipe, bool fused, bool gradient) {
  switch (recipe) {
    case PrecisionRecipe::bf16:
    case PrecisionRecipe::fp16:
      return {};
    case PrecisionRecipe::fp8_delayed:
      // Fused: the norm's 16-bit write became an 8-bit one; the transpose remains.
      return fused ? Cast{1, 1, 1} : Cast{2, 2, 1};
    case PrecisionRecipe::fp8_current:
      return {2 + 2, 2, 3};
    case PrecisionRecipe::fp8_tensorwise:
      return {2 + 2 + 2, 2, 4};
    case PrecisionRecipe::fp8_rowwise:
      return {2 * (2 + 2), 2, 4};
    case PrecisionRecipe::mxfp8:
      return {2, 2 * 1.03125, 1};
    case PrecisionRecipe::nvfp4:
      // amax, then transform and both copies; gradients draw random bits as well.
      return {2 + 2, 2 * 0.5625, gradient ? 4 : 3};
  }
  return {};
}

void issue_of_weights(OperationBuilder& b, const Cast& c, std::string_view name, double elements) {
  if (c.launches > 0) b.memory_of_weights(name, elements, c.read, c.written, c.launches);
}

void issue(OperationBuilder& b, const Cast& c, std::string_view name, double elements,
           int launches) {
  if (c.launches > 0) b.memory(name, elements, c.read, c.written, c.launches * launches);
}

}  // namespace

hw::Precision sixteen_bit(PrecisionRecipe recipe) {
  return recipe == PrecisionRecipe::fp16 ? hw::Precision::fp16 : hw::Precision::bf16;
}

void quantize_input(OperationBuilder& b, PrecisionRecipe recipe, std::string_view name,
                    double elements, bool fused, int launches) {
  issue(b, cast(recipe, fused, false), name, elements, launches);
}

void quantize_gradient(OperationBuilder& b, PrecisionRecipe recipe, std::string_view name,
                       double elements, int launches) {
  issue(b, cast(recipe, false, true), name, elements, launches);
}

void quantize_weight(OperationBuilder& b, PrecisionRecipe recipe, std::string_view name,
                     double elements) {
  issue_of_weights(b, cast(recipe, false, false), name, elements);
}

std::string_view name(PrecisionRecipe p) {
  switch (p) {
    case PrecisionRecipe::bf16:
      return "bf16";
    case PrecisionRecipe::fp16:
      return "fp16";
    case PrecisionRecipe::fp8_delayed:
      return "fp8-delayed";
    case PrecisionRecipe::fp8_current:
      return "fp8-current";
    case PrecisionRecipe::fp8_tensorwise:
      return "fp8-tensorwise";
    case PrecisionRecipe::fp8_rowwise:
      return "fp8-rowwise";
    case PrecisionRecipe::mxfp8:
      return "mxfp8";
    case PrecisionRecipe::nvfp4:
      return "nvfp4";
  }
  return "?";
}

hw::Precision product_precision(PrecisionRecipe p) {
  switch (p) {
    case PrecisionRecipe::bf16:
      return hw::Precision::bf16;
    case PrecisionRecipe::fp16:
      return hw::Precision::fp16;
    case PrecisionRecipe::mxfp8:
      return hw::Precision::mxfp8;
    case PrecisionRecipe::nvfp4:
      return hw::Precision::nvfp4;
    default:
      return hw::Precision::fp8;
  }
}

bool is_low_precision(PrecisionRecipe p) {
  return p != PrecisionRecipe::bf16 && p != PrecisionRecipe::fp16;
}

}  // namespace forerun::models
