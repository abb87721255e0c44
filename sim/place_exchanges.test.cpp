#include "sim/place_exchanges.h"

#include <doctest/doctest.h>

#include <algorithm>

#include "core/file.h"
#include "hw/topology.h"
#include "sim/step.h"

namespace forerun::sim {
namespace {

/// 8 DGX H100 on two leaves (of each rail, where there are rails), `over` times oversubscribed.
std::string topology_text(const std::string& kind, double over, const std::string& more) {
  return R"({"schema": 1, "name": "test", "what": "a test", "kind": ")" + kind +
         R"(", "network": "dgx-h100",
    "hop": {"value": "0.3 us", "evidence": "assumed", "source": "test"},
    "domains": {"value": 8, "evidence": "assumed", "source": "test"},
    "domains_per_leaf": {"value": 4, "evidence": "assumed", "source": "test"},
    "spines": {"value": 1, "evidence": "assumed", "source": "test"},
    "pods": {"value": 1, "evidence": "assumed", "source": "test"},
    "oversubscription": {"value": )" +
         std::to_string(over) + R"(, "evidence": "assumed", "source": "test"})" + more + "}";
}

std::shared_ptr<const hw::Topology> topology(const std::string& kind, double over,
                                             const std::string& more = {}) {
  Problems problems;
  const JsonDocument document = JsonDocument::parse(topology_text(kind, over, more), problems);
  std::optional<hw::Topology> t = hw::read_topology(document, problems);
  REQUIRE_MESSAGE(t, problems.text("t"));
  return std::make_shared<const hw::Topology>(std::move(*t));
}

Scenario gpt(std::int64_t data, std::int64_t tensor, std::int64_t pipeline) {
  Scenario s;
  s.name = "small";
  s.accelerator = hw::load_accelerator("h100-sxm-80gb");
  s.network = hw::load_network("dgx-h100");
  s.model = models::load_architecture("gpt3-1.3b");
  s.framework = load_framework("megatron-lm");
  s.plan.data = data;
  s.plan.tensor = tensor;
  s.plan.pipeline = pipeline;
  s.plan.micro_batch = 2;
  s.plan.global_batch = 2 * data * 4;
  s.accelerators = s.plan.accelerators();
  return s;
}

Seconds on(Scenario s, std::shared_ptr<const hw::Topology> t) {
  s.topology = std::move(t);
  s.topology_name = "test";
  return step_time(s);
}

}  // namespace

TEST_SUITE("sim/place_exchanges") {
  TEST_CASE("without contention both fidelities agree to the tick") {
    // One kind of traffic at a time: gradients alone, messages alone, both inside one domain.
    for (const auto& [d, t, p] :
         {std::tuple{8, 8, 1}, {64, 1, 1}, {1, 8, 2}, {1, 1, 4}, {4, 2, 1}, {1, 8, 1}}) {
      Scenario s = gpt(d, t, p);
      s.plan.sequence_parallel = t > 1;
      const Seconds alone = simulate_step(s, Detail::kernels).time;
      // With rails no two groups meet at a leaf.
      CHECK_MESSAGE(on(s, topology("rail_optimised", 1)) == alone, d, " ", t, " ", p);
    }
  }

  TEST_CASE("what leaves an oversubscribed leaf is slower by as much") {
    Scenario s = gpt(8, 8, 1);
    s.framework.gradient_exchange = GradientExchange::after_backward;
    const auto exchanged = [&](double over) {
      Scenario at = s;
      at.topology = topology("leaf_spine", over);
      const StepResult r = simulate_step(at);
      return r.contention.exchanges;
    };
    // One of a leaf's four domains sends to the other leaf: what 1:4 leaves is just enough.
    CHECK(exchanged(4).empty());
    for (const double over : {8.0, 16.0}) {
      const std::vector<SharedExchanges> all = exchanged(over);
      REQUIRE(all.size() == 1);
      CHECK(all[0].name == "all-reduce gradients");
      CHECK(all[0].slowed == all[0].times);
      // But for its latency.
      CHECK(all[0].took / all[0].alone < over / 4);
      CHECK(all[0].took / all[0].alone > 0.95 * over / 4);
    }
  }

  TEST_CASE("messages beside gradients, and other jobs beside both, take longer") {
    Scenario s = gpt(4, 8, 2);
    s.plan.sharding = ShardingStage::gradients;
    s.plan.global_batch = 2 * 4 * 8;
    const Seconds wide = on(s, topology("leaf_spine", 1));
    CHECK(wide >= simulate_step(s, Detail::kernels).time);
    const Seconds narrow = on(s, topology("leaf_spine", 16));
    CHECK(narrow > wide);
    // Half of the machines, the other half busy with an all-to-all across the same spine.
    Scenario half = gpt(2, 8, 2);
    half.plan.sharding = ShardingStage::gradients;
    const auto t = topology("leaf_spine", 16);
    const Seconds undisturbed = on(half, t);
    hw::NetworkJob job;
    job.name = "neighbour";
    job.kind = hw::CollectiveKind::all_to_all;
    job.bytes = Bytes(1e9);
    job.first = 32;
    job.count = 32;
    job.run = 32;
    job.stride = 32;
    half.beside = {job};
    // Four domains of one leaf: they do not meet the neighbour, who is under the other.
    CHECK(on(half, t) == undisturbed);
    // On every second machine both cross the spine.
    half.placement = {0, 2};
    half.beside[0].first = 8;
    half.beside[0].run = 8;
    half.beside[0].stride = 16;
    Scenario quiet = half;
    quiet.beside.clear();
    const Seconds alone = on(quiet, t);
    CHECK(alone > undisturbed);
    CHECK(on(half, t) > alone);
  }

  TEST_CASE("a ring of messages inside a stage loads every hop") {
    Scenario s = gpt(1, 8, 1);
    s.model = models::load_architecture("llama2-7b");
    s.framework = load_framework("megatron-core");
    s.plan.context = 8;
    s.plan.sequence_parallel = true;
    s.plan.sequence = 65536;
    s.plan.micro_batch = 1;
    s.plan.global_batch = 1;
    s.accelerators = s.plan.accelerators();
    s.topology = topology("leaf_spine", 16);
    const StepResult r = simulate_step(s);
    const auto ring = std::ranges::find_if(r.contention.exchanges, [](const SharedExchanges& e) {
      return e.name == "pass keys and values";
    });
    REQUIRE(ring != r.contention.exchanges.end());
    // Eight ranks of a domain pass eight NICs' worth out of a leaf whose uplinks are 32 / 16 wide.
    CHECK(ring->slowed == ring->times);
    CHECK(ring->took / ring->alone > 2);
  }

  TEST_CASE("a failed NIC makes its ranks share their peers'") {
    const Scenario s = gpt(8, 8, 1);
    const Seconds whole = on(s, topology("rail_optimised", 1));
    const Seconds failed = on(s, topology("rail_optimised", 1, R"(, "failed": ["nic-3-5"])"));
    CHECK(failed > whole);
    const Seconds degraded =
        on(s, topology("rail_optimised", 1,
                       R"(, "degraded": [{"name": "nic-3-5--leaf-0-5", "keeps": 0.25}])"));
    CHECK(degraded > whole);
  }

  TEST_CASE("lanes that do the same bring the load that one would") {
    // Uneven experts make lanes; even ones of the same model do not.
    Scenario s = gpt(8, 4, 2);
    s.model = models::load_architecture("olmoe-1b-7b");
    s.framework = load_framework("megatron-core");
    s.plan.sequence_parallel = true;
    s.plan.expert = 8;
    s.plan.micro_batch = 1;
    s.plan.global_batch = 8 * 4;
    const auto graph = topology("leaf_spine", 128);
    const double even = on(s, graph) / simulate_step(s, Detail::kernels).time;
    s.expert_loads.kind = LoadKind::power_law;
    s.expert_loads.exponent = 1e-6;
    const StepResult alone = simulate_step(s, Detail::kernels);
    REQUIRE(alone.imbalance.lanes > 1);
    CHECK(even > 1.1);
    // Loads are rounded up by 4 % at most, and with them what exchanges overlap.
    CHECK(on(s, graph) / alone.time == doctest::Approx(even).epsilon(0.03));
  }
}

}  // namespace forerun::sim
