#include "sim/pass_units.h"

#include <doctest/doctest.h>

#include "sim/compile.h"

namespace forerun::sim {
namespace {

/// A model with an encoder of 6 layers and a module of multi-token prediction on 4 stages.
Scenario with_all_ends() {
  Scenario s;
  s.accelerator = hw::load_accelerator("h100-sxm-80gb");
  s.network = hw::load_network("dgx-h100");
  s.framework = load_framework("generic");
  s.model = models::load_architecture("llama3-8b");
  s.model.layers = 8;
  s.model.multi_token_prediction = 1;
  models::Encoder e;
  e.name = "vit", e.modality = "image";
  e.layers = 6, e.hidden = 256, e.heads = 4, e.ffn = 1024;
  e.patches = 64, e.patch_width = 48, e.outputs = 16;
  s.model.encoders = {e};
  s.modality_shares = {{"text", 0.5}, {"image", 0.5}};
  s.plan.pipeline = 4;
  s.plan.data = 2;
  s.plan.global_batch = 16;
  s.accelerators = 8;
  return s;
}

}  // namespace

TEST_SUITE("sim/pass units") {
  TEST_CASE("the units of a rank's passes have its parameters, each once") {
    for (const PipelineSchedule schedule :
         {PipelineSchedule::one_forward_one_backward, PipelineSchedule::dualpipe}) {
      for (const std::int64_t encoder_stages : {0, 1, 3}) {
        Scenario s = with_all_ends();
        s.plan.schedule = schedule;
        s.plan.encoder_stages = encoder_stages;
        const Layout layout = make_layout(s);
        Pricer pricer(s, layout, 1.0, nullptr);
        const Parts parts = price_parts(s, layout, pricer, slice_of(s), {true});
        for (std::int64_t rank = 0; rank < 4; ++rank) {
          for (const PassKind pass : {PassKind::forward, PassKind::backward}) {
            double sum = 0;
            for (const Chunk& chunk : layout.chunks[static_cast<std::size_t>(rank)]) {
              for (const Unit& u : pass_units(s, layout, parts, rank, chunk, pass)) {
                sum += u.parameters + u.experts;
              }
            }
            CHECK(sum == static_cast<double>(stage_parameters(s, layout, rank).total()));
          }
        }
      }
    }
  }

  TEST_CASE("the stages that hold a tied matrix sum its gradient, wherever the encoders are") {
    Scenario s = with_all_ends();
    s.model.multi_token_prediction = 0;
    s.model.tied_embeddings = true;
    s.framework.tied_embedding_all_reduce = true;
    s.plan.encoder_stages = 2;
    const Layout layout = make_layout(s);
    const Compiled c = compile_step(s, layout, Variation(s, layout), Detail::folded, {1.0});
    std::vector<std::size_t> summing;
    for (std::size_t r = 0; r < c.program.ranks.size(); ++r) {
      for (const Operation& o : c.program.ranks[r].operations) {
        const std::string& name = c.program.labels[static_cast<std::size_t>(o.label)].name;
        if (name.find("tied embedding") != std::string::npos) summing.push_back(r);
      }
    }
    CHECK(summing == std::vector<std::size_t>{2, 3});
  }
}

}  // namespace forerun::sim
