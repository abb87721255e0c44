#include "sim/planner/step_bound.h"

#include <doctest/doctest.h>
#include <fmt/format.h>

#include <string>
#include <vector>

#include "core/random.h"
#include "sim/plan_json.h"
#include "sim/planner/candidates.h"
#include "sim/planner/shipped.h"
#include "sim/step.h"

namespace forerun::sim {
namespace {

SearchSpace wide_space(const Scenario& s) {
  SearchSpace space = default_space(s);
  space.sharded_pipelines = true;
  space.schedule = {PipelineSchedule::one_forward_one_backward,
                    PipelineSchedule::all_forward_all_backward, PipelineSchedule::interleaved,
                    PipelineSchedule::zero_bubble_h1, PipelineSchedule::dualpipe};
  return space;
}

/// Plans drawn from all that keep the rules.
std::vector<Plan> drawn(const Scenario& s, const std::string& name, std::size_t most) {
  const SearchSpace space = wide_space(s);
  const std::vector<Candidate> list = candidates(space, s).list;
  const Stream stream(1, fmt::format("step_bound/{}", name));
  std::vector<Plan> plans;
  Scenario planned = s;
  for (std::uint64_t draw = 0; plans.size() < most && draw < 100 * most; ++draw) {
    put(list[stream.below(draw, list.size())], space, s.plan, planned.plan);
    Problems problems;
    check_scenario(planned, problems);
    // Steps of many operations say nothing more and take long.
    if (problems.empty() && planned.plan.micro_batches() <= 64) plans.push_back(planned.plan);
  }
  return plans;
}

/// All micro-batches alike: what the bound and the cache serve.
Scenario even(const std::string& name) {
  Scenario s = shipped(name);
  s.mean_compositions = s.mixture.has_value();
  s.expert_loads = {};
  return s;
}

const std::string kScenarios[] = {"gpt3_175b_korthikanti", "llama3_405b_16384_h100",
                                  "mixtral_8x7b_64_h100",  "llama3_8b_torchtitan",
                                  "llama2_70b_64_h100",    "bloom_176b_jean_zay",
                                  "qwen3_30b_a3b_8_gb200", "mm1_3b_256_h100"};

TEST_SUITE("sim/planner/step_bound") {
  TEST_CASE("no plan's step is shorter than its bound, whatever is drawn") {
    for (const std::string& name : kScenarios) {
      Scenario s = even(name);
      StepCache cache(s);
      const std::vector<Plan> plans = drawn(s, name, 60);
      CHECK_MESSAGE(plans.size() >= 40, name);
      double tight = 0;
      for (const Plan& plan : plans) {
        s.plan = plan;
        const Layout layout = make_layout(s);
        const Variation variation(s, layout);
        REQUIRE(StepCache::serves(s, variation));
        const Seconds bound = step_bound(s, layout, variation, cache);
        const Seconds time = step_time(s);
        CHECK_MESSAGE(bound <= time, name, ": ", plan_text(plan), ": ", bound.base(), " of ",
                      time.base());
        tight += bound / time / static_cast<double>(plans.size());
      }
      // A bound that prunes is near.
      CHECK_MESSAGE(tight > 0.6, name, " ", tight);
    }
  }

  TEST_CASE("a step from a cache of other plans' parts is the step without, to the bit") {
    for (const std::string& name : kScenarios) {
      Scenario s = even(name);
      StepCache cache(s);
      for (const Plan& plan : drawn(s, name, 40)) {
        s.plan = plan;
        const Layout layout = make_layout(s);
        const Seconds cached = step_time(s, layout, Variation(s, layout), cache);
        CHECK_MESSAGE(cached == step_time(s), name, ": ", plan_text(plan));
      }
    }
  }
}

}  // namespace
}  // namespace forerun::sim
