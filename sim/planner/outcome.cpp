#include "sim/planner/outcome.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <utility>

#include "sim/cost/cost_forecast.h"
#include "sim/loss_question.h"
#include "sim/run/run_forecast.h"
#include "sim/run/run_setup.h"

namespace forerun::sim {
namespace {

constexpr double kFewestTokens = 1e6, kQuadrillion = 1e15;
constexpr int kMostTries = 200;
constexpr std::int64_t kDraws = 64;  ///< of a run; a median of so many is near enough to rank

}  // namespace

EndLoss::EndLoss(const Scenario& s, std::string modality, std::optional<models::Law> law)
    : scenario_(s), modality_(std::move(modality)), law_(law ? std::move(law) : loss_law(s)) {
  if (law_) {
    companions_ = models::load_companion_laws(s.loss.schedule);
  } else {
    why_ = "no law of its modalities is named: state one under loss.law (forerun list laws)";
  }
}

std::optional<double> EndLoss::after(double tokens) const {
  if (!law_) return std::nullopt;
  Scenario s = scenario_;
  s.training_tokens = tokens;
  Problems problems;
  std::optional<models::MixtureRun> run = mixture_run(s, *law_, problems);
  std::optional<models::MixtureAnswer> answer;
  if (run) {
    run->draws = 1;
    run->threads = 1;
    answer = models::mixture_answer(*run, companions_, problems);
  }
  if (!answer) {
    why_ = problems.empty()
               ? "the law has no answer"
               : fmt::format("{}: {}", problems.list().front().where, problems.list().front().what);
    return std::nullopt;
  }
  if (modality_.empty()) return answer->mean;
  for (const models::ModalityAnswer& m : answer->modalities) {
    if (m.name == modality_) return m.end.loss;
  }
  std::vector<std::string> names;
  for (const models::ModalityAnswer& m : answer->modalities) names.push_back(m.name);
  why_ =
      fmt::format("no modality {}: {}", modality_,
                  did_you_mean(modality_, names, fmt::format("it has {}", fmt::join(names, ", "))));
  return std::nullopt;
}

std::optional<double> EndLoss::tokens_to(double target, double near) const {
  const double step = tokens_per_step(scenario_);
  // Stages of the mixture set the least that may be asked.
  double low = std::max(kFewestTokens, step), high = kQuadrillion;
  for (const LossStage& stage : scenario_.loss.stages) {
    low = std::max(low, stage.from_tokens + step);
  }
  // Whole steps: too few, enough, and how far the loss is from the target there.
  double few = std::ceil(low / step), enough = std::floor(high / step);
  const auto beyond = [&](double steps) -> std::optional<double> {
    const std::optional<double> loss = after(steps * step);
    return loss ? std::optional(*loss - target) : std::nullopt;
  };
  std::optional<double> above, below;
  // From what is near, twice as far each time, until the target lies between.
  const double start = std::clamp(std::ceil(near / step), few, enough);
  for (double steps = start, factor = 1.3; near > 0 && !(above && below);) {
    const std::optional<double> off = beyond(steps);
    if (!off) return std::nullopt;
    (*off <= 0 ? enough : few) = steps;
    (*off <= 0 ? below : above) = off;
    const double next = std::ceil(*off <= 0 ? steps / factor : steps * factor);
    if (next <= few || next >= enough) break;
    steps = next;
    factor *= factor;
  }
  if (!above) above = beyond(few);
  if (above && *above <= 0) return few * step;
  if (!below) below = beyond(enough);
  if (!above || !below || *below > 0) {
    if (below) {
      why_ = fmt::format("{:.3f} nats is the least, after {:.0e} tokens", *below + target, high);
    }
    return std::nullopt;
  }
  for (int i = 0; i < kMostTries && enough - few > 1; ++i) {
    // A loss falls about as a straight line over log tokens: where that meets the target, and every
    // third time the middle, in case it does not.
    const double slope = *above / (*above - *below);
    const double at = i % 3 == 2 ? 0.5 : slope;
    const double guess = std::exp(std::log(few) + at * (std::log(enough) - std::log(few)));
    const double next = std::clamp(std::ceil(guess), few + 1, enough - 1);
    for (const double steps : {next, next - 1}) {
      if (steps <= few || steps >= enough) continue;
      const std::optional<double> off = beyond(steps);
      if (!off) return std::nullopt;
      (*off <= 0 ? enough : few) = steps;
      (*off <= 0 ? below : above) = off;
      if (*off > 0) break;
    }
  }
  return enough * step;
}

Outcome outcome(const Scenario& s, const StepFacts& step, double tokens, const EndLoss* loss) {
  Outcome o;
  o.step_time = step.time;
  if (tokens <= 0) return o;
  Scenario run = s;
  run.training_tokens = tokens;
  run.operations.step_time.reset();  // measured of another plan
  const RunSetup setup = run_setup(run, step.time, std::nullopt);
  const RunForecast forecast = run_forecast(setup, s.seed, kDraws, 1);
  o.tokens = tokens;
  o.steps = setup.steps;
  o.duration = Seconds(forecast.duration_s.p50);
  o.early = Seconds(forecast.duration_s.p10);
  o.late = Seconds(forecast.duration_s.p90);
  o.goodput = forecast.goodput.p50;
  o.given_up = forecast.given_up;
  if (cost_is_asked(run)) {
    StepResult of_bill;
    of_bill.time = step.time;
    of_bill.power = step.power;
    const CostForecast cost = cost_forecast(run, of_bill, forecast);
    if (!cost.items.empty()) o.cost = Dollars(cost.total_usd.p50);
  }
  if (loss != nullptr) o.loss = loss->after(tokens);
  return o;
}

}  // namespace forerun::sim
