#include "sim/step_cache.h"

#include <doctest/doctest.h>

#include "hw/collective.h"
#include "models/architecture.h"
#include "sim/step.h"

using namespace forerun;
using namespace forerun::sim;

namespace {

Scenario small() {
  Scenario s;
  s.name = "small";
  s.accelerator = hw::load_accelerator("a100-sxm-80gb");
  s.network = hw::load_network("dgx-a100");
  s.model = models::load_architecture("gpt3-1.3b");
  s.framework = load_framework("megatron-lm");
  s.plan.precision = models::PrecisionRecipe::fp16;
  s.plan.global_batch = 64;
  s.accelerators = 16;
  return s;
}

}  // namespace

TEST_SUITE("sim/step_cache") {
  TEST_CASE(
      "steps of one scenario's plans, from one cache, are as without: to the bit, in any order") {
    Scenario s = small();
    StepCache cache(s);
    std::vector<std::pair<Plan, Seconds>> known;
    for (const std::int64_t tensor : {1, 2, 4, 8}) {
      for (const std::int64_t pipeline : {1, 2}) {
        for (const std::int64_t micro_batch : {1, 2}) {
          for (const RecomputeMode mode : {RecomputeMode::none, RecomputeMode::full}) {
            s.plan.tensor = tensor;
            s.plan.pipeline = pipeline;
            s.plan.data = 16 / (tensor * pipeline);
            s.plan.micro_batch = micro_batch;
            s.plan.recompute.mode = mode;
            const Layout layout = make_layout(s);
            const Seconds cached = step_time(s, layout, Variation(s, layout), cache);
            CHECK(cached == step_time(s));
            known.emplace_back(s.plan, cached);
          }
        }
      }
    }
    for (const auto& [plan, time] : known) {
      s.plan = plan;
      const Layout layout = make_layout(s);
      CHECK(step_time(s, layout, Variation(s, layout), cache) == time);
    }
  }

  TEST_CASE("kernels and collectives are asked for once, and answered the same") {
    const Scenario s = small();
    KnownTimes known(s.accelerator, s.network);
    const hw::Kernel product = hw::Gemm{2048, 3072, 1024};
    const hw::KernelTime first = known.kernel(product);
    CHECK(&known.kernel(product) == &known.kernel(product));
    CHECK(first.time ==
          hw::at_burst_clock(hw::kernel_time(product, s.accelerator), product, s.accelerator.power)
              .time);
    const hw::Group group{16, 8, 1};
    CHECK(known.collective(hw::CollectiveKind::all_reduce, 1.0_MB, group).time ==
          hw::collective_time(hw::CollectiveKind::all_reduce, 1.0_MB, group, s.network).time);
  }

  TEST_CASE("what differs between micro-batches is not served") {
    Scenario s = small();
    const Layout layout = make_layout(s);
    CHECK(StepCache::serves(s, Variation(s, layout)));
    s.pools.resize(1);
    CHECK_FALSE(StepCache::serves(s, Variation(s, layout)));
  }
}
