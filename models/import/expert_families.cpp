#include <fmt/format.h>

#include <algorithm>

#include "models/import/families.h"

namespace forerun::models {
namespace {

/// Experts of `width` key, `count` key and top k, in every layer.
Experts read_experts(ConfigReader& c, std::string_view count, std::string_view width) {
  Experts e;
  e.count = c.count(count);
  e.top_k = c.count("num_experts_per_tok");
  e.ffn = c.count(width);
  return e;
}

void read_mixtral(ConfigReader& c, Architecture& a) {
  read_llama(c, a);
  read_sliding_window(c, a);
  a.experts = read_experts(c, "num_local_experts", "intermediate_size");
}

/// OLMoE norms queries and keys over all heads together.
void read_olmoe(ConfigReader& c, Architecture& a) {
  read_llama(c, a);
  a.experts = read_experts(c, "num_experts", "intermediate_size");
  a.qk_norm = true;
  mark(a, "qk_norm", Evidence::derived, "implied by the class; over all heads together there");
}

/// Dense layers are those of `mlp_only_layers`, and those that `decoder_sparse_step` skips.
void read_sparse_layers(ConfigReader& c, Experts& e) {
  if (c.has("decoder_sparse_step")) e.every = c.count("decoder_sparse_step");
  if (!c.has("mlp_only_layers")) return;
  const std::vector<std::int64_t> dense = c.integers("mlp_only_layers", 0, 1 << 16);
  for (std::size_t i = 0; i < dense.size(); ++i) {
    if (dense[i] != static_cast<std::int64_t>(i)) {
      c.problem("mlp_only_layers",
                fmt::format("has layer {}: only the first layers may be dense here", dense[i]));
      return;
    }
  }
  e.first_dense = std::ssize(dense);
}

void read_qwen2_moe(ConfigReader& c, Architecture& a) {
  read_qwen2(c, a);
  Experts e = read_experts(c, "num_experts", "moe_intermediate_size");
  e.shared = 1;
  e.shared_ffn = c.count("shared_expert_intermediate_size");
  e.shared_gate = true;
  read_sparse_layers(c, e);
  a.experts = e;
}

void read_qwen3_moe(ConfigReader& c, Architecture& a) {
  read_qwen2(c, a);
  a.qkv_bias = false;
  a.qk_norm = true;
  Experts e = read_experts(c, "num_experts", "moe_intermediate_size");
  read_sparse_layers(c, e);
  a.experts = e;
}

/// DeepSeek-V2 and V3, and Kimi K2. `num_key_value_heads` is the number of heads: what the cache
/// holds is kv_lora_rank + qk_rope_head_dim wide.
void read_deepseek(ConfigReader& c, Architecture& a) {
  read_llama(c, a);
  LatentAttention l;
  if (c.has("q_lora_rank")) l.query_rank = c.count("q_lora_rank");
  l.kv_rank = c.count("kv_lora_rank");
  l.nope_head_dim = c.count("qk_nope_head_dim");
  l.rope_head_dim = c.count("qk_rope_head_dim");
  l.v_head_dim = c.count("v_head_dim");
  a.latent_attention = l;
  a.head_dim = l.v_head_dim;
  mark(a, "head_dim", Evidence::derived, "v_head_dim; latent attention has widths of its own");
  Experts e = read_experts(c, "n_routed_experts", "moe_intermediate_size");
  if (c.has("n_shared_experts")) {
    e.shared = c.count("n_shared_experts");
    e.shared_ffn = e.ffn;
  }
  e.first_dense = c.count("first_k_dense_replace", 0);
  if (c.has("moe_layer_freq") && c.count("moe_layer_freq") != 1) {
    c.problem("moe_layer_freq", "not 1: experts in every n-th layer from layer 0 are not modelled");
  }
  if (c.has("scoring_func")) {
    const std::string score = c.text("scoring_func");
    if (score == "sigmoid") {
      e.router = Router::sigmoid;
    } else if (score != "softmax") {
      c.problem("scoring_func", fmt::format("\"{}\" is neither softmax nor sigmoid", score));
    }
  }
  a.experts = e;
  if (c.has("num_nextn_predict_layers")) {
    a.multi_token_prediction = c.count("num_nextn_predict_layers", 0);
  }
}

/// gpt-oss: biases everywhere, also of router and experts; a learned sink a head.
void read_gpt_oss(ConfigReader& c, Architecture& a) {
  read_gated_block(c, a);
  read_tied(c, a, /*otherwise=*/false);
  a.linear_bias = c.flag_or("attention_bias", true);
  mark(a, "linear_bias", Evidence::derived,
       "attention_bias; the class gives router and experts biases too");
  a.attention_sinks = true;
  a.clamped_activation = true;
  mark(a, "clamped_activation", Evidence::derived,
       "the class clamps at swiglu_limit, 7 by default");
  a.scaled_rotary = true;
  mark(a, "scaled_rotary", Evidence::derived,
       "the class's rope_scaling is YaRN, whose attention factor is 0.1 ln(factor) + 1");
  read_layer_types(c, a, 2);
  Experts e;
  e.count = c.count("num_local_experts");
  e.top_k = c.count(c.has("num_experts_per_tok") ? "num_experts_per_tok" : "experts_per_token");
  if (c.has("experts_per_token") && c.count("experts_per_token") != e.top_k) {
    c.problem("experts_per_token", fmt::format("is not num_experts_per_tok, {}", e.top_k));
  }
  e.ffn = a.ffn;
  a.experts = e;
}

void read_dbrx(ConfigReader& c, Architecture& a) {
  a.layers = c.count("n_layers");
  a.hidden = c.count("d_model");
  a.heads = c.count("n_heads");
  if (a.heads > 0) a.head_dim = a.hidden / a.heads;
  mark(a, "head_dim", Evidence::derived, "d_model / n_heads");
  a.vocab = c.count("vocab_size");
  a.position = Position::rotary;
  a.norm = Norm::layer_norm;
  a.tied_embeddings = c.flag_or("tie_word_embeddings", false);
  ConfigReader attention = c.object("attn_config");
  a.kv_heads = attention.count_or("kv_n_heads", a.heads, "as many as heads");
  c.take(std::move(attention));
  ConfigReader ffn = c.object("ffn_config");
  Experts e;
  e.count = ffn.count("moe_num_experts");
  e.top_k = ffn.count("moe_top_k");
  e.ffn = a.ffn = ffn.count("ffn_hidden_size");
  a.activation = Activation::swiglu;
  if (ffn.has("ffn_act_fn")) {
    ConfigReader act = ffn.object("ffn_act_fn");
    a.activation = read_activation(act, "name", /*gated=*/true);
    ffn.take(std::move(act));
  }
  c.take(std::move(ffn));
  a.experts = e;
}

}  // namespace

std::vector<ConfigFamily> expert_families() {
  return {
      {"mixtral", read_mixtral},     {"olmoe", read_olmoe},          {"qwen2_moe", read_qwen2_moe},
      {"qwen3_moe", read_qwen3_moe}, {"deepseek_v2", read_deepseek}, {"deepseek_v3", read_deepseek},
      {"kimi_k2", read_deepseek},    {"gpt_oss", read_gpt_oss},      {"dbrx", read_dbrx}};
}

}  // namespace forerun::models
