#include "models/stability/stability_report.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <cmath>

#include "core/error.h"
#include "core/table.h"
#include "models/stability/attention_logits.h"
#include "models/stability/remedies.h"

namespace forerun::stability {
namespace {

constexpr std::array kAll{Failure::attention_logits, Failure::learning_rate,
                          Failure::diverging_spike};

/// P(failed so by each point of the course).
using Curve = std::vector<double>;

Curve failed_by(Failure failure, const StabilityCase& c, const Course& course, const Constants& k) {
  Curve curve;
  curve.reserve(course.points.size());
  if (failure == Failure::attention_logits) {
    for (const CoursePoint& p : course.points) curve.push_back(lost_to_logits(c, course, p, k));
    return curve;
  }
  if (failure == Failure::learning_rate) {
    // A rate that is too high shows when it is reached: at the largest so far.
    Course so_far = course;
    so_far.peak = 0;
    for (const CoursePoint& p : course.points) {
      so_far.peak = std::max(so_far.peak, p.rate);
      curve.push_back(so_far.peak > 0 ? lost_to_rate(c, so_far, k) : 0);
    }
    return curve;
  }
  for (const SpikeRates& sum : spikes_by(c, course, k)) {
    curve.push_back(1 - std::exp(-sum.diverging));
  }
  return curve;
}

double fails(Failure failure, const StabilityCase& c, const Course& course, const Constants& k) {
  switch (failure) {
    case Failure::attention_logits:
      return lost_to_logits(c, course, course.points.back(), k);
    case Failure::learning_rate:
      return lost_to_rate(c, course, k);
    case Failure::diverging_spike:
      return 1 - std::exp(-expected_spikes(c, course, k).diverging);
  }
  return 0;
}

Interval band(const std::vector<double>& values) {
  return {quantile(values, 0.1), quantile(values, 0.9)};
}

/// Progress at which a mean curve has reached `share` of its end.
double progress_at(const Curve& mean, const Course& course, double share) {
  const double target = share * mean.back();
  for (std::size_t i = 1; i < mean.size(); ++i) {
    if (mean[i] < target) continue;
    const double rise = mean[i] - mean[i - 1];
    const double part = rise > 0 ? std::clamp((target - mean[i - 1]) / rise, 0.0, 1.0) : 1;
    const double from = course.points[i - 1].step;
    return (from + part * (course.points[i].step - from)) / course.steps;
  }
  return 1;
}

void add(Curve& sum, const Curve& curve) {
  sum.resize(curve.size());
  for (std::size_t i = 0; i < curve.size(); ++i) sum[i] += curve[i];
}

std::string show_logit(double z) { return z > 1e5 ? "more than 1e5" : significant(z, 2); }

std::string logits_why(const StabilityCase& c, const Course& course, const Constants& k) {
  StabilityCase alone = c;
  alone.modalities.clear();
  const CoursePoint& end = course.points.back();
  std::string text = fmt::format(
      "the largest attention logit reaches {}, where {} ends half of all runs and 1e4 nearly all",
      show_logit(largest_logit(c, course, end, k)), significant(k.logit_threshold.value, 2));
  if (c.architecture.qk_norm) {
    return text + fmt::format("; QK-norm bounds it by sqrt({}) x {}^2", c.architecture.head_dim,
                              significant(k.qk_norm_gain.value, 2));
  }
  if (competition(c.modalities) > 0) {
    text += fmt::format("; with one modality it would be {}",
                        show_logit(largest_logit(alone, course, end, k)));
    if (has_own_attention(c.architecture)) text += " (attention matrices are each modality's own)";
  }
  return text;
}

std::string why(Failure failure, const StabilityCase& c, const Course& course, const Constants& k) {
  switch (failure) {
    case Failure::attention_logits:
      return logits_why(c, course, k);
    case Failure::learning_rate:
      return fmt::format(
          "the peak rate {} is {} of the {} at which {} parameters diverge{}",
          significant(course.peak, 2),
          significant(course.peak / critical_rate(c.parameters, c.architecture.qk_norm, k), 2),
          significant(critical_rate(c.parameters, c.architecture.qk_norm, k), 2),
          show_count(c.parameters), c.architecture.qk_norm ? " with QK-norm" : "");
    case Failure::diverging_spike: {
      const SpikeRates sum = expected_spikes(c, course, k);
      return fmt::format("of {} gradient spikes expected, {} show in the loss and {} do not heal",
                         significant(sum.gradient, 2), significant(sum.loss, 2),
                         significant(sum.diverging, 2));
    }
  }
  return {};
}

/// Everything that is drawn, at once.
struct Sampled {
  std::array<std::vector<double>, kAll.size()> ends;  // probability of each failure, by draw
  std::array<Curve, kAll.size()> sums;                // curves, summed over draws
  std::vector<double> lost, gradient, loss, diverging;
  Curve lost_sum;
};

Sampled sample(const StabilityCase& c, const Course& course, const std::vector<Constants>& draws) {
  Sampled s;
  for (const Constants& k : draws) {
    std::array<Curve, kAll.size()> curves;
    for (std::size_t f = 0; f < kAll.size(); ++f) {
      curves[f] = failed_by(kAll[f], c, course, k);
      s.ends[f].push_back(curves[f].back());
      add(s.sums[f], curves[f]);
    }
    Curve lost(curves[0].size());
    for (std::size_t i = 0; i < lost.size(); ++i) {
      lost[i] = 1 - (1 - curves[0][i]) * (1 - curves[1][i]);
    }
    s.lost.push_back(lost.back());
    add(s.lost_sum, lost);
    const SpikeRates expected = expected_spikes(c, course, k);
    s.gradient.push_back(expected.gradient);
    s.loss.push_back(expected.loss);
    s.diverging.push_back(expected.diverging);
  }
  return s;
}

/// For every failure those of all changes that lower it.
std::vector<Remedy> remedies(Failure failure, double probability,
                             const std::vector<Change>& changes,
                             const std::vector<Constants>& draws) {
  std::vector<Remedy> result;
  if (probability < 0.01) return result;
  for (const Change& change : changes) {
    const Course changed = course(change.with);
    double sum = 0;
    for (const Constants& k : draws) sum += fails(failure, change.with, changed, k);
    const double with = sum / static_cast<double>(draws.size());
    if (with <= 0.95 * probability) result.push_back({change.what, with});
  }
  std::ranges::stable_sort(result, {}, &Remedy::probability);
  return result;
}

}  // namespace

const Finding& StabilityReport::of(Failure failure) const {
  const auto found = std::ranges::find(findings, failure, &Finding::failure);
  FORERUN_ASSERT(found != findings.end(), "a report without one of its findings");
  return *found;
}

std::optional<StabilityReport> stability_report(const StabilityCase& c, const Constants& constants,
                                                std::uint64_t seed, Problems& problems,
                                                std::int64_t draw_count) {
  FORERUN_ASSERT(draw_count > 0, fmt::format("{} draws", draw_count));
  const std::size_t before = problems.list().size();
  check(c, problems);
  if (problems.list().size() != before) return std::nullopt;

  const Stream stream(seed, "stability/constants");
  std::vector<Constants> draws;
  for (std::int64_t i = 0; i < draw_count; ++i) {
    draws.push_back(drawn(constants, stream, static_cast<std::uint64_t>(i)));
  }
  const Course along = course(c);
  const Sampled sampled = sample(c, along, draws);
  const std::vector<Change> possible = changes(c);

  StabilityReport report;
  for (std::size_t f = 0; f < kAll.size(); ++f) {
    Finding finding;
    finding.failure = kAll[f];
    finding.probability = mean(sampled.ends[f]);
    finding.band = band(sampled.ends[f]);
    finding.median_progress = progress_at(sampled.sums[f], along, 0.5);
    finding.progress_band = {progress_at(sampled.sums[f], along, 0.1),
                             progress_at(sampled.sums[f], along, 0.9)};
    finding.why = why(kAll[f], c, along, constants);
    finding.remedies = remedies(kAll[f], finding.probability, possible, draws);
    report.findings.push_back(std::move(finding));
  }
  std::ranges::stable_sort(report.findings, std::ranges::greater{}, &Finding::probability);
  report.lost = mean(sampled.lost);
  report.lost_band = band(sampled.lost);
  report.lost_progress = progress_at(sampled.lost_sum, along, 0.5);
  report.expected = expected_spikes(c, along, constants);
  report.gradient_spikes = band(sampled.gradient);
  report.loss_spikes = band(sampled.loss);
  report.diverging_spikes = band(sampled.diverging);
  report.competition = competition(c.modalities);
  report.alpha_assumed = report.competition > 0 && !c.alpha;
  report.draws = draw_count;
  report.seed = seed;
  return report;
}

}  // namespace forerun::stability
