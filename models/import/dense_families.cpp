#include <fmt/format.h>

#include "models/import/families.h"

namespace forerun::models {
namespace {

void read_mistral(ConfigReader& c, Architecture& a) {
  read_llama(c, a);
  read_sliding_window(c, a);
}

void read_qwen3(ConfigReader& c, Architecture& a) {
  read_qwen2(c, a);
  a.qkv_bias = false;
  a.qk_norm = true;
}

/// Norms before and after each part, a gate with GELU, windows in every second layer from the
/// first; tied embeddings, which the file need not say.
void read_gemma2(ConfigReader& c, Architecture& a) {
  read_gated_block(c, a);
  a.qkv_bias = c.flag_or("attention_bias", false);
  if (a.qkv_bias) c.note("attention_bias", "true; the output matrix's bias is left out");
  read_tied(c, a, /*otherwise=*/true);
  a.norm_order = NormOrder::both;
  read_layer_types(c, a, 2);
}

/// GPT-NeoX and Pythia: two plain matrices, biases everywhere, no grouped heads.
void read_gpt_neox(ConfigReader& c, Architecture& a) {
  a.layers = c.count("num_hidden_layers");
  a.hidden = c.count("hidden_size");
  a.heads = a.kv_heads = c.count("num_attention_heads");
  if (a.heads > 0 && a.hidden % a.heads != 0) {
    c.problem("num_attention_heads",
              fmt::format("{} do not divide hidden_size, {}", a.heads, a.hidden));
  } else if (a.heads > 0) {
    a.head_dim = a.hidden / a.heads;
  }
  mark(a, "head_dim", Evidence::derived, "hidden_size / num_attention_heads");
  a.ffn = c.count("intermediate_size");
  a.vocab = c.count("vocab_size");
  a.activation = read_activation(c, "hidden_act", /*gated=*/false);
  a.position = Position::rotary;
  a.rotary_fraction = c.number("rotary_pct", 0, 1);
  a.norm = Norm::layer_norm;
  a.linear_bias = true;
  a.tied_embeddings = c.flag_or("tie_word_embeddings", false);
  a.parallel_block = c.flag_or("use_parallel_residual", true);
}

void read_chameleon(ConfigReader& c, Architecture& a) {
  read_llama(c, a);
  a.qk_norm = true;
  mark(a, "qk_norm", Evidence::derived, "implied by the class; a layer norm of each head there");
  if (c.flag_or("swin_norm", false)) a.norm_order = NormOrder::after;
}

/// Quiet-STaR's copy of Mistral's class. The file has the length of a thought; its two marks belong
/// to `ahead`, and how many true tokens follow is an argument of the training script.
void read_quiet(ConfigReader& c, Architecture& a) {
  read_mistral(c, a);
  Thoughts t;
  t.ahead = c.count("thought_length") + 2;
  t.talk = 4;
  t.samples = 2;
  a.thoughts = t;
  const std::string why =
      "its tokens and two marks; 4 true tokens, 2 samples as quiet-star-train.py has them";
  c.note("thought_length", why);
  mark(a, "thoughts", Evidence::assumed, why);
}

}  // namespace

void read_qwen2(ConfigReader& c, Architecture& a) {
  read_llama(c, a);
  a.qkv_bias = true;
  const bool windows = c.flag_or("use_sliding_window", false) && c.has("sliding_window");
  if (!windows) return;
  // Layers from max_window_layers on have the window.
  const std::int64_t full = c.has("max_window_layers") ? c.count("max_window_layers", 0) : 0;
  if (full == 0) {
    read_sliding_window(c, a);
  } else if (full < a.layers) {
    c.problem("max_window_layers",
              fmt::format("{} of {} layers: windows that begin at a layer are not modelled", full,
                          a.layers));
  }
}

std::vector<ConfigFamily> dense_families() {
  return {{"llama", read_llama}, {"mistral", read_mistral},    {"qwen2", read_qwen2},
          {"qwen3", read_qwen3}, {"gemma2", read_gemma2},      {"gpt_neox", read_gpt_neox},
          {"quiet", read_quiet}, {"chameleon", read_chameleon}};
}

}  // namespace forerun::models
