#include "sim/imbalance.h"

#include <doctest/doctest.h>

#include <string>

#include "core/file.h"
#include "core/reader.h"
#include "sim/step.h"

namespace forerun::sim {
namespace {

Scenario scenario(const std::string& name) {
  Problems problems;
  const JsonDocument document =
      JsonDocument::load(data_path("scenarios/" + name + ".json"), problems);
  std::optional<Scenario> s = read_scenario(document, problems);
  REQUIRE_MESSAGE(s, problems.text(name));
  return *s;
}

/// On `lanes` replicas, or groups of them that share experts, of `micro_batches` each.
Scenario fewer(Scenario s, std::int64_t replicas, std::int64_t micro_batches) {
  s.plan.data = replicas;
  s.plan.global_batch = replicas * s.plan.micro_batch * micro_batches;
  s.accelerators = s.plan.accelerators();
  return s;
}

ImbalanceCost cost_of(const Scenario& s) { return imbalance_cost(s, step_time(s)); }

}  // namespace

TEST_SUITE("sim/imbalance") {
  TEST_CASE("imbalance never speeds a step up") {
    for (const char* name :
         {"mot_7b_256_a100", "moma_435m_256_a100", "mm1_3b_moe_256_h100", "mm1_30b_512_h100",
          "transfusion_7b_256_a100", "bagel_7b_mot_512_h100"}) {
      const Scenario whole = scenario(name);
      for (const std::int64_t pipeline : {1, 2}) {
        for (std::uint64_t seed = 1; seed <= 4; ++seed) {
          Scenario s = fewer(whole, 8, pipeline == 1 ? 1 : 4);
          s.seed = seed;
          if (pipeline > 1) {
            s.plan.sharding = ShardingStage::optimizer;
            s.plan.pipeline = pipeline;
            s.accelerators = s.plan.accelerators();
          }
          const Seconds step = step_time(s);
          const ImbalanceCost cost = imbalance_cost(s, step);
          CAPTURE(name);
          CAPTURE(pipeline);
          CAPTURE(seed);
          CHECK(cost.uneven_compositions);
          CHECK(cost.experts / step >= -1e-9);
          CHECK(cost.compositions / step >= -1e-9);
          CHECK(cost.total() < step);
        }
      }
    }
  }

  // Products of other shapes run at other rates: at six of forty seeds of eight ranks the drawn
  // step of this mixture of transformers is quicker than that of mean compositions. Spread evenly
  // it is not.
  TEST_CASE("a step quicker than that of mean compositions still has ranks that wait") {
    Scenario s = fewer(scenario("mot_7b_256_a100"), 8, 1);
    s.seed = 31;
    const Seconds drawn = step_time(s);
    const ImbalanceCost cost = imbalance_cost(s, drawn);
    CHECK(cost.compositions > 0.001 * drawn);
    s.mean_compositions = true;
    CHECK(step_time(s) > drawn);
  }

  TEST_CASE("what is even costs nothing and simulates nothing") {
    const ImbalanceCost cost = cost_of(scenario("mixtral_8x7b_64_h100"));
    CHECK_FALSE(cost.uneven_experts);
    CHECK_FALSE(cost.uneven_compositions);
    CHECK(cost.total() == Seconds(0));
  }

  TEST_CASE("uneven experts cost what balanced ones would save") {
    Scenario s = scenario("qwen3_30b_a3b_8_gb200");
    const Seconds step = step_time(s);
    const ImbalanceCost cost = imbalance_cost(s, step);
    CHECK(cost.uneven_experts);
    CHECK_FALSE(cost.uneven_compositions);
    s.expert_loads = {};
    CHECK(cost.experts == step - step_time(s));
    CHECK(cost.experts > Seconds(0));
  }

  TEST_CASE("the more uneven experts are, the more they cost, and compositions cost the same") {
    Scenario s = fewer(scenario("mm1_3b_moe_256_h100"), 16, 1);
    s.expert_loads = {};
    s.expert_loads.kind = LoadKind::power_law;
    ImbalanceCost before;
    for (const double exponent : {0.1, 0.4, 0.8}) {
      s.expert_loads.exponent = exponent;
      const ImbalanceCost cost = cost_of(s);
      CHECK(cost.experts > before.experts);
      if (exponent > 0.1) CHECK(cost.compositions == before.compositions);
      before = cost;
    }
  }

  // Four ranks that meet once: the step waits for the slowest, so what evenness saves is at most
  // the slowest one's lead over the mean.
  TEST_CASE("compositions cost no more than the busiest lane's lead over the mean one") {
    Scenario s = fewer(scenario("mot_7b_256_a100"), 4, 1);
    s.plan.sharding = ShardingStage::none;
    const StepResult r = simulate_step(s);
    Seconds mean{}, most{};
    for (const auto& rank : r.by_rank) {
      Seconds busy{};
      for (const Category c : {Category::compute, Category::recompute, Category::host}) {
        busy += rank[static_cast<std::size_t>(c)];
      }
      mean += busy / static_cast<double>(r.by_rank.size());
      most = std::max(most, busy);
    }
    const ImbalanceCost cost = imbalance_cost(s, r.time);
    CHECK(cost.compositions > Seconds(0));
    CHECK(cost.compositions <= (most - mean) * 1.001);
  }
}

}  // namespace forerun::sim
