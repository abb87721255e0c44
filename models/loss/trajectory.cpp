#include "models/loss/trajectory.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>

#include "core/error.h"

namespace forerun::models {
namespace {

/// A modality's curve without what the course brings: F + k q^-beta + n felt.
struct Curve {
  double floor = 0, scale = 0, beta = 0, noise = 0, offset = 0, gain = 1;

  Curve(const RunCourse& course, const TrajectoryModality& m, double noise_share)
      : floor(m.end.loss - m.end.by_tokens), beta(m.beta), gain(m.gain) {
    // What is left at the end of the law's schedule is at most nine tenths of the token term: the
    // rest must fall with tokens.
    noise = std::min(noise_share * m.end.loss,
                     0.9 * m.end.by_tokens / std::max(1e-9, course.reference_felt_rate));
    scale = m.end.by_tokens - noise * course.reference_felt_rate;
    // The felt rate is 0 at the start: (p0 / (1 + p0))^-beta k = start - floor.
    // A very flat law starts at 0 tokens but for what numbers can hold.
    const double ratio = beta > 0 && scale > 0
                             ? std::max(1e-300, std::pow((m.start - floor) / scale, -1.0 / beta))
                             : 0.0;
    offset = ratio < 1 ? ratio / (1.0 - ratio) : 0.0;
  }
  /// q at that progress, whose first part is what a fresh model knows and has no gain.
  [[nodiscard]] double come(double progress) const {
    return (gain * progress + offset) / (1.0 + offset);
  }
  [[nodiscard]] double at(double progress, double felt) const {
    if (scale <= 0) return floor + noise * felt;
    return floor + scale * std::pow(come(progress), -beta) + noise * felt;
  }
};

/// Between knots, straight.
double at_step(const RunCourse& course, const std::vector<double>& values, double step) {
  const auto it = std::ranges::lower_bound(course.step, step);
  const auto k = static_cast<std::size_t>(it - course.step.begin());
  if (k == 0) return values.front();
  if (k >= values.size()) return values.back();
  const double x = (step - course.step[k - 1]) / (course.step[k] - course.step[k - 1]);
  return values[k - 1] + x * (values[k] - values[k - 1]);
}

/// The step by which that fraction of a modality's tokens is trained.
double step_with(const RunCourse& course, std::size_t modality, double fraction) {
  const std::vector<double>& trained = course.modality_tokens[modality];
  const double wanted = fraction * trained.back();
  const auto it = std::ranges::lower_bound(trained, wanted);
  const auto k = static_cast<std::size_t>(it - trained.begin());
  if (k == 0) return course.step.front();
  const double x = (wanted - trained[k - 1]) / (trained[k] - trained[k - 1]);
  return course.step[k - 1] + x * (course.step[k] - course.step[k - 1]);
}

}  // namespace

Trajectory trajectory(const RunCourse& course, const std::vector<TrajectoryModality>& modalities,
                      double noise) {
  const std::size_t knots = course.step.size();
  Trajectory out;
  out.mean.assign(knots, 0.0);
  for (std::size_t i = 0; i < modalities.size(); ++i) {
    const TrajectoryModality& m = modalities[i];
    std::vector<double> loss(knots, 0.0);
    const double share = course.share_of(i);
    if (share > 0) {
      FORERUN_ASSERT(m.start > m.end.loss,
                     fmt::format("starts at {}, ends at {}", m.start, m.end.loss));
      const Curve curve(course, m, noise);
      for (std::size_t k = 0; k < knots; ++k) {
        loss[k] = curve.at(course.progress[i][k], course.felt_rate[k]);
        out.mean[k] += share * loss[k];
      }
    }
    out.loss.push_back(std::move(loss));
  }
  return out;
}

double gain_for(const RunCourse& course, std::size_t modality, const TrajectoryModality& m,
                double noise, double fraction) {
  FORERUN_ASSERT(fraction > 0 && m.gain == 1.0, fmt::format("fraction {}", fraction));
  if (fraction >= 1) return 1;
  const Curve curve(course, m, noise);
  if (curve.beta <= 0 || curve.scale <= 0) return 1;
  const double step = step_with(course, modality, fraction);
  const double progress = at_step(course, course.progress[modality], step);
  const double felt = at_step(course, course.felt_rate, step);
  // k q^-beta + n felt must be what it is at the end.
  const double left = std::pow(curve.come(course.progress[modality].back()), -curve.beta) -
                      curve.noise / curve.scale * (felt - course.felt_rate.back());
  if (left <= 0) return kMostGain;
  const double needed = std::pow(left, -1.0 / curve.beta) * (1.0 + curve.offset) - curve.offset;
  return std::clamp(needed / progress, 1.0, kMostGain);
}

std::optional<double> step_reaching(const RunCourse& course, const std::vector<double>& curve,
                                    double target) {
  for (std::size_t k = 0; k < curve.size(); ++k) {
    if (curve[k] > target) continue;
    if (k == 0) return course.step[0];
    const double x = (curve[k - 1] - target) / (curve[k - 1] - curve[k]);
    return course.step[k - 1] + x * (course.step[k] - course.step[k - 1]);
  }
  return std::nullopt;
}

}  // namespace forerun::models
