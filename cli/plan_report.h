#pragma once

/// What `forerun plan` found, as text for people and as JSON.

#include <optional>
#include <string>
#include <vector>

#include "core/json_writer.h"
#include "sim/memory.h"
#include "sim/planner/decision.h"
#include "sim/planner/plan_search.h"
#include "sim/planner/sensitivity.h"
#include "sim/planner/why_slower.h"
#include "sim/scenario.h"

namespace forerun::cli {

/// A plan beside the best one.
struct Loser {
  std::string what;  ///< "pipeline": the knob; "as stated": the scenario's own
  sim::PlannedStep step;
  std::vector<sim::TimeDifference> why;
};

/// The inner search, with what set the best apart.
struct PlanAnswer {
  sim::Scenario asked;  ///< as the scenario has it
  sim::Scenario best;   ///< with the best plan
  sim::PlanSearch search;
  sim::MeanBreakdown breakdown{};  ///< of the best
  std::vector<Loser> losers;
  sim::Outcome outcome;            ///< where tokens are stated
  std::string broken;              ///< the limit that the best plan breaks; empty: none
  double seconds = 0;              ///< that the search took; only for people
  std::vector<std::string> edits;  ///< --set words that make the best scenario
};

[[nodiscard]] std::string plan_answer_text(const PlanAnswer&, const std::string& argument);
void write_plan_answer(JsonWriter&, const PlanAnswer&);

/// "tensor 4", "full recompute": a plan's value of a knob.
[[nodiscard]] std::string knob_value(sim::Knob, const sim::Plan&);

/// The outer search.
struct DecisionAnswer {
  sim::DecisionQuestion question;
  sim::Decision decision;
  std::vector<sim::SensitivityRow> sensitivity;
  sim::MeanBreakdown winner{}, runner_up{};  ///< of their steps, where there are two
  std::vector<std::string> edits;            ///< that make the winner's scenario
};

/// "the bubble +1.2 s, recompute -0.3 s": the most of what sets a plan apart.
[[nodiscard]] std::string reasons_text(const std::vector<sim::TimeDifference>&);
/// "least cost, mean loss at most 2.050 nats, within 60 days".
[[nodiscard]] std::string goal_text(const sim::DecisionQuestion&);
/// "512 B200, 70B".
[[nodiscard]] std::string point_name(const sim::DecisionPoint&);
/// "cost 10.1 % more" than the winner's; empty for itself.
[[nodiscard]] std::string behind_text(const DecisionAnswer&, std::size_t point);
/// "changes to 512 H100, 70B" or "holds".
[[nodiscard]] std::string turn_text(const DecisionAnswer&, const sim::SensitivityRow&);

/// The same as pages to hand to whoever signs (sim/report/choices_page.h). `command` makes the
/// page.
[[nodiscard]] std::string plan_page(const PlanAnswer&, const std::string& command);
[[nodiscard]] std::string decision_page(const DecisionAnswer&, const sim::Scenario& asked,
                                        const std::string& command);

[[nodiscard]] std::string decision_text(const DecisionAnswer&, const std::string& argument);
void write_decision(JsonWriter&, const DecisionAnswer&);

/// Where no plan fits: the nearest, and what would make it fit.
[[nodiscard]] std::string no_plan_text(const sim::PlanSearch&, const sim::MemoryResult&);
void write_counts(JsonWriter&, const sim::SearchCounts&);

}  // namespace forerun::cli
