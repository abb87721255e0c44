#pragma once

/// Which machine, how many of it, which model, how long: points of a crossing of choices, each with
/// its best parallel plan, and the one that serves a goal best.
///
///   cost   the least that the run costs (with `loss_at_most`: that reaches that loss)
///   loss   the least loss
///   date   the shortest run
///   time   the shortest step
///
/// within limits that hold for any goal: a budget, days, a loss. Where tokens are free, a point
/// trains as many as reach the loss, or, without one, as many as budget and days allow.
///
/// Every point is one question to the step's simulator by its best plan (sim/planner/plan_search.h)
/// to the run in time, to its bill and to the law of its losses (sim/planner/outcome.h).

#include <array>
#include <cstdint>
#include <functional>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include "core/reader.h"
#include "sim/planner/outcome.h"
#include "sim/planner/plan_search.h"

namespace forerun::sim {

enum class Goal : std::uint8_t { time, cost, loss, date };
inline constexpr std::array kGoals = {
    Choice<Goal>{"time", Goal::time}, Choice<Goal>{"cost", Goal::cost},
    Choice<Goal>{"loss", Goal::loss}, Choice<Goal>{"date", Goal::date}};
[[nodiscard]] std::string_view name(Goal);
/// By its name(); nothing for another.
[[nodiscard]] std::optional<Goal> goal_named(std::string_view);

/// One way to go: PATH=VALUE edits of the scenario's text, as --set takes them.
struct Option {
  std::string name;
  std::vector<std::string> set;
};
/// "machine": 1,024 H100 or 512 B200.
struct Choices {
  std::string of;
  std::vector<Option> options;
};

struct DecisionQuestion {
  Goal goal = Goal::time;
  std::optional<double> loss_at_most;
  std::string modality;  ///< whose loss; empty: the mean
  std::optional<Dollars> budget;
  std::optional<Seconds> within;  ///< of the run
  bool free_tokens = false;
  std::vector<Choices> choices;  ///< crossed
};

struct DecisionPoint {
  std::vector<std::string> names;    ///< of the options, by choice
  std::vector<std::string> set;      ///< their edits
  std::optional<Scenario> scenario;  ///< with its best plan and its tokens
  std::optional<PlannedStep> step;
  Watts power{};  ///< of its accelerators in a step
  Outcome outcome;
  SearchCounts counts;
  std::string out;  ///< why it is out of the running; empty: it is in
  [[nodiscard]] bool in() const { return out.empty(); }
  [[nodiscard]] StepFacts facts() const { return {step->time, power}; }
};

struct Decision {
  std::vector<DecisionPoint> points;  ///< in the order of the crossing, the last choice fastest
  std::vector<std::size_t> ranking;   ///< of those in the running, best first
  std::vector<std::size_t> front;     ///< no other is better in days, cost and loss at once
  bool complete = true;
};

struct DecisionOptions {
  int threads = 1;
  const std::atomic<bool>* stop = nullptr;
  /// Points done and in all.
  std::function<void(std::size_t done, std::size_t all)> progress;
};

/// Makes the scenario of an option's edits; nothing, with problems, if they are wrong.
using MakeScenario =
    std::function<std::optional<Scenario>(const std::vector<std::string>& set, Problems&)>;
/// The plans to search for a scenario.
using MakeSpace = std::function<SearchSpace(const Scenario&)>;

/// Problems: wrong edits of any option, at "/choices/I/options/K"; then nothing is searched.
[[nodiscard]] std::optional<Decision> decide(const DecisionQuestion&, const MakeScenario&,
                                             const MakeSpace&, const DecisionOptions&, Problems&);

/// What a goal compares: dollars, nats, seconds. Nothing where the point has none.
[[nodiscard]] std::optional<double> worth(Goal, const Outcome&);

/// The tokens that a point trains: its own, or those that a free point's limits ask for. Nothing,
/// with the reason in `why`, if none do. `near` as of EndLoss::tokens_to.
[[nodiscard]] std::optional<double> tokens_of(const DecisionQuestion&, const Scenario&,
                                              const StepFacts&, const EndLoss&, std::string& why,
                                              double near = 0);
/// Why an outcome breaks the question's limits; empty if it keeps them.
[[nodiscard]] std::string broken_limit(const DecisionQuestion&, const Outcome&, const EndLoss&);

}  // namespace forerun::sim
