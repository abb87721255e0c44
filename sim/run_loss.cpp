#include "sim/run_loss.h"

#include <fmt/format.h>

#include <algorithm>
#include <utility>

#include "models/loss/critical_batch.h"
#include "models/stability/constants.h"
#include "models/stability/spike_hazard.h"
#include "sim/loss_question.h"

namespace forerun::sim {
namespace {

constexpr std::int64_t kGainDraws = 200;
constexpr double kManySpikes = 50000;

std::vector<RunLoss::Gain> gains_of(const Scenario& s) {
  std::vector<std::string> names;
  for (const auto& [name, share] : model_shares(s)) names.push_back(name);
  const std::vector<models::GainInput> inputs = gain_inputs(s, names);
  const models::Law law = models::load_law("step_matching");
  Problems none;
  const models::ArchitectureGain centre =
      models::architecture_gain(law, models::central_values(law), none);
  std::vector<RunLoss::Gain> out;
  bool any = false;
  for (std::size_t i = 0; i < names.size(); ++i) {
    RunLoss::Gain g{names[i],
                    models::step_fraction(centre, inputs[i], false),
                    models::step_fraction(centre, inputs[i], true),
                    {}};
    any = any || g.training < 1;
    std::vector<double> drawn;
    for (std::int64_t d = 0; d < kGainDraws; ++d) {
      const models::ArchitectureGain one = models::architecture_gain(
          law, models::drawn_values(law, s.seed, static_cast<std::uint64_t>(d)), none);
      drawn.push_back(models::step_fraction(one, inputs[i], false));
    }
    g.band = {quantile(drawn, 0.1), quantile(drawn, 0.9)};
    out.push_back(g);
  }
  return any ? out : std::vector<RunLoss::Gain>{};
}

/// Where what towers and experts gain goes beyond what it rests on.
void note_domain_of_gains(const Scenario& s, RunLoss& out) {
  if (out.gains.empty()) return;
  const models::GainInput in = gain_inputs(s, {out.gains.front().modality}).front();
  const double parameters = in.decoder + in.embedding;
  for (const std::string& w : models::outside_domain(
           models::load_law("step_matching"),
           {{"parameters", parameters}, {"tokens a parameter", in.tokens / parameters}})) {
    out.notes.push_back("when the dense model's loss is reached: " + w);
  }
}

/// The batch against the critical one at the loss that the run ends with.
std::string batch_note(const Scenario& s, const models::MixtureAnswer& a) {
  const models::Law law = models::load_law("critical_batch_kaplan");
  Problems none;
  const double critical = models::critical_batch(
      models::critical_batch_law(law, models::central_values(law), none), a.mean);
  const double batch = tokens_per_step(s);
  return fmt::format(
      "a batch is {:.3g} tokens, the critical batch at the end's mean loss {:.2g} (Kaplan et al. "
      "2020, of text, an order of magnitude){}",
      batch, critical,
      batch > critical ? ": beyond it tokens are worth less, which the losses here do not show"
                       : "");
}

void answer_losses(const Scenario& s, std::int64_t draws, int threads, RunLoss& out,
                   Problems& problems) {
  out.law = loss_law(s);
  if (!out.law) {
    std::vector<std::string> names;
    for (const auto& [name, share] : loss_shares(s)) names.push_back(name);
    out.unanswered.push_back(
        fmt::format("losses: no law of {} is named; state one under loss.law (forerun list laws), "
                    "or fit one to "
                    "your runs (forerun fit)",
                    fmt::join(names, ", ")));
    return;
  }
  std::optional<models::MixtureRun> run = mixture_run(s, *out.law, problems);
  if (!run) return;
  run->draws = draws;
  run->threads = threads;
  const models::CompanionLaws laws = models::load_companion_laws(s.loss.schedule);
  out.losses = models::mixture_answer(*run, laws, problems);
  out.notes = law_parameters(s).notes;
  if (out.losses) out.notes.push_back(batch_note(s, *out.losses));
  if (out.losses && !s.recipe.unstated.empty()) {
    out.losses->assumptions.push_back(fmt::format("of the recipe, as nothing was stated: {}",
                                                  fmt::join(s.recipe.unstated, ", ")));
  }
}

/// Forward and backward moments of a new model.
std::optional<stability::SignalPropagation> signal_of(const Scenario& s) {
  if (!s.model.blocks.empty() || s.model.latent_attention || s.model.parallel_block) {
    return std::nullopt;
  }
  stability::SignalSetup setup = stability::signal_setup(s.model, s.recipe.initialisation,
                                                         static_cast<double>(s.plan.sequence));
  setup.dropout = s.recipe.dropout;
  if (s.recipe.initialisation == models::Initialisation::deepscale) {
    setup = stability::deep_scale(setup);
  }
  return stability::propagate(setup);
}

void answer_stability(const Scenario& s, RunLoss& out) {
  out.signal = signal_of(s);
  Problems problems;
  const std::optional<stability::StabilityCase> c =
      stability_case(s, out.law ? &*out.law : nullptr, problems);
  if (c) {
    out.stability = stability::stability_report(*c, stability::load_constants(), s.seed, problems);
    if (out.stability) out.rolled_back = rollbacks(*c, s.seed);
  }
  for (const Problem& p : problems.list()) {
    out.unanswered.push_back(fmt::format("stability: {}: {}", p.where, p.what));
  }
}

/// So many rollbacks that throw away `lost` steps together, or fewer and larger ones.
std::vector<Rollback> spread_evenly(double count, double lost, double steps) {
  constexpr double kMost = 2000;
  const double n = std::min(kMost, std::round(count));
  std::vector<Rollback> out;
  for (double i = 0; i < n; ++i) {
    const double at = (i + 0.5) / n * steps;
    out.push_back({at, std::max(0.0, at - lost / n)});
  }
  return out;
}

}  // namespace

Rollbacks rollbacks(const stability::StabilityCase& c, std::uint64_t seed, std::int64_t draws) {
  const stability::Course course = stability::course(c);
  const stability::Constants constants = stability::load_constants();
  std::vector<double> steps;
  Rollbacks out;
  for (std::int64_t d = 0; d < draws; ++d) {
    const auto draw = static_cast<std::uint64_t>(d);
    const stability::Constants own =
        stability::drawn(constants, Stream(seed, "stability/constants"), draw);
    // So many that drawing each takes long and changes nothing.
    if (const auto expected = stability::expected_spikes(c, course, own);
        expected.gradient > kManySpikes) {
      out.count += expected.diverging / static_cast<double>(draws);
      steps.push_back(expected.diverging * own.rewind_steps.value);
      out.draws.push_back(spread_evenly(expected.diverging, steps.back(), course.steps));
      continue;
    }
    const auto spikes =
        stability::draw_spikes(c, course, own, {}, Stream(seed, fmt::format("rollback/{}", d)));
    double lost = 0;
    std::vector<Rollback>& own_draw = out.draws.emplace_back();
    for (const stability::SpikeEvent& e : spikes) {
      if (!e.rolled_back) continue;
      own_draw.push_back({e.step, e.rolled_back_to});
      lost += e.step - e.rolled_back_to;
      out.count += 1.0 / static_cast<double>(draws);
    }
    steps.push_back(lost);
  }
  out.steps_median = median(steps);
  out.steps = {quantile(steps, 0.1), quantile(steps, 0.9)};
  return out;
}

RunLoss run_loss(const Scenario& s, std::int64_t draws, int threads, Problems& problems) {
  RunLoss out;
  if (s.training_tokens <= 0) {
    problems.add("/training_tokens", "missing: how long is the run whose losses are asked?");
    return out;
  }
  answer_losses(s, draws, threads, out, problems);
  out.gains = gains_of(s);
  note_domain_of_gains(s, out);
  if (is_diffused(s) && dense_twin(s)) {
    out.unanswered.emplace_back(
        "when the dense model's loss is reached: what towers and experts gain was fitted to "
        "next-token training; beside diffusion, published, text gains 2 to 7 % of the steps from "
        "towers and images three quarters and more (Liang et al. 2024, arXiv:2411.04996, figures "
        "10 and 12)");
  }
  answer_stability(s, out);
  return out;
}

std::optional<Scenario> dense_twin(const Scenario& s) {
  if (s.model.towers.list.empty() && !s.model.experts) return std::nullopt;
  Scenario twin = s;
  twin.model.towers = {};
  if (s.model.experts) {
    const models::Experts& e = *s.model.experts;
    twin.model.experts.reset();
    twin.model.ffn = e.top_k * e.ffn + e.shared * e.shared_ffn;
    twin.plan.expert = 1;
  }
  twin.framework.modality_mask_syncs = false;
  twin.loss = {};
  Problems problems;
  check_scenario(twin, problems);
  return problems.empty() ? std::optional(std::move(twin)) : std::nullopt;
}

}  // namespace forerun::sim
