#include "sim/owned_work.h"

#include <doctest/doctest.h>

#include "hw/accelerator.h"
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
  s.accelerators = 16;
  return s;
}

/// Experts 0 to 3, those of the first rank, have half of all copies.
Scenario given() {
  Scenario s = sparse();
  s.expert_loads.kind = LoadKind::given;
  s.expert_loads.shares.assign(16, 0.5 / 12);
  for (std::size_t i = 0; i < 4; ++i)
    s.expert_loads.shares[i] = 0.1 + 0.01 * static_cast<double>(i);
  s.expert_loads.shares[0] = 0.14;
  return s;
}

}  // namespace

TEST_SUITE("sim/owned_work") {
  TEST_CASE("balanced experts work on equal copies and nobody waits") {
    const StepResult r = simulate_step(sparse());
    REQUIRE(r.experts);
    const ExpertWork& e = *r.experts;
    // 2,048 tokens make two copies each on every rank; a rank gets as many as it sends.
    CHECK(e.rank_rows == 4096);
    CHECK(e.expert_rows == 1024);
    CHECK(e.rank == Variation::Load{1, 1});
    REQUIRE(e.groups.size() == 2);
    for (const ExpertGroup& g : e.groups) {
      CHECK(g.layers == 2);
      CHECK(g.load == 1);
      CHECK(g.waits == Seconds(0));
      CHECK(g.products > Seconds(0));
      CHECK(g.kernels > g.products);
      CHECK(g.exchanges > Seconds(0));
    }
  }

  TEST_CASE("the products of experts are those that the list of kernels has") {
    Scenario s = given();
    for (const models::GroupedExperts grouped :
         {models::GroupedExperts::products, models::GroupedExperts::none}) {
      s.framework.grouped_experts = grouped;
      const StepResult r = simulate_step(s);
      Seconds products{};
      for (const KernelShare& k : r.kernels) {
        if (k.load > 0 && k.product) products += k.time;
      }
      const ExpertGroup& g = r.experts->groups[static_cast<std::size_t>(r.rank)];
      CHECK(g.products.base() == doctest::Approx(products.base()).epsilon(1e-9));
      CHECK(r.experts->rank_rows == doctest::Approx(4096));
    }
  }

  TEST_CASE("the ranks of a group wait for the one that has half of the copies") {
    const StepResult r = simulate_step(given());
    const ExpertWork& e = *r.experts;
    // Shares 0.14 + 0.11 + 0.12 + 0.13 = 0.5 of a group of four: twice the fair share, which is a
    // level by itself; the busiest expert has 0.14 x 16 times an expert's.
    CHECK(e.rank.most == doctest::Approx(2));
    CHECK(e.expert.most == doctest::Approx(2.24));
    CHECK(e.most_used == std::vector<std::int64_t>{0, 3, 2, 1});
    for (const ExpertGroup& g : e.groups) {
      CHECK(g.load == doctest::Approx(2));
      // Of kernels whose time is what a row costs, half; less by what does not depend on rows.
      CHECK(g.waits > 0.3 * g.kernels);
      CHECK(g.waits < 0.5 * g.kernels);
    }
  }

  TEST_CASE("an encoder's kernels are its modality's, on every rank") {
    Scenario s = sparse();
    s.model.experts.reset();
    models::Encoder e;
    e.name = "vit", e.modality = "image";
    e.layers = 2, e.hidden = 256, e.heads = 4, e.ffn = 1024;
    e.patches = 64, e.patch_width = 48, e.outputs = 16;
    s.model.encoders = {e};
    s.modality_shares = {{"image", 0.5}, {"text", 0.5}};
    const StepResult r = simulate_step(s);
    REQUIRE(r.modalities.size() == 2);
    Seconds encoder{};
    for (const KernelShare& k : r.kernels) {
      if (k.name.find("encoder") != std::string::npos ||
          k.name.find("patch embedding") != std::string::npos) {
        encoder += k.time;
      }
    }
    // Of the first stage, which has the encoder; the second has nothing of one modality alone.
    const bool first = r.rank % s.plan.pipeline == 0;
    CHECK(r.modalities[0].kernels == encoder);
    CHECK((encoder > Seconds(0)) == first);
    CHECK(r.modalities[0].mean_kernels == r.modalities[0].most_kernels);
    CHECK(r.modalities[0].mean_kernels / Seconds(1) ==
          doctest::Approx(encoder / Seconds(1)).epsilon(1e-9));
    CHECK(r.modalities[1].kernels == Seconds(0));
  }

  TEST_CASE("a model without routed experts has none to show") {
    Scenario s = sparse();
    s.model.experts.reset();
    s.plan.expert = 1;
    CHECK_FALSE(simulate_step(s).experts);
  }

  TEST_CASE("a modality's kernels on the described rank lie between none and the busiest rank's") {
    Scenario s = sparse();
    s.model = models::load_architecture("mot-chameleon-7b");
    s.model.layers = 2;
    s.mixture = models::load_mixture("chameleon");
    s.plan.expert = s.plan.pipeline = 1;
    s.accelerators = 8;
    const StepResult r = simulate_step(s);
    REQUIRE(r.modalities.size() == 2);
    double tokens = 0;
    for (const ModalityWork& m : r.modalities) {
      tokens += m.tokens;
      CHECK(m.most >= m.share);
      CHECK(m.products > Seconds(0));
      CHECK(m.products < m.kernels);
      CHECK(m.mean_kernels < m.most_kernels);
      // The towers are all that has weights of its own, so that the ends add nothing.
      CHECK(m.kernels <= m.most_kernels * (1 + 1e-9));
    }
    CHECK(tokens == doctest::Approx(2048));
  }
}

}  // namespace forerun::sim
