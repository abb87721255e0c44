#include "sim/imbalance.h"

#include <algorithm>
#include <map>
#include <utility>
#include <vector>

#include "sim/compile.h"
#include "sim/step.h"

namespace forerun::sim {
namespace {

/// The stage's ranks of all lanes.
std::vector<RankProgram*> stage_ranks(Program& program, std::size_t stage, std::size_t stages) {
  std::vector<RankProgram*> ranks;
  for (std::size_t r = stage; r < program.ranks.size(); r += stages) {
    ranks.push_back(&program.ranks[r]);
  }
  return ranks;
}

/// Each operation as long as it is on the mean over `ranks`, which do the same.
void even_operations(const std::vector<RankProgram*>& ranks) {
  for (std::size_t i = 0; i < ranks.front()->operations.size(); ++i) {
    for (std::int64_t Operation::* const of :
         {&Operation::duration, &Operation::host_first, &Operation::host_rest}) {
      double sum = 0;
      for (const RankProgram* r : ranks) sum += static_cast<double>(r->operations[i].*of);
      const auto mean = static_cast<std::int64_t>(sum / static_cast<double>(ranks.size()));
      for (RankProgram* r : ranks) r->operations[i].*of = mean;
    }
  }
}

/// Of each stage, over the lanes that have the same operations: those without an image, say, have
/// no encoder to run.
void even_over_lanes(Program& program, std::size_t stages) {
  for (std::size_t stage = 0; stage < stages; ++stage) {
    std::map<std::size_t, std::vector<RankProgram*>> alike;
    for (RankProgram* r : stage_ranks(program, stage, stages)) {
      alike[r->operations.size()].push_back(r);
    }
    for (const auto& [operations, ranks] : alike) even_operations(ranks);
  }
}

/// Of each stage, the kernels of every lane's every micro-batch scaled to one sum.
void even_over_micro_batches(Program& program, std::size_t stages) {
  const auto of_pass = [](const Operation& o) {
    return o.stream == StreamKind::compute && o.micro_batch >= 0;
  };
  for (std::size_t stage = 0; stage < stages; ++stage) {
    std::map<std::pair<const RankProgram*, std::int32_t>, double> sums;
    const std::vector<RankProgram*> ranks = stage_ranks(program, stage, stages);
    double all = 0;
    for (const RankProgram* r : ranks) {
      for (const Operation& o : r->operations) {
        if (!of_pass(o)) continue;
        sums[{r, o.micro_batch}] += static_cast<double>(o.duration);
        all += static_cast<double>(o.duration);
      }
    }
    const double mean = all / static_cast<double>(sums.size());
    for (RankProgram* r : ranks) {
      for (Operation& o : r->operations) {
        const double own = of_pass(o) ? sums[{r, o.micro_batch}] : 0.0;
        if (own <= 0) continue;
        o.duration = static_cast<std::int64_t>(static_cast<double>(o.duration) * (mean / own));
      }
    }
  }
}

/// Whether tokens choose experts in a layer of that kind, so that their loads may be uneven.
bool chooses_experts(const models::Architecture& kind) {
  return kind.experts && kind.experts->routing != models::Routing::expert_choice;
}

Seconds time_of(const Program& program) { return to_seconds(Tick{execute(program).end}); }

}  // namespace

ImbalanceCost imbalance_cost(const Scenario& scenario, Seconds step) {
  ImbalanceCost cost;
  const Layout layout = make_layout(scenario);
  Scenario balanced = scenario;
  balanced.expert_loads = {};
  cost.uneven_experts = scenario.expert_loads.kind != LoadKind::balanced &&
                        std::ranges::any_of(layout.kinds.kinds, chooses_experts);
  const Variation variation(balanced, layout);
  cost.uneven_compositions = !variation.uniform();
  if (!cost.uneven_experts && !cost.uneven_compositions) return cost;

  Program program = compile_step(balanced, layout, variation, Detail::bare,
                                 step_clocks(balanced, layout, variation))
                        .program;
  const Seconds uneven_compositions = cost.uneven_experts ? time_of(program) : step;
  cost.experts = step - uneven_compositions;
  if (!cost.uneven_compositions) return cost;
  const auto stages = static_cast<std::size_t>(scenario.plan.pipeline);
  even_over_lanes(program, stages);
  const Seconds over_lanes = time_of(program);
  even_over_micro_batches(program, stages);
  const Seconds even = std::min(over_lanes, time_of(program));
  cost.compositions = uneven_compositions - even;
  return cost;
}

}  // namespace forerun::sim
