#include "models/import/import.h"

#include <doctest/doctest.h>

#include <string>
#include <vector>

#include "models/parameters.h"

namespace forerun::models {
namespace {

ImportedModel imported(const std::string& config) {
  Problems problems;
  const auto model = import_config(config, "x", "a test", problems);
  REQUIRE_MESSAGE(model.has_value(), problems.text("config.json"));
  return *model;
}

void check(const ImportedModel& model, std::int64_t total, std::int64_t active) {
  CHECK(parameters(model.architecture).matrices() == total);
  CHECK(active_parameters(model.architecture).matrices() == active);
}

using Lines = std::vector<std::string>;

/// Every problem as "WHERE: WHAT".
Lines refusal(const std::string& config) {
  Problems problems;
  CHECK_FALSE(import_config(config, "x", "a test", problems).has_value());
  Lines all;
  for (const Problem& p : problems.list()) all.push_back(p.where + ": " + p.what);
  return all;
}

/// A small Mixtral with `more` keys in place of its own of the same name.
std::string small(const std::string& heads, const std::string& more) {
  return R"({"model_type": "mixtral", "hidden_size": 64, "num_hidden_layers": 2, )" + heads +
         R"("intermediate_size": 128, "vocab_size": 100, "hidden_act": "silu",
            "tie_word_embeddings": false, "num_local_experts": 4)" +
         more + "}";
}
const std::string kHeads = R"("num_attention_heads": 4, "num_key_value_heads": 2, )";
const std::string kTwo = R"(, "num_experts_per_tok": 2)";

}  // namespace

// Facts of public config.json files; each count by hand. Norms and biases left out.
TEST_SUITE("models/import") {
  // DBRX: attention 6144 (2 x 6144 + 2 x 1024) = 88,080,384, router 6144 x 16 = 98,304, an expert
  // 3 x 6144 x 10752 = 198,180,864, ends 2 x 100352 x 6144 = 1,233,125,376; so with 16 experts
  // 40 x 3,259,072,512 + ends, with four 40 x 880,902,144 + ends: its 132 B and 36 B.
  TEST_CASE("DBRX's nested attention and experts are read") {
    const ImportedModel dbrx = imported(
        R"({"model_type": "dbrx", "d_model": 6144, "n_heads": 48, "n_layers": 40,
            "vocab_size": 100352, "tie_word_embeddings": false, "resid_pdrop": 0.0,
            "attn_config": {"clip_qkv": 8, "kv_n_heads": 8},
            "ffn_config": {"ffn_hidden_size": 10752, "moe_num_experts": 16, "moe_top_k": 4,
                           "ffn_act_fn": {"name": "silu"}}})");
    check(dbrx, 131596025856, 36469211136);
    CHECK(dbrx.ignored == Lines{"/resid_pdrop", "/attn_config/clip_qkv"});
    CHECK(dbrx.notes.empty());
  }

  // Scout: attention 5120 (2 x 5120 + 2 x 1024) = 62,914,560, router 5120 x 16 = 81,920, an expert
  // 3 x 5120 x 8192 = 125,829,120, 16 routed and one shared; ends 2 x 202048 x 5120 =
  // 2,068,971,520: 48 x 2,202,091,520 + ends; a token uses two: 48 x 314,654,720 + ends (17 B).
  TEST_CASE("Llama 4 Scout has one shared expert, and windows that the file only half states") {
    const ImportedModel scout = imported(
        R"({"model_type": "llama4", "text_config": {"attention_chunk_size": 8192, "head_dim": 128,
            "hidden_act": "silu", "hidden_size": 5120, "interleave_moe_layer_step": 1,
            "intermediate_size": 8192, "intermediate_size_mlp": 16384,
            "num_attention_heads": 40, "num_experts_per_tok": 1, "num_hidden_layers": 48,
            "num_key_value_heads": 8, "num_local_experts": 16, "use_qk_norm": true,
            "vocab_size": 202048}})");
    check(scout, 107769364480, 17172398080);
    CHECK(scout.notes ==
          Lines{"/text_config/tie_word_embeddings: absent; false, the class's default",
                "/text_config/attention_chunk_size: one layer in 4 sees all, the class's default"});
    CHECK(scout.architecture.evidence_of("window") == Evidence::assumed);
  }

  // Gemma 4 26B: in 25 layers 16 heads of 256 and 8 of keys, 2816 (2 x 4096 + 2 x 2048) =
  // 34,603,008; in 5 heads of 512 and 2 of keys, 2816 (2 x 8192 + 2 x 1024) = 51,904,512; in all a
  // dense part 3 x 2816 x 2112 = 17,842,176, a router 2816 x 128 = 360,448 and experts of
  // 3 x 2816 x 704 = 5,947,392; tied, 262144 x 2816 = 738,197,504. So 865,075,200 + 259,522,560 +
  // 30 x (18,202,624 + 128 x 5,947,392) + 738,197,504, and with 8 for 128: its 25.2 B and 3.8 B.
  TEST_CASE("Gemma 4's full layers have wider heads, its dense part stands beside the experts") {
    std::string types;
    for (int i = 1; i <= 30; ++i) {
      types += i % 6 == 0 ? "\"full_attention\"" : "\"sliding_attention\"";
      if (i < 30) types += ", ";
    }
    const ImportedModel gemma = imported(
        R"({"model_type": "gemma4", "text_config": {"attention_k_eq_v": true,
            "enable_moe_block": true, "global_head_dim": 512, "head_dim": 256,
            "hidden_activation": "gelu_pytorch_tanh", "hidden_size": 2816,
            "hidden_size_per_layer_input": 0, "intermediate_size": 2112,
            "moe_intermediate_size": 704, "num_attention_heads": 16, "num_experts": 128,
            "num_global_key_value_heads": 2, "num_hidden_layers": 30, "num_key_value_heads": 8,
            "num_kv_shared_layers": 0, "sliding_window": 1024, "tie_word_embeddings": true,
            "top_k_experts": 8, "vocab_size": 262144, "layer_types": [)" +
        types + "]}}");
    check(gemma, 25246859264, 3836248064);
    CHECK(gemma.notes.size() == 2);
  }

  // Chameleon 7B: 32 (4 x 4096^2 + 3 x 4096 x 11008) + 2 x 65536 x 4096. With one layer, as the
  // drafter of LANTERN has it: 202,375,168 + 536,870,912.
  TEST_CASE("Chameleon's normed heads and norm order are its class's and its flag's") {
    const auto chameleon = [](const std::string& layers, const std::string& swin) {
      return imported(R"({"model_type": "chameleon", "hidden_act": "silu", "hidden_size": 4096,
                          "intermediate_size": 11008, "num_attention_heads": 32,
                          "num_key_value_heads": 32, "tie_word_embeddings": false,
                          "vocab_size": 65536, "num_hidden_layers": )" +
                      layers + R"(, "swin_norm": )" + swin + "}");
    };
    const ImportedModel whole = chameleon("32", "false");
    check(whole, 7012876288, 7012876288);
    CHECK(whole.architecture.qk_norm);
    CHECK(whole.architecture.norm_order == NormOrder::before);
    check(chameleon("1", "false"), 739246080, 739246080);
    CHECK(chameleon("1", "true").architecture.norm_order == NormOrder::after);
  }

  // BAGEL as MindSpeed-MM states it: two towers of 28 (3584 (2 x 3584 + 2 x 512) + 3 x 3584 x
  // 18944) = 6,525,288,448; ends 2 x 152064 x 3584 = 1,089,994,752; latents in and out
  // 2 (64 x 3584 + 3584) = 465,920; SigLIP 26 (4 x 1152^2 + 2 x 1152 x 4304 + 14,672) +
  // 588 x 1152 + 1152 + 4900 x 1152 + 2 x 1152 = 402,552,736, and its perceptron 1152 x 3584 +
  // 3584^2 + 2 x 3584 = 16,980,992. Whole 14,560,571,296; a token is of one tower.
  TEST_CASE("BAGEL has two towers, an encoder and an adapter in either of its two layouts") {
    const std::string llm =
        R"({"hidden_act": "silu", "hidden_size": 3584, "intermediate_size": 18944,
            "num_attention_heads": 28, "num_hidden_layers": 28, "num_key_value_heads": 4,
            "sliding_window": 131072, "tie_word_embeddings": false, "use_sliding_window": false,
            "vocab_size": 152064, "layer_module": "Qwen2MoTDecoderLayer", "qk_norm": true})";
    const ImportedModel mindspeed = imported(
        R"({"model_id": "bagel", "mllm": )" + llm +
        R"(, "image_encoder": {"vit_max_num_patch_per_side": 70, "vision_encoder": {"layers": 26,
            "image_size": 980, "freeze": false}, "vision_projector": {"vit_hidden_size": 1152}},
            "ae": {"z_channels": 16, "latent_patch_size": 2}})");
    check(mindspeed, 14560571296, 8035282848);
    CHECK(mindspeed.architecture.towers.list.size() == 2);
    CHECK(mindspeed.architecture.evidence_of("encoders") == Evidence::assumed);
    // The checkpoint's own layout states what the other leaves out.
    const ImportedModel own =
        imported(R"({"model_type": "bagel", "llm_config": )" + llm +
                 R"(, "vit_config": {"hidden_size": 1152, "intermediate_size": 4304,
            "num_attention_heads": 16, "num_hidden_layers": 26, "patch_size": 14},
            "vit_max_num_patch_per_side": 70, "latent_patch_size": 2,
            "vae_config": {"z_channels": 16}})");
    check(own, 14560571296, 8035282848);
    CHECK(own.notes.empty());
  }

  // Mistral 7B with 32,000 tokens: 32 (4096 (2 x 4096 + 2 x 1024) + 3 x 4096 x 14336) +
  // 2 x 32000 x 4096 = 7,241,465,856; the talk head 3 x 4096^2 + 4096 = 50,335,744.
  TEST_CASE("Quiet-STaR's length of a thought becomes passes of the whole model") {
    const ImportedModel quiet = imported(
        R"({"model_type": "quiet", "hidden_act": "silu", "hidden_size": 4096,
            "intermediate_size": 14336, "max_thoughts": 3, "thought_length": 10,
            "num_attention_heads": 32, "num_hidden_layers": 32, "num_key_value_heads": 8,
            "sliding_window": 4096, "tie_word_embeddings": false, "vocab_size": 32000})");
    check(quiet, 7291801600, 7291801600);
    REQUIRE(quiet.architecture.thoughts.has_value());
    CHECK(quiet.architecture.thoughts->passes() == 12 + 4 - 1);
    CHECK(quiet.ignored == Lines{"/max_thoughts"});
    CHECK(quiet.notes ==
          Lines{"/thought_length: its tokens and two marks; 4 true tokens, 2 samples "
                "as quiet-star-train.py has them"});
  }

  // DeepSeek-V2: attention 5120 x 1536 + 1536 x 128 x 192 + 5120 x 576 + 512 x 128 x 256 +
  // 128 x 128 x 5120 = 149,225,472; the first layer 3 x 5120 x 12288 = 188,743,680; 59 with experts
  // of 3 x 5120 x 1536 = 23,592,960, two of them shared, and a router of 819,200; ends
  // 2 x 102400 x 5120. 60 x 149,225,472 + 188,743,680 + 59 (162 x 23,592,960 + 819,200) +
  // 1,048,576,000, and with 8 for 162: its 236 B and 21 B.
  TEST_CASE("DeepSeek-V2's latent queries, two shared experts and dense first layer are read") {
    check(imported(
              R"({"model_type": "deepseek_v2", "hidden_size": 5120, "num_hidden_layers": 60,
                  "num_attention_heads": 128, "num_key_value_heads": 128,
                  "intermediate_size": 12288, "moe_intermediate_size": 1536,
                  "n_routed_experts": 160, "n_shared_experts": 2, "num_experts_per_tok": 6,
                  "first_k_dense_replace": 1, "moe_layer_freq": 1, "q_lora_rank": 1536,
                  "kv_lora_rank": 512, "qk_nope_head_dim": 128, "qk_rope_head_dim": 64,
                  "v_head_dim": 128, "vocab_size": 102400, "hidden_act": "silu",
                  "tie_word_embeddings": false, "scoring_func": "softmax"})"),
          235740692480, 21375057920);
  }

  TEST_CASE("what stands for an absent key is one note, and weaker evidence") {
    const ImportedModel gemma = imported(
        R"({"model_type": "gemma2", "hidden_size": 256, "num_hidden_layers": 4,
            "num_attention_heads": 4, "num_key_value_heads": 2, "head_dim": 32,
            "intermediate_size": 512, "vocab_size": 1000, "sliding_window": 64,
            "hidden_activation": "gelu_pytorch_tanh", "final_logit_softcapping": 30.0})");
    CHECK(gemma.notes ==
          Lines{"/tie_word_embeddings: absent; true, the class's default",
                "/layer_types: absent; one layer in 2 sees all, the class's default"});
    CHECK(gemma.architecture.tied_embeddings);
    CHECK(gemma.architecture.evidence_of("tied_embeddings") == Evidence::assumed);
    CHECK(gemma.ignored == Lines{"/final_logit_softcapping"});
  }

  TEST_CASE("an unknown model type is refused with the nearest, or with all where none is near") {
    CHECK(refusal(R"({"model_type": "mixtrel"})") ==
          Lines{"/model_type: \"mixtrel\" is no model type that is known: did you mean mixtral?"});
    CHECK(
        refusal(R"({"model_type": "moe", "head_num": 128, "layer_num": 60})") ==
        Lines{"/model_type: \"moe\" is no model type that is known: llama, mistral, qwen2, qwen3, "
              "gemma2, gpt_neox, quiet, chameleon, mixtral, olmoe, qwen2_moe, qwen3_moe, "
              "deepseek_v2, deepseek_v3, kimi_k2, gpt_oss, dbrx, llama4, gemma4, bagel"});
    CHECK(refusal(R"({"hidden_size": 64})") == Lines{"/model_type: missing"});
  }

  TEST_CASE("every missing key is told with its path, those of nested objects too") {
    CHECK(refusal(R"({"model_type": "llama", "num_hidden_layers": 32, "num_attention_heads": 32,
                      "num_key_value_heads": 8, "head_dim": 128, "vocab_size": 100,
                      "hidden_act": "silu", "tie_word_embeddings": false})") ==
          Lines{"/hidden_size: missing", "/intermediate_size: missing"});
    CHECK(refusal(R"({"model_type": "dbrx", "d_model": 64, "n_heads": 4, "n_layers": 2,
                      "vocab_size": 100, "attn_config": {"kv_n_heads": 2},
                      "ffn_config": {"ffn_hidden_size": 128, "moe_num_experts": 4}})") ==
          Lines{"/ffn_config/moe_top_k: missing"});
  }

  TEST_CASE("values that make no shape are refused with the rule that they break") {
    CHECK(refusal(small(R"("num_attention_heads": 5, "num_key_value_heads": 1, )", kTwo)) ==
          Lines{"/num_attention_heads: 5 do not divide hidden_size, 64, and there is no head_dim"});
    CHECK(refusal(small(R"("num_attention_heads": 4, "num_key_value_heads": 3, )", kTwo)) ==
          Lines{"as an architecture, /kv_heads: 3 does not divide heads, 4"});
    CHECK(refusal(small(kHeads, R"(, "num_experts_per_tok": 5)")).size() == 1);
    CHECK(refusal(small(kHeads, R"(, "num_experts_per_tok": 2.5)")).size() == 1);
  }

  TEST_CASE("what this family of architectures does not have is refused, not approximated") {
    CHECK(refusal(R"({"model_type": "gpt_neox", "hidden_size": 64, "num_hidden_layers": 2,
                      "num_attention_heads": 4, "intermediate_size": 128, "vocab_size": 100,
                      "hidden_act": "mish", "rotary_pct": 0.25})") ==
          Lines{"/hidden_act: \"mish\" is no known activation (silu, swish, gelu, gelu_new, "
                "gelu_fast, gelu_pytorch_tanh, relu, relu2)"});
    CHECK(refusal(R"({"model_type": "qwen2", "hidden_size": 64, "num_hidden_layers": 4,
                      "num_attention_heads": 4, "num_key_value_heads": 2, "vocab_size": 100,
                      "intermediate_size": 128, "hidden_act": "silu", "sliding_window": 32,
                      "tie_word_embeddings": false, "use_sliding_window": true,
                      "max_window_layers": 2})") ==
          Lines{"/max_window_layers: 2 of 4 layers: windows that begin at a layer are not "
                "modelled"});
  }

  TEST_CASE("what is imported reads back as a model of the zoo's format, with its evidence") {
    const Architecture a = imported(small(kHeads, kTwo)).architecture;
    Problems problems;
    const JsonDocument document = JsonDocument::parse(zoo_json(a), problems);
    Reader root = document.root(problems);
    const Architecture back = read_architecture(root);
    REQUIRE_MESSAGE(problems.empty(), problems.text("zoo"));
    CHECK(architecture_json(back) == architecture_json(a));
    CHECK(back.evidence == a.evidence);
    CHECK(back.source == a.source);
  }
}

}  // namespace forerun::models
