#include "sim/planner/decision.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <cmath>
#include <functional>
#include <utility>

#include "core/error.h"
#include "core/table.h"
#include "sim/cost/cost_forecast.h"
#include "sim/step.h"

namespace forerun::sim {
namespace {

constexpr std::size_t kMostPoints = 10'000;
/// Every combination of the choices' options, the last choice fastest.
std::vector<DecisionPoint> crossing(const std::vector<Choices>& choices) {
  std::vector<DecisionPoint> points(1);
  for (const Choices& choice : choices) {
    std::vector<DecisionPoint> more;
    for (const DecisionPoint& point : points) {
      for (const Option& option : choice.options) {
        DecisionPoint next = point;
        next.names.push_back(option.name);
        next.set.insert(next.set.end(), option.set.begin(), option.set.end());
        more.push_back(std::move(next));
      }
    }
    points = std::move(more);
    if (points.size() > kMostPoints) {
      throw Error(ExitCode::wrong,
                  fmt::format("the choices cross to more than {} points", kMostPoints));
    }
  }
  return points;
}

/// Each option is read alone, beside the first of every other choice, so that its mistakes are
/// told once.
void check_options(const DecisionQuestion& q, const MakeScenario& make, Problems& problems) {
  for (std::size_t c = 0; c < q.choices.size(); ++c) {
    for (std::size_t o = 0; o < q.choices[c].options.size(); ++o) {
      std::vector<std::string> set;
      for (std::size_t other = 0; other < q.choices.size(); ++other) {
        const Option& option = q.choices[other].options[other == c ? o : 0];
        set.insert(set.end(), option.set.begin(), option.set.end());
      }
      Problems own;
      if (make(set, own)) continue;
      for (const Problem& p : own.list()) {
        problems.add(fmt::format("/choices/{}/options/{}", c, o),
                     fmt::format("\"{}\": {}: {}", q.choices[c].options[o].name, p.where, p.what));
      }
    }
  }
}

std::string nothing_fits(const PlanSearch& search) {
  if (search.nearest) {
    return fmt::format("no plan fits in memory: the nearest is {} over", show(search.over));
  }
  std::string most;
  std::int64_t times = 0;
  for (const auto& [field, n] : search.refusals) {
    if (n > times) most = field, times = n;
  }
  return most.empty() ? "no plan divides its accelerators"
                      : fmt::format("no plan keeps the rules, most break that of {}", most);
}

void answer(const DecisionQuestion& q, const MakeScenario& make, const MakeSpace& space,
            const DecisionOptions& options, DecisionPoint& point) {
  Problems problems;
  point.scenario = make(point.set, problems);
  if (!point.scenario) {
    point.out = fmt::format("{}: {}", problems.list().front().where, problems.list().front().what);
    return;
  }
  Scenario& s = *point.scenario;
  SearchOptions inner;
  inner.threads = options.threads;
  inner.stop = options.stop;
  inner.front = false;
  const PlanSearch search = search_plans(s, space(s), inner);
  point.counts = search.counts;
  if (search.front.empty()) {
    point.out = search.complete ? nothing_fits(search) : "stopped before a plan was found";
    return;
  }
  point.step = search.best();
  s.plan = point.step->plan;
  const EndLoss loss(s, q.modality);
  point.outcome.step_time = point.step->time;
  if (q.goal == Goal::time && s.training_tokens <= 0 && !q.free_tokens) return;
  if (cost_is_asked(s)) point.power = simulate_step(s).power;
  const std::optional<double> tokens = tokens_of(q, s, point.facts(), loss, point.out);
  if (!tokens) return;
  s.training_tokens = *tokens;
  point.outcome = outcome(s, point.facts(), *tokens, &loss);
  point.out = broken_limit(q, point.outcome, loss);
}

/// What the front weighs; of one step alone its time. Unknown ones are alike.
std::array<double, 3> weighed(const Outcome& o) {
  const Seconds time = o.tokens > 0 ? o.duration : o.step_time;
  return {time.base(), o.cost.value_or(Dollars(0)).base(), o.loss.value_or(0.0)};
}

/// Whether `a` is nowhere worse than `b`, and somewhere better.
bool beats(const Outcome& a, const Outcome& b) {
  const auto x = weighed(a), y = weighed(b);
  return x != y && std::ranges::equal(x, y, std::less_equal<>{});
}

void rank(const DecisionQuestion& q, Decision& d) {
  for (std::size_t i = 0; i < d.points.size(); ++i) {
    if (d.points[i].in() && d.points[i].step) d.ranking.push_back(i);
  }
  std::ranges::stable_sort(d.ranking, [&](std::size_t a, std::size_t b) {
    return *worth(q.goal, d.points[a].outcome) < *worth(q.goal, d.points[b].outcome);
  });
  for (const std::size_t i : d.ranking) {
    const bool beaten = std::ranges::any_of(d.ranking, [&](std::size_t other) {
      return beats(d.points[other].outcome, d.points[i].outcome);
    });
    if (!beaten) d.front.push_back(i);
  }
}

}  // namespace

std::string_view name(Goal g) { return name_in(kGoals, g); }

std::optional<Goal> goal_named(std::string_view text) {
  for (const auto& [name, goal] : kGoals) {
    if (name == text) return goal;
  }
  return std::nullopt;
}

std::optional<double> worth(Goal goal, const Outcome& o) {
  switch (goal) {
    case Goal::time:
      return o.step_time.base();
    case Goal::cost:
      return o.cost ? std::optional(o.cost->base()) : std::nullopt;
    case Goal::loss:
      return o.loss;
    case Goal::date:
      return o.duration.base();
  }
  return std::nullopt;
}

namespace {

constexpr int kMostTries = 12;
constexpr double kNearEnough = 0.005;  ///< of a limit that is left
constexpr double kManySteps = 1e4;
constexpr double kNeverEnds = 0.1;  // share of runs that are given up

/// As many tokens as budget and days allow. Interruptions are drawn, so a run's time is not quite
/// in proportion to its steps: the limit is neared from both sides.
std::optional<double> affordable(const DecisionQuestion& q, const Scenario& s,
                                 const StepFacts& step, std::string& why) {
  FORERUN_ASSERT(q.within || q.budget, "free tokens need a loss, a budget or days");
  // What is left of the tighter limit, above 1 if both hold.
  const auto left = [&](double steps) -> std::optional<double> {
    const Outcome o = outcome(s, step, steps * tokens_per_step(s), nullptr);
    double least = INFINITY;
    if (q.within) least = std::min(least, *q.within / o.duration);
    if (q.budget && !o.cost) return std::nullopt;
    if (q.budget) least = std::min(least, *q.budget / *o.cost);
    return least;
  };
  // No run of more tokens or years is simulated.
  const double ceiling =
      std::floor(std::min(kMostTokens / tokens_per_step(s), kLongestRun / step.time));
  // A guess: undisturbed, or of a budget by what a step of many costs.
  double most = 0;
  double steps = q.within ? *q.within / step.time : kManySteps;
  if (!q.within) {
    const std::optional<double> ratio = left(steps);
    if (ratio) steps *= *ratio;
  }
  steps = std::floor(steps);
  if (steps >= ceiling) {
    why = "the limits leave more tokens or years than a run may have: they limit nothing";
    return std::nullopt;
  }
  for (int i = 0; i < kMostTries && steps >= 1; ++i) {
    const std::optional<double> ratio = left(steps);
    if (!ratio) {
      why = "no price of its accelerators is stated";
      return std::nullopt;
    }
    if (*ratio >= 1) most = std::max(most, steps);
    if (*ratio >= 1 && *ratio < 1 + kNearEnough) break;
    // A little short of the limit, so that it is kept.
    steps = std::min(std::floor(steps * *ratio * (1 - kNearEnough / 2)), ceiling);
  }

  if (most < 1) {
    why = "not one step fits into the limits";
    return std::nullopt;
  }
  return most * tokens_per_step(s);
}

}  // namespace

std::optional<double> tokens_of(const DecisionQuestion& q, const Scenario& s, const StepFacts& step,
                                const EndLoss& loss, std::string& why, double near) {
  if (!q.free_tokens) {
    if (s.training_tokens > 0) return s.training_tokens;
    why = "the scenario states no training_tokens, and they are not free";
    return std::nullopt;
  }
  if (q.loss_at_most) {
    const std::optional<double> tokens = loss.tokens_to(*q.loss_at_most, near);
    if (!tokens) why = fmt::format("never reaches that loss: {}", loss.why());
    return tokens;
  }
  return affordable(q, s, step, why);
}

std::string broken_limit(const DecisionQuestion& q, const Outcome& o, const EndLoss& loss) {
  if (o.given_up > kNeverEnds) {
    return fmt::format("does not end in {} of the simulated runs", show_percent(o.given_up, 0));
  }
  if (q.budget && !o.cost) return "no price of its accelerators is stated";
  if (q.budget && *o.cost > *q.budget) {
    return fmt::format("costs {}, the budget is {}", show(*o.cost), show(*q.budget));
  }
  if (q.within && o.duration > *q.within) {
    return fmt::format("takes {}, allowed are {}", show(o.duration), show(*q.within));
  }
  if (q.loss_at_most && !o.loss) return fmt::format("its loss is not known: {}", loss.why());
  // A solved token count is rounded up to steps, so the loss is met to the bisection's rounding.
  if (q.loss_at_most && *o.loss > *q.loss_at_most * (1 + 1e-9)) {
    return fmt::format("ends at {:.3f} nats, at most {:.3f} are allowed", *o.loss, *q.loss_at_most);
  }
  if (worth(q.goal, o)) return {};
  return q.goal == Goal::cost ? "no price of its accelerators is stated"
                              : fmt::format("its loss is not known: {}", loss.why());
}

std::optional<Decision> decide(const DecisionQuestion& q, const MakeScenario& make,
                               const MakeSpace& space, const DecisionOptions& options,
                               Problems& problems) {
  check_options(q, make, problems);
  if (!problems.empty()) return std::nullopt;
  Decision d;
  d.points = crossing(q.choices);
  std::size_t done = 0;
  for (DecisionPoint& point : d.points) {
    if (options.stop != nullptr && *options.stop) {
      d.complete = false;
      point.out = "stopped before its turn";
      continue;
    }
    try {
      answer(q, make, space, options, point);
    } catch (const Error& e) {
      point.out = e.what();  // a run of thousands of years
    }
    if (options.progress) options.progress(++done, d.points.size());
  }
  if (options.stop != nullptr && *options.stop) d.complete = false;
  rank(q, d);
  return d;
}

}  // namespace forerun::sim
