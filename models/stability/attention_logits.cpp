#include "models/stability/attention_logits.h"

#include <algorithm>
#include <cmath>
#include <numbers>

namespace forerun::stability {
namespace {

/// The distribution function of a standard normal.
double below(double x) { return std::erfc(-x / std::numbers::sqrt2) / 2; }

}  // namespace

double critical_rate(double parameters, bool qk_norm, const Constants& k) {
  const double plain =
      k.critical_rate.value * std::pow(parameters / 1e9, -k.critical_rate_exponent.value);
  return qk_norm ? plain * k.qk_norm_rate_gain.value : plain;
}

double competing(const StabilityCase& c, const Constants& k) {
  const double all = competition(c.modalities);
  return all > 0 && has_own_attention(c.architecture) ? all * k.tower_competition.value : all;
}

double normed_logit_bound(double head_dim, double gain) {
  return std::sqrt(head_dim) * gain * gain;
}

double largest_logit(const StabilityCase& c, const Course& course, const CoursePoint& at,
                     const Constants& k) {
  const double end = course.points.back().rate_sum;
  const double ratio = course.peak / critical_rate(c.parameters, false, k);
  const double of_rate = k.logit_divergence.value * std::pow(ratio, k.logit_rate_exponent.value) *
                         (end > 0 ? std::sqrt(at.rate_sum / end) : 0);
  const double growth = k.competition_growth.value * competing(c, k) *
                        std::pow(c.parameters / 8e9, k.competition_size_exponent.value) *
                        at.rate_sum / k.competition_rate_sum.value;
  const double free = (k.logit_floor.value + of_rate) * std::exp(std::min(growth, 100.0));
  if (!c.architecture.qk_norm) return free;
  const double head_dim = static_cast<double>(c.architecture.head_dim);
  return std::min(free, normed_logit_bound(head_dim, k.qk_norm_gain.value));
}

double lost_to_logits(const StabilityCase& c, const Course& course, const CoursePoint& at,
                      const Constants& k) {
  const double z = largest_logit(c, course, at, k);
  return below(std::log(z / k.logit_threshold.value) / k.logit_threshold_spread.value);
}

double lost_to_rate(const StabilityCase& c, const Course& course, const Constants& k) {
  const double ratio = course.peak / critical_rate(c.parameters, c.architecture.qk_norm, k);
  return below(std::log(ratio) / k.critical_rate_spread.value);
}

}  // namespace forerun::stability
