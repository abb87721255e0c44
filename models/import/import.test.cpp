#include "models/import/import.h"

#include <doctest/doctest.h>

#include <string>

#include "models/parameters.h"

namespace forerun::models {
namespace {

Architecture imported(const std::string& config) {
  Problems problems;
  const auto model = import_config(config, "x", "a test", problems);
  REQUIRE_MESSAGE(model.has_value(), problems.text("config.json"));
  return model->architecture;
}

void check(const std::string& config, std::int64_t total, std::int64_t active) {
  const Architecture a = imported(config);
  CHECK(parameters(a).matrices() == total);
  CHECK(active_parameters(a).matrices() == active);
}

std::string refusal(const std::string& config) {
  Problems problems;
  CHECK_FALSE(import_config(config, "x", "a test", problems).has_value());
  std::string all;
  for (const Problem& p : problems.list()) all += p.where + ": " + p.what + "\n";
  return all;
}

}  // namespace

// Facts of public config.json files; totals and active parameters, norms and biases left out, by
// the formulas of models/parameters.h worked out apart from it.
TEST_SUITE("models/import") {
  TEST_CASE("dense families count as their configurations say") {
    check(R"({"model_type": "llama", "hidden_size": 4096, "num_hidden_layers": 32,
              "num_attention_heads": 32, "num_key_value_heads": 8, "intermediate_size": 14336,
              "vocab_size": 128256, "hidden_act": "silu", "tie_word_embeddings": false,
              "max_position_embeddings": 131072})",
          8029995008, 8029995008);
    check(R"({"model_type": "qwen3", "hidden_size": 5120, "num_hidden_layers": 64,
              "num_attention_heads": 64, "num_key_value_heads": 8, "head_dim": 128,
              "intermediate_size": 25600, "vocab_size": 151936, "hidden_act": "silu",
              "tie_word_embeddings": false, "max_position_embeddings": 40960})",
          32761446400, 32761446400);
    check(R"({"model_type": "gpt_neox", "hidden_size": 4096, "num_hidden_layers": 32,
              "num_attention_heads": 32, "intermediate_size": 16384, "vocab_size": 50432,
              "hidden_act": "gelu", "rotary_pct": 0.25, "tie_word_embeddings": false,
              "max_position_embeddings": 2048, "use_parallel_residual": true})",
          6855589888, 6855589888);
  }

  TEST_CASE("families with experts count all of them and those that a token uses") {
    check(R"({"model_type": "mixtral", "hidden_size": 4096, "num_hidden_layers": 32,
              "num_attention_heads": 32, "num_key_value_heads": 8, "intermediate_size": 14336,
              "vocab_size": 32000, "hidden_act": "silu", "tie_word_embeddings": false,
              "num_local_experts": 8, "num_experts_per_tok": 2,
              "max_position_embeddings": 32768})",
          46702526464, 12879659008);
    check(R"({"model_type": "qwen3_moe", "hidden_size": 2048, "num_hidden_layers": 48,
              "num_attention_heads": 32, "num_key_value_heads": 4, "head_dim": 128,
              "intermediate_size": 6144, "moe_intermediate_size": 768, "num_experts": 128,
              "num_experts_per_tok": 8, "decoder_sparse_step": 1, "mlp_only_layers": [],
              "vocab_size": 151936, "hidden_act": "silu", "tie_word_embeddings": false,
              "max_position_embeddings": 40960})",
          30531911680, 3352821760);
    check(R"({"model_type": "olmoe", "hidden_size": 2048, "num_hidden_layers": 16,
              "num_attention_heads": 16, "num_key_value_heads": 16, "intermediate_size": 1024,
              "num_experts": 64, "num_experts_per_tok": 8, "vocab_size": 50304,
              "hidden_act": "silu", "tie_word_embeddings": false,
              "max_position_embeddings": 4096})",
          6919028736, 1281884160);
  }

  TEST_CASE("latent attention, shared experts and first dense layers are DeepSeek-V3's") {
    const std::string v3 =
        R"({"model_type": "deepseek_v3", "hidden_size": 7168, "num_hidden_layers": 61,
            "num_attention_heads": 128, "num_key_value_heads": 128, "intermediate_size": 18432,
            "moe_intermediate_size": 2048, "n_routed_experts": 256, "n_shared_experts": 1,
            "num_experts_per_tok": 8, "first_k_dense_replace": 3, "moe_layer_freq": 1,
            "q_lora_rank": 1536, "kv_lora_rank": 512, "qk_nope_head_dim": 128,
            "qk_rope_head_dim": 64, "v_head_dim": 128, "num_nextn_predict_layers": 1,
            "vocab_size": 129280, "hidden_act": "silu", "tie_word_embeddings": false,
            "scoring_func": "sigmoid", "max_position_embeddings": 163840})";
    check(v3, 671025397760, 37551276032);
    const Architecture a = imported(v3);
    CHECK(a.experts->router == Router::sigmoid);
    CHECK(a.multi_token_prediction == 1);
  }

  TEST_CASE("an unknown model type is refused with the nearest, a missing key with its path") {
    CHECK(refusal(R"({"model_type": "mixtrel"})").find("did you mean mixtral?") !=
          std::string::npos);
    CHECK(refusal(R"({"model_type": "llama", "num_hidden_layers": 32})")
              .find("/hidden_size: missing") != std::string::npos);
  }

  TEST_CASE("what is imported reads back as a model of the zoo's format") {
    const Architecture a = imported(
        R"({"model_type": "mixtral", "hidden_size": 64, "num_hidden_layers": 2,
            "num_attention_heads": 4, "num_key_value_heads": 2, "intermediate_size": 128,
            "vocab_size": 100, "hidden_act": "silu", "tie_word_embeddings": false,
            "num_local_experts": 4, "num_experts_per_tok": 2, "max_position_embeddings": 128})");
    Problems problems;
    const JsonDocument document = JsonDocument::parse(zoo_json(a), problems);
    Reader root = document.root(problems);
    const Architecture back = read_architecture(root);
    REQUIRE_MESSAGE(problems.empty(), problems.text("zoo"));
    CHECK(architecture_json(back) == architecture_json(a));
  }
}

}  // namespace forerun::models
