#include "sim/step.h"

#include <algorithm>
#include <map>

#include "hw/power.h"
#include "models/flops.h"
#include "sim/attribution.h"
#include "sim/layer_walk.h"
#include "sim/on_pools.h"
#include "sim/parts.h"
#include "sim/pass_units.h"
#include "sim/schedule.h"
#include "sim/step_cache.h"
#include "sim/variation.h"

namespace forerun::sim {
namespace {

using Breakdown = std::array<Seconds, kCategories>;

/// Every tick of a rank's compute stream, busy or idle, up to the end of the step; what was folded
/// into one operation is taken apart by what is inside it.
Breakdown take_apart(const Compiled& compiled, const Causality& causality, std::size_t rank) {
  const RankTime time = attribute(causality, static_cast<std::int32_t>(rank));
  CategoryTicks ticks{};
  for (std::size_t c = 0; c < ticks.size(); ++c)
    ticks[c] = time.busy[c] + time.slowed[c] + time.idle[c];
  const std::vector<Operation>& operations = compiled.program.ranks[rank].operations;
  for (std::size_t i = 0; i < operations.size(); ++i) {
    const std::int32_t folded = compiled.run_of[rank][i];
    if (folded < 0) continue;
    ticks[static_cast<std::size_t>(operations[i].category)] -= operations[i].duration;
    const FoldedRun& run = compiled.runs[static_cast<std::size_t>(folded)];
    for (std::size_t c = 0; c < ticks.size(); ++c) ticks[c] += run.breakdown[c];
  }
  Breakdown b{};
  for (std::size_t c = 0; c < b.size(); ++c) b[c] = to_seconds(Tick{ticks[c]});
  return b;
}

/// The kernels of a rank's passes, counted, largest first.
std::vector<KernelShare> kernel_shares(const Scenario& s, const Layout& layout,
                                       const Variation& variation, const Compiled& compiled,
                                       std::int64_t rank) {
  const std::int64_t lane = rank / s.plan.pipeline, stage = rank % s.plan.pipeline;
  const std::vector<Label>& labels = compiled.program.labels;
  std::map<std::int32_t, KernelShare> shares;
  const auto count_in = [&](const Segment& segment, double times) {
    for (const PricedOperation& p : segment.operations) {
      if (p.stream != StreamKind::compute) continue;
      KernelShare& k = shares[p.label];
      const Label& l = labels[static_cast<std::size_t>(p.label)];
      k.name = l.name;
      k.shape = l.shape;
      k.evidence = l.evidence;
      k.modality = l.modality;
      k.product = l.product;
      k.rows = l.rows;
      k.load = l.load;
      k.time += to_seconds(Tick{p.ticks}) * times;
      k.count += static_cast<std::int64_t>(times);
    }
  };
  for_each_unit(s, layout, variation, compiled.parts_of(stage), lane, stage, count_in);
  std::vector<KernelShare> list;
  for (auto& [label, share] : shares) list.push_back(std::move(share));
  std::ranges::stable_sort(
      list, [](const KernelShare& a, const KernelShare& b) { return a.time > b.time; });
  return list;
}

/// Adds the kernels of the described rank.
void add_kernels(std::vector<ModalityWork>& modalities, const std::vector<KernelShare>& kernels) {
  for (ModalityWork& m : modalities) {
    for (const KernelShare& k : kernels) {
      if (k.modality != m.name) continue;
      m.kernels += k.time;
      if (k.product) m.products += k.time;
    }
  }
}

}  // namespace

namespace {

/// Whether a rank's work on a micro-batch is the same on both.
bool alike(const Layout& layout, std::int64_t a, std::int64_t b) {
  const std::vector<Chunk>& first = layout.chunks[static_cast<std::size_t>(a)];
  const std::vector<Chunk>& second = layout.chunks[static_cast<std::size_t>(b)];
  const auto kinds = [&](const Chunk& c) { return layout.kinds.of.begin() + c.first_layer; };
  return std::ranges::equal(first, second, [&](const Chunk& x, Chunk y) {
    const bool same = x.layers == y.layers &&
                      (layout.kinds.kinds.size() == 1 ||
                       std::equal(kinds(x), kinds(x) + x.layers, kinds(y), kinds(y) + y.layers));
    y.first_layer = x.first_layer;
    return same && x == y;
  });
}

}  // namespace

/// The clock that the power cap leaves, from the passes of a pool's busiest rank: the cap's control
/// loop averages over tens of milliseconds, longer than a kernel and shorter than a pipeline's
/// bubble. The hungriest of the job's chips sets the pace. Where micro-batches differ: of the
/// first. Passes that run together are taken one after the other: what their overlap adds is left
/// out.
double stages_clock(const Scenario& s, const Layout& layout, const Parts& parts, std::int64_t first,
                    std::int64_t stages) {
  const hw::PowerModel power = hw::hungriest(s.accelerator.power, s.accelerator.chip_spread,
                                             s.accelerators / s.plan.pipeline * stages);
  double clock = 1.0;
  for (std::int64_t stage = first; stage < first + stages; ++stage) {
    if (stage > first && alike(layout, stage - 1, stage)) continue;
    const MicroBatchWork m = micro_batch_work(s, layout, parts, stage);
    if (m.work.busy <= Seconds(0)) continue;
    clock = std::min(clock, hw::sustained_clock(power, m.work.window(m.time)));
  }
  return clock;
}

std::vector<double> step_clocks(const Scenario& s, const Layout& layout,
                                const Variation& variation) {
  const OnPools pools(s, layout);
  std::vector<double> clocks;
  std::int64_t stage = 0;
  for (std::size_t k = 0; k < pools.size(); ++k) {
    const Scenario& own = pools.scenario(k);
    Pricer at_burst(own, pools.layout(k), 1.0, nullptr);
    const Parts parts =
        price_parts(own, pools.layout(k), at_burst, variation.slices().front(), {true});
    const std::int64_t stages = stages_of_pool(s, k);
    clocks.push_back(stages_clock(own, pools.layout(k), parts, stage, stages));
    stage += stages;
  }
  return clocks;
}

Seconds step_time(const Scenario& scenario) {
  const Layout layout = make_layout(scenario);
  const Variation variation(scenario, layout);
  const std::vector<double> clocks = step_clocks(scenario, layout, variation);
  return to_seconds(
      Tick{execute(compile_step(scenario, layout, variation, Detail::bare, clocks).program).end});
}

Seconds step_time(const Scenario& scenario, const Layout& layout, const Variation& variation,
                  StepCache& cache) {
  if (!StepCache::serves(scenario, variation)) {
    const std::vector<double> clocks = step_clocks(scenario, layout, variation);
    return to_seconds(
        Tick{execute(compile_step(scenario, layout, variation, Detail::bare, clocks).program).end});
  }
  const StepCache::Priced& priced = cache.priced(scenario, layout, variation);
  return to_seconds(Tick{
      execute(compile_step(scenario, layout, variation, priced.clock, priced.parts, cache.times())
                  .program)
          .end});
}

StepResult simulate_step(const Scenario& scenario, Detail detail) {
  const Layout layout = make_layout(scenario);
  const Variation variation(scenario, layout);
  StepResult result;
  const std::vector<double> clocks = step_clocks(scenario, layout, variation);
  auto compiled =
      std::make_shared<Compiled>(compile_step(scenario, layout, variation, detail, clocks));
  for (std::size_t r = 0; r < compiled->program.ranks.size(); ++r) {
    compiled->program.ranks[r].stage =
        static_cast<std::int32_t>(static_cast<std::int64_t>(r) % scenario.plan.pipeline);
  }
  result.imbalance = {variation.lanes(), variation.worst_load(), variation.mean_load(),
                      variation.dropped()};
  auto run = std::make_shared<Execution>(execute(compiled->program));

  result.time = to_seconds(Tick{run->end});
  result.events = run->events;
  const Causality causality(compiled->program, *run);
  for (std::size_t r = 0; r < compiled->program.ranks.size(); ++r) {
    result.by_rank.push_back(take_apart(*compiled, causality, r));
  }
  // The rank with the most work of its own is the one to describe.
  std::size_t described = 0;
  for (std::size_t r = 0; r < compiled->work.size(); ++r) {
    if (compiled->work[r].busy > compiled->work[described].busy) described = r;
    result.flops += compiled->work[r].flops / static_cast<double>(compiled->work.size());
  }
  result.rank = static_cast<std::int64_t>(described);
  result.breakdown = result.by_rank[described];
  result.by_evidence = compiled->work[described].by_evidence;
  result.kernels = kernel_shares(scenario, layout, variation, *compiled, result.rank);
  result.modalities = modality_work(scenario, layout, variation, *compiled, result.rank);
  add_kernels(result.modalities, result.kernels);
  result.experts = expert_work(scenario, layout, variation, *compiled);
  result.contention = contention(compiled->program, *run, static_cast<std::int32_t>(result.rank));
  const Work& w = compiled->work[described];
  const std::int64_t stage = result.rank % scenario.plan.pipeline;
  result.clock = clocks[pool_of(scenario, stage)];
  // The window's times are at the burst clock; the step's are at `clock`.
  const Seconds stretched = w.compute_bound / result.clock - w.compute_bound;
  result.power = hw::mean_power(accelerator_of(scenario, stage).power,
                                w.window(result.time - stretched), result.clock);

  const double tokens = tokens_per_step(scenario);
  const Flops model(models::flops_per_token(scenario.model, scenario.plan.sequence,
                                            models::FlopConvention::palm) *
                    tokens);
  const std::int64_t of_stage = scenario.accelerators / scenario.plan.pipeline;
  FlopRate peak{};
  for (std::int64_t r = 0; r < scenario.plan.pipeline; ++r) {
    peak += hw::matrix_peak(accelerator_of(scenario, r)) * static_cast<double>(of_stage);
  }
  result.model_flops_utilisation = model / (peak * result.time);
  result.memory = step_memory(scenario, layout, variation);
  result.program = std::shared_ptr<const Program>(compiled, &compiled->program);
  result.execution = run;
  return result;
}

}  // namespace forerun::sim
