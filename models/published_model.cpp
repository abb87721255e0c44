#include "models/published_model.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <cctype>
#include <utility>

namespace forerun::models {
namespace {

constexpr std::array kActivations = {Choice<Activation>{"gelu", Activation::gelu},
                                     Choice<Activation>{"swiglu", Activation::swiglu},
                                     Choice<Activation>{"silu", Activation::swiglu},
                                     Choice<Activation>{"geglu", Activation::geglu},
                                     Choice<Activation>{"relu", Activation::relu},
                                     Choice<Activation>{"squared_relu", Activation::squared_relu}};
constexpr std::array kPositions = {
    Choice<Position>{"rope", Position::rotary}, Choice<Position>{"rotary", Position::rotary},
    Choice<Position>{"learned", Position::learned}, Choice<Position>{"alibi", Position::alibi},
    Choice<Position>{"none", Position::none}};

bool begins_with(std::string_view text, std::string_view beginning) {
  return text.size() >= beginning.size() &&
         std::equal(beginning.begin(), beginning.end(), text.begin(), [](char a, char b) {
           return std::tolower(static_cast<unsigned char>(a)) ==
                  std::tolower(static_cast<unsigned char>(b));
         });
}

/// What a row leaves out, when no zoo entry has its name.
Architecture usual_blocks(bool gated) {
  Architecture a;
  a.activation = gated ? Activation::swiglu : Activation::gelu;
  a.position = gated ? Position::rotary : Position::learned;
  a.norm = gated ? Norm::rms_norm : Norm::layer_norm;
  a.tied_embeddings = !gated;
  a.linear_bias = !gated;
  return a;
}

constexpr std::int64_t kMostLayers = 10'000;
constexpr std::int64_t kMostWidth = 1 << 20;
constexpr std::int64_t kMostRows = 1 << 24;

Experts read_experts(Reader r) {
  Experts e;
  e.count = r.integer("experts", 1, kMostLayers);
  e.top_k = r.integer("top_k", 1, kMostLayers);
  e.ffn = r.integer("expert_ffn", 1, kMostWidth);
  if (r.has("shared_experts")) e.shared = r.integer("shared_experts", 0, kMostLayers);
  if (e.shared > 0) e.shared_ffn = r.integer("shared_ffn", 1, kMostWidth);
  if (r.has("dense_layers")) e.first_dense = r.integer("dense_layers", 0, kMostLayers);
  return e;
}

LatentAttention read_latent(Reader r) {
  LatentAttention l;
  if (r.has("q_lora_rank")) l.query_rank = r.integer("q_lora_rank", 0, kMostWidth);
  l.kv_rank = r.integer("kv_lora_rank", 1, kMostWidth);
  l.rope_head_dim = r.integer("rope_head_dim", 0, kMostWidth);
  l.nope_head_dim = r.integer("nope_head_dim", 0, kMostWidth);
  l.v_head_dim = r.integer("v_head_dim", 1, kMostWidth);
  return l;
}

/// Experts, latent attention, windows, sinks and further predicted tokens.
void read_sparse(Reader& model, Architecture& a) {
  if (model.has("moe")) a.experts = read_experts(model.object("moe"));
  if (model.has("mla")) a.latent_attention = read_latent(model.object("mla"));
  if (model.has("sliding_window")) {
    a.window.emplace();
    a.window->tokens = model.integer("sliding_window", 1, kMostRows);
    if (model.has("sliding_window_every")) {
      // One window in so many layers: of every second, the others see all.
      const std::int64_t every = model.integer("sliding_window_every", 1, kMostLayers);
      if (every > 2) {
        model.problem("sliding_window_every", fmt::format("{}: 1 and 2 are known", every));
      }
      a.window->full_every = every == 2 ? 2 : 0;
    }
  }
  if (model.has("attention_sinks")) a.attention_sinks = model.boolean("attention_sinks");
  a.multi_token_prediction =
      model.has("mtp_layers") ? model.integer("mtp_layers", 0, kMostLayers) : 0;
}

}  // namespace

PublishedModels::PublishedModels() {
  for (const std::string& name : architecture_names()) zoo_.push_back(load_architecture(name));
}

const Architecture* PublishedModels::find(std::string_view name) const {
  const Architecture* best = nullptr;
  std::size_t longest = 0;
  for (const Architecture& entry : zoo_) {
    for (const std::string& published : entry.published_names) {
      if (published.size() > longest && begins_with(name, published)) {
        best = &entry;
        longest = published.size();
      }
    }
  }
  return best;
}

bool PublishedModels::knows(std::string_view kind, std::string_view name) const {
  return kind == "dense" || kind == "moe" || find(name) != nullptr;
}

Architecture PublishedModels::read(Reader& model, std::int64_t seq_len) const {
  const std::string name = model.text("name");
  const std::string kind = model.text("kind");
  const Architecture* named = find(name);
  if (kind != "dense" && kind != "moe") {
    return named != nullptr ? *named : Architecture{};  // a missing kind is a problem already
  }
  const bool gated = model.boolean("gated_mlp");
  if (named != nullptr && named->gated() != gated) named = nullptr;
  Architecture a = named != nullptr ? *named : usual_blocks(gated);
  const std::string reason =
      named != nullptr ? fmt::format("not stated; that of models/zoo/{}.json", named->name)
                       : fmt::format("not stated; that of {} blocks", gated ? "Llama" : "GPT-2");
  a.name = name;
  a.published_names.clear();
  a.experts.reset();
  a.latent_attention.reset();
  a.window.reset();
  a.evidence.clear();
  a.source.clear();
  a.source["all"] = "the published row";
  const auto assume = [&](const std::string& field) {
    a.evidence[field] = Evidence::assumed;
    a.source[field] = reason;
  };

  a.layers = model.integer("layers", 1, kMostLayers);
  a.hidden = model.integer("hidden", 1, kMostWidth);
  a.heads = model.integer("heads", 1, kMostWidth);
  a.kv_heads = model.has("kv_heads") ? model.integer("kv_heads", 1, kMostWidth) : a.heads;
  if (model.has("head_dim")) {
    a.head_dim = model.integer("head_dim", 1, kMostWidth);
  } else {
    a.head_dim = a.heads > 0 ? a.hidden / a.heads : 0;
  }
  a.ffn = model.integer("ffn", 1, kMostWidth);
  if (model.has("vocab") || a.vocab == 0) {
    a.vocab = model.integer("vocab", 1, kMostRows);
  } else {
    assume("vocab");
  }

  if (model.has("activation")) {
    a.activation = model.choice("activation", kActivations);
    if (a.gated() != gated) {
      model.problem("activation",
                    fmt::format("{} contradicts gated_mlp", models::name(a.activation)));
    }
  } else {
    assume("activation");
  }
  if (model.has("position")) {
    const Position stated = model.choice("position", kPositions);
    if (stated == Position::rotary && a.position != Position::rotary) a.rotary_fraction = 1.0;
    a.position = stated;
  } else {
    assume("position");
  }
  if (a.position != Position::rotary) a.rotary_fraction = 0.0;
  a.max_positions = a.position == Position::learned ? seq_len : 0;
  if (model.has("tied_embeddings")) {
    a.tied_embeddings = model.boolean("tied_embeddings");
  } else {
    assume("tied_embeddings");
  }
  if (model.has("embedding_norm")) {
    a.embedding_norm = model.boolean("embedding_norm");
  } else if (a.embedding_norm) {
    assume("embedding_norm");
  }
  assume("norm");
  assume("linear_bias");

  read_sparse(model, a);
  if (a.kv_heads > 0 && a.heads % a.kv_heads != 0) {
    model.problem("kv_heads", fmt::format("{} does not divide heads, {}", a.kv_heads, a.heads));
  }
  return a;
}

}  // namespace forerun::models
