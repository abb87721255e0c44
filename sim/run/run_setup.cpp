#include "sim/run/run_setup.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <utility>

#include "core/error.h"
#include "models/loss/run_course.h"
#include "models/mixture/modality.h"
#include "models/parameters.h"
#include "sim/loss_question.h"
#include "sim/run/young_daly.h"
#include "sim/step.h"

namespace forerun::sim {
namespace {

using namespace literals;

constexpr Seconds kWithoutFailures = 6.0_h;  // between checkpoints where nothing fails
// Nobody stores terabytes by the minute, whatever the formula says of a stop of half a second.
constexpr Seconds kLeastInterval = 300.0_s;
constexpr double kRounded = 0.01;
constexpr double kLongestOver = 20;  // of the undisturbed run

Bandwidth lesser(Bandwidth whole, Bandwidth per_node, double nodes) {
  const Bandwidth all = per_node * nodes;
  if (!(whole.base() > 0)) return all;
  if (!(all.base() > 0)) return whole;
  return std::min(whole, all);
}

Seconds moved(Bytes bytes, Bandwidth rate) { return rate.base() > 0 ? bytes / rate : Seconds{}; }

double nodes_of(const Scenario& s) {
  return std::ceil(static_cast<double>(s.accelerators) / static_cast<double>(s.network.per_node));
}

/// Token counts at which the batch or the mixture changes, the first 0.
std::vector<double> changes(const Scenario& s) {
  std::vector<double> at = {0};
  for (const models::BatchStage& b : s.recipe.batch_ramp) at.push_back(b.from_tokens);
  for (const LossStage& l : s.loss.stages) at.push_back(l.from_tokens);
  std::ranges::sort(at);
  at.erase(std::unique(at.begin(), at.end()), at.end());
  while (at.back() >= s.training_tokens) at.pop_back();
  return at;
}

double batch_share(const Scenario& s, double tokens) {
  double share = 1;
  for (const models::BatchStage& b : s.recipe.batch_ramp) {
    if (b.from_tokens <= tokens) share = b.share;
  }
  return share;
}

/// The same scenario with the mixture of that stage in every micro-batch; nothing if the model does
/// not tell modalities apart or the stage has the scenario's own.
std::optional<Scenario> with_stage(const Scenario& s, const LossStage& stage) {
  if (!s.mixture && s.modality_shares.empty()) return std::nullopt;
  Scenario own = s;
  own.loss.stages = {{0.0, stage.shares}};
  const std::map<std::string, double> shares = model_shares(own);
  own.loss.stages.clear();
  if (shares == model_shares(own)) return std::nullopt;
  own.mixture.reset();
  own.modality_shares.clear();
  for (const auto& [name, share] : shares) own.modality_shares.push_back({name, share});
  return own;
}

/// The batch in sequences: a whole number of micro-batches for each replica (for each stage, too,
/// where the schedule needs it).
std::int64_t whole_batch(const Plan& p, double share) {
  const bool per_stage = p.virtual_stages > 1 || p.schedule == PipelineSchedule::dualpipe;
  const std::int64_t slice = p.data * p.micro_batch * (per_stage ? p.pipeline : 1);
  const double wanted = share * static_cast<double>(p.global_batch);
  const auto slices = static_cast<std::int64_t>(std::llround(wanted / static_cast<double>(slice)));
  return std::min(p.global_batch, std::max<std::int64_t>(1, slices) * slice);
}

/// Rented machines that are taken back, as a cause of failure. `nodes`: the job's for each that the
/// profile's rates speak of.
hw::FailureCause preemption(const Preemptions& p, double nodes) {
  hw::FailureCause c;
  c.name = "taken back by their owner";
  c.per_1000_node_days = {p.per_1000_node_days.low * nodes, p.per_1000_node_days.high * nodes};
  c.notice = p.notice;
  c.evidence = p.origin.evidence;
  c.source = p.origin.source;
  return c;
}

class Phases {
 public:
  Phases(const Scenario& s, Seconds full) : s_(s), full_(full) {}

  void make(RunSetup& out) {
    const std::vector<double> at = changes(s_);
    double step = 0;
    for (std::size_t i = 0; i < at.size(); ++i) {
      const double to = i + 1 < at.size() ? at[i + 1] : s_.training_tokens;
      RunPhase p;
      p.from_step = std::round(step);
      const double share = batch_share(s_, at[i]);
      const std::int64_t sequences =
          share == 1 ? s_.plan.global_batch : whole_batch(s_.plan, share);
      p.tokens_per_step = static_cast<double>(sequences) * static_cast<double>(s_.plan.sequence);
      if (std::abs(p.tokens_per_step / (share * tokens_per_step(s_)) - 1) > kRounded) {
        note(out, fmt::format("a batch of the ramp, {:.4g} of the full one, is rounded to {} "
                              "sequences: whole micro-batches of all replicas",
                              share, sequences));
      }
      const LossStage* stage = stage_at(at[i]);
      p.step = step_of(share, sequences, stage, out);
      p.data = data_time(p.tokens_per_step, stage);
      step += (to - at[i]) / p.tokens_per_step;
      if (!out.phases.empty() && out.phases.back().from_step == p.from_step) out.phases.pop_back();
      out.phases.push_back(p);
    }
    out.steps = std::ceil(step - 1e-9 * step);
  }

 private:
  [[nodiscard]] const LossStage* stage_at(double tokens) const {
    const LossStage* stage = nullptr;
    for (const LossStage& l : s_.loss.stages) {
      if (l.from_tokens <= tokens) stage = &l;
    }
    return stage;
  }

  Seconds step_of(double share, std::int64_t sequences, const LossStage* stage, RunSetup& out) {
    std::optional<Scenario> changed = stage != nullptr ? with_stage(s_, *stage) : std::nullopt;
    if (changed && s_.mixture) {
      note(out, "steps of a mixture's later stages have its mean composition in each micro-batch");
    }
    if (share == 1 && !changed) return full_;
    if (!changed) changed = s_;
    changed->plan.global_batch = sequences;
    Problems problems;
    check_scenario(*changed, problems);
    if (problems.empty()) return step_time(*changed);
    note(out, fmt::format("the step of a batch of {} sequences could not be simulated ({}) and is "
                          "taken in proportion to the full one",
                          changed->plan.global_batch, problems.list().front().what));
    return full_ * (static_cast<double>(changed->plan.global_batch) /
                    static_cast<double>(s_.plan.global_batch));
  }

  /// What storage and decoding take for a step's data: they work side by side, ahead of the step.
  [[nodiscard]] Seconds data_time(double tokens, const LossStage* stage) const {
    if (!s_.operations.data) return {};
    const DataLoading& d = *s_.operations.data;
    Seconds longest = moved(Bytes(tokens * d.bytes_per_token), d.read);
    if (d.decode.empty()) return longest;
    Scenario own = s_;
    if (stage != nullptr) own.loss.stages = {{0.0, stage->shares}};
    const std::map<std::string, double> shares = model_shares(own);
    for (const auto& [modality, rate] : d.decode) {
      const auto share = shares.find(modality);
      if (share == shares.end()) continue;
      const double items = tokens * share->second / models::load_modality(modality).tokens_per_item;
      longest = std::max(longest, Seconds(items / (rate * nodes_of(s_))));
    }
    return longest;
  }

  static void note(RunSetup& out, const std::string& what) {
    if (std::ranges::find(out.assumptions, what) == out.assumptions.end()) {
      out.assumptions.push_back(what);
    }
  }

  const Scenario& s_;
  Seconds full_;
};

}  // namespace

Bytes checkpoint_bytes(const Scenario& s) {
  const double held = s.framework.optimizer_state_bytes + s.framework.parameter_bytes;
  return Bytes(static_cast<double>(models::parameters(s.model).total()) *
               s.operations.bytes_per_parameter.value_or(held));
}

TierTimes tier_times(const Scenario& s, const CheckpointTier& tier, Seconds step,
                     std::optional<Seconds> mean) {
  const Operations& o = s.operations;
  const Bytes all = checkpoint_bytes(s);
  const Bytes each = all / static_cast<double>(s.accelerators);
  const Seconds copy = moved(each, o.host_link);
  const Seconds written =
      moved(all, lesser(o.storage.write, o.storage.write_per_node, nodes_of(s)));
  TierTimes t;
  t.name = tier.name;
  t.survives = tier.survives;
  t.slow = tier.mode != CheckpointMode::in_memory;
  t.blocked = tier.blocks + copy;
  t.load = copy;
  switch (tier.mode) {
    case CheckpointMode::synchronous:
      t.blocked += written;
      break;
    case CheckpointMode::asynchronous:
      t.behind = written;
      break;
    case CheckpointMode::in_memory:
      // The copy on a second node goes there over the network.
      if (tier.survives != Survives::process) t.behind = moved(each, s.network.network);
      break;
  }
  if (t.slow) {
    t.load += moved(all, lesser(o.storage.read, o.storage.read_per_node, nodes_of(s)));
  }
  if (tier.every_steps) {
    t.every_steps = *tier.every_steps;
  } else {
    Seconds every = tier.every.value_or(kWithoutFailures);
    if (!tier.every && mean) {
      every = std::max({daly_interval(std::max(t.blocked, 1.0_ms), *mean), t.behind,
                        t.slow ? kLeastInterval : Seconds{}});
    }
    t.every_steps = std::max(1.0, std::round(every / step));
  }
  return t;
}

RunSetup run_setup(const Scenario& s, Seconds step, const std::optional<RunLoss>& loss) {
  FORERUN_ASSERT(s.training_tokens > 0, "a run without tokens");
  const Operations& o = s.operations;
  RunSetup out;
  out.assumptions = operations_assumed(o);
  Phases(s, step).make(out);
  if (o.step_time) {
    for (RunPhase& p : out.phases) p.step = p.step * (*o.step_time / step);
    out.assumptions.push_back(
        fmt::format("a full batch's step takes {} as stated, not the {:.3g} s simulated",
                    fmt::format("{:.4g} s", o.step_time->base()), step.base()));
  }

  out.nodes = static_cast<std::int64_t>(nodes_of(s));
  out.spares = o.spares.value_or(static_cast<std::int64_t>(std::llround(nodes_of(s) / 100)));
  out.replicas = s.plan.data;
  out.micro_batches = static_cast<double>(s.plan.micro_batches());
  out.stages = static_cast<double>(s.plan.pipeline);
  out.reference_nodes = static_cast<double>(s.accelerators) /
                        static_cast<double>(o.reliability.accelerators_per_node);
  out.reliability = o.reliability;
  if (s.cost.rent && s.cost.rent->preemptions) {
    out.reliability.causes.push_back(
        preemption(*s.cost.rent->preemptions, nodes_of(s) / out.reference_nodes));
  }
  // How long a checkpoint takes says which stops are announced in time; those set the interval.
  for (const CheckpointTier& tier : o.checkpoints) {
    out.tiers.push_back(tier_times(s, tier, o.step_time.value_or(step), std::nullopt));
  }
  const std::optional<Seconds> mean = mean_time_to_loss(out);
  for (std::size_t i = 0; i < out.tiers.size(); ++i) {
    out.tiers[i] = tier_times(s, o.checkpoints[i], o.step_time.value_or(step), mean);
  }
  out.detection = o.detection;
  out.restart = o.restart;
  out.replacement = o.replacement;
  out.when_short = o.when_short;
  out.evaluation = o.evaluation;
  out.maintenance = o.maintenance;
  out.diurnal = o.diurnal;
  out.step_jitter = o.step_jitter;
  out.stragglers = o.stragglers;
  if (o.data) {
    out.stalls_per_second = o.data->stalls_per_day / (1.0_days).base();
    out.stall = o.data->stall;
  }
  if (const auto band = o.step_time ? std::nullopt : time_band(load_error_bands(), s, step)) {
    out.error_low = std::log(band->low / step);
    out.error_high = std::log(band->high / step);
  }
  if (loss && loss->rolled_back) out.rollbacks = loss->rolled_back->draws;
  const Seconds alone = undisturbed(out);
  if (!(alone < kLongestRun)) {
    constexpr Seconds kYear = 365.25_days;
    throw Error(
        ExitCode::wrong,
        fmt::format("the run would take {:.3g} years undisturbed: {:.4g} steps of {:.4g} s; "
                    "at most {:.0f} are simulated",
                    alone.in(kYear), out.steps, out.phases.back().step.base(),
                    kLongestRun.in(kYear)));
  }
  out.longest = alone * kLongestOver + 30.0_days;
  return out;
}

std::optional<Seconds> mean_time_to_loss(const RunSetup& s) {
  std::optional<Seconds> saved;  // the soonest that a state is safe
  for (const TierTimes& t : s.tiers) {
    if (t.slow) saved = std::min(saved.value_or(t.blocked + t.behind), t.blocked + t.behind);
  }
  std::vector<hw::FailureCause> costly;
  for (const hw::FailureCause& c : s.reliability.causes) {
    const bool in_time = c.planned || (c.notice.base() > 0 && saved && c.notice >= *saved);
    if (!in_time) costly.push_back(c);
  }
  return hw::mean_time_between(costly, s.reference_nodes);
}

Seconds undisturbed(const RunSetup& s) {
  Seconds sum{};
  for (std::size_t i = 0; i < s.phases.size(); ++i) {
    const RunPhase& p = s.phases[i];
    const double to = i + 1 < s.phases.size() ? s.phases[i + 1].from_step : s.steps;
    sum += (to - p.from_step) * std::max(p.step, p.data);
  }
  return sum;
}

}  // namespace forerun::sim
