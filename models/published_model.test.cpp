#include "models/published_model.h"

#include <doctest/doctest.h>

#include <string>

#include "models/parameters.h"

namespace forerun::models {
namespace {

Architecture read(const std::string& text, Problems& problems, std::int64_t seq_len = 2048) {
  const PublishedModels models;
  const JsonDocument document = JsonDocument::parse(text, problems);
  Reader reader = document.root(problems);
  return models.read(reader, seq_len);
}

}  // namespace

TEST_SUITE("models/published_model") {
  TEST_CASE("the longest published name that begins a row's name finds the entry") {
    const PublishedModels models;
    REQUIRE(models.find("BLOOM tuning GPT 203B") != nullptr);
    CHECK(models.find("BLOOM tuning GPT 203B")->name == "bloom-176b");
    CHECK(models.find("MPT-13b")->name == "mpt-13b");
    CHECK(models.find("GPT 1t (Korthikanti)")->name == "megatron-1t");
    CHECK(models.find("Llama 3.1 405B (num_query_groups=16) (4-layer cut)")->name == "llama3-405b");
    CHECK(models.find("gpt-3072x30") == nullptr);
  }

  TEST_CASE("what a row leaves out is the named model's and is marked assumed") {
    Problems problems;
    const Architecture a = read(
        R"({"name": "Nemotron-4 15B", "kind": "dense", "layers": 32, "hidden": 6144, "heads": 48, "kv_heads": 8,
            "head_dim": 128, "ffn": 24576, "gated_mlp": false, "vocab": 256000, "attention": "gqa",
            "activation": "squared_relu"})",
        problems);
    CHECK(problems.empty());
    CHECK(a.activation == Activation::squared_relu);
    CHECK(a.evidence_of("activation") == Evidence::published);
    CHECK(a.rotary_fraction == 0.5);
    CHECK(a.norm == Norm::layer_norm_1p);
    CHECK(!a.tied_embeddings);
    CHECK(a.evidence_of("tied_embeddings") == Evidence::assumed);
    CHECK(parameters(a) == parameters(load_architecture("nemotron4-15b")));
  }

  TEST_CASE("a gated model of no known name has Llama's blocks and a plain one has GPT-2's") {
    Problems problems;
    const Architecture gated = read(
        R"({"name": "x", "kind": "dense", "layers": 2, "hidden": 64, "heads": 4, "kv_heads": null, "head_dim": null,
            "ffn": 256, "gated_mlp": true, "vocab": 100})",
        problems);
    CHECK(gated.norm == Norm::rms_norm);
    CHECK(gated.kv_heads == 4);
    CHECK(gated.head_dim == 16);
    CHECK(!gated.linear_bias);
    const Architecture plain = read(
        R"({"name": "x", "kind": "dense", "layers": 2, "hidden": 64, "heads": 4, "kv_heads": 4, "head_dim": 16,
            "ffn": 256, "gated_mlp": false, "vocab": 100})",
        problems, 1024);
    CHECK(plain.position == Position::learned);
    CHECK(plain.max_positions == 1024);
    CHECK(plain.tied_embeddings);
    CHECK(problems.empty());
  }

  TEST_CASE("experts, latent attention, windows and further tokens are read from the row") {
    Problems problems;
    const Architecture a = read(
        R"({"name": "x", "kind": "moe", "layers": 4, "hidden": 64, "heads": 4, "ffn": 256, "gated_mlp": true,
             "vocab": 100, "sliding_window": 128, "sliding_window_every": 2, "attention_sinks": true, "mtp_layers": 1,
             "mla": {"q_lora_rank": 24, "kv_lora_rank": 16, "rope_head_dim": 4, "nope_head_dim": 8, "v_head_dim": 8},
             "moe": {"experts": 8, "top_k": 2, "expert_ffn": 32, "shared_experts": 1, "shared_ffn": 48, "dense_layers": 1}})",
        problems);
    INFO(problems.text("row"));
    CHECK(problems.empty());
    CHECK(a.experts->count == 8);
    CHECK(a.experts->shared_ffn == 48);
    CHECK(a.experts->first_dense == 1);
    CHECK(a.latent_attention->qk_head_dim() == 12);
    CHECK(a.window->full_every == 2);
    CHECK(a.attention_sinks);
    CHECK(a.multi_token_prediction == 1);
  }

  TEST_CASE("another kind of model must be the zoo's by its name") {
    const PublishedModels models;
    CHECK(models.knows("dense", "anything"));
    CHECK_FALSE(models.knows("recurrent", "Griffin"));
    CHECK(models.knows("multimodal", "FLUX.1-schnell (MLPerf flux1, 11.9B DiT)"));
  }
}

}  // namespace forerun::models
