#include "sim/layers_by_time.h"

#include <doctest/doctest.h>

#include <numeric>
#include <utility>

#include "sim/step.h"

namespace forerun::sim {
namespace {

Scenario llama(std::int64_t pipeline, std::int64_t virtual_stages = 1) {
  Scenario s;
  s.name = "llama";
  s.accelerator = hw::load_accelerator("h100-sxm-80gb");
  s.network = hw::load_network("dgx-h100");
  s.model = models::load_architecture("llama2-7b");
  s.framework = load_framework("megatron-core");
  s.plan.tensor = 8;
  s.plan.sequence_parallel = true;
  s.plan.pipeline = pipeline;
  s.plan.virtual_stages = virtual_stages;
  if (virtual_stages > 1) s.plan.schedule = PipelineSchedule::interleaved;
  s.plan.global_batch = 4 * pipeline;
  s.plan.sequence = 4096;
  s.accelerators = s.plan.accelerators();
  return s;
}

std::int64_t sum(const std::vector<std::int64_t>& counts) {
  return std::accumulate(counts.begin(), counts.end(), std::int64_t{0});
}

Seconds with(Scenario s, std::vector<std::int64_t> layers) {
  s.plan.layers_of_chunks = std::move(layers);
  return step_time(s);
}

}  // namespace

TEST_SUITE("sim/layers_by_time") {
  TEST_CASE("the stage with the head gets fewer layers, and no neighbouring division is quicker") {
    const Scenario s = llama(4);
    const std::vector<std::int64_t> best = layers_by_time(s);
    CHECK(sum(best) == 32);
    CHECK(best.back() <= best[1]);
    const Seconds time = with(s, best);
    CHECK(time <= step_time(s));
    for (std::size_t from = 0; from < 4; ++from) {
      for (std::size_t to = 0; to < 4; ++to) {
        if (from == to || best[from] == 0) continue;
        std::vector<std::int64_t> other = best;
        --other[from];
        ++other[to];
        // One slot for two ends of nearly a layer's time: a tie is decided by memory.
        CHECK(with(s, other) >= time * 0.99);
      }
    }
  }

  TEST_CASE("slower accelerators get fewer layers") {
    Scenario s = llama(4);
    Pool& pool = s.pools.emplace_back();
    pool.first_stage = 2;
    pool.accelerator = hw::load_accelerator("a100-sxm-80gb");
    pool.network = hw::load_network("dgx-a100");
    const std::vector<std::int64_t> mixed = layers_by_time(s);
    CHECK(sum(mixed) == 32);
    CHECK(mixed[0] > mixed[2] + 2);
    CHECK(mixed[1] > mixed[3] + 2);
    CHECK(with(s, mixed) < 0.9 * with(s, {8, 8, 8, 8}));
  }

  TEST_CASE("the head is weighed where it will lie, however the framework divides") {
    Scenario s = llama(4);
    s.model = models::load_architecture("gpt3-125m");
    s.framework = load_framework("nanotron");
    s.plan.tensor = 1;
    s.plan.sequence_parallel = false;
    s.plan.sequence = 2048;
    s.accelerators = s.plan.accelerators();
    const std::vector<std::int64_t> best = layers_by_time(s);
    CHECK(sum(best) == 12);
    CHECK(best.back() <= 1);  // 50,257 rows of logits weigh as much as four layers
  }

  TEST_CASE("virtual stages and encoders' chunks are counted") {
    CHECK(layers_by_time(llama(4, 2)).size() == 8);
    CHECK(sum(layers_by_time(llama(4, 2))) == 32);
    Scenario s = llama(4);
    s.model = models::load_architecture("mm1-7b");
    s.plan.encoder_stages = 1;
    s.mixture = models::load_mixture("mm1");
    const std::vector<std::int64_t> with_encoder = layers_by_time(s);
    CHECK(with_encoder.size() == 4);
    CHECK(with_encoder[0] == 0);
    CHECK(sum(with_encoder) == s.model.layers);
  }
}

}  // namespace forerun::sim
