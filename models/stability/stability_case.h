#pragma once

/// A run as its stability is asked about, and its course: progress, learning rate and the sum of
/// learning rates, on a grid fine enough for integrals over the run.

#include <array>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "core/problem.h"
#include "core/reader.h"
#include "models/architecture.h"
#include "models/recipe.h"

namespace forerun::stability {

/// The number format of most products.
enum class TrainingFormat : std::uint8_t { fp32, bf16, fp16, fp8 };
inline constexpr std::array<Choice<TrainingFormat>, 4> kTrainingFormats{{
    {"fp32", TrainingFormat::fp32},
    {"bf16", TrainingFormat::bf16},
    {"fp16", TrainingFormat::fp16},
    {"fp8", TrainingFormat::fp8},
}};
[[nodiscard]] inline std::string_view name(TrainingFormat f) {
  return name_in(kTrainingFormats, f);
}

/// A modality's share of the tokens. One that the model only reads (images through an encoder, or
/// in the prompt alone) does not compete for the output.
struct ModalityShare {
  std::string name;
  double share = 0;
  bool generated = true;
};

struct StabilityCase {
  models::Architecture architecture;
  models::Recipe recipe;
  double parameters = 0;  ///< that a token uses: of experts, the active ones
  double tokens = 0;
  std::int64_t steps = 0;
  std::vector<ModalityShare> modalities;  ///< empty: one
  std::optional<double> alpha;            ///< mean alpha_ij of its pairs: see mean_alpha
  TrainingFormat format = TrainingFormat::bf16;
};

/// What keeps a case from being answered: sizes, shares, a peak learning rate that is not stated.
/// Pointers are those of the fields here ("/recipe/learning_rate/peak").
void check(const StabilityCase&, Problems&);

/// How much the generated modalities compete: 2 (1 - sum w^2) over their shares w of what is
/// generated; 0 for one, 1 for two in equal shares.
[[nodiscard]] double competition(const std::vector<ModalityShare>&);

/// alpha_ij of modalities i and j.
struct PairAlpha {
  std::string first, second;
  double alpha = 0;
};
/// Mean of the pairs' alpha, each weighted by the product of its shares; nothing if no pair's is
/// known.
[[nodiscard]] std::optional<double> mean_alpha(const std::vector<ModalityShare>&,
                                               const std::vector<PairAlpha>&);

/// Whether each generated modality has attention matrices of its own.
[[nodiscard]] bool has_own_attention(const models::Architecture&);

struct CoursePoint {
  double step = 0;
  double rate = 0;      ///< learning rate
  double rate_sum = 0;  ///< of all steps up to here
};
struct Course {
  std::vector<CoursePoint> points;  ///< by rising step, the first at 0, the last at the end
  double peak = 0;                  ///< largest learning rate on it
  double steps = 0;
};
/// Asserts a case that check() has nothing against.
[[nodiscard]] Course course(const StabilityCase&);

}  // namespace forerun::stability
