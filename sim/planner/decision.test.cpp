#include "sim/planner/decision.h"

#include <doctest/doctest.h>
#include <fmt/format.h>

#include <cmath>

#include "sim/list_price.h"
#include "sim/planner/shipped.h"
#include "sim/step.h"

namespace forerun::sim {
namespace {

constexpr const char* kName = "llama3_8b_torchtitan";

const MakeScenario kMake = [](std::vector<std::string> set, Problems& problems) {
  set.insert(set.begin(), "plan.global_batch=128");
  return edited(kName, set, problems);
};

/// A few plans each, so that tests are quick.
const MakeSpace kSpace = [](const Scenario& s) {
  SearchSpace space = default_space(s);
  space.tensor = {1, 2};
  space.pipeline = {1};
  space.micro_batch = {1, 2};
  std::erase_if(space.recompute, [](const RecomputeChoice& c) { return c.share < 1; });
  space.sharding = {ShardingStage::optimizer, ShardingStage::parameters};
  return space;
};

Option machine(const std::string& name, std::int64_t count, double price) {
  return {
      name,
      {fmt::format("cluster.accelerators={}", count),
       fmt::format(R"(price={{"accelerator_hour": "{} USD/h", "source": "the test"}})", price)}};
}

DecisionQuestion question(Goal goal) {
  DecisionQuestion q;
  q.goal = goal;
  q.choices = {{"machine", {machine("few", 8, 2), machine("many", 64, 2), machine("dear", 64, 3)}}};
  return q;
}

Decision decided(const DecisionQuestion& q) {
  Problems problems;
  std::optional<Decision> d = decide(q, kMake, kSpace, {}, problems);
  REQUIRE_MESSAGE(d, problems.text("decision"));
  return *std::move(d);
}

TEST_SUITE("sim/planner/decision") {
  TEST_CASE("the shortest step has most accelerators, the least cost is where they are busiest") {
    const Decision fast = decided(question(Goal::date));
    REQUIRE(fast.ranking.size() == 3);
    CHECK(fast.points[fast.ranking[0]].names.front() == "many");
    const Decision cheap = decided(question(Goal::cost));
    CHECK(cheap.points[cheap.ranking[0]].names.front() == "few");
    // "dear" is no faster than "many" and costs more: not on the front.
    CHECK(cheap.front == std::vector<std::size_t>{0, 1});
    for (const DecisionPoint& p : cheap.points) {
      const Scenario& s = *p.scenario;
      CHECK(step_time(s) == p.step->time);
      CHECK(p.outcome.steps == std::ceil(s.training_tokens / tokens_per_step(s)));
      CHECK(p.outcome.duration >= p.outcome.steps * p.step->time * 0.9);
      CHECK(p.outcome.early <= p.outcome.duration);
      CHECK(p.outcome.duration <= p.outcome.late);
      // Rent of the machines, spares beside them.
      const double rent = list_price(s, p.outcome.duration)->base();
      CHECK(p.outcome.cost->base() >= 0.99 * rent);
      CHECK(p.outcome.cost->base() <= 1.5 * rent);
    }
  }

  TEST_CASE("free tokens are as many as the loss takes, as law and bisection agree") {
    DecisionQuestion q = question(Goal::cost);
    q.choices.push_back(
        {"size",
         {{"8B", {}}, {"13B", {"model={\"base\": \"llama2-13b\"}", "plan.sequence=4096"}}}});
    q.free_tokens = true;
    q.loss_at_most = 2.1;
    const Decision d = decided(q);
    REQUIRE(d.points.size() == 6);
    double few_tokens = 0;
    for (const DecisionPoint& p : d.points) {
      if (!p.in()) continue;
      const EndLoss loss(*p.scenario, "");
      const double step = tokens_per_step(*p.scenario);
      CHECK(*loss.after(p.outcome.tokens) <= 2.1);
      CHECK(*loss.after(p.outcome.tokens - step) > 2.1 * (1 - 1e-9));
      if (p.names[1] == "8B") few_tokens = p.outcome.tokens;
      // A larger model needs fewer tokens.
      if (p.names[1] == "13B") CHECK(p.outcome.tokens < few_tokens);
    }
    CHECK(d.ranking.size() >= 2);
  }

  TEST_CASE("free tokens without a loss are as many as budget and days allow") {
    DecisionQuestion q = question(Goal::loss);
    q.free_tokens = true;
    q.budget = Dollars(20000);
    q.within = 10.0_days;
    const Decision d = decided(q);
    REQUIRE(d.ranking.size() == 3);
    for (const DecisionPoint& p : d.points) {
      CHECK(*p.outcome.cost <= *q.budget);
      CHECK(p.outcome.duration <= *q.within);
      // Two hundredths more would break a limit.
      const Outcome more = outcome(*p.scenario, p.facts(), 1.02 * p.outcome.tokens, nullptr);
      CHECK((*more.cost > *q.budget || more.duration > *q.within));
    }
    // Of two machines alike the cheaper one trains no less.
    CHECK(*d.points[1].outcome.loss <= *d.points[2].outcome.loss);
  }

  TEST_CASE(
      "points beyond a limit say by how much, and a question that none serves has no winner") {
    DecisionQuestion q = question(Goal::date);
    q.budget = Dollars(1);
    const Decision d = decided(q);
    CHECK(d.ranking.empty());
    for (const DecisionPoint& p : d.points) {
      CHECK_MESSAGE(p.out.find("the budget is $1") != p.out.npos, p.out);
    }
    DecisionQuestion low = question(Goal::cost);
    low.free_tokens = true;
    low.loss_at_most = 0.5;
    for (const DecisionPoint& p : decided(low).points) {
      CHECK_MESSAGE(p.out.find("never reaches that loss") != p.out.npos, p.out);
    }
    DecisionQuestion odd = question(Goal::time);
    odd.choices = {{"machine", {machine("odd", 1001, 2)}}};
    CHECK_FALSE(decided(odd).points.front().in());
  }

  TEST_CASE("an option's wrong path is named with its place, once") {
    DecisionQuestion q = question(Goal::time);
    q.choices.front().options[1].set.push_back("cluster.acelerators=8");
    q.choices.push_back({"batch", {{"as is", {}}, {"half", {"plan.global_batch=-3"}}}});
    Problems problems;
    CHECK_FALSE(decide(q, kMake, kSpace, {}, problems));
    const std::string text = problems.text("search");
    CHECK_MESSAGE(
        text.find("/choices/0/options/1: \"many\": /cluster/acelerators: unknown key") != text.npos,
        text);
    CHECK_MESSAGE(text.find("/choices/1/options/1: \"half\": /plan/global_batch") != text.npos,
                  text);
    CHECK(problems.list().size() == 2);
  }
}

}  // namespace
}  // namespace forerun::sim
