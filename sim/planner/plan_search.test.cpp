#include "sim/planner/plan_search.h"

#include <doctest/doctest.h>

#include <atomic>
#include <string>

#include "sim/memory.h"
#include "sim/plan_json.h"
#include "sim/planner/shipped.h"
#include "sim/step.h"

namespace forerun::sim {
namespace {

/// So few plans that each is simulated.
SearchSpace small_space(const Scenario& s) {
  SearchSpace space = default_space(s);
  space.micro_batch = {1, 2};
  std::erase_if(space.virtual_stages, [](std::int64_t v) { return v > 3; });
  std::erase_if(space.recompute, [](const RecomputeChoice& c) { return c.share < 0.5; });
  return space;
}

void check_same(const PlannedStep& a, const PlannedStep& b) {
  CHECK(plan_json(a.plan) == plan_json(b.plan));
  CHECK(a.time == b.time);
  CHECK(a.memory == b.memory);
}

void check_same(const PlanSearch& a, const PlanSearch& b) {
  REQUIRE(a.front.size() == b.front.size());
  for (std::size_t i = 0; i < a.front.size(); ++i) check_same(a.front[i], b.front[i]);
  REQUIRE(a.runners_up.size() == b.runners_up.size());
  for (std::size_t i = 0; i < a.runners_up.size(); ++i) {
    CHECK(a.runners_up[i].knob == b.runners_up[i].knob);
    CHECK(a.runners_up[i].step.time == b.runners_up[i].step.time);
  }
}

TEST_SUITE("sim/planner/plan_search") {
  TEST_CASE("branch and bound finds what simulating every plan finds: front and runners-up") {
    for (const char* name :
         {"gpt3_175b_korthikanti", "mixtral_8x7b_64_h100", "llama3_8b_torchtitan"}) {
      const Scenario s = shipped(name);
      const SearchSpace space = small_space(s);
      SearchOptions options;
      const PlanSearch bounded = search_plans(s, space, options);
      options.exhaustive = true;
      const PlanSearch all = search_plans(s, space, options);
      CHECK(all.counts.bounded_away == 0);
      CHECK_MESSAGE(all.counts.simulated > 50, name);
      CHECK_MESSAGE(bounded.counts.simulated < all.counts.simulated / 2, name, " ",
                    bounded.counts.simulated, " of ", all.counts.simulated);
      check_same(bounded, all);
      // Alone, the best is the same.
      options = {};
      options.front = false;
      const PlanSearch alone = search_plans(s, space, options);
      REQUIRE(alone.front.size() == 1);
      check_same(alone.best(), all.best());
    }
  }

  TEST_CASE("threads change nothing, counts included") {
    const Scenario s = shipped("gpt3_175b_korthikanti");
    const SearchSpace space = small_space(s);
    SearchOptions options;
    const PlanSearch one = search_plans(s, space, options);
    options.threads = 3;
    const PlanSearch three = search_plans(s, space, options);
    check_same(one, three);
    CHECK(one.counts.simulated == three.counts.simulated);
    CHECK(one.counts.refused == three.counts.refused);
    CHECK(one.counts.too_big == three.counts.too_big);
    CHECK(one.refusals == three.refusals);
  }

  TEST_CASE("the front rises in time and falls in memory, and every plan on it is as simulated") {
    Scenario s = shipped("gpt3_175b_korthikanti");
    const PlanSearch found = search_plans(s, small_space(s), {});
    REQUIRE(found.front.size() > 2);
    for (std::size_t i = 1; i < found.front.size(); ++i) {
      CHECK(found.front[i - 1].time < found.front[i].time);
      CHECK(found.front[i - 1].memory > found.front[i].memory);
    }
    for (const PlannedStep& p : {found.front.front(), found.front.back()}) {
      s.plan = p.plan;
      CHECK(step_time(s) == p.time);
      CHECK(p.bound <= p.time);
      const MemoryResult memory = step_memory(s, make_layout(s), Remedies::skip);
      CHECK(memory.stages[memory.worst].reserved == p.memory);
      CHECK(memory.capacity == p.memory + p.spare);
    }
    for (const PlanSearch::RunnerUp& r : found.runners_up) {
      CHECK_FALSE(same_knob(r.knob, r.step.plan, found.best().plan));
      CHECK(r.step.time >= found.best().time);
    }
    const SearchCounts& c = found.counts;
    CHECK(c.crossed == c.same + c.refused + c.too_big + c.bounded_away + c.simulated);
  }

  TEST_CASE("where nothing fits, the plan with the least too much is named") {
    const Scenario s = shipped("llama3_70b_does_not_fit");
    SearchSpace space = default_space(s);
    space.recompute.resize(1);  // none
    space.sharding = {ShardingStage::none};
    const PlanSearch found = search_plans(s, space, {});
    CHECK(found.front.empty());
    REQUIRE(found.nearest);
    CHECK(found.over > Bytes(0));
    CHECK(found.counts.too_big > 0);
    CHECK(found.complete);
  }

  TEST_CASE("a search that is stopped says so") {
    const Scenario s = shipped("gpt3_175b_korthikanti");
    std::atomic<bool> stop = true;
    SearchOptions options;
    options.stop = &stop;
    const PlanSearch found = search_plans(s, small_space(s), options);
    CHECK_FALSE(found.complete);
    CHECK(found.front.empty());
  }

  TEST_CASE(
      "stopped while it simulates, a search answers with the best until then, uneven or not") {
    for (const char* name : {"gpt3_175b_korthikanti", "mot_94m_32_a100"}) {
      const Scenario s = shipped(name);
      std::atomic<bool> stop = false;
      SearchOptions options;
      options.stop = &stop;
      options.progress = [&](const char* phase, std::size_t, std::size_t) {
        if (std::string(phase) == "simulating") stop = true;
      };
      const PlanSearch found = search_plans(s, small_space(s), options);
      CHECK_FALSE(found.complete);
      REQUIRE_FALSE(found.front.empty());
      Scenario planned = s;
      planned.plan = found.best().plan;
      CHECK(step_time(planned) == found.best().time);
    }
  }

  TEST_CASE("plans of uneven micro-batches are simulated as they are in the end") {
    Scenario s = shipped("mot_94m_32_a100");
    SearchSpace space = default_space(s);
    space.micro_batch = {1, 2, 4};
    space.tensor = {1, 2};
    space.pipeline = {1, 2};
    const PlanSearch found = search_plans(s, space, {});
    CHECK(found.simplified);
    REQUIRE_FALSE(found.front.empty());
    s.plan = found.best().plan;
    CHECK(step_time(s) == found.best().time);
  }
}

}  // namespace
}  // namespace forerun::sim
