#include "sim/memory.h"

#include <doctest/doctest.h>
#include <rapidcheck.h>

#include <algorithm>

#include "models/activation_memory.h"
#include "models/parameters.h"
#include "sim/compile.h"
#include "sim/schedule.h"

namespace forerun::sim {
namespace {

/// 16 layers of GPT's shape in a framework without habits: what is in memory can be told by hand.
Scenario plain() {
  Scenario s;
  s.accelerator.memory = 80.0_GiB;
  s.accelerator.peak[hw::Precision::bf16] = 1000.0_TFLOPps;
  s.network.domain = 8;
  s.model.layers = 16, s.model.hidden = 2048, s.model.heads = 16, s.model.kv_heads = 16;
  s.model.head_dim = 128, s.model.ffn = 8192, s.model.vocab = 32768;
  s.plan.sequence = 2048;
  s.plan.micro_batch = 1;
  s.plan.global_batch = 256;
  return s;
}

MemoryResult memory_of(const Scenario& s) { return step_memory(s, make_layout(s), Remedies::skip); }

double owned(const StageMemory& stage, std::string_view part) {
  double sum = 0;
  for (const MemoryOwner& o : stage.owners) {
    if (o.name.find(part) != std::string::npos) sum += o.bytes.base();
  }
  return sum;
}

Scenario random_scenario() {
  Scenario s = plain();
  Plan& p = s.plan;
  p.data = 1 << *rc::gen::inRange(0, 4);
  p.tensor = 1 << *rc::gen::inRange(0, 4);
  p.pipeline = 1 << *rc::gen::inRange(0, 4);
  p.sequence_parallel = p.tensor > 1 && *rc::gen::arbitrary<bool>();
  p.micro_batch = 1 << *rc::gen::inRange(0, 3);
  if (p.pipeline > 1 && *rc::gen::arbitrary<bool>()) {
    p.schedule = PipelineSchedule::interleaved;
    p.virtual_stages = 2;
  } else {
    p.schedule = *rc::gen::element(PipelineSchedule::one_forward_one_backward,
                                   PipelineSchedule::zero_bubble_h1);
  }
  p.sharding = *rc::gen::element(ShardingStage::none, ShardingStage::optimizer,
                                 ShardingStage::gradients, ShardingStage::parameters);
  p.recompute.mode =
      *rc::gen::element(RecomputeMode::none, RecomputeMode::selective, RecomputeMode::full);
  if (p.recompute.mode == RecomputeMode::selective) {
    p.recompute.parts = {models::LayerPart::core_attention};
  }
  Framework& f = s.framework;
  f.fused_attention = *rc::gen::arbitrary<bool>();
  f.dropout = *rc::gen::arbitrary<bool>();
  f.memory.weight_gradients =
      *rc::gen::element(WeightGradients::in_product, WeightGradients::per_matrix,
                        WeightGradients::per_pass, WeightGradients::kept);
  f.memory.keeps_empty_gradients = *rc::gen::arbitrary<bool>();
  f.memory.gathers_through_copies = *rc::gen::arbitrary<bool>();
  f.memory.waiting_exchanges = *rc::gen::inRange(0, 50);
  f.memory.allocator_slack = 0.1;
  f.memory.outside_bytes = 1 << 30;
  return s;
}

}  // namespace

TEST_SUITE("sim/memory") {
  TEST_CASE("states are parameters, gradients and optimiser states, cut as the plan says") {
    Scenario s = plain();
    s.plan.data = 8;
    const double p =
        static_cast<double>(stage_parameters(s, make_layout(s), 0).total());  // one stage
    // 2 + 4 + 12 bytes a parameter; sharding over 8 cuts 12, then 4, then all.
    CHECK(memory_of(s).stages[0].persistent.base() == doctest::Approx(18 * p));
    s.plan.sharding = ShardingStage::optimizer;
    CHECK(memory_of(s).stages[0].persistent.base() == doctest::Approx((6 + 12.0 / 8) * p));
    s.plan.sharding = ShardingStage::gradients;
    CHECK(memory_of(s).stages[0].persistent.base() == doctest::Approx((2 + 16.0 / 8) * p));
    s.plan.sharding = ShardingStage::parameters;
    CHECK(memory_of(s).stages[0].persistent.base() == doctest::Approx(18.0 / 8 * p));
  }

  TEST_CASE("a rank holds the activations of as many passes as its schedule has in flight") {
    // 1F1B on four stages: rank r keeps 4 - r micro-batches of 4 layers; a GPT layer of fused
    // attention keeps 32 bytes an element and 4 bytes a head and token.
    Scenario s = plain();
    s.plan.pipeline = 4;
    const double layer = 2048.0 * (32 * 2048 + 4 * 16);
    const MemoryResult result = memory_of(s);
    for (std::size_t r = 0; r < 3; ++r) {
      CHECK(owned(result.stages[r], "activations") ==
            doctest::Approx(static_cast<double>(4 - r) * 4 * layer));
    }
    // All forward, all backward: every micro-batch.
    s.plan.schedule = PipelineSchedule::all_forward_all_backward;
    s.plan.global_batch = 32;
    CHECK(owned(memory_of(s).stages[1], "activations") == doctest::Approx(32 * 4 * layer));
  }

  TEST_CASE("interleaving holds 1 + (p - 1) / (p v) times the activations of 1F1B") {
    // Korthikanti 2022, section 4.2.3. p = 4, v = 2: 11 chunk passes of 2 layers against 4 of 4.
    Scenario s = plain();
    s.plan.pipeline = 4;
    const double plain_schedule = owned(memory_of(s).stages[0], "activations");
    s.plan.schedule = PipelineSchedule::interleaved;
    s.plan.virtual_stages = 2;
    CHECK(owned(memory_of(s).stages[0], "activations") ==
          doctest::Approx(plain_schedule * (1 + 3.0 / 8)));
  }

  TEST_CASE("full recompute keeps a layer's input and redoes one layer at a time") {
    Scenario s = plain();
    s.plan.pipeline = 4;
    s.plan.recompute.mode = RecomputeMode::full;
    const StageMemory stage = memory_of(s).stages[0];
    const double hidden = 2048.0 * 2048;
    CHECK(owned(stage, "activations") == doctest::Approx(4 * 4 * 2 * hidden));
    CHECK(owned(stage, "recomputed layer") == doctest::Approx(30 * hidden + 4.0 * 16 * 2048));
    // Of two layers a stage only, the other two keep all.
    s.plan.recompute.layers_per_stage = 2;
    CHECK(owned(memory_of(s).stages[0], "activations") ==
          doctest::Approx(4 * (2 * 2 * hidden + 2 * (32 * hidden + 4.0 * 16 * 2048))));
  }

  TEST_CASE("the loss is counted where it is, by the framework's bytes of a logit") {
    Scenario s = plain();
    s.plan.micro_batch = 8;  // 16384 tokens x 32768 logits: 0.5 G logits
    s.framework.memory.loss_forward_bytes = 10;
    s.framework.memory.loss_kept_bytes = 4;
    s.framework.memory.loss_backward_bytes = 6;
    const StageMemory stage = memory_of(s).stages[0];
    CHECK(stage.moment == "loss");
    CHECK(owned(stage, "logits") == doctest::Approx(6 * 16384.0 * 32768));
  }

  TEST_CASE("fully sharded parameters are whole unit by unit") {
    // A layer in use and one gathered ahead, 2 bytes each; the unit's gradient in 16 bit and the
    // copy that is scattered in 32.
    Scenario s = plain();
    s.plan.data = 8;
    s.plan.micro_batch = 4;
    s.plan.sharding = ShardingStage::parameters;
    s.framework.memory.loss_kept_bytes = s.framework.memory.loss_backward_bytes = 0;
    s.framework.memory.loss_forward_bytes = 0;
    const double layer = static_cast<double>(models::layer_parameters(s.model).total());
    const StageMemory stage = memory_of(s).stages[0];
    REQUIRE(stage.moment == "backward pass");
    CHECK(owned(stage, "gathered parameters") == doctest::Approx(2 * 2 * layer));
    CHECK(owned(stage, "gradients of a unit") == doctest::Approx(6 * layer));
  }

  TEST_CASE("owners sum to the peak, which is no less than the states and no more than reserved") {
    rc::check([] {
      const Scenario s = random_scenario();
      const MemoryResult result = memory_of(s);
      RC_ASSERT(std::ssize(result.stages) == s.plan.pipeline);
      for (const StageMemory& stage : result.stages) {
        double sum = 0;
        for (const MemoryOwner& o : stage.owners) {
          RC_ASSERT(o.bytes > Bytes(0));
          sum += o.bytes.base();
        }
        RC_ASSERT(std::abs(sum / stage.peak.base() - 1) < 1e-12);
        RC_ASSERT(stage.persistent > Bytes(0));
        RC_ASSERT(stage.persistent <= stage.after_step);
        RC_ASSERT(stage.after_step <= stage.peak);
        RC_ASSERT(stage.peak <= stage.reserved);
        RC_ASSERT(stage.reserved <= result.stages[result.worst].reserved);
      }
      RC_ASSERT(result.fits == (result.over <= Bytes(0)));
    });
  }

  TEST_CASE("more sharding never keeps more, more recompute never needs more activations") {
    rc::check([] {
      Scenario s = random_scenario();
      s.plan.data = 8;
      s.framework.memory.keeps_empty_gradients = false;
      Bytes before = Bytes(1e18);
      for (const ShardingStage stage : {ShardingStage::none, ShardingStage::optimizer,
                                        ShardingStage::gradients, ShardingStage::parameters}) {
        s.plan.sharding = stage;
        const Bytes persistent = memory_of(s).stages[0].persistent;
        RC_ASSERT(persistent <= before);
        before = persistent;
      }
      s.plan.recompute = {};
      const double all = owned(memory_of(s).stages[0], "activations");
      s.plan.recompute.mode = RecomputeMode::full;
      RC_ASSERT(owned(memory_of(s).stages[0], "activations") <= all);
    });
  }

  TEST_CASE("memory is that of the micro-batch with most images, not of the mean one") {
    Scenario s = plain();
    models::Encoder e;
    e.name = "vit", e.modality = "image";
    e.layers = 24, e.hidden = 1024, e.heads = 16, e.ffn = 4096;
    e.patches = 1024, e.patch_width = 588, e.outputs = 64;
    s.model.encoders = {e};
    s.plan.data = 8;
    s.plan.global_batch = 32;
    models::Mixture mixture;
    mixture.modalities = {"image", "text"};
    models::Recording recording;
    recording.modalities = mixture.modalities;
    // One of four micro-batches is all of images.
    for (const std::int64_t image : {0, 512, 2048, 512}) {
      models::Composition c;
      c.tokens = {image, 2048 - image};
      c.items = {image / 64, 0};
      c.pairs = models::causal_pairs(2048, 1);
      recording.compositions.push_back(c);
    }
    mixture.recording = recording;
    s.mixture = mixture;
    const auto kept = [&](std::int64_t images) {
      Scenario fixed = s;
      fixed.mixture.reset();
      fixed.modality_shares = {{"image", static_cast<double>(images) / 2048},
                               {"text", 1 - static_cast<double>(images) / 2048}};
      return owned(memory_of(fixed).stages[0], "activations");
    };
    CHECK(owned(memory_of(s).stages[0], "activations") == doctest::Approx(kept(2048)));
    CHECK(kept(2048) > 1.5 * kept(768));
    s.mean_compositions = true;
    CHECK(owned(memory_of(s).stages[0], "activations") == doctest::Approx(kept(768)));
  }

  TEST_CASE("H1 holds the operands of weight gradients that wait, DualPipe two stages' states") {
    Scenario s = plain();
    s.plan.pipeline = 4;
    s.plan.global_batch = 32;
    const MemoryResult plain = memory_of(s);
    s.plan.schedule = PipelineSchedule::zero_bubble_h1;
    const MemoryResult split = memory_of(s);
    // The first rank puts nothing off longer than a pass; the last keeps 3 sets of operands beside
    // the one pass in flight.
    CHECK(owned(split.stages[0], "activations") ==
          doctest::Approx(owned(plain.stages[0], "activations")).epsilon(0.01));
    const double three =
        owned(split.stages[2], "activations") - owned(plain.stages[2], "activations");
    CHECK(three > 0);
    CHECK(owned(split.stages[2], "activations") < owned(plain.stages[0], "activations"));
    s.plan.schedule = PipelineSchedule::dualpipe;
    const MemoryResult both = memory_of(s);
    CHECK(owned(both.stages[1], "parameters") ==
          owned(plain.stages[1], "parameters") + owned(plain.stages[2], "parameters"));
    // Five passes of a stage in flight against three.
    CHECK(owned(both.stages[1], "activations") ==
          doctest::Approx(owned(plain.stages[1], "activations") * 5 / 3).epsilon(0.01));
  }

  TEST_CASE("the walk over a few micro-batches is the walk over all of them") {
    // Peaks come from the steady state, which begins with as many micro-batches as stages.
    rc::check([] {
      Scenario s = random_scenario();
      s.framework.memory.waiting_exchanges = 0;
      s.plan.global_batch = s.plan.data * s.plan.micro_batch * 2 * s.plan.pipeline;
      const Bytes few = memory_of(s).stages[0].peak;
      s.plan.global_batch *= 8;
      RC_ASSERT(memory_of(s).stages[0].peak == few);
      const auto passes = rank_schedule(pipeline_shape(s.plan), 0);
      s.plan.global_batch /= 8;
      const auto short_passes = rank_schedule(pipeline_shape(s.plan), 0);
      RC_ASSERT(peak_in_flight(passes) == peak_in_flight(short_passes));
    });
  }

  TEST_CASE("what does not fit says by how much and which single change would make it fit") {
    Scenario s = plain();
    s.plan.data = 8;
    s.plan.micro_batch = 4;
    s.accelerator.memory = 22.0_GiB;
    const MemoryResult result = step_memory(s, make_layout(s));
    CHECK_FALSE(result.fits);
    const Bytes needed = result.stages[result.worst].reserved;
    CHECK(result.over.base() == doctest::Approx((needed - 22.0_GiB).base()));
    REQUIRE_FALSE(result.remedies.empty());
    const auto says = [&](std::string_view text) {
      return std::any_of(result.remedies.begin(), result.remedies.end(), [&](const auto& remedy) {
        return remedy.find(text) != std::string::npos;
      });
    };
    CHECK(says("micro_batch 4 -> 2"));
    CHECK(says("recompute all layers"));
    CHECK(says("GiB to spare"));
    CHECK_FALSE(says("sequence_parallel"));  // there is no tensor parallelism to cut over
  }

  TEST_CASE("a plan that fits is not given advice") {
    const Scenario s = plain();
    const MemoryResult result = step_memory(s, make_layout(s));
    CHECK(result.fits);
    CHECK(result.remedies.empty());
    CHECK(result.over == Bytes(0));
  }
}

}  // namespace forerun::sim
