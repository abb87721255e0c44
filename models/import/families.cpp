#include "models/import/families.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <utility>

namespace forerun::models {
namespace {

constexpr std::array<std::pair<std::string_view, Activation>, 8> kPlain = {{
    {"silu", Activation::swiglu},
    {"swish", Activation::swiglu},
    {"gelu", Activation::gelu},
    {"gelu_new", Activation::gelu},
    {"gelu_fast", Activation::gelu},
    {"gelu_pytorch_tanh", Activation::gelu},
    {"relu", Activation::relu},
    {"relu2", Activation::squared_relu},
}};

void read_head_dim(ConfigReader& c, Architecture& a) {
  if (c.has("head_dim")) {
    a.head_dim = c.count("head_dim");
    return;
  }
  if (a.heads == 0) return;
  if (a.hidden % a.heads != 0) {
    c.problem("num_attention_heads",
              fmt::format("{} do not divide hidden_size, {}, and there is no head_dim", a.heads,
                          a.hidden));
    return;
  }
  a.head_dim = a.hidden / a.heads;
  mark(a, "head_dim", Evidence::derived, "hidden_size / num_attention_heads");
}

void read_biases_of_llama(ConfigReader& c, Architecture& a) {
  const bool attention = c.flag_or("attention_bias", false);
  const bool feed_forward = c.flag_or("mlp_bias", false);
  a.linear_bias = attention && feed_forward;
  if (attention && !feed_forward) {
    a.qkv_bias = true;
    c.note("attention_bias", "true; the output matrix's bias is left out");
  }
  if (feed_forward && !attention) c.note("mlp_bias", "true; these biases are left out");
}

}  // namespace

void mark(Architecture& a, const std::string& field, Evidence evidence, const std::string& why) {
  a.evidence[field] = evidence;
  a.source[field] = why;
}

Activation read_activation(ConfigReader& c, std::string_view key, bool gated) {
  const std::string word = c.text(key);
  const auto* const found =
      std::find_if(kPlain.begin(), kPlain.end(), [&](const auto& p) { return p.first == word; });
  if (found == kPlain.end()) {
    std::vector<std::string_view> names;
    for (const auto& p : kPlain) names.push_back(p.first);
    c.problem(key, fmt::format("\"{}\" is no known activation ({})", word, fmt::join(names, ", ")));
    return Activation::swiglu;
  }
  const Activation a = found->second;
  const bool silu = a == Activation::swiglu;
  const bool gelu = a == Activation::gelu;
  if (gated ? !silu && !gelu : silu) {
    c.problem(key, fmt::format("\"{}\" {} a gate is none of the activations that are modelled",
                               word, gated ? "with" : "without"));
  }
  return gated && gelu ? Activation::geglu : a;
}

void read_llama(ConfigReader& c, Architecture& a) {
  read_gated_block(c, a);
  read_tied(c, a, /*otherwise=*/false);
  read_biases_of_llama(c, a);
}

void read_gated_block(ConfigReader& c, Architecture& a) {
  a.layers = c.count("num_hidden_layers");
  a.hidden = c.count("hidden_size");
  a.heads = c.count("num_attention_heads");
  a.kv_heads = c.count_or("num_key_value_heads", a.heads, "as many as heads");
  read_head_dim(c, a);
  a.ffn = c.count("intermediate_size");
  a.vocab = c.count("vocab_size");
  a.activation = read_activation(c, c.has("hidden_activation") ? "hidden_activation" : "hidden_act",
                                 /*gated=*/true);
  a.position = Position::rotary;
  if (c.has("partial_rotary_factor")) a.rotary_fraction = c.number("partial_rotary_factor", 0, 1);
  a.norm = Norm::rms_norm;
}

void read_tied(ConfigReader& c, Architecture& a, bool otherwise) {
  if (!c.has("tie_word_embeddings")) {
    const std::string why = fmt::format("absent; {}, the class's default", otherwise);
    c.note("tie_word_embeddings", why);
    mark(a, "tied_embeddings", Evidence::assumed, why);
  }
  a.tied_embeddings = c.flag_or("tie_word_embeddings", otherwise);
}

void read_sliding_window(ConfigReader& c, Architecture& a) {
  if (c.has("sliding_window")) a.window = AttentionWindow{.tokens = c.count("sliding_window")};
}

void read_layer_types(ConfigReader& c, Architecture& a, std::int64_t usual) {
  AttentionWindow w{.tokens = c.count("sliding_window")};
  if (!c.has("layer_types")) {
    c.note("layer_types",
           fmt::format("absent; one layer in {} sees all, the class's default", usual));
    mark(a, "window", Evidence::assumed, "no layer_types; the class's default");
    w.full_every = usual;
    a.window = w;
    return;
  }
  const std::vector<std::string> types = c.texts("layer_types");
  const auto first = std::find(types.begin(), types.end(), "full_attention");
  w.full_every = first == types.end() ? 0 : first - types.begin() + 1;
  if (std::ssize(types) != a.layers) {
    c.problem("layer_types", fmt::format("has {} layers, not {}", types.size(), a.layers));
  }
  for (std::int64_t i = 0; i < std::ssize(types); ++i) {
    const std::string& type = types[static_cast<std::size_t>(i)];
    const bool all = w.full_every > 0 && (i + 1) % w.full_every == 0;
    if (type != (all ? "full_attention" : "sliding_attention")) {
      c.problem(
          "layer_types",
          fmt::format("layer {} is \"{}\": only windows with every n-th layer full are modelled", i,
                      type));
      break;
    }
  }
  if (w.full_every != 1) a.window = w;
}

}  // namespace forerun::models
