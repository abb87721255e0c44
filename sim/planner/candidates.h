#pragma once

/// The plans of a search space, one by one: those that the loops over its knobs can tell to be
/// impossible are counted and not made.

#include <cstdint>
#include <vector>

#include "sim/planner/search_space.h"
#include "sim/scenario.h"

namespace forerun::sim {

/// A plan as its place in a space: small, so that a million of them are held.
struct Candidate {
  std::int32_t data = 1, tensor = 1, pipeline = 1, context = 1, expert = 1, expert_tensor = 1,
               virtual_stages = 1, micro_batch = 1;
  std::int32_t layers_per_stage = 0;  ///< recomputed
  std::uint16_t recompute = 0;        ///< index into SearchSpace::recompute
  ShardingStage sharding = ShardingStage::none;
  PipelineSchedule schedule = PipelineSchedule::one_forward_one_backward;
  bool sequence_parallel = false;
  bool operator==(const Candidate&) const = default;
};

struct Candidates {
  std::vector<Candidate> list;
  std::int64_t crossed = 0;     ///< combinations of all values
  std::int64_t same = 0;        ///< of them, that say what another says
  std::int64_t impossible = 0;  ///< of them, that break a rule, or that the space leaves out
};

/// Throws Error if the space holds more than ten million plans.
[[nodiscard]] Candidates candidates(const SearchSpace&, const Scenario&);

/// Puts a candidate into a scenario of the search: only its plan changes.
void put(const Candidate&, const SearchSpace&, const Plan& base, Plan& plan);

}  // namespace forerun::sim
