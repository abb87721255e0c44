#include "models/layers.h"

#include <doctest/doctest.h>

namespace forerun::models {
namespace {

Architecture eight_layers() {
  Architecture a;
  a.layers = 8;
  a.hidden = 64;
  a.heads = a.kv_heads = 4;
  a.head_dim = 16;
  a.ffn = 256;
  a.vocab = 100;
  return a;
}

Experts some_experts(std::int64_t count) {
  Experts e;
  e.count = count;
  e.top_k = 1;
  e.ffn = 128;
  return e;
}

std::vector<int> kinds_of(const Architecture& a) {
  const LayerKinds k = layer_kinds(a);
  return {k.of.begin(), k.of.end()};
}

}  // namespace

TEST_SUITE("models/layers") {
  TEST_CASE("a plain decoder has one kind of layer, all of them") {
    const LayerKinds k = layer_kinds(eight_layers());
    REQUIRE(k.kinds.size() == 1);
    CHECK(k.kinds[0].layers == 8);
    CHECK(kind_name(k.kinds[0]) == "dense");
  }

  // DeepSeek-V3: the first three dense. MM1: every second. Both: layers 1, 3, 5 ... from the first.
  TEST_CASE("experts begin after the first dense layers and lie in every so many-th layer") {
    Architecture a = eight_layers();
    a.experts = some_experts(4);
    a.experts->first_dense = 3;
    CHECK(kinds_of(a) == std::vector<int>{0, 0, 0, 1, 1, 1, 1, 1});
    a.experts->every = 2;
    CHECK(kinds_of(a) == std::vector<int>{0, 0, 0, 1, 0, 1, 0, 1});
    const LayerKinds k = layer_kinds(a);
    CHECK_FALSE(k.layer(0).experts.has_value());
    CHECK(k.layer(3).experts->count == 4);
    CHECK(kind_name(k.layer(3)) == "experts");
  }

  // Gemma 3 and 4: five windows, then all keys, which have heads of their own.
  TEST_CASE("every so many-th layer of a windowed model sees all keys with its own heads") {
    Architecture a = eight_layers();
    a.window =
        AttentionWindow{.tokens = 32, .full_every = 4, .full_kv_heads = 2, .full_head_dim = 32};
    CHECK(kinds_of(a) == std::vector<int>{0, 0, 0, 1, 0, 0, 0, 1});
    const LayerKinds k = layer_kinds(a);
    CHECK(k.layer(0).window->tokens == 32);
    CHECK(k.layer(0).kv_heads == 4);
    CHECK_FALSE(k.layer(3).window.has_value());
    CHECK(k.layer(3).kv_heads == 2);
    CHECK(k.layer(3).head_dim == 32);
  }

  TEST_CASE("blocks come in order and say whether towers are apart") {
    Architecture a = eight_layers();
    a.towers.list = {{{"text"}}, {{"image"}}};
    a.blocks = {{.layers = 3, .modulation = 6},
                {.layers = 5, .towers = false, .parallel = true, .modulation = 3}};
    CHECK(kinds_of(a) == std::vector<int>{0, 0, 0, 1, 1, 1, 1, 1});
    const LayerKinds k = layer_kinds(a);
    CHECK(attention_sets(k.layer(0)).size() == 2);
    CHECK(attention_sets(k.layer(7)).size() == 1);
    CHECK(k.layer(7).parallel_block);
    CHECK(k.layer(7).modulation == 3);
  }

  TEST_CASE("towers that keep one attention have one set of its weights") {
    Architecture a = eight_layers();
    a.towers.list = {{{"text"}}, {{"image"}}};
    a.towers.attention = false;
    CHECK(attention_sets(a).size() == 1);
    CHECK(feed_forward_sets(a).size() == 2);
    CHECK(norm_sets(a) == 2);
  }

  // MoMa's 4t4i: no towers, two groups. MoT with experts for text alone: text's group, and a dense
  // part for images.
  TEST_CASE("groups of experts are sets, and a tower without a group stays dense") {
    Architecture a = eight_layers();
    a.experts = some_experts(8);
    a.experts->groups = {{{"text"}, 4}, {{"image"}, 4}};
    std::vector<WeightSet> sets = feed_forward_sets(a);
    REQUIRE(sets.size() == 2);
    CHECK(sets[1].modalities == std::vector<std::string>{"image"});
    CHECK(sets[1].experts == 4);

    a.experts->count = 4;
    a.experts->groups = {{{"text"}, 4}};
    a.towers.list = {{{"text"}}, {{"image"}}};
    sets = feed_forward_sets(a);
    REQUIRE(sets.size() == 2);
    CHECK(sets[0].experts == 4);
    CHECK(sets[1].experts == 0);
    CHECK(sets[1].modalities == std::vector<std::string>{"image"});
  }
}

}  // namespace forerun::models
