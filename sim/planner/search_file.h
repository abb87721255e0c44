#pragma once

/// What `forerun plan --search FILE` reads: which plans, which goal and limits, which choices.
///
///   {
///     "schema": 1,
///     "plan": {"tensor": [4, 8], "recompute": [{"mode": "none"}]},   sim/planner/search_space.h
///     "goal": "cost",
///     "loss_at_most": 2.05, "modality": "text",
///     "budget": "3e6 USD", "days": 60,
///     "start": "2026-12-01", "finish_by": "2027-02-01",     in place of days
///     "free_tokens": true,
///     "choices": [
///       {"of": "machine", "options": [
///         {"name": "1,024 H100", "set": ["cluster.accelerator=h100-sxm-80gb",
///                                        "cluster.accelerators=1024"]}]}
///     ],
///     "uncertain": {"price": 0.25, "network": 0.2}
///   }
///
/// All may be left out but "schema".

#include <optional>

#include "core/problem.h"
#include "core/reader.h"
#include "hw/cloud.h"
#include "sim/planner/decision.h"
#include "sim/planner/search_space.h"
#include "sim/planner/sensitivity.h"

namespace forerun::sim {

struct SearchFile {
  DecisionQuestion question;
  std::optional<Goal> goal;  ///< as stated
  UncertainShares uncertain;
};

/// `today`: from which a run starts that has no start, and before which none can have to end.
/// `scenario`: by whose knobs the plan's lists are read.
[[nodiscard]] SearchFile read_search_file(const JsonDocument&, const Scenario& scenario,
                                          const hw::PriceDate& today, Problems&);

/// The plans of such a file for a scenario; the default ones without a "plan".
[[nodiscard]] SearchSpace space_of(const JsonDocument&, const Scenario&, Problems&);

/// What is wrong with a question whatever its points are, at the search file's paths.
void check_question(const DecisionQuestion&, Problems&);

}  // namespace forerun::sim
