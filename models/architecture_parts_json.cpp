#include "models/architecture_parts_json.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <cmath>
#include <limits>
#include <set>

#include "core/json_writer.h"

namespace forerun::models {
namespace {

constexpr std::int64_t kMostLayers = 10'000;
constexpr std::int64_t kMostWidth = 1 << 20;
constexpr std::int64_t kMostExperts = 1 << 16;
constexpr std::int64_t kMostParameters = 1ll << 50;

constexpr std::array kRoutings = {Choice<Routing>{"token_choice", Routing::token_choice},
                                  Choice<Routing>{"expert_choice", Routing::expert_choice}};
constexpr std::array kRouters = {Choice<Router>{"softmax", Router::softmax},
                                 Choice<Router>{"sigmoid", Router::sigmoid}};
constexpr std::array kConnectors = {
    Choice<ConnectorKind>{"linear", ConnectorKind::linear},
    Choice<ConnectorKind>{"mlp", ConnectorKind::mlp},
    Choice<ConnectorKind>{"convolutional", ConnectorKind::convolutional}};

std::int64_t width(Reader& r, std::string_view key, std::int64_t least = 1) {
  return r.integer(key, least, kMostWidth);
}

void optional_count(Reader& r, std::string_view key, std::int64_t least, std::int64_t most,
                    std::int64_t& value) {
  if (r.has(key)) value = r.integer(key, least, most);
}

void optional_flag(Reader& r, std::string_view key, bool& value) {
  if (r.has(key)) value = r.boolean(key);
}

LatentAttention read_latent(Reader r) {
  LatentAttention l;
  optional_count(r, "query_rank", 0, kMostWidth, l.query_rank);
  l.kv_rank = width(r, "kv_rank");
  l.nope_head_dim = width(r, "nope_head_dim", 0);
  l.rope_head_dim = width(r, "rope_head_dim", 0);
  l.v_head_dim = width(r, "v_head_dim");
  if (l.qk_head_dim() == 0) r.problem("nope_head_dim", "0, and so is rope_head_dim: no query");
  r.finish();
  return l;
}

AttentionWindow read_window(Reader r) {
  AttentionWindow w;
  w.tokens = r.integer("tokens", 1, 1ll << 32);
  optional_flag(r, "chunked", w.chunked);
  optional_count(r, "full_every", 1, kMostLayers, w.full_every);
  optional_count(r, "full_kv_heads", 1, kMostWidth, w.full_kv_heads);
  optional_count(r, "full_head_dim", 1, kMostWidth, w.full_head_dim);
  r.finish();
  return w;
}

Experts read_experts(Reader r) {
  Experts e;
  e.count = r.integer("count", 1, kMostExperts);
  e.top_k = r.integer("top_k", 1, kMostExperts);
  e.ffn = width(r, "ffn");
  optional_count(r, "shared", 1, kMostExperts, e.shared);
  if (e.shared > 0 || r.has("shared_ffn")) e.shared_ffn = width(r, "shared_ffn");
  optional_flag(r, "shared_gate", e.shared_gate);
  optional_count(r, "first_dense", 0, kMostLayers, e.first_dense);
  optional_count(r, "every", 1, kMostLayers, e.every);
  optional_count(r, "node_limit", 1, kMostExperts, e.node_limit);
  if (r.has("routing")) e.routing = r.choice("routing", kRoutings);
  if (r.has("router")) e.router = r.choice("router", kRouters);
  if (r.has("capacity_factor")) e.capacity_factor = r.number("capacity_factor", 0.01, 1e3);
  if (r.has("groups")) {
    std::int64_t sum = 0;
    for (Reader& g : r.objects("groups")) {
      ExpertGroup group;
      group.modalities = g.texts("modalities");
      if (group.modalities.empty()) g.problem("modalities", "empty: a group is some modality's");
      group.count = g.integer("count", 1, kMostExperts);
      sum += group.count;
      g.finish();
      e.groups.push_back(std::move(group));
    }
    if (sum != e.count) {
      r.problem("groups", fmt::format("have {} experts together, but count is {}", sum, e.count));
    }
  }
  const auto least = [&] {
    std::int64_t n = e.count;
    for (const ExpertGroup& g : e.groups) n = std::min(n, g.count);
    return n;
  }();
  if (e.top_k > least) {
    r.problem("top_k", fmt::format("{} of {} experts", e.top_k, least));
  }
  if (e.routing == Routing::expert_choice && e.capacity_factor > 0) {
    r.problem("capacity_factor",
              "given, but experts choose: each takes top_k / count of the tokens");
  }
  r.finish();
  return e;
}

Towers read_towers(Reader r) {
  Towers t;
  for (Reader& tower : r.objects("list")) {
    t.list.push_back({tower.texts("modalities")});
    if (t.list.back().modalities.empty()) {
      tower.problem("modalities", "empty: a tower is some modality's");
    }
    tower.finish();
  }
  if (t.list.size() == 1) r.problem("list", "one tower: all modalities share its weights anyway");
  optional_flag(r, "attention", t.attention);
  optional_flag(r, "feed_forward", t.feed_forward);
  optional_flag(r, "norms", t.norms);
  r.finish();
  return t;
}

DepthRouting read_depth_routing(Reader r) {
  DepthRouting d;
  d.every = r.integer("every", 1, kMostLayers);
  d.capacity = r.number("capacity", 1e-6, 1.0);
  r.finish();
  return d;
}

std::vector<Block> read_blocks(Reader& from) {
  std::vector<Block> blocks;
  for (Reader& r : from.objects("blocks")) {
    Block b;
    b.layers = r.integer("layers", 1, kMostLayers);
    optional_flag(r, "towers", b.towers);
    optional_flag(r, "parallel", b.parallel);
    optional_count(r, "modulation", 0, 64, b.modulation);
    r.finish();
    blocks.push_back(b);
  }
  return blocks;
}

std::vector<Adapter> read_adapters(Reader& from) {
  std::vector<Adapter> adapters;
  for (Reader& r : from.objects("adapters")) {
    Adapter a;
    a.modality = r.text("modality");
    optional_count(r, "input_width", 1, kMostWidth, a.input_width);
    optional_count(r, "output_width", 1, kMostWidth, a.output_width);
    if (a.input_width == 0 && a.output_width == 0) {
      r.problem("input_width", "missing, and so is output_width: it takes nothing in or out");
    }
    if (r.has("unet_parameters")) {
      a.unet_parameters = r.integer("unet_parameters", 1, kMostParameters);
      a.unet_positions = r.integer("unet_positions", 1, kMostWidth);
      a.unet_channels = width(r, "unet_channels");
      a.item_tokens = r.integer("item_tokens", 1, kMostWidth);
    }
    r.finish();
    adapters.push_back(std::move(a));
  }
  return adapters;
}

std::vector<Encoder> read_encoders(Reader& from) {
  std::vector<Encoder> encoders;
  for (Reader& r : from.objects("encoders")) {
    Encoder e;
    e.name = r.text("name");
    e.modality = r.text("modality");
    e.layers = r.integer("layers", 1, kMostLayers);
    e.hidden = width(r, "hidden");
    e.heads = width(r, "heads");
    e.ffn = width(r, "ffn");
    optional_flag(r, "gated", e.gated);
    e.patches = r.integer("patches", 1, 1ll << 32);
    e.patch_width = width(r, "patch_width");
    e.outputs = r.integer("outputs", 1, 1ll << 32);
    if (r.has("connector")) {
      e.connector = r.choice("connector", kConnectors);
    } else {
      r.problem("connector",
                "missing: an encoder's outputs need one to the hidden width "
                "(linear, mlp or convolutional)");
    }
    if (e.connector == ConnectorKind::convolutional) {
      e.connector_parameters = r.integer("connector_parameters", 1, kMostParameters);
    }
    optional_flag(r, "frozen", e.frozen);
    if (e.heads > 0 && e.hidden % e.heads != 0) {
      r.problem("heads", fmt::format("{} do not divide hidden, {}", e.heads, e.hidden));
    }
    r.finish();
    encoders.push_back(std::move(e));
  }
  return encoders;
}

Thoughts read_thoughts(Reader r) {
  Thoughts t;
  t.ahead = r.integer("ahead", 2, 1 << 16);
  t.talk = r.integer("talk", 1, 1 << 16);
  t.samples = r.integer("samples", 1, 1 << 16);
  r.finish();
  return t;
}

std::string names_json(const std::vector<std::string>& names) {
  std::vector<std::string> quoted;
  for (const std::string& n : names) quoted.push_back(json_quoted(n));
  return fmt::format("[{}]", fmt::join(quoted, ", "));
}

std::string experts_json(const Experts& e) {
  std::string s = fmt::format(
      ", \"experts\": {{\"count\": {}, \"top_k\": {}, \"ffn\": {}, \"first_dense\": {}, \"every\": "
      "{}, \"routing\": \"{}\", \"router\": \"{}\"",
      e.count, e.top_k, e.ffn, e.first_dense, e.every, name_in(kRoutings, e.routing),
      name_in(kRouters, e.router));
  if (e.shared > 0) {
    s += fmt::format(", \"shared\": {}, \"shared_ffn\": {}, \"shared_gate\": {}", e.shared,
                     e.shared_ffn, e.shared_gate);
  }
  if (e.node_limit > 0) s += fmt::format(", \"node_limit\": {}", e.node_limit);
  if (e.capacity_factor > 0) s += fmt::format(", \"capacity_factor\": {}", e.capacity_factor);
  if (!e.groups.empty()) {
    std::vector<std::string> groups;
    for (const ExpertGroup& g : e.groups) {
      groups.push_back(
          fmt::format("{{\"modalities\": {}, \"count\": {}}}", names_json(g.modalities), g.count));
    }
    s += fmt::format(", \"groups\": [{}]", fmt::join(groups, ", "));
  }
  return s + "}";
}

std::string towers_json(const Towers& t) {
  std::vector<std::string> list;
  for (const Tower& tower : t.list) {
    list.push_back(fmt::format("{{\"modalities\": {}}}", names_json(tower.modalities)));
  }
  return fmt::format(
      ", \"towers\": {{\"list\": [{}], \"attention\": {}, \"feed_forward\": {}, \"norms\": {}}}",
      fmt::join(list, ", "), t.attention, t.feed_forward, t.norms);
}

std::string adapter_json(const Adapter& a) {
  std::string s = fmt::format("{{\"modality\": {}", json_quoted(a.modality));
  if (a.input_width > 0) s += fmt::format(", \"input_width\": {}", a.input_width);
  if (a.output_width > 0) s += fmt::format(", \"output_width\": {}", a.output_width);
  if (a.unet_parameters > 0) {
    s += fmt::format(
        ", \"unet_parameters\": {}, \"unet_positions\": {}, \"unet_channels\": {}, "
        "\"item_tokens\": {}",
        a.unet_parameters, a.unet_positions, a.unet_channels, a.item_tokens);
  }
  return s + "}";
}

std::string encoder_json(const Encoder& e) {
  std::string s = fmt::format(
      "{{\"name\": {}, \"modality\": {}, \"layers\": {}, \"hidden\": {}, \"heads\": {}, \"ffn\": "
      "{}, \"gated\": {}, \"patches\": {}, \"patch_width\": {}, \"outputs\": {}, \"connector\": "
      "\"{}\", \"frozen\": {}",
      json_quoted(e.name), json_quoted(e.modality), e.layers, e.hidden, e.heads, e.ffn, e.gated,
      e.patches, e.patch_width, e.outputs, name_in(kConnectors, e.connector), e.frozen);
  if (e.connector_parameters > 0) {
    s += fmt::format(", \"connector_parameters\": {}", e.connector_parameters);
  }
  return s + "}";
}

template <class T, class Write>
std::string list_json(std::string_view key, const std::vector<T>& list, Write write) {
  if (list.empty()) return {};
  std::vector<std::string> items;
  for (const T& item : list) items.push_back(write(item));
  return fmt::format(", \"{}\": [{}]", key, fmt::join(items, ", "));
}

/// A modality is in one tower, and in one group of experts.
template <class Sets>
void check_apart(Reader& r, std::string_view key, const Sets& sets) {
  std::set<std::string> seen;
  for (const auto& set : sets) {
    for (const std::string& m : set.modalities) {
      if (!seen.insert(m).second) r.problem(key, fmt::format("\"{}\" is in two of them", m));
    }
  }
}

}  // namespace

void read_parts(Reader& r, Architecture& a) {
  if (r.has("latent_attention")) a.latent_attention = read_latent(r.object("latent_attention"));
  if (r.has("window")) a.window = read_window(r.object("window"));
  if (r.has("experts")) a.experts = read_experts(r.object("experts"));
  if (r.has("towers")) a.towers = read_towers(r.object("towers"));
  if (r.has("depth_routing")) a.depth_routing = read_depth_routing(r.object("depth_routing"));
  if (r.has("blocks")) a.blocks = read_blocks(r);
  if (r.has("adapters")) a.adapters = read_adapters(r);
  if (r.has("encoders")) a.encoders = read_encoders(r);
  if (r.has("thoughts")) a.thoughts = read_thoughts(r.object("thoughts"));
  optional_count(r, "multi_token_prediction", 0, 64, a.multi_token_prediction);
}

void check_parts(Reader& r, const Architecture& a) {
  check_apart(r, "towers", a.towers.list);
  if (a.experts) {
    check_apart(r, "experts", a.experts->groups);
    if (a.experts->first_dense >= a.layers && a.layers > 0) {
      r.problem("experts", fmt::format("first_dense is {}, of {} layers: none has experts",
                                       a.experts->first_dense, a.layers));
    }
  }
  if (!a.blocks.empty()) {
    std::int64_t sum = 0;
    for (const Block& b : a.blocks) sum += b.layers;
    if (sum != a.layers) {
      r.problem("blocks", fmt::format("have {} layers together, but layers is {}", sum, a.layers));
    }
  }
  if (a.latent_attention && a.kv_heads != a.heads) {
    r.problem("kv_heads", fmt::format("{}, but latent attention makes keys for each of {} heads",
                                      a.kv_heads, a.heads));
  }
  if (a.window && a.window->full_kv_heads > 0 && a.heads % a.window->full_kv_heads != 0) {
    r.problem("window", fmt::format("full_kv_heads {} does not divide heads, {}",
                                    a.window->full_kv_heads, a.heads));
  }
}

std::string parts_json(const Architecture& a) {
  std::string s;
  if (a.latent_attention) {
    const LatentAttention& l = *a.latent_attention;
    s += fmt::format(
        ", \"latent_attention\": {{\"query_rank\": {}, \"kv_rank\": {}, \"nope_head_dim\": {}, "
        "\"rope_head_dim\": {}, \"v_head_dim\": {}}}",
        l.query_rank, l.kv_rank, l.nope_head_dim, l.rope_head_dim, l.v_head_dim);
  }
  if (a.window) {
    const AttentionWindow& w = *a.window;
    s += fmt::format(", \"window\": {{\"tokens\": {}, \"chunked\": {}", w.tokens, w.chunked);
    if (w.full_every > 0) s += fmt::format(", \"full_every\": {}", w.full_every);
    if (w.full_kv_heads > 0) s += fmt::format(", \"full_kv_heads\": {}", w.full_kv_heads);
    if (w.full_head_dim > 0) s += fmt::format(", \"full_head_dim\": {}", w.full_head_dim);
    s += "}";
  }
  if (a.experts) s += experts_json(*a.experts);
  if (!a.towers.list.empty()) s += towers_json(a.towers);
  if (a.depth_routing) {
    s += fmt::format(", \"depth_routing\": {{\"every\": {}, \"capacity\": {}}}",
                     a.depth_routing->every, a.depth_routing->capacity);
  }
  s += list_json("blocks", a.blocks, [](const Block& b) {
    return fmt::format("{{\"layers\": {}, \"towers\": {}, \"parallel\": {}, \"modulation\": {}}}",
                       b.layers, b.towers, b.parallel, b.modulation);
  });
  s += list_json("adapters", a.adapters, adapter_json);
  s += list_json("encoders", a.encoders, encoder_json);
  if (a.thoughts) {
    s += fmt::format(", \"thoughts\": {{\"ahead\": {}, \"talk\": {}, \"samples\": {}}}",
                     a.thoughts->ahead, a.thoughts->talk, a.thoughts->samples);
  }
  if (a.multi_token_prediction > 0) {
    s += fmt::format(", \"multi_token_prediction\": {}", a.multi_token_prediction);
  }
  return s;
}

}  // namespace forerun::models
