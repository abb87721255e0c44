#include "sim/variation.h"

#include <doctest/doctest.h>

#include <map>
#include <utility>

#include "hw/accelerator.h"
#include "sim/memory.h"
#include "sim/step.h"

namespace forerun::sim {
namespace {

/// A model of 4 layers with 16 experts on 16 accelerators: data 8, expert 4, pipeline 2.
Scenario sparse() {
  Scenario s;
  s.name = "sparse";
  s.accelerator = hw::load_accelerator("h100-sxm-80gb");
  s.network = hw::load_network("dgx-h100");
  s.model = models::load_architecture("llama3-8b");
  s.model.layers = 4;
  s.model.hidden = 1024;
  s.model.heads = 16;
  s.model.kv_heads = 4;
  s.model.head_dim = 64;
  s.model.ffn = 2048;
  s.model.vocab = 32000;
  models::Experts e;
  e.count = 16;
  e.top_k = 2;
  e.ffn = 1024;
  s.model.experts = e;
  s.framework = load_framework("generic");
  s.plan.data = 8;
  s.plan.expert = 4;
  s.plan.pipeline = 2;
  s.plan.global_batch = 32;
  s.plan.sequence = 2048;
  s.plan.sharding = ShardingStage::optimizer;
  s.accelerators = 16;
  return s;
}

Scenario uneven(double exponent) {
  Scenario s = sparse();
  s.expert_loads.kind = LoadKind::power_law;
  s.expert_loads.exponent = exponent;
  return s;
}

models::Mixture recorded_mixture(const std::string& text) {
  Problems problems;
  const JsonDocument document = JsonDocument::parse(text, problems);
  Reader root = document.root(problems);
  models::Mixture m = models::read_recorded_mixture(root, 4096, 2, {"image", "text"});
  REQUIRE_MESSAGE(problems.empty(), problems.text("mixture"));
  return m;
}

}  // namespace

TEST_SUITE("sim/variation") {
  TEST_CASE("without uneven loads there is one lane and nothing varies") {
    const Scenario s = sparse();
    const Variation v(s, make_layout(s));
    CHECK(v.uniform());
    CHECK(v.lanes() == 1);
    CHECK(v.level(0, 3, 2) == 0);
  }

  TEST_CASE("lanes meet in the same exchange, whether or not their tokens need the encoder") {
    Scenario s = sparse();
    s.model.experts.reset();
    s.plan.expert = 1;
    models::Encoder e;
    e.name = "vit", e.modality = "image";
    e.layers = 2, e.hidden = 256, e.heads = 4, e.ffn = 1024;
    e.patches = 64, e.patch_width = 48, e.outputs = 16;
    s.model.encoders = {e};
    // The fourth of its micro-batches, and some later ones, have no images.
    s.mixture = recorded_mixture(R"({"recording": "chameleon-2x4096"})");
    s.plan.sequence = 4096;
    s.plan.micro_batch = 2;
    s.plan.global_batch = 64;
    for (const ShardingStage sharding :
         {ShardingStage::none, ShardingStage::optimizer, ShardingStage::parameters}) {
      s.plan.sharding = sharding;
      const Layout layout = make_layout(s);
      const Variation v(s, layout);
      REQUIRE(v.lanes() == 8);
      const Compiled c = compile_step(s, layout, v, Detail::kernels, {1.0});
      std::map<std::int32_t, std::pair<std::int32_t, int>> met;  // by channel: label, members
      for (const RankProgram& rank : c.program.ranks) {
        for (const Operation& o : rank.operations) {
          if (!o.rendezvous || o.category != Category::data_exchange) continue;
          const auto [at, first] = met.try_emplace(o.channel, o.label, 0);
          CHECK(at->second.first == o.label);
          ++at->second.second;
        }
      }
      CHECK_FALSE(met.empty());
      for (const auto& [channel, members] : met) CHECK(members.second == 8);
    }
  }

  TEST_CASE("replicas that share experts are one lane") {
    const Scenario s = uneven(1);
    const Variation v(s, make_layout(s));
    CHECK(v.lanes() == 2);  // 8 replicas in groups of 4
    CHECK_FALSE(v.uniform());
  }

  TEST_CASE("a level is the least power of two to the sixteenth that covers its load") {
    CHECK(Variation::load(0) == 1);
    CHECK(Variation::load(16) == doctest::Approx(2));
    const Scenario s = uneven(1);
    const Layout layout = make_layout(s);
    const Variation v(s, layout);
    for (std::int64_t m = 0; m < s.plan.micro_batches(); ++m) {
      for (std::int64_t layer = 0; layer < 4; ++layer) {
        const double drawn = group_load(s.expert_loads, 16, 4, 0, s.seed, 1, m, layer).worst;
        const double taken = Variation::load(v.level(1, m, layer));
        CHECK(taken >= drawn * (1 - 1e-9));
        CHECK(taken <= drawn * 1.0443);
      }
    }
  }

  TEST_CASE("uneven experts never make a step faster, and more uneven ones make it slower") {
    const Seconds even = simulate_step(sparse()).time;
    const Seconds some = simulate_step(uneven(0.3)).time;
    const Seconds much = simulate_step(uneven(1.0)).time;
    CHECK(some >= even);
    CHECK(much > some);
  }

  TEST_CASE(
      "the time that lanes wait for one another is imbalance, and all times sum to the step") {
    const Scenario s = uneven(1.0);
    const StepResult r = simulate_step(s);
    CHECK(r.imbalance.lanes == 2);
    CHECK(r.by_rank.size() == 4);
    Seconds waited{};
    for (const auto& rank : r.by_rank) {
      Seconds sum{};
      for (const Seconds t : rank) sum += t;
      CHECK(sum.base() == doctest::Approx(r.time.base()).epsilon(1e-9));
      waited += rank[static_cast<std::size_t>(Category::imbalance)];
    }
    CHECK(waited > Seconds(0));
  }

  TEST_CASE("kernel by kernel a step of uneven lanes is as long as folded") {
    Scenario s = uneven(1.0);
    s.framework.expert_count_syncs = false;
    s.framework.launch = s.framework.expert_launch = Seconds(0);
    s.accelerator.collective_tax = 0;
    const StepResult folded = simulate_step(s, Detail::folded);
    const StepResult kernels = simulate_step(s, Detail::kernels);
    CHECK(folded.time == kernels.time);
  }

  // A folded layer in which the host waits takes what one of many in a row takes; the first of a
  // pass is a little quicker, for the host is ahead of it.
  TEST_CASE("where the host waits inside layers, folded and single kernels agree within 2 %") {
    Scenario s = uneven(1.0);
    s.plan.pipeline = 1;
    s.plan.data = 16;
    s.model.layers = 24;
    CHECK(simulate_step(s, Detail::kernels).time / simulate_step(s).time ==
          doctest::Approx(1).epsilon(0.02));
  }

  TEST_CASE("the busiest rank keeps more than an even one, by what its experts' rows are more") {
    const Scenario even = sparse();
    const Scenario much = uneven(1.0);
    const Bytes more = step_memory(much, make_layout(much)).stages[0].peak -
                       step_memory(even, make_layout(even)).stages[0].peak;
    CHECK(more > Bytes(0));
    // Kept of a layer with experts: copies of 2 x 2,048 tokens, 1,024 wide in, 2 x 1,024 and 1,024
    // in the middle, two bytes each; two layers and two micro-batches on the first stage, and the
    // transients of one layer.
    const double of_layer = 2.0 * 2 * 2048 * (1024 + 3 * 1024);
    const Variation v(much, make_layout(much));
    const double kept = (v.mean_load() - 1) * of_layer * 2 * 2;
    CHECK(more.base() >= kept * 0.99);
    CHECK(more.base() <= kept + (v.worst_load() - 1) * 3 * of_layer);
  }

  TEST_CASE("equal seeds give equal steps and other seeds others") {
    Scenario s = uneven(0.7);
    const Seconds first = simulate_step(s).time;
    CHECK(simulate_step(s).time == first);
    s.seed = 2;
    CHECK(simulate_step(s).time != first);
  }

  // 64 replicas of a micro-batch each, dealt the 64 lines that were drawn with seed 1 for them;
  // with 128 replicas the other half is dealt the same again.
  TEST_CASE("a recording of what would be drawn gives the drawn step, and its shares") {
    Scenario s = sparse();
    s.model = models::load_architecture("mot-chameleon-443m");
    s.plan = {};
    s.plan.data = 64;
    s.plan.micro_batch = 2;
    s.plan.global_batch = 128;
    s.plan.sequence = 4096;
    s.plan.sharding = ShardingStage::parameters;
    s.accelerators = 64;
    s.mixture = models::load_mixture("chameleon");
    Scenario recorded = s;
    recorded.mixture = recorded_mixture("{\"recording\": \"chameleon-2x4096\"}");
    const StepResult drawn = simulate_step(s), dealt = simulate_step(recorded);
    CHECK(dealt.time == drawn.time);
    CHECK(dealt.imbalance.lanes == 64);
    REQUIRE(dealt.modalities.size() == 2);
    CHECK(dealt.modalities[0].share == drawn.modalities[0].share);
    CHECK(dealt.modalities[0].spread > 0.05);
    recorded.seed = 2;
    CHECK(simulate_step(recorded).time == dealt.time);
    s.seed = 2;
    CHECK(simulate_step(s).modalities[0].share != drawn.modalities[0].share);
    recorded.plan.data = recorded.accelerators = 128;
    recorded.plan.global_batch = 256;
    const Variation twice(recorded, make_layout(recorded));
    for (std::int64_t r = 0; r < 64; ++r) {
      CHECK(twice.composition(r, 0) == twice.composition(r + 64, 0));
    }
  }
}

}  // namespace forerun::sim
