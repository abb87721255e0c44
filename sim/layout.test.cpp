#include "sim/layout.h"

#include <doctest/doctest.h>
#include <rapidcheck.h>

#include <numeric>

#include "models/parameters.h"

namespace forerun::sim {
namespace {

models::Architecture small_model() {
  models::Architecture a;
  a.name = "small";
  a.layers = 24, a.hidden = 1024, a.heads = 16, a.kv_heads = 16, a.head_dim = 64, a.ffn = 4096;
  a.vocab = 50257;
  a.max_positions = 2048;
  a.position = models::Position::learned;
  a.linear_bias = true;
  a.tied_embeddings = true;
  return a;
}

Scenario on(std::int64_t data, std::int64_t tensor, std::int64_t pipeline,
            std::int64_t domain = 8) {
  Scenario s;
  s.model = small_model();
  s.plan.data = data, s.plan.tensor = tensor, s.plan.pipeline = pipeline;
  s.network.domain = domain;
  return s;
}

std::vector<std::int64_t> layers_of(const Layout& layout) {
  std::vector<std::int64_t> counts;
  for (std::size_t r = 0; r < layout.chunks.size(); ++r) {
    counts.push_back(layout.stage_layers(static_cast<std::int64_t>(r)));
  }
  return counts;
}

}  // namespace

TEST_SUITE("sim/layout") {
  TEST_CASE(
      "layers that divide go to the stages in equal numbers, the ends hold embedding and head") {
    const Layout layout = make_layout(on(1, 1, 4));
    CHECK(layers_of(layout) == std::vector<std::int64_t>{6, 6, 6, 6});
    CHECK(layout.holds_embedding(0));
    CHECK(layout.holds_head(3));
    CHECK_FALSE(layout.holds_head(0));
  }

  TEST_CASE("under DualPipe mirrored ranks hold the same two stages and sum gradients together") {
    Scenario s = on(16, 1, 4);
    const Layout plain = make_layout(s);
    s.plan.schedule = PipelineSchedule::dualpipe;
    s.plan.global_batch = 16 * 8;
    s.plan.sharding = ShardingStage::optimizer;
    const Layout layout = make_layout(s);
    CHECK(layers_of(layout) == std::vector<std::int64_t>{12, 12, 12, 12});
    CHECK(layout.chunks[0] == std::vector<Chunk>{plain.chunks[0][0], plain.chunks[3][0]});
    CHECK(layout.chunks[1] == std::vector<Chunk>{plain.chunks[1][0], plain.chunks[2][0]});
    CHECK(layout.chunks[3] == layout.chunks[0]);
    CHECK(layout.chunks[2] == layout.chunks[1]);
    CHECK(layout.data.ranks == 32);
    CHECK(layout.data.per_domain == plain.data.per_domain);
    CHECK(layout.shard == layout.data);
    // Both ends are here: a tied matrix is held once and exchanged with nobody.
    CHECK(layout.embedding.ranks == 1);
    CHECK(stage_parameters(s, layout, 0).total() == stage_parameters(s, plain, 0).total() +
                                                        stage_parameters(s, plain, 3).total() -
                                                        layout.padded_vocab * s.model.hidden);
  }

  TEST_CASE("layers that do not divide go to the middle first") {
    Scenario s = on(1, 1, 8);
    s.model.layers = 28;  // 3 each and 4 more: stages 2 to 5
    CHECK(layers_of(make_layout(s)) == std::vector<std::int64_t>{3, 3, 4, 4, 4, 4, 3, 3});
  }

  TEST_CASE("embedding and loss take a layer's slot each when the plan says so") {
    // Llama 3.1 405B: 126 layers and two slots over 8 stages of 8 chunks make 2 a chunk; the first
    // and the last chunk hold one layer (Llama 3 report, section 3.3.2).
    Scenario s = on(1, 8, 8);
    s.model.layers = 126;
    s.plan.virtual_stages = 8;
    s.plan.embedding_takes_slot = s.plan.loss_takes_slot = true;
    const Layout layout = make_layout(s);
    CHECK(layout.chunks.front().front() == Chunk{1, 0, true, false});
    CHECK(layout.chunks.back().back() == Chunk{1, 125, false, true, true, true});
    CHECK(layers_of(layout) == std::vector<std::int64_t>{15, 16, 16, 16, 16, 16, 16, 15});
  }

  TEST_CASE("division by cost counts the output matrix by its products") {
    // 16 layers of 4 h^2 + 3 h f = 67.1M products a token and an output matrix of 268.4M, which is
    // four layers: a share of two stages is ten layers.
    Scenario s = on(1, 1, 2);
    s.model.layers = 16, s.model.hidden = 2048, s.model.heads = 32, s.model.kv_heads = 32;
    s.model.ffn = 8192, s.model.vocab = 131072;
    s.framework.layer_division = LayerDivision::by_cost;
    CHECK(layers_of(make_layout(s)) == std::vector<std::int64_t>{10, 6});
    s.plan.pipeline = 4;
    CHECK(layers_of(make_layout(s)) == std::vector<std::int64_t>{5, 5, 5, 1});
    s.plan.pipeline = 8;  // shares end at 2.5, 5, 7.5 ... layers; the head reaches the last but one
    const Layout eight = make_layout(s);
    CHECK(layers_of(eight) == std::vector<std::int64_t>{3, 2, 3, 2, 3, 2, 1, 0});
    CHECK(eight.holds_head(6));
    CHECK_FALSE(eight.holds_loss(6));  // after the head the sum is past the share
    CHECK(eight.holds_loss(7));
  }

  TEST_CASE(
      "every layer is in one chunk, and one holds the embedding, one the head, one the loss") {
    rc::check([] {
      Scenario s = on(1, 1, *rc::gen::inRange(1, 17));
      s.plan.virtual_stages = *rc::gen::inRange(1, 5);
      s.model.layers = *rc::gen::inRange(80, 200);
      s.plan.embedding_takes_slot = *rc::gen::arbitrary<bool>();
      s.plan.loss_takes_slot = *rc::gen::arbitrary<bool>();
      if (*rc::gen::arbitrary<bool>()) s.framework.layer_division = LayerDivision::by_cost;
      const Layout layout = make_layout(s);
      std::int64_t layers = 0, embeddings = 0, heads = 0, losses = 0;
      for (const auto& stage : layout.chunks) {
        for (const Chunk& c : stage) {
          RC_ASSERT(c.layers >= 0);
          layers += c.layers;
          embeddings += c.embedding ? 1 : 0;
          heads += c.head ? 1 : 0;
          losses += c.loss ? 1 : 0;
        }
      }
      RC_ASSERT(layers == s.model.layers);
      RC_ASSERT(embeddings == 1 && heads == 1 && losses == 1);
    });
  }

  TEST_CASE("tensor ranks are neighbours, data ranks are a tensor group apart, stages farthest") {
    // 8 accelerators a domain: tensor 4 leaves room for two data ranks, and four data groups leave
    // the domain together.
    const Layout layout = make_layout(on(16, 4, 2));
    CHECK(layout.tensor == hw::Group{4, 4, 1});
    CHECK(layout.data == hw::Group{16, 2, 4});
    CHECK(layout.pipeline_link == hw::Group{2, 1, 8});
  }

  TEST_CASE("a tensor group wider than a domain has as many ranks in each as fit") {
    CHECK(make_layout(on(2, 16, 1)).tensor == hw::Group{16, 8, 1});
    CHECK(make_layout(on(2, 16, 1)).data == hw::Group{2, 1, 8});
  }

  TEST_CASE("of a domain of 72 a job of 512 uses 64") {
    const Layout layout = make_layout(on(128, 4, 1, 72));
    CHECK(layout.data == hw::Group{128, 16, 4});
  }

  TEST_CASE("a hybrid shard's copies lie side by side and its replicas across") {
    Scenario s = on(32, 1, 1);
    s.plan.sharding = ShardingStage::parameters;
    s.plan.shard_group = 8;
    const Layout layout = make_layout(s);
    CHECK(layout.shard == hw::Group{8, 8, 1});
    CHECK(layout.replicas == hw::Group{4, 1, 8});
  }

  TEST_CASE("the vocabulary is padded to a multiple for every tensor rank") {
    Scenario s = on(1, 8, 1);
    s.framework.vocabulary_multiple = 128;  // 50257 to a multiple of 1024
    CHECK(make_layout(s).padded_vocab == 51200);
  }

  TEST_CASE("stages hold the model's parameters, the tied matrix twice when it is on both ends") {
    Scenario s = on(1, 1, 1);
    const models::ParameterCount whole = models::parameters(s.model);
    CHECK(stage_parameters(s, make_layout(s), 0).total() == whole.total());
    s.plan.pipeline = 4;
    const Layout layout = make_layout(s);
    std::int64_t sum = 0;
    for (std::int64_t r = 0; r < 4; ++r) sum += stage_parameters(s, layout, r).total();
    CHECK(sum == whole.total() + s.model.vocab * s.model.hidden);
  }

  TEST_CASE("tensor ranks have norms and the biases of row-cut matrices each for itself") {
    // h = 1024, f = 4096, t = 4. Matrices 12 h^2 / 4; biases cut: (3 h + f) / 4; whole: 2 h, and
    // 4 h of the two norms.
    CHECK(models::layer_parameters(small_model(), {4, 1, 1}).total() ==
          12 * 1024 * 1024 / 4 + 7 * 1024 / 4 + 6 * 1024);
  }
}

}  // namespace forerun::sim
