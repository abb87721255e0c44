#include "models/recipe.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <numbers>

#include "core/error.h"
#include "core/json_writer.h"

namespace forerun::models {
namespace {

/// From 1 at x = 0 to `end` at x = 1.
double decayed(DecayShape shape, double x, double end) {
  switch (shape) {
    case DecayShape::linear:
      return 1.0 + (end - 1.0) * x;
    case DecayShape::cosine:
      return end + (1.0 - end) * 0.5 * (1.0 + std::cos(std::numbers::pi * x));
    case DecayShape::exponential:
      return std::pow(end, x);
    case DecayShape::one_minus_sqrt:
      return 1.0 + (end - 1.0) * std::sqrt(x);
  }
  return 1.0;
}

double between(const std::vector<LearningRate::Point>& points, double x) {
  const auto next = std::ranges::lower_bound(points, x, {}, &LearningRate::Point::progress);
  if (next == points.begin()) return points.front().share;
  if (next == points.end()) return points.back().share;
  const LearningRate::Point& before = *std::prev(next);
  const double width = next->progress - before.progress;
  return before.share + (next->share - before.share) * (x - before.progress) / width;
}

}  // namespace

double LearningRate::share_at(double step, double steps) const {
  FORERUN_ASSERT(step >= 0 && steps > 0, fmt::format("step {} of {}", step, steps));
  if (step < warm_up_steps) return step / warm_up_steps;
  if (steps <= warm_up_steps) return 1.0;
  const double x = std::min(1.0, (step - warm_up_steps) / (steps - warm_up_steps));
  switch (shape) {
    case ScheduleShape::constant:
      return 1.0;
    case ScheduleShape::cosine:
      return final_share + (1.0 - final_share) * 0.5 * (1.0 + std::cos(std::numbers::pi * x));
    case ScheduleShape::polynomial:
      return final_share + (1.0 - final_share) * std::pow(1.0 - x, power);
    case ScheduleShape::warm_stable_decay: {
      const double start = std::max(warm_up_steps, steps * (1.0 - decay_share));
      if (step <= start) return 1.0;
      return decayed(decay, std::min(1.0, (step - start) / (steps - start)), final_share);
    }
    case ScheduleShape::points:
      return between(points, x);
  }
  return 1.0;
}

std::vector<double> LearningRate::corners(double steps) const {
  std::vector<double> out;
  if (warm_up_steps > 0 && warm_up_steps < steps) out.push_back(warm_up_steps);
  if (steps <= warm_up_steps) return out;
  if (shape == ScheduleShape::warm_stable_decay) {
    out.push_back(std::max(warm_up_steps, steps * (1.0 - decay_share)));
  }
  if (shape == ScheduleShape::points) {
    for (const Point& p : points) {
      const double at = warm_up_steps + p.progress * (steps - warm_up_steps);
      if (at > 0 && at < steps) out.push_back(at);
    }
  }
  std::ranges::sort(out);
  out.erase(std::unique(out.begin(), out.end()), out.end());
  return out;
}

}  // namespace forerun::models
