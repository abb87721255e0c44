#include "sim/step.h"

#include <doctest/doctest.h>
#include <fmt/format.h>

#include <cmath>

#include "models/layer_operations.h"
#include "sim/unfold.h"

using namespace forerun;
using namespace forerun::sim;

namespace {

/// A small GPT on DGX A100 nodes.
Scenario small(std::int64_t data, std::int64_t tensor, std::int64_t pipeline) {
  Scenario s;
  s.name = "small";
  s.accelerator = hw::load_accelerator("a100-sxm-80gb");
  s.network = hw::load_network("dgx-a100");
  s.model = models::load_architecture("gpt3-1.3b");
  s.framework = load_framework("megatron-lm");
  s.plan.data = data;
  s.plan.tensor = tensor;
  s.plan.pipeline = pipeline;
  s.plan.micro_batch = 2;
  s.plan.global_batch = 2 * data * 8;
  s.plan.precision = models::PrecisionRecipe::fp16;
  s.accelerators = s.plan.accelerators();
  return s;
}

Seconds total(const StepResult& r) {
  Seconds sum{};
  for (Seconds s : r.breakdown) sum += s;
  return sum;
}

}  // namespace

TEST_SUITE("sim/step") {
  TEST_CASE("every tick of the described rank's compute stream belongs to one category") {
    for (const auto& [d, t, p] : {std::tuple{1, 1, 1}, {2, 2, 4}, {4, 4, 1}, {1, 8, 3}}) {
      const StepResult r = simulate_step(small(d, t, p));
      CHECK(total(r).in(Seconds(1)) == doctest::Approx(r.time.in(Seconds(1))).epsilon(1e-9));
      for (Seconds s : r.breakdown) CHECK(s >= Seconds(0));
    }
  }

  TEST_CASE("stages wait for one another however their parameters are sharded") {
    for (const ShardingStage sharding :
         {ShardingStage::optimizer, ShardingStage::gradients, ShardingStage::parameters}) {
      Scenario s = small(2, 1, 4);
      s.plan.sharding = sharding;
      const StepResult r = simulate_step(s);
      // Eight micro-batches over four stages: the first and the last wait for 3/8 of their work.
      const Seconds work = r.breakdown[static_cast<std::size_t>(Category::compute)];
      CHECK(r.breakdown[static_cast<std::size_t>(Category::bubble)] > 0.2 * work);
      CHECK(simulate_step(s, Detail::kernels).time / r.time == doctest::Approx(1).epsilon(0.02));
    }
  }

  TEST_CASE("recomputing as many layers as a virtual stage has is recomputing all") {
    Scenario s = small(1, 2, 4);  // 24 layers: 6 a stage, 3 in each of two virtual stages
    s.plan.virtual_stages = 2;
    s.plan.schedule = PipelineSchedule::interleaved;
    s.plan.recompute.mode = RecomputeMode::full;
    const StepResult all = simulate_step(s);
    s.plan.recompute.layers_per_stage = 3;
    const StepResult three = simulate_step(s);
    CHECK(three.time == all.time);
    CHECK(three.memory.stages[0].peak == all.memory.stages[0].peak);
    s.plan.recompute.layers_per_stage = 1;
    const StepResult one = simulate_step(s);
    CHECK(one.time < three.time);
    CHECK(one.memory.stages[0].peak > three.memory.stages[0].peak);
  }

  TEST_CASE("the output matrix's gradients that are put off fill the last stage's idle end") {
    Scenario s = small(2, 2, 4);
    s.framework.launch = Seconds(0);
    s.accelerator.collective_tax = 0;
    const StepResult at_once = simulate_step(s, Detail::kernels);
    s.framework.deferred_embedding_gradients = 3;
    const StepResult put_off = simulate_step(s, Detail::kernels);
    // The same kernels; three of eight products leave the passes that the other stages wait for.
    CHECK(put_off.flops == at_once.flops);
    CHECK(put_off.time < at_once.time);
    CHECK(put_off.events == at_once.events);
    CHECK(simulate_step(s, Detail::folded).time == put_off.time);
    // Without a pipeline nobody waits, and nothing is put off.
    Scenario one = small(2, 2, 1);
    const Seconds before = simulate_step(one).time;
    one.framework.deferred_embedding_gradients = 3;
    CHECK(simulate_step(one).time == before);
  }

  TEST_CASE("exchanges between nodes tax kernels by the network's share, those inside by all") {
    const auto time = [](Scenario s, double network, double accelerator) {
      s.network.network_tax = network;
      s.accelerator.collective_tax = accelerator;
      return simulate_step(s).time;
    };
    Scenario between = small(16, 1, 1);
    between.plan.sharding = ShardingStage::parameters;
    CHECK(time(between, 1, 0.2) > time(between, 0.5, 0.2));
    CHECK(time(between, 0.5, 0.2) == time(between, 1, 0.1));
    CHECK(time(between, 0, 0.2) == time(between, 1, 0));
    Scenario inside = small(8, 1, 1);
    inside.plan.sharding = ShardingStage::parameters;
    CHECK(time(inside, 0, 0.2) == time(inside, 1, 0.2));
    CHECK(time(inside, 1, 0.2) > time(inside, 1, 0));
  }

  TEST_CASE("a step of folded passes takes as long as one of single kernels") {
    // With the host far ahead and no tax, a folded run's time is the sum of what was folded, so the
    // two agree to the tick.
    Scenario s = small(2, 2, 4);
    s.framework.launch = Seconds(0);
    s.accelerator.collective_tax = 0;
    CHECK(simulate_step(s, Detail::folded).time == simulate_step(s, Detail::kernels).time);
    s.plan.virtual_stages = 2;
    s.plan.schedule = PipelineSchedule::interleaved;
    CHECK(simulate_step(s, Detail::folded).time == simulate_step(s, Detail::kernels).time);
    s.plan.virtual_stages = 1;
    s.plan.schedule = PipelineSchedule::all_forward_all_backward;
    CHECK(simulate_step(s, Detail::folded).time == simulate_step(s, Detail::kernels).time);
    for (const PipelineSchedule split :
         {PipelineSchedule::zero_bubble_h1, PipelineSchedule::dualpipe}) {
      s.plan.schedule = split;
      CHECK(simulate_step(s, Detail::folded).time == simulate_step(s, Detail::kernels).time);
    }
  }

  TEST_CASE("splitting backward passes leaves the work and takes from the bubble") {
    Scenario s = small(1, 1, 4);
    s.plan.global_batch = 32;  // 16 micro-batches
    s.model.vocab = 1024;      // stages nearly alike
    s.framework.launch = Seconds(0);
    s.framework.deferred_embedding_gradients = 0;
    const StepResult plain = simulate_step(s);
    s.plan.schedule = PipelineSchedule::zero_bubble_h1;
    const StepResult zero_bubble = simulate_step(s);
    CHECK(zero_bubble.flops.base() == doctest::Approx(plain.flops.base()).epsilon(1e-12));
    // (p - 1) (F + B - W) against (p - 1) (F + B + W).
    Seconds weights{};
    for (const KernelShare& k : plain.kernels) {
      if (k.name.find("weight gradient") != std::string::npos) weights += k.time / 16.0;
    }
    CHECK((plain.time - zero_bubble.time) / (2.0 * 3.0 * weights) ==
          doctest::Approx(1).epsilon(0.05));
    s.plan.schedule = PipelineSchedule::dualpipe;
    const StepResult dualpipe = simulate_step(s);
    CHECK(dualpipe.flops.base() == doctest::Approx(plain.flops.base()).epsilon(1e-12));
    CHECK(dualpipe.time < plain.time);
  }

  TEST_CASE("kernels of two chunks that serve half the micro-batches each are counted so") {
    // Of a middle stage: 16 forward passes of its 6 layers, or 8 of 6 and 8 of another 6.
    Scenario s = small(1, 1, 4);
    s.plan.global_batch = 32;
    const auto norms = [](const Scenario& of) {
      std::int64_t count = 0;
      for (const KernelShare& k : simulate_step(of).kernels) {
        if (k.name == "attention norm") count += k.count;
      }
      return count;
    };
    CHECK(norms(s) == 16 * 6);
    s.plan.schedule = PipelineSchedule::dualpipe;
    CHECK(norms(s) == 16 * 6);
  }

  TEST_CASE("DualPipe hides exchanges of tensor peers behind the other direction's kernels") {
    Scenario s = small(1, 4, 4);
    s.plan.global_batch = 32;
    s.framework.launch = Seconds(0);
    s.framework.tensor_overlap = s.framework.tensor_gradient_overlap = false;
    const auto exchange = [](const Scenario& of) {
      return simulate_step(of).by_rank[1][static_cast<std::size_t>(Category::tensor_exchange)];
    };
    const Seconds shown = exchange(s);
    s.plan.schedule = PipelineSchedule::dualpipe;
    CHECK(exchange(s) < 0.6 * shown);
  }

  TEST_CASE(
      "an encoder on a stage of its own gets no gradients when frozen but for its connector") {
    Scenario s = small(1, 1, 4);
    s.framework.launch = Seconds(0);
    s.accelerator.collective_tax = 0;
    models::Encoder e;
    e.name = "vit", e.modality = "image";
    e.layers = 12, e.hidden = 1024, e.heads = 16, e.ffn = 4096;
    e.patches = 256, e.patch_width = 588, e.outputs = 256;
    s.model.encoders = {e};
    s.modality_shares = {{"text", 0.5}, {"image", 0.5}};
    const StepResult beside = simulate_step(s);
    s.plan.encoder_stages = 2;
    const StepResult apart = simulate_step(s);
    CHECK(apart.flops.base() == doctest::Approx(beside.flops.base()).epsilon(1e-9));
    CHECK(simulate_step(s, Detail::kernels).time == apart.time);
    const auto compute = [](const StepResult& r, std::size_t stage) {
      return r.by_rank[stage][static_cast<std::size_t>(Category::compute)];
    };
    // The first part alone: three passes' work when trained, one when frozen.
    s.model.encoders[0].frozen = true;
    const StepResult frozen = simulate_step(s);
    CHECK(compute(frozen, 0) / compute(apart, 0) == doctest::Approx(1.0 / 3).epsilon(0.1));
    CHECK(compute(frozen, 2) == compute(apart, 2));
    CHECK(simulate_step(s, Detail::kernels).time == frozen.time);
    // Memory of a frozen stage: no gradients, no optimiser states, nothing kept but messages.
    CHECK(frozen.memory.stages[0].peak < 0.5 * apart.memory.stages[0].peak);
  }

  TEST_CASE("with launch gaps and taxes folded and single kernels agree within one per cent") {
    // A folded run ends no earlier than its last launch: within a run the order of gaps is lost.
    for (double launch : {2e-6, 8e-6, 20e-6}) {
      Scenario s = small(2, 2, 4);
      s.framework.launch = Seconds(launch);
      const double folded = simulate_step(s, Detail::folded).time.base();
      const double kernels = simulate_step(s, Detail::kernels).time.base();
      CHECK(folded == doctest::Approx(kernels).epsilon(0.01));
    }
  }

  TEST_CASE("every accelerator simulated gives the folded step's time to the tick") {
    constexpr auto kOneOne = PipelineSchedule::one_forward_one_backward;
    for (const auto& [d, t, p, sharding, schedule] :
         {std::tuple{2, 2, 4, ShardingStage::none, kOneOne},
          {4, 2, 1, ShardingStage::parameters, kOneOne},
          {2, 4, 2, ShardingStage::optimizer, kOneOne},
          {2, 2, 4, ShardingStage::optimizer, PipelineSchedule::zero_bubble_h1},
          {2, 2, 4, ShardingStage::optimizer, PipelineSchedule::dualpipe}}) {
      Scenario s = small(d, t, p);
      s.plan.sharding = sharding;
      s.plan.schedule = schedule;
      const Compiled folded =
          compile_step(s, make_layout(s), Variation(s, make_layout(s)), Detail::kernels, {1.0});
      const Execution one = execute(folded.program);
      const Program all = unfold(s, folded.program);
      CHECK(all.ranks.size() == static_cast<std::size_t>(s.accelerators));
      const Execution every = execute(all);
      CHECK(every.end == one.end);
      // Each peer of a stage ends when the folded stage does.
      const std::size_t per_stage = all.ranks.size() / folded.program.ranks.size();
      for (std::size_t r = 0; r < all.ranks.size(); ++r) {
        CHECK(every.spans[r].back().end == one.spans[r / per_stage].back().end);
      }
    }
  }

  TEST_CASE("products of a layer do the FLOPs that the model's convention counts") {
    // hardware: 2 FLOPs a parameter of a matrix and token forward, 4 backward.
    const models::Architecture a = models::load_architecture("llama2-7b");
    models::Slice slice;
    slice.micro_batch = 1;
    slice.sequence = 4096;
    models::KernelChoices choices;
    double forward = 0, backward = 0;
    const auto products = [](const models::OperationList& list) {
      double sum = 0;
      for (const models::LayerOperation& o : list.operations) {
        const auto* k = std::get_if<hw::Kernel>(&o.work);
        if (k != nullptr && std::holds_alternative<hw::Gemm>(*k)) sum += hw::flops(*k).base();
      }
      return sum;
    };
    forward = products(models::layer_forward(a, slice, choices));
    backward = products(models::layer_backward(a, slice, choices, {}, false));
    const double matrices = 4.0 * 4096 * 4096 + 3.0 * 4096 * 11008;
    CHECK(forward == doctest::Approx(2 * matrices * 4096));
    CHECK(backward == doctest::Approx(4 * matrices * 4096));
    // Full recompute adds one forward pass.
    const double redone = products(models::layer_backward(a, slice, choices, {}, true));
    CHECK(redone == doctest::Approx(6 * matrices * 4096));
    // Tensor parallelism divides the products and loses none.
    slice.tensor = 8;
    slice.sequence_parallel = true;
    CHECK(8 * products(models::layer_forward(a, slice, choices)) == doctest::Approx(forward));
  }

  TEST_CASE("a faster network is never slower") {
    Scenario s = small(4, 2, 2);
    Seconds before = simulate_step(s).time;
    for (int i = 0; i < 4; ++i) {
      s.network.network *= 1.5;
      const Seconds now = simulate_step(s).time;
      CHECK(now <= before);
      before = now;
    }
  }

  TEST_CASE("more micro-batches amortise the pipeline's bubble") {
    Scenario s = small(1, 1, 4);
    double bubble = 1;
    for (std::int64_t m : {4, 8, 16, 32}) {
      s.plan.global_batch = 2 * m;
      const StepResult r = simulate_step(s);
      const double share = r.breakdown[static_cast<std::size_t>(Category::bubble)] / r.time;
      CHECK(share < bubble);
      bubble = share;
    }
  }

  TEST_CASE("the same scenario gives the same step, whichever detail and order") {
    const Scenario s = small(2, 2, 2);
    const StepResult a = simulate_step(s), b = simulate_step(s);
    CHECK(a.time == b.time);
    CHECK(a.breakdown == b.breakdown);
    CHECK(a.events == b.events);
  }
}
