#include "models/architecture_parts.h"

#include <doctest/doctest.h>

#include <string>

#include "models/architecture.h"

namespace forerun::models {
namespace {

Architecture read(const std::string& parts, Problems& problems) {
  const std::string text =
      R"({"name": "small", "layers": 8, "hidden": 64, "heads": 4, "kv_heads": 4, "head_dim": 16,
          "ffn": 256, "vocab": 1000, "activation": "swiglu", "position": "rotary",
          "norm": "rms_norm", "tied_embeddings": false, "linear_bias": false)" +
      parts + "}";
  const JsonDocument document = JsonDocument::parse(text, problems);
  Reader root = document.root(problems);
  return read_architecture(root);
}

std::string refusal(const std::string& parts) {
  Problems problems;
  static_cast<void>(read(parts, problems));
  std::string all;
  for (const Problem& p : problems.list()) all += p.where + ": " + p.what + "\n";
  return all;
}

}  // namespace

TEST_SUITE("models/architecture_parts") {
  TEST_CASE("every part is read back as it was written") {
    Problems problems;
    const Architecture a = read(
        R"(, "latent_attention": {"query_rank": 24, "kv_rank": 16, "nope_head_dim": 8,
             "rope_head_dim": 4, "v_head_dim": 8},
           "window": {"tokens": 128, "chunked": true, "full_every": 2, "full_kv_heads": 2,
             "full_head_dim": 32},
           "experts": {"count": 8, "top_k": 2, "ffn": 32, "shared": 1, "shared_ffn": 48,
             "shared_gate": true, "first_dense": 1, "every": 2, "router": "sigmoid",
             "capacity_factor": 1.25, "node_limit": 3, "groups": [{"modalities": ["text", "code"], "count": 4},
             {"modalities": ["image"], "count": 4}]},
           "towers": {"list": [{"modalities": ["text", "code"]}, {"modalities": ["image"]}],
             "norms": false},
           "depth_routing": {"every": 2, "capacity": 0.25},
           "blocks": [{"layers": 3, "modulation": 6}, {"layers": 5, "parallel": true}],
           "adapters": [{"modality": "image", "input_width": 32, "output_width": 32,
             "unet_parameters": 1000, "unet_positions": 512, "unet_channels": 16, "item_tokens": 4}],
           "encoders": [{"name": "vit", "modality": "image", "layers": 2, "hidden": 32, "heads": 2,
             "ffn": 128, "patches": 49, "patch_width": 588, "outputs": 16,
             "connector": "convolutional", "connector_parameters": 999, "frozen": true}],
           "thoughts": {"ahead": 12, "talk": 4, "samples": 2},
           "multi_token_prediction": 1, "norm_order": "after", "attention_sinks": true)",
        problems);
    INFO(problems.text("small"));
    REQUIRE(problems.empty());
    const JsonDocument document = JsonDocument::parse(architecture_json(a), problems);
    Reader root = document.root(problems);
    const Architecture back = read_architecture(root);
    INFO(problems.text("back"));
    REQUIRE(problems.empty());
    CHECK(back.latent_attention == a.latent_attention);
    CHECK(back.window == a.window);
    CHECK(back.experts == a.experts);
    CHECK(back.towers == a.towers);
    CHECK(back.depth_routing == a.depth_routing);
    CHECK(back.blocks == a.blocks);
    CHECK(back.adapters == a.adapters);
    CHECK(back.encoders == a.encoders);
    CHECK(back.thoughts == a.thoughts);
    CHECK(architecture_json(back) == architecture_json(a));
  }

  TEST_CASE("experts that do not add up or cannot be chosen are refused by name") {
    CHECK(refusal(R"(, "experts": {"count": 8, "top_k": 9, "ffn": 32})") ==
          "/experts/top_k: 9 of 8 experts\n");
    CHECK(refusal(R"(, "experts": {"count": 8, "top_k": 1, "ffn": 32, "groups": [
              {"modalities": ["text"], "count": 4}, {"modalities": ["text"], "count": 2}]})") ==
          "/experts/groups: have 6 experts together, but count is 8\n"
          "/experts: \"text\" is in two of them\n");
    CHECK(refusal(R"(, "experts": {"count": 8, "top_k": 1, "ffn": 32, "first_dense": 8})") ==
          "/experts: first_dense is 8, of 8 layers: none has experts\n");
    CHECK(refusal(R"(, "experts": {"count": 8, "top_k": 1, "ffn": 32, "roting": "x"})") ==
          "/experts/roting: unknown key (did you mean routing?)\n");
  }

  TEST_CASE("an encoder without a connector is refused with the kinds there are") {
    CHECK(refusal(R"(, "encoders": [{"name": "vit", "modality": "image", "layers": 2, "hidden": 32,
              "heads": 2, "ffn": 128, "patches": 49, "patch_width": 588, "outputs": 16}])") ==
          "/encoders/0/connector: missing: an encoder's outputs need one to the hidden width "
          "(linear, mlp or convolutional)\n");
  }

  TEST_CASE("blocks must have the model's layers together") {
    CHECK(refusal(R"(, "blocks": [{"layers": 3}, {"layers": 4}])") ==
          "/blocks: have 7 layers together, but layers is 8\n");
  }
}

}  // namespace forerun::models
