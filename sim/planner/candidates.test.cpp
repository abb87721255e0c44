#include "sim/planner/candidates.h"

#include <doctest/doctest.h>

#include <algorithm>
#include <set>

#include "sim/plan_json.h"
#include "sim/planner/shipped.h"

namespace forerun::sim {
namespace {

/// Every combination of a space's values, whatever the rules say.
std::vector<Plan> crossed(const SearchSpace& space, const Scenario& s) {
  std::vector<Plan> all;
  Candidate c;
  const auto i32 = [](std::int64_t v) { return static_cast<std::int32_t>(v); };
  for (const std::int64_t tensor : space.tensor) {
    for (const std::int64_t pipeline : space.pipeline) {
      for (const std::int64_t expert : space.expert) {
        for (const std::int64_t virtual_stages : space.virtual_stages) {
          for (const PipelineSchedule schedule : space.schedule) {
            for (const std::int64_t micro_batch : space.micro_batch) {
              for (const bool parallel : space.sequence_parallel) {
                for (const ShardingStage sharding : space.sharding) {
                  for (std::size_t r = 0; r < space.recompute.size(); ++r) {
                    c = {};
                    c.tensor = i32(tensor);
                    c.pipeline = i32(pipeline);
                    c.data = i32(std::max<std::int64_t>(1, s.accelerators / (tensor * pipeline)));
                    c.expert = i32(expert);
                    c.virtual_stages = i32(virtual_stages);
                    c.schedule = schedule;
                    c.micro_batch = i32(micro_batch);
                    c.sequence_parallel = parallel;
                    c.sharding = sharding;
                    c.recompute = static_cast<std::uint16_t>(r);
                    Plan plan = s.plan;
                    put(c, space, s.plan, plan);
                    all.push_back(plan);
                  }
                }
              }
            }
          }
        }
      }
    }
  }
  return all;
}

/// What the space itself leaves out (search_space.h), but not for any rule of a scenario.
bool left_out(const Plan& p, const SearchSpace& space, const Scenario& s) {
  const bool one_rank = p.data * p.context == 1 && p.sharding != space.sharding.front();
  const bool pointless = p.tensor == 1 && p.sequence_parallel;
  const bool one_stage =
      p.pipeline == 1 && p.schedule != PipelineSchedule::one_forward_one_backward;
  const bool in_pipeline = p.sharding >= ShardingStage::gradients && p.pipeline > 1;
  const bool uneven = p.virtual_stages > 1 && s.model.layers % (p.pipeline * p.virtual_stages) != 0;
  return one_rank || pointless || one_stage || in_pipeline || uneven;
}

TEST_SUITE("sim/planner/candidates") {
  TEST_CASE("every plan of a space that keeps a scenario's rules is a candidate, each once") {
    for (const char* name : {"gpt3_175b_korthikanti", "mixtral_8x7b_64_h100"}) {
      Scenario s = shipped(name);
      SearchSpace space = default_space(s);
      // Shares of layers are rounded, and so apart.
      std::erase_if(space.recompute, [](const RecomputeChoice& c) { return c.share < 1; });
      space.schedule.push_back(PipelineSchedule::zero_bubble_h1);
      // So many as tell, and are quick.
      std::erase_if(space.virtual_stages, [](std::int64_t v) { return v > 4; });
      std::erase_if(space.expert, [](std::int64_t e) { return e != 1 && e != 8; });
      std::erase_if(space.tensor, [](std::int64_t t) { return t == 2; });
      const Candidates made = candidates(space, s);
      std::set<std::string> listed;
      Plan plan = s.plan;
      for (const Candidate& c : made.list) {
        put(c, space, s.plan, plan);
        CHECK(listed.insert(plan_json(plan)).second);
      }
      std::int64_t kept = 0;
      for (const Plan& p : crossed(space, s)) {
        Scenario planned = s;
        planned.plan = p;
        Problems problems;
        check_scenario(planned, problems);
        if (!problems.empty() || left_out(p, space, s)) continue;
        ++kept;
        if (!listed.contains(plan_json(p))) FAIL_CHECK(plan_text(p), " is no candidate");
      }
      CHECK(kept > 100);
      CHECK(made.crossed == made.same + made.impossible + std::ssize(made.list));
    }
  }

  TEST_CASE("a share of layers is rounded to whole layers of a chunk, and none twice") {
    const Scenario s = shipped("gpt3_175b_korthikanti");
    const SearchSpace space = default_space(s);
    std::set<std::int64_t> of_two, of_twelve;
    for (const Candidate& c : candidates(space, s).list) {
      if (c.pipeline == 8 && c.virtual_stages == 6) of_two.insert(c.layers_per_stage);
      if (c.pipeline == 8 && c.virtual_stages == 1) of_twelve.insert(c.layers_per_stage);
    }
    CHECK(of_two == std::set<std::int64_t>{0, 1});
    CHECK(of_twelve == std::set<std::int64_t>{0, 3, 6, 9});
  }

  TEST_CASE("layers counted out for other chunks are divided anew") {
    const Scenario s = shipped("deepseek_v3_2048_h800");
    const SearchSpace space = default_space(s);
    Plan plan = s.plan;
    Candidate c;
    c.pipeline = 8;
    c.data = 256;
    put(c, space, s.plan, plan);
    CHECK(plan.layers_of_chunks.empty());
    c.pipeline = 16;
    c.data = 128;
    put(c, space, s.plan, plan);
    CHECK(plan.layers_of_chunks == s.plan.layers_of_chunks);
  }
}

}  // namespace
}  // namespace forerun::sim
