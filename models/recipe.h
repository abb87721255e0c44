#pragma once

/// How a run is trained, apart from where: the learning rate along it, the optimiser's constants,
/// what keeps it stable, the ramp of the batch. A scenario's "recipe". What it does not state is
/// taken from the defaults here, and `unstated` names it, so that answers can say what they
/// assumed. (Where norms stand, and whether queries and keys have them, is the architecture's.)

#include <array>
#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "core/reader.h"

namespace forerun::models {

enum class ScheduleShape : std::uint8_t { constant, cosine, polynomial, warm_stable_decay, points };
inline constexpr std::array kScheduleShapes = {
    Choice<ScheduleShape>{"constant", ScheduleShape::constant},
    Choice<ScheduleShape>{"cosine", ScheduleShape::cosine},
    Choice<ScheduleShape>{"polynomial", ScheduleShape::polynomial},
    Choice<ScheduleShape>{"warm_stable_decay", ScheduleShape::warm_stable_decay},
    Choice<ScheduleShape>{"points", ScheduleShape::points}};

/// How the last part of warm_stable_decay falls from the peak to its end.
enum class DecayShape : std::uint8_t { linear, cosine, exponential, one_minus_sqrt };
inline constexpr std::array kDecayShapes = {
    Choice<DecayShape>{"linear", DecayShape::linear},
    Choice<DecayShape>{"cosine", DecayShape::cosine},
    Choice<DecayShape>{"exponential", DecayShape::exponential},
    Choice<DecayShape>{"one_minus_sqrt", DecayShape::one_minus_sqrt}};

/// The learning rate over a run, as a share of its peak: linear from 0 over `warm_up_steps`, then
///   constant            1
///   cosine              f + (1 - f) (1 + cos(pi x)) / 2,  x the share of the steps after warm-up
///   polynomial          f + (1 - f) (1 - x)^power
///   warm_stable_decay   1, and over the last `decay_share` of the steps down to f by `decay`
///   points              linear between {share of the steps after warm-up, share of the peak}
/// f = `final_share`.
struct LearningRate {
  std::optional<double> peak;  ///< as the optimiser has it; unknown: what needs it says so
  ScheduleShape shape = ScheduleShape::cosine;
  double warm_up_steps = 2000;
  double final_share = 0.1;
  double power = 1.0;
  double decay_share = 0.2;
  DecayShape decay = DecayShape::linear;
  struct Point {
    double progress = 0, share = 0;
    bool operator==(const Point&) const = default;
  };
  std::vector<Point> points;
  /// At `step` of `steps`, both 0 or more; steps need not be whole. A run shorter than its warm-up
  /// ends inside it.
  [[nodiscard]] double share_at(double step, double steps) const;
  /// Steps (besides 0 and `steps`) where it has a corner.
  [[nodiscard]] std::vector<double> corners(double steps) const;
  bool operator==(const LearningRate&) const = default;
};

/// Standard deviation of weights at the start. megatron: 0.02 everywhere, output matrices over
/// sqrt(2 layers). small: sqrt(2 / (5 hidden)) (Nguyen and Salazar 2019; BLOOM, Takase 2023).
/// deepscale: DeepScaleLM's, with its residual scaling (Kedia et al. 2024).
enum class Initialisation : std::uint8_t { megatron, xavier, small, deepscale };
inline constexpr std::array kInitialisations = {
    Choice<Initialisation>{"megatron", Initialisation::megatron},
    Choice<Initialisation>{"xavier", Initialisation::xavier},
    Choice<Initialisation>{"small", Initialisation::small},
    Choice<Initialisation>{"deepscale", Initialisation::deepscale}};

/// From `from_tokens` on a batch has `share` of the plan's global batch.
struct BatchStage {
  double from_tokens = 0, share = 1;
  bool operator==(const BatchStage&) const = default;
};

struct Recipe {
  LearningRate learning_rate;
  double beta1 = 0.9, beta2 = 0.95, epsilon = 1e-8, weight_decay = 0.1;
  double gradient_clip = 1.0;  ///< 0: none
  double z_loss = 0;           ///< its coefficient; 0: none
  double dropout = 0;
  Initialisation initialisation = Initialisation::megatron;
  std::vector<BatchStage> batch_ramp;  ///< by rising from_tokens, the first at 0; empty: none
  std::string source;                  ///< who says so
  std::vector<std::string> unstated;   ///< fields taken from the defaults
  bool operator==(const Recipe&) const = default;
};

/// Reads a scenario's "recipe" and finishes the reader.
[[nodiscard]] Recipe read_recipe(Reader&);
/// The text that read_recipe reads back as the same, fields that were unstated left out.
[[nodiscard]] std::string recipe_json(const Recipe&);
/// What stands where no recipe does: all defaults, all unstated.
[[nodiscard]] Recipe default_recipe();

}  // namespace forerun::models
