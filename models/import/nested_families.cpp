#include <fmt/format.h>

#include "models/import/families.h"

namespace forerun::models {
namespace {

constexpr std::int64_t kColours = 3;

/// Llama 4: one shared expert of the routed ones' width; dense layers, where there are some, of
/// their own; attention in chunks but for every fourth layer, which is not rotated.
void read_llama4(ConfigReader& c, Architecture& a) {
  ConfigReader t = c.object("text_config");
  read_llama(t, a);
  Experts e;
  e.count = t.count("num_local_experts");
  e.top_k = t.count("num_experts_per_tok");
  e.ffn = e.shared_ffn = t.count("intermediate_size");
  e.shared = 1;
  e.every = t.count_or("interleave_moe_layer_step", 1, "experts in every layer");
  e.router = Router::sigmoid;
  a.experts = e;
  a.ffn = t.count("intermediate_size_mlp");
  // The norm has no weights; those of an RMS norm here are 2 head_dim a layer.
  a.qk_norm = t.flag_or("use_qk_norm", true);
  if (t.has("attention_chunk_size")) {
    a.window = AttentionWindow{
        .tokens = t.count("attention_chunk_size"), .chunked = true, .full_every = 4};
    const std::string why = "one layer in 4 sees all, the class's default";
    t.note("attention_chunk_size", why);
    mark(a, "window", Evidence::assumed, why);
  }
  c.take(std::move(t));
}

/// Gemma 4 with experts: a dense feed-forward part stands beside them in every layer, as a shared
/// expert does.
void read_gemma4(ConfigReader& c, Architecture& a) {
  ConfigReader t = c.object("text_config");
  read_llama(t, a);
  a.norm_order = NormOrder::both;
  a.qk_norm = true;
  mark(a, "qk_norm", Evidence::derived, "implied by the class");
  read_layer_types(t, a, 6);
  if (a.window && t.has("num_global_key_value_heads")) {
    a.window->full_kv_heads = t.count("num_global_key_value_heads");
  }
  if (a.window && t.has("global_head_dim")) a.window->full_head_dim = t.count("global_head_dim");
  if (t.flag_or("attention_k_eq_v", false)) {
    t.note("attention_k_eq_v", "true; a value matrix of the full layers is counted all the same");
  }
  if (t.flag_or("enable_moe_block", false)) {
    Experts e;
    e.count = t.count("num_experts");
    e.top_k = t.count("top_k_experts");
    e.ffn = t.count("moe_intermediate_size");
    e.shared = 1;
    e.shared_ffn = a.ffn;
    a.experts = e;
    const std::string why = "its dense feed-forward part beside the experts, as a shared expert";
    t.note("intermediate_size", why);
    mark(a, "experts", Evidence::derived, why);
  }
  for (const char* key : {"num_kv_shared_layers", "hidden_size_per_layer_input"}) {
    if (t.has(key) && t.count(key, 0) > 0) t.problem(key, "not 0, which is not modelled");
  }
  c.take(std::move(t));
}

/// The encoder of the checkpoint's own layout (vit_config), with patches of the largest image.
void read_bagel_vit(ConfigReader& c, Architecture& a) {
  ConfigReader v = c.object("vit_config");
  Encoder e{.name = "vit", .modality = "image"};
  e.layers = v.count("num_hidden_layers");
  e.hidden = v.count("hidden_size");
  e.heads = v.count("num_attention_heads");
  e.ffn = v.count("intermediate_size");
  const std::int64_t patch = v.count("patch_size");
  e.patch_width = kColours * patch * patch;
  const std::int64_t side = c.count("vit_max_num_patch_per_side");
  e.patches = e.outputs = side * side;
  e.connector = ConnectorKind::mlp;
  c.take(std::move(v));
  a.encoders = {e};
}

/// The same as Ascend's MindSpeed-MM states it (image_encoder), which names the encoder and leaves
/// out its heads and feed-forward width.
void read_bagel_image_encoder(ConfigReader& c, Architecture& a) {
  ConfigReader image = c.object("image_encoder");
  Encoder e{.name = "vit", .modality = "image"};
  const std::int64_t side = image.count("vit_max_num_patch_per_side");
  ConfigReader v = image.object("vision_encoder");
  e.layers = v.count("layers");
  const std::int64_t pixels = v.count("image_size");
  const std::int64_t patch = side > 0 ? pixels / side : 0;
  e.patch_width = kColours * patch * patch;
  e.frozen = v.flag_or("freeze", false);
  image.take(std::move(v));
  ConfigReader projector = image.object("vision_projector");
  e.hidden = projector.count("vit_hidden_size");
  image.take(std::move(projector));
  e.patches = e.outputs = side * side;
  e.connector = ConnectorKind::mlp;
  e.heads = 16;
  e.ffn = 4304;
  const std::string why = "16 heads and ffn 4304 of SigLIP's so400m, which the file leaves out";
  image.note("vision_encoder", why);
  mark(a, "encoders", Evidence::assumed, why);
  c.take(std::move(image));
  a.encoders = {e};
}

/// BAGEL: a Qwen2 whose layers have a tower that understands (text, and what the encoder saw) and
/// one that generates (the autoencoder's latents, here modality "image").
void read_bagel(ConfigReader& c, Architecture& a) {
  const bool own = c.has("llm_config");
  ConfigReader llm = c.object(own || !c.has("mllm") ? "llm_config" : "mllm");
  read_qwen2(llm, a);
  a.qk_norm = llm.flag_or("qk_norm", false);
  if (llm.text("layer_module").find("Mo") != std::string::npos) {
    a.towers.list = {{{"text"}}, {{"image"}}};
  }
  c.take(std::move(llm));
  if (own) {
    read_bagel_vit(c, a);
  } else {
    read_bagel_image_encoder(c, a);
  }
  ConfigReader vae = c.object(own ? "vae_config" : "ae");
  const std::int64_t channels = vae.count("z_channels");
  const std::int64_t patch = (own ? c : vae).count("latent_patch_size");
  c.take(std::move(vae));
  const std::int64_t width = channels * patch * patch;
  a.adapters = {Adapter{.modality = "image", .input_width = width, .output_width = width}};
}

}  // namespace

std::vector<ConfigFamily> nested_families() {
  return {{"llama4", read_llama4}, {"gemma4", read_gemma4}, {"bagel", read_bagel}};
}

}  // namespace forerun::models
