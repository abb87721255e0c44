#pragma once

/// Which parallel plans of a scenario are searched: values of each knob, crossed. What the search
/// leaves as the scenario has it: model, machine, framework, global batch, sequence, precision,
/// context exchange, layer slots of embedding and loss, encoders' stages, offload.
///
/// `data` follows from the others: what is left of the accelerators. Combinations that say the same
/// as another are left out: sequence parallelism without tensor parallelism, sharding over one
/// rank, schedules without a pipeline. Virtual stages are searched where they divide the layers.

#include <cstdint>
#include <vector>

#include "core/problem.h"
#include "core/reader.h"
#include "sim/plan.h"
#include "sim/scenario.h"

namespace forerun::sim {

/// Recompute of a share of each chunk's layers, rounded to whole ones; 1: as `recompute` says.
struct RecomputeChoice {
  Recompute recompute;
  double share = 1;
  bool operator==(const RecomputeChoice&) const = default;
};

struct SearchSpace {
  std::vector<std::int64_t> tensor, pipeline, context, expert, expert_tensor, virtual_stages,
      micro_batch;
  std::vector<bool> sequence_parallel;
  std::vector<ShardingStage> sharding;
  std::vector<PipelineSchedule> schedule;  ///< `interleaved` goes with virtual stages above 1
  std::vector<RecomputeChoice> recompute;
  /// Gradients or parameters sharded although there is a pipeline, whose every micro-batch would
  /// then exchange them.
  bool sharded_pipelines = false;
};

/// Derived from the scenario: tensor parallel up to the scale-up domain, pipelines up to the
/// layers, micro-batches of 1 to 16 sequences, no recompute, of core attention, of all, of a
/// quarter to three quarters of the layers; 1F1B and interleaved; and whatever the scenario's own
/// plan has.
[[nodiscard]] SearchSpace default_space(const Scenario&);

/// An object whose keys replace the default's: {"tensor": [4, 8], "sharding": ["optimizer"],
/// "recompute": [{"mode": "none"}, {"mode": "full", "share": 0.5}] ...}. An empty list is a
/// problem. Calls finish().
[[nodiscard]] SearchSpace read_search_space(Reader&, const Scenario&);

}  // namespace forerun::sim
