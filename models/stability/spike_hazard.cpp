#include "models/stability/spike_hazard.h"

#include <algorithm>
#include <cmath>

namespace forerun::stability {
namespace {

/// X: size, and modalities where there are several.
double size_and_mixture(const StabilityCase& c, const Constants& k) {
  const double alpha = c.alpha.value_or(k.reference_alpha.value);
  const double mixture = k.mixture_spikes.value * competing(c, k) * k.reference_alpha.value / alpha;
  return std::log(c.parameters) / std::log(k.reference_parameters.value) * (1 + mixture);
}

double of_format(TrainingFormat format, const Constants& k) {
  switch (format) {
    case TrainingFormat::fp32:
      return k.fp32_spikes.value;
    case TrainingFormat::bf16:
      return 1;
    case TrainingFormat::fp16:
      return k.fp16_spikes.value;
    case TrainingFormat::fp8:
      return k.fp8_spikes.value;
  }
  return 1;
}

/// F without warm-up: what holds all along the run.
double softening(const StabilityCase& c, const Constants& k) {
  const models::Architecture& a = c.architecture;
  const models::Recipe& r = c.recipe;
  double f = of_format(c.format, k);
  if (a.qk_norm) f *= k.qk_norm_spikes.value;
  if (a.norm_order != models::NormOrder::before) f *= k.norm_order_spikes.value;
  if (a.embedding_norm) f *= k.embedding_norm_spikes.value;
  if (r.z_loss > 0) f *= k.z_loss_spikes.value;
  if (r.dropout > 0) f *= k.dropout_spikes.value;
  if (r.epsilon >= 1e-6) f *= k.large_epsilon_spikes.value;
  f *= std::pow(0.05 / std::max(1e-4, 1 - r.beta2), k.beta2_exponent.value);
  const bool wide = r.initialisation == models::Initialisation::megatron;
  if (wide && a.hidden > 1000) {
    f *= std::pow(static_cast<double>(a.hidden) / 1000, k.wide_initialisation_exponent.value);
  }
  return f;
}

double of_clip(const StabilityCase& c, const Constants& k) {
  if (c.recipe.gradient_clip <= 0) return k.no_clip.value;
  return std::pow(c.recipe.gradient_clip, k.clip_exponent.value);
}

/// The rates of one run: what holds all along it is computed once.
class Hazard {
 public:
  Hazard(const StabilityCase& c, const Course& course, const Constants& k) : k_(k) {
    const double reference =
        k.reference_rate.value / critical_rate(k.reference_parameters.value, false, k);
    const double ratio = course.peak / critical_rate(c.parameters, false, k);
    base_ = k.gradient_spike_rate.value * std::pow(ratio / reference, k.spike_rate_exponent.value) *
            size_and_mixture(c, k) * softening(c, k);
    const double warm_up = std::max(1.0, c.recipe.learning_rate.warm_up_steps);
    near_warm_up_ = 2 * warm_up;
    of_warm_up_ = std::pow(k.warm_up_reference.value / warm_up, k.warm_up_exponent.value);
    critical_ = critical_rate(c.parameters, c.architecture.qk_norm, k);
    of_clip_ = of_clip(c, k);
  }

  [[nodiscard]] SpikeRates at(const CoursePoint& point) const {
    const double base = point.step > near_warm_up_ ? base_ : base_ * of_warm_up_;
    const double now = point.rate / critical_;
    const double steep =
        k_.critical_spike_rate.value * std::pow(now, k_.critical_spike_exponent.value);
    SpikeRates rates;
    rates.gradient = base + steep;
    rates.loss = k_.loss_spike_share.value * base + steep;
    if (rates.gradient > 1) {
      rates.loss /= rates.gradient;
      rates.gradient = 1;
    }
    const double share =
        k_.diverging_share.value + (1 - k_.diverging_share.value) * std::min(1.0, now * now);
    rates.diverging = rates.loss * std::min(1.0, share * of_clip_);
    return rates;
  }

 private:
  const Constants& k_;
  double base_ = 0, near_warm_up_ = 0, of_warm_up_ = 1, critical_ = 0, of_clip_ = 1;
};

/// The draws of one spike: seven numbers of the stream.
class SpikeDraws {
 public:
  explicit SpikeDraws(const Stream& stream) : stream_(stream) {}
  double uniform() { return stream_.uniform(next_++); }
  double normal() { return stream_.normal(next_++); }
  double exponential() { return stream_.exponential(next_++); }

 private:
  const Stream& stream_;
  std::uint64_t next_ = 0;
};

SpikeEvent event(double step, const SpikeRates& rates, const StabilityCase& c, const Constants& k,
                 const RollbackPolicy& policy, SpikeDraws& draws) {
  SpikeEvent e;
  e.step = step;
  // All are drawn whatever comes of them, so that one spike's fate moves no other's.
  const double shows = draws.uniform();
  const double stays = draws.uniform();
  const double amplitude = draws.exponential();
  const double healing = draws.normal();
  const double skips = draws.uniform();
  e.in_loss = shows * rates.gradient < rates.loss;
  if (!e.in_loss) return e;
  e.amplitude = amplitude * k.amplitude.value * of_clip(c, k);
  e.diverged = stays * rates.loss < rates.diverging;
  if (!e.diverged) {
    e.heals_after = k.healing_steps.value * std::exp(k.healing_spread.value * healing);
  }
  e.rolled_back = e.diverged || policy.on_every_loss_spike;
  if (e.rolled_back) {
    e.rolled_back_to = std::max(0.0, step - k.rewind_steps.value);
    e.skipped = std::round(k.skip_least.value + (k.skip_most.value - k.skip_least.value) * skips);
  }
  return e;
}

}  // namespace

SpikeRates spike_rates(const StabilityCase& c, const Course& course, const CoursePoint& at,
                       const Constants& k) {
  return Hazard(c, course, k).at(at);
}

std::vector<SpikeRates> spikes_by(const StabilityCase& c, const Course& course,
                                  const Constants& k) {
  const Hazard hazard(c, course, k);
  std::vector<SpikeRates> sums(1);
  SpikeRates before = hazard.at(course.points.front());
  for (std::size_t i = 1; i < course.points.size(); ++i) {
    const SpikeRates here = hazard.at(course.points[i]);
    const double half = (course.points[i].step - course.points[i - 1].step) / 2;
    SpikeRates sum = sums.back();
    sum.gradient += half * (before.gradient + here.gradient);
    sum.loss += half * (before.loss + here.loss);
    sum.diverging += half * (before.diverging + here.diverging);
    sums.push_back(sum);
    before = here;
  }
  return sums;
}

SpikeRates expected_spikes(const StabilityCase& c, const Course& course, const Constants& k) {
  return spikes_by(c, course, k).back();
}

std::vector<SpikeEvent> draw_spikes(const StabilityCase& c, const Course& course,
                                    const Constants& k, const RollbackPolicy& policy,
                                    const Stream& stream) {
  std::vector<SpikeEvent> events;
  SpikeDraws draws(stream);
  // A Poisson process: its integrated hazard rises by an exponential from spike to spike.
  double next = draws.exponential();
  double passed = 0;
  const Hazard hazard(c, course, k);
  SpikeRates before = hazard.at(course.points.front());
  for (std::size_t i = 1; i < course.points.size(); ++i) {
    const SpikeRates here = hazard.at(course.points[i]);
    const double from = course.points[i - 1].step;
    const double width = course.points[i].step - from;
    const double added = width * (before.gradient + here.gradient) / 2;
    const SpikeRates mean{(before.gradient + here.gradient) / 2, (before.loss + here.loss) / 2,
                          (before.diverging + here.diverging) / 2};
    while (next < passed + added && events.size() < kMostSpikes) {
      const double step = from + width * (next - passed) / added;
      events.push_back(event(step, mean, c, k, policy, draws));
      next += draws.exponential();
    }
    passed += added;
    before = here;
  }
  return events;
}

}  // namespace forerun::stability
