#include "sim/on_pools.h"

#include <doctest/doctest.h>

#include <algorithm>

#include "core/reader.h"
#include "sim/list_price.h"
#include "sim/step.h"

namespace forerun::sim {
namespace {

/// Llama 2 7B in four stages, the last two in a pool of `accelerator`.
std::string text(const std::string& accelerator, const std::string& network,
                 const std::string& more = {}) {
  return R"({"schema": 1, "name": "pools", "model": {"base": "llama2-7b"},
    "cluster": {"accelerator": "h100-sxm-80gb", "accelerators": 64, "network": {"name": "dgx-h100"},
      "pools": [{"first_stage": 2, "accelerator": ")" +
         accelerator + R"(", "network": {"name": ")" + network +
         R"("}, "price": {"accelerator_hour": "1 USD/h", "source": "test"}}]},
    "plan": {"data": 4, "tensor": 4, "pipeline": 4, "sequence_parallel": true, "precision": "bf16",
      "micro_batch": 1, "global_batch": 32, "sequence": 4096)" +
         more + R"(}, "framework": {"base": "megatron-core"}, "training_tokens": 1e9,
    "price": {"accelerator_hour": "3 USD/h", "source": "test"}})";
}

std::string problems_of(const std::string& json) {
  Problems problems;
  const JsonDocument document = JsonDocument::parse(json, problems);
  (void)read_scenario(document, problems);
  return problems.text("s");
}

Scenario read(const std::string& json) {
  Problems problems;
  const JsonDocument document = JsonDocument::parse(json, problems);
  std::optional<Scenario> s = read_scenario(document, problems);
  REQUIRE_MESSAGE(s, problems.text("s"));
  return *s;
}

}  // namespace

TEST_SUITE("sim/on_pools") {
  TEST_CASE("a pool of the same kind changes nothing but the way between") {
    const Scenario mixed = read(text("h100-sxm-80gb", "dgx-h100"));
    const Scenario plain = all_on_pool(mixed, 0);
    // A stage fills two domains, so that all messages leave them with and without pools.
    CHECK(step_time(mixed) == step_time(plain));
    CHECK(simulate_step(mixed).model_flops_utilisation ==
          doctest::Approx(simulate_step(plain).model_flops_utilisation));
  }

  TEST_CASE("each stage takes what its own accelerators take") {
    const Scenario mixed = read(text("a100-sxm-80gb", "dgx-a100"));
    const StepResult both = simulate_step(mixed);
    const auto computes = [](const StepResult& r, std::size_t rank) {
      return r.by_rank[rank][static_cast<std::size_t>(Category::compute)];
    };
    for (const std::size_t pool : {0U, 1U}) {
      const StepResult one = simulate_step(all_on_pool(mixed, pool));
      for (const std::size_t stage : {2 * pool, 2 * pool + 1}) {
        CHECK(computes(both, stage) / computes(one, stage) == doctest::Approx(1).epsilon(0.03));
      }
    }
    CHECK(both.time > step_time(all_on_pool(mixed, 0)));
    CHECK(both.rank >= 2);  // the busiest is an A100
    CHECK(both.clock == simulate_step(all_on_pool(mixed, 1)).clock);
  }

  TEST_CASE("the slower network of the two carries what goes between pools") {
    Scenario mixed = read(text("h100-sxm-80gb", "dgx-h100"));
    const Seconds before = step_time(mixed);
    mixed.pools[0].network.network = mixed.pools[0].network.network / 8.0;
    mixed.pools[0].network.nic = mixed.pools[0].network.nic / 8.0;
    const Seconds slow_in = step_time(mixed);
    CHECK(slow_in > before);
    std::swap(mixed.pools[0].network, mixed.network);
    const StepResult slow_out = simulate_step(mixed, Detail::kernels);
    CHECK(slow_out.time > before);
  }

  TEST_CASE("memory is held against each pool's own") {
    Scenario mixed = read(text("h100-sxm-80gb", "dgx-h100"));
    mixed.pools[0].accelerator.memory = 10.0_GiB;
    const MemoryResult m = simulate_step(mixed).memory;
    CHECK_FALSE(m.fits);
    CHECK(m.worst >= 2);
    CHECK(m.capacity == 10.0_GiB);
    CHECK(m.stages[0].capacity == mixed.accelerator.memory);
  }

  TEST_CASE("cost is each pool's accelerators at its own price") {
    Scenario mixed = read(text("h100-sxm-80gb", "dgx-h100"));
    const auto cost = list_price(mixed, 10.0_h);
    REQUIRE(cost);
    CHECK(cost->base() ==
          doctest::Approx(10.0 * static_cast<double>(mixed.accelerators) * (3.0 + 1.0) / 2));
  }

  TEST_CASE("a tied embedding on two pools is exchanged over both networks") {
    Scenario s = read(text("a100-sxm-80gb", "dgx-a100"));
    s.model = models::load_architecture("gpt3-1.3b");
    s.framework = load_framework("megatron-lm");
    s.plan.data = s.plan.tensor = 1;
    s.plan.sequence_parallel = false;
    s.plan.sequence = 2048;
    s.accelerators = s.plan.accelerators();
    const auto exchanged = [](const StepResult& r, std::size_t rank) {
      const std::vector<Operation>& all = r.program->ranks[rank].operations;
      const auto found = std::ranges::find_if(all, [&](const Operation& o) {
        return r.program->labels[static_cast<std::size_t>(o.label)].name ==
               "all-reduce tied embedding gradient";
      });
      REQUIRE(found != all.end());
      return found->duration;
    };
    const StepResult mixed = simulate_step(s);
    CHECK(exchanged(mixed, 0) == exchanged(mixed, 3));
    // In one domain it is on NVLink, some ten times as fast as a NIC.
    CHECK(exchanged(mixed, 0) > 3 * exchanged(simulate_step(all_on_pool(s, 1)), 0));
  }

  TEST_CASE("what does not make pools is told") {
    CHECK(problems_of(text("h100-sxm-80gb", "dgx-h100")).empty());
    CHECK(
        problems_of(text("h100-sxm-80g", "dgx-h100")) ==
        "s: /cluster/pools/0/accelerator: \"h100-sxm-80g\" is no accelerator profile: did you mean "
        "h100-sxm-80gb?\n");
    const std::string price = R"(, "price": {"accelerator_hour": "1 USD/h", "source": "test"})";
    std::string unpriced = text("h100-sxm-80gb", "dgx-h100");
    unpriced.replace(unpriced.find(price), price.size(), "");
    CHECK(problems_of(unpriced).starts_with("s: /cluster/pools/0/price: missing"));
    std::string capped = text("h100-sxm-80gb", "dgx-h100");
    capped.insert(capped.find("\"pools\": ["), R"("power_cap": "500 W", )");
    CHECK(problems_of(capped).starts_with("s: /cluster/power_cap: "));
    std::string late = text("h100-sxm-80gb", "dgx-h100");
    late.replace(late.find("\"first_stage\": 2"), 16, "\"first_stage\": 4");
    CHECK(problems_of(late) ==
          "s: /cluster/pools/0/first_stage: 4: must be above 0 and below the plan's pipeline, 4\n");
    CHECK(problems_of(text("a100-sxm-80gb", "dgx-a100", R"(, "schedule": "dualpipe")"))
              .find("/cluster/pools: dualpipe") != std::string::npos);
    CHECK(problems_of(text("a100-sxm-80gb", "dgx-a100",
                           R"(, "layers_by_time": true, "layers_of_chunks": [8, 8, 8, 8])")) ==
          "s: /plan/layers_of_chunks: given, but layers_by_time is true and divides the layers\n");
  }
}

}  // namespace forerun::sim
