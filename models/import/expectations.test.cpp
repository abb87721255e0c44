// Public configurations against counts made apart from this code.

#include <doctest/doctest.h>

#include <array>
#include <cstdint>
#include <string>

#include "models/import/import.h"
#include "models/parameters.h"

namespace forerun::models {
namespace {

/// What the counts need of a public config.json, and its matrices: all, and those a token uses.
struct Expected {
  const char* name;
  const char* config;
  std::int64_t total, active;
  std::int64_t gates = 0;  ///< of shared experts, which those counts leave out
};

constexpr std::array<Expected, 24> kExpected = {{
    {"llama2_7b",
     R"({"model_type": "llama", "hidden_size": 4096, "num_hidden_layers": 32,
          "num_attention_heads": 32, "num_key_value_heads": 32, "intermediate_size": 11008,
          "vocab_size": 32000, "hidden_act": "silu", "tie_word_embeddings": false})",
     6738149376, 6738149376},
    {"llama2_70b",
     R"({"model_type": "llama", "hidden_size": 8192, "num_hidden_layers": 80,
          "num_attention_heads": 64, "num_key_value_heads": 8, "intermediate_size": 28672,
          "vocab_size": 32000, "hidden_act": "silu", "tie_word_embeddings": false})",
     68975329280, 68975329280},
    {"llama3_1_8b",
     R"({"model_type": "llama", "hidden_size": 4096, "num_hidden_layers": 32,
          "num_attention_heads": 32, "num_key_value_heads": 8, "intermediate_size": 14336,
          "vocab_size": 128256, "hidden_act": "silu", "tie_word_embeddings": false})",
     8029995008, 8029995008},
    {"llama3_1_70b",
     R"({"model_type": "llama", "hidden_size": 8192, "num_hidden_layers": 80,
          "num_attention_heads": 64, "num_key_value_heads": 8, "intermediate_size": 28672,
          "vocab_size": 128256, "hidden_act": "silu", "tie_word_embeddings": false})",
     70552387584, 70552387584},
    {"llama3_1_405b",
     R"({"model_type": "llama", "hidden_size": 16384, "num_hidden_layers": 126,
          "num_attention_heads": 128, "num_key_value_heads": 8, "intermediate_size": 53248,
          "vocab_size": 128256, "hidden_act": "silu", "tie_word_embeddings": false})",
     405849243648, 405849243648},
    {"qwen2_7b",
     R"({"model_type": "qwen2", "hidden_size": 3584, "num_hidden_layers": 28,
          "num_attention_heads": 28, "num_key_value_heads": 4, "intermediate_size": 18944,
          "vocab_size": 152064, "hidden_act": "silu", "tie_word_embeddings": false,
          "sliding_window": 131072, "use_sliding_window": false})",
     7615283200, 7615283200},
    {"qwen3_8b",
     R"({"model_type": "qwen3", "hidden_size": 4096, "num_hidden_layers": 36,
          "num_attention_heads": 32, "num_key_value_heads": 8, "head_dim": 128,
          "intermediate_size": 12288, "vocab_size": 151936, "hidden_act": "silu",
          "tie_word_embeddings": false})",
     8190427136, 8190427136},
    {"qwen3_32b",
     R"({"model_type": "qwen3", "hidden_size": 5120, "num_hidden_layers": 64,
          "num_attention_heads": 64, "num_key_value_heads": 8, "head_dim": 128,
          "intermediate_size": 25600, "vocab_size": 151936, "hidden_act": "silu",
          "tie_word_embeddings": false})",
     32761446400, 32761446400},
    {"codellama_34b",
     R"({"model_type": "llama", "hidden_size": 8192, "num_hidden_layers": 48,
          "num_attention_heads": 64, "num_key_value_heads": 8, "intermediate_size": 22016,
          "vocab_size": 32000, "hidden_act": "silu", "tie_word_embeddings": false})",
     33743175680, 33743175680},
    {"gemma2_9b_it",
     R"({"model_type": "gemma2", "hidden_size": 3584, "num_hidden_layers": 42,
          "num_attention_heads": 16, "num_key_value_heads": 8, "head_dim": 256,
          "intermediate_size": 14336, "vocab_size": 256000, "hidden_activation":
          "gelu_pytorch_tanh", "sliding_window": 4096})",
     9241100288, 9241100288},
    {"pythia_6_9b",
     R"({"model_type": "gpt_neox", "hidden_size": 4096, "num_hidden_layers": 32,
          "num_attention_heads": 32, "intermediate_size": 16384, "vocab_size": 50432,
          "hidden_act": "gelu", "rotary_pct": 0.25, "tie_word_embeddings": false,
          "use_parallel_residual": true})",
     6855589888, 6855589888},
    {"pythia_160m",
     R"({"model_type": "gpt_neox", "hidden_size": 768, "num_hidden_layers": 12,
          "num_attention_heads": 12, "intermediate_size": 3072, "vocab_size": 50304,
          "hidden_act": "gelu", "rotary_pct": 0.25, "tie_word_embeddings": false,
          "use_parallel_residual": true})",
     162201600, 162201600},
    {"gpt_neox_20b",
     R"({"model_type": "gpt_neox", "hidden_size": 6144, "num_hidden_layers": 44,
          "num_attention_heads": 64, "intermediate_size": 24576, "vocab_size": 50432,
          "hidden_act": "gelu_fast", "rotary_pct": 0.25, "tie_word_embeddings": false,
          "use_parallel_residual": true})",
     20551041024, 20551041024},
    {"mixtral_8x7b",
     R"({"model_type": "mixtral", "hidden_size": 4096, "num_hidden_layers": 32,
          "num_attention_heads": 32, "num_key_value_heads": 8, "intermediate_size": 14336,
          "vocab_size": 32000, "hidden_act": "silu", "tie_word_embeddings": false,
          "num_local_experts": 8, "num_experts_per_tok": 2})",
     46702526464, 12879659008},
    {"mixtral_8x22b",
     R"({"model_type": "mixtral", "hidden_size": 6144, "num_hidden_layers": 56,
          "num_attention_heads": 48, "num_key_value_heads": 8, "intermediate_size": 16384,
          "vocab_size": 32000, "hidden_act": "silu", "tie_word_embeddings": false,
          "num_local_experts": 8, "num_experts_per_tok": 2})",
     140619939840, 39151337472},
    {"mixtral_8x7b_neuronx_variant",
     R"({"model_type": "mixtral", "hidden_size": 4096, "num_hidden_layers": 32,
          "num_attention_heads": 32, "num_key_value_heads": 32, "intermediate_size": 14336,
          "vocab_size": 32000, "hidden_act": "silu", "tie_word_embeddings": false,
          "num_local_experts": 8, "num_experts_per_tok": 2})",
     47507832832, 13684965376},
    {"qwen3_30b_a3b",
     R"({"model_type": "qwen3_moe", "hidden_size": 2048, "num_hidden_layers": 48,
          "num_attention_heads": 32, "num_key_value_heads": 4, "head_dim": 128,
          "intermediate_size": 6144, "vocab_size": 151936, "hidden_act": "silu",
          "tie_word_embeddings": false, "moe_intermediate_size": 768, "num_experts": 128,
          "num_experts_per_tok": 8, "decoder_sparse_step": 1, "mlp_only_layers": []})",
     30531911680, 3352821760},
    {"qwen3_235b_a22b",
     R"({"model_type": "qwen3_moe", "hidden_size": 4096, "num_hidden_layers": 94,
          "num_attention_heads": 64, "num_key_value_heads": 4, "head_dim": 128,
          "intermediate_size": 12288, "vocab_size": 151936, "hidden_act": "silu",
          "tie_word_embeddings": false, "moe_intermediate_size": 1536, "num_experts": 128,
          "num_experts_per_tok": 8, "decoder_sparse_step": 1, "mlp_only_layers": []})",
     235092836352, 22189965312},
    {"olmoe_1b_7b_0924",
     R"({"model_type": "olmoe", "hidden_size": 2048, "num_hidden_layers": 16,
          "num_attention_heads": 16, "num_key_value_heads": 16, "intermediate_size": 1024,
          "vocab_size": 50304, "hidden_act": "silu", "tie_word_embeddings": false,
          "num_experts": 64, "num_experts_per_tok": 8})",
     6919028736, 1281884160},
    {"qwen1_5_moe_a2_7b",
     R"({"model_type": "qwen2_moe", "hidden_size": 2048, "num_hidden_layers": 24,
          "num_attention_heads": 16, "num_key_value_heads": 16, "intermediate_size": 5632,
          "vocab_size": 151936, "hidden_act": "silu", "tie_word_embeddings": false,
          "moe_intermediate_size": 1408, "shared_expert_intermediate_size": 5632,
          "num_experts": 60, "num_experts_per_tok": 4, "decoder_sparse_step": 1})",
     14315487232, 2688876544, 24 * 2048},
    {"deepseek_v3",
     R"({"model_type": "deepseek_v3", "hidden_size": 7168, "num_hidden_layers": 61,
          "num_attention_heads": 128, "num_key_value_heads": 128, "intermediate_size": 18432,
          "vocab_size": 129280, "hidden_act": "silu", "tie_word_embeddings": false,
          "moe_intermediate_size": 2048, "n_routed_experts": 256, "n_shared_experts": 1,
          "num_experts_per_tok": 8, "first_k_dense_replace": 3, "moe_layer_freq": 1,
          "q_lora_rank": 1536, "kv_lora_rank": 512, "qk_nope_head_dim": 128,
          "qk_rope_head_dim": 64, "v_head_dim": 128, "scoring_func": "sigmoid",
          "num_nextn_predict_layers": 1})",
     671025397760, 37551276032},
    {"kimi_k2",
     R"({"model_type": "kimi_k2", "hidden_size": 7168, "num_hidden_layers": 61,
          "num_attention_heads": 64, "num_key_value_heads": 64, "intermediate_size": 18432,
          "vocab_size": 163840, "hidden_act": "silu", "tie_word_embeddings": false,
          "moe_intermediate_size": 2048, "n_routed_experts": 384, "n_shared_experts": 1,
          "num_experts_per_tok": 8, "first_k_dense_replace": 1, "moe_layer_freq": 1,
          "q_lora_rank": 1536, "kv_lora_rank": 512, "qk_nope_head_dim": 128,
          "qk_rope_head_dim": 64, "v_head_dim": 128, "scoring_func": "sigmoid",
          "num_nextn_predict_layers": 0})",
     1026407202816, 32860471296},
    {"deepseek_v2_lite",
     R"({"model_type": "deepseek_v2", "hidden_size": 2048, "num_hidden_layers": 27,
          "num_attention_heads": 16, "num_key_value_heads": 16, "intermediate_size": 10944,
          "vocab_size": 102400, "hidden_act": "silu", "tie_word_embeddings": false,
          "moe_intermediate_size": 1408, "n_routed_experts": 64, "n_shared_experts": 2,
          "num_experts_per_tok": 6, "first_k_dense_replace": 1, "moe_layer_freq": 1,
          "q_lora_rank": null, "kv_lora_rank": 512, "qk_nope_head_dim": 128,
          "qk_rope_head_dim": 64, "v_head_dim": 128, "scoring_func": "softmax"})",
     15706357760, 2661023744},
    {"gpt_oss_20b",
     R"({"model_type": "gpt_oss", "hidden_size": 2880, "num_hidden_layers": 24,
          "num_attention_heads": 64, "num_key_value_heads": 8, "head_dim": 64,
          "intermediate_size": 2880, "vocab_size": 201088, "hidden_act": "silu",
          "tie_word_embeddings": false, "attention_bias": true, "num_local_experts": 32,
          "num_experts_per_tok": 4, "experts_per_token": 4, "sliding_window": 128})",
     20907786240, 4186275840},
}};

}  // namespace

// Norms and biases left out, by:
//   attention       2 h q + 2 h k
//   feed-forward    gated 3 h f, plain 2 h f; router E h
//   latent          queries h r + r heads (nope + rope), or h heads (nope + rope); keys and values
//                   h (r + rope) + r heads (nope + v); output heads v h
//   embeddings      V h, twice if untied
// For Mixtral 8x7B: 32 (4096 (8192 + 2048) + 8 x 4096 + 8 x 3 x 4096 x 14336) + 2 x 32000 x 4096 =
// 46,702,526,464. "neuronx" is a variant with 32 key/value heads; the shapes of CodeLlama,
// GPT-NeoX-20B and Qwen1.5-MoE are of fine-tuned copies. The formulas have no gate of a shared
// expert, h elements a layer (shared_expert_gate of Qwen's class): 24 x 2048 of Qwen1.5-MoE.
TEST_SUITE("models/import, public configurations") {
  TEST_CASE("every configuration counts to the last matrix element, whole and as a token uses it") {
    for (const Expected& e : kExpected) {
      CAPTURE(e.name);
      Problems problems;
      const auto model = import_config(e.config, e.name, "config.json", problems);
      REQUIRE_MESSAGE(model.has_value(), problems.text(e.name));
      CHECK(parameters(model->architecture).matrices() == e.total + e.gates);
      CHECK(active_parameters(model->architecture).matrices() == e.active + e.gates);
    }
  }
}

}  // namespace forerun::models
