#include "models/loss/run_course.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <span>

#include "core/error.h"
#include "models/loss/repetition.h"

namespace forerun::models {
namespace {

/// The law's own schedule falls to a tenth of the peak, as the interaction law's runs do
/// (Aghajanyan et al. 2023, arXiv:2301.03728, page 5, read in a transcription; by a polynomial).
/// That every law's runs end there, and by a cosine, is assumed: files do not say.
constexpr double kReferenceFinalShare = 0.1;

/// Tokens against steps: straight between corners, where the batch changes.
struct StepScale {
  struct Corner {
    double step, tokens, batch;
  };
  std::vector<Corner> corners;
  double steps = 0;

  StepScale(const Recipe& recipe, double tokens, double batch) {
    double step = 0, at = 0;
    std::vector<BatchStage> ramp = recipe.batch_ramp;
    if (ramp.empty()) ramp.push_back({0, 1});
    for (std::size_t i = 0; i < ramp.size() && ramp[i].from_tokens < tokens; ++i) {
      step += corners.empty() ? 0.0 : (ramp[i].from_tokens - at) / corners.back().batch;
      at = ramp[i].from_tokens;
      corners.push_back({step, at, ramp[i].share * batch});
    }
    steps = step + (tokens - at) / corners.back().batch;
  }
  [[nodiscard]] double tokens_at(double step) const {
    auto it = std::ranges::upper_bound(corners, step, {}, &Corner::step);
    const Corner& c = *std::prev(it);
    return c.tokens + (step - c.step) * c.batch;
  }
  [[nodiscard]] double step_at(double tokens) const {
    auto it = std::ranges::upper_bound(corners, tokens, {}, &Corner::tokens);
    const Corner& c = *std::prev(it);
    return c.step + (tokens - c.tokens) / c.batch;
  }
};

/// A quarter of the knots evenly in the logarithm, over the first tenth of the run; the rest
/// evenly; and every corner of schedule, ramp and stages.
std::vector<double> knots_of(const CourseQuestion& q, const StepScale& scale) {
  std::vector<double> at = {0.0, scale.steps};
  const std::size_t early = q.knots / 4, late = q.knots - early;
  const double first = std::min(1.0, scale.steps / 1000), tenth = scale.steps / 10;
  for (std::size_t i = 0; i < early; ++i) {
    at.push_back(first *
                 std::pow(tenth / first, static_cast<double>(i) / static_cast<double>(early)));
  }
  for (std::size_t i = 0; i < late; ++i) {
    at.push_back(tenth +
                 (scale.steps - tenth) * static_cast<double>(i) / static_cast<double>(late));
  }
  for (const double corner : q.recipe.learning_rate.corners(scale.steps)) at.push_back(corner);
  for (const StepScale::Corner& c : scale.corners) at.push_back(c.step);
  for (const MixtureStage& stage : q.stages) {
    if (stage.from_tokens < q.tokens) at.push_back(scale.step_at(stage.from_tokens));
  }
  std::ranges::sort(at);
  // Knots closer than a thousandth of a step are one; of a run of a few steps, a millionth of it.
  const double least = 1e-3 * std::min(1.0, scale.steps / 1000);
  std::vector<double> out;
  for (const double s : at) {
    if (out.empty() || s - out.back() > least) out.push_back(s);
  }
  out.back() = scale.steps;
  return out;
}

/// What the first `tokens` of modality i are worth in new ones.
double worth_of(const CourseQuestion& q, std::size_t i, double tokens) {
  if (q.unique[i] <= 0) return tokens;
  return effective_tokens(tokens, q.unique[i], q.repetition_decay);
}

LearningRate reference_of(LearningRate rate) {
  rate.shape = ScheduleShape::cosine;
  rate.final_share = kReferenceFinalShare;
  return rate;
}

/// The rate at each knot, and as the loss feels it.
struct Rates {
  std::vector<double> rate, felt;
};

/// `felt` only where it is asked for: it takes each knot a walk over those before.
Rates rates_of(const CourseQuestion& q, const LearningRate& rate, const std::vector<double>& step,
               bool only_end) {
  Rates out;
  const double steps = step.back();
  std::vector<ScheduleNode> nodes;
  double area = 0;
  for (std::size_t k = 0; k < step.size(); ++k) {
    out.rate.push_back(rate.share_at(step[k], steps));
    if (k > 0) area += 0.5 * (out.rate[k] + out.rate[k - 1]) * (step[k] - step[k - 1]);
    nodes.push_back({step[k], out.rate[k] * q.annealing_peak, area * q.annealing_peak});
    if (only_end && k + 1 < step.size()) continue;
    out.felt.push_back(std::max(
        0.0,
        annealed<double>(q.annealing, std::span<const ScheduleNode>(nodes)) / q.annealing_peak));
  }
  return out;
}

}  // namespace

double steps_for(const Recipe& recipe, double tokens, double batch_tokens) {
  return StepScale(recipe, tokens, batch_tokens).steps;
}

double RunCourse::share_of(std::size_t modality) const {
  return modality_tokens[modality].back() / tokens.back();
}

RunCourse run_course(const CourseQuestion& q) {
  FORERUN_ASSERT(
      q.tokens > 0 && q.batch_tokens > 0 && !q.stages.empty() && q.knots >= 8 &&
          q.stages.front().from_tokens == 0,
      fmt::format("{} tokens, batch {}, {} stages", q.tokens, q.batch_tokens, q.stages.size()));
  const StepScale scale(q.recipe, q.tokens, q.batch_tokens);
  RunCourse c;
  c.steps = scale.steps;
  c.step = knots_of(q, scale);
  const std::size_t knots = c.step.size(), n = q.stages.front().shares.size();
  for (const double s : c.step) c.tokens.push_back(scale.tokens_at(s));
  c.tokens.back() = q.tokens;
  const Rates own = rates_of(q, q.recipe.learning_rate, c.step, false);
  const Rates reference = rates_of(q, reference_of(q.recipe.learning_rate), c.step, true);
  c.rate = own.rate;
  c.felt_rate = own.felt;
  c.reference_felt_rate = reference.felt.back();
  for (std::size_t i = 0; i < n; ++i) {
    std::vector<double> progress(knots, 0.0), trained(knots, 0.0), share(knots, 0.0);
    double reference_end = 0;
    std::size_t stage = 0;
    for (std::size_t k = 0; k < knots; ++k) {
      if (k > 0) {
        const double width = c.tokens[k] - c.tokens[k - 1];
        trained[k] = trained[k - 1] + share[k - 1] * width;
        const double weight = worth_of(q, i, trained[k]) - worth_of(q, i, trained[k - 1]);
        progress[k] = progress[k - 1] + weight * 0.5 * (own.rate[k] + own.rate[k - 1]);
        reference_end += weight * 0.5 * (reference.rate[k] + reference.rate[k - 1]);
      }
      while (stage + 1 < q.stages.size() &&
             q.stages[stage + 1].from_tokens <= c.tokens[k] * (1 + 1e-12)) {
        ++stage;
      }
      share[k] = q.stages[stage].shares[i];
    }
    if (reference_end > 0) {
      for (double& p : progress) p /= reference_end;
    }
    c.progress.push_back(std::move(progress));
    c.modality_tokens.push_back(std::move(trained));
    c.shares.push_back(std::move(share));
  }
  return c;
}

}  // namespace forerun::models
