#include "models/stability/stability_case.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>

#include "core/error.h"
#include "models/layers.h"

namespace forerun::stability {
namespace {

constexpr int kGrid = 400;

double share_of(const std::vector<ModalityShare>& modalities, const std::string& name) {
  double sum = 0;
  for (const ModalityShare& m : modalities) {
    if (m.name == name) sum += m.share;
  }
  return sum;
}

}  // namespace

void check(const StabilityCase& c, Problems& problems) {
  if (!(c.parameters >= 1e3 && c.parameters <= 1e15)) {
    problems.add("/parameters", fmt::format("expected 1e3 to 1e15, found {}", c.parameters));
  }
  if (!(c.tokens > 0 && c.tokens <= 1e18)) {
    problems.add("/tokens", fmt::format("expected above 0, at most 1e18, found {}", c.tokens));
  }
  if (c.steps < 1) problems.add("/steps", fmt::format("expected at least 1, found {}", c.steps));
  const std::optional<double>& peak = c.recipe.learning_rate.peak;
  if (!peak) {
    problems.add("/recipe/learning_rate/peak",
                 "missing: stability depends on the learning rate, and none is assumed");
  } else if (!(*peak > 0 && *peak <= 10)) {
    problems.add("/recipe/learning_rate/peak",
                 fmt::format("expected above 0, at most 10, found {}", *peak));
  }
  double sum = 0;
  for (std::size_t i = 0; i < c.modalities.size(); ++i) {
    const double share = c.modalities[i].share;
    if (!(share >= 0 && share <= 1)) {
      problems.add(fmt::format("/modalities/{}/share", i),
                   fmt::format("expected 0 to 1, found {}", share));
    }
    sum += share;
  }
  if (!c.modalities.empty() && std::abs(sum - 1) > 1e-6) {
    problems.add("/modalities", fmt::format("shares must sum to 1, found {}", sum));
  }
  if (c.alpha && !(*c.alpha > 0 && *c.alpha <= 5)) {
    problems.add("/alpha", fmt::format("expected above 0, at most 5, found {}", *c.alpha));
  }
}

double competition(const std::vector<ModalityShare>& modalities) {
  double sum = 0, squares = 0;
  for (const ModalityShare& m : modalities) {
    if (!m.generated) continue;
    sum += m.share;
    squares += m.share * m.share;
  }
  return sum > 0 ? std::max(0.0, 2 * (1 - squares / (sum * sum))) : 0;
}

std::optional<double> mean_alpha(const std::vector<ModalityShare>& modalities,
                                 const std::vector<PairAlpha>& pairs) {
  double weight = 0, sum = 0;
  for (const PairAlpha& pair : pairs) {
    const double w = share_of(modalities, pair.first) * share_of(modalities, pair.second);
    weight += w;
    sum += w * pair.alpha;
  }
  if (weight <= 0) return std::nullopt;
  return sum / weight;
}

bool has_own_attention(const models::Architecture& a) {
  for (const models::Architecture& kind : models::layer_kinds(a).kinds) {
    if (models::attention_sets(kind).size() < 2) return false;
  }
  return true;
}

Course course(const StabilityCase& c) {
  const models::LearningRate& rate = c.recipe.learning_rate;
  FORERUN_ASSERT(rate.peak && c.steps > 0, fmt::format("{} steps", c.steps));
  Course result;
  result.steps = static_cast<double>(c.steps);
  std::vector<double> steps = rate.corners(result.steps);
  for (int i = 0; i <= kGrid; ++i) steps.push_back(result.steps * i / kGrid);
  // Warm-up is short beside the run: a grid of its own, to the end of what follows it closely.
  for (int i = 1; i <= 20; ++i) {
    const double at = rate.warm_up_steps * i / 10;
    if (at > 0 && at < result.steps) steps.push_back(at);
  }
  std::ranges::sort(steps);
  steps.erase(std::unique(steps.begin(), steps.end()), steps.end());
  for (const double step : steps) {
    CoursePoint p{step, *rate.peak * rate.share_at(step, result.steps), 0};
    if (!result.points.empty()) {
      const CoursePoint& before = result.points.back();
      p.rate_sum = before.rate_sum + (step - before.step) * (p.rate + before.rate) / 2;
    }
    result.peak = std::max(result.peak, p.rate);
    result.points.push_back(p);
  }
  return result;
}

}  // namespace forerun::stability
