#include "models/layers.h"

#include <fmt/format.h>

#include <algorithm>
#include <set>

namespace forerun::models {
namespace {

/// What makes a layer differ from others of its model.
struct Traits {
  std::size_t block = 0;
  bool experts = false, window = false, routed = false;
  bool operator==(const Traits&) const = default;
};

/// The block that layer `i` lies in; 0 where there are none.
std::size_t block_of(const Architecture& a, std::int64_t i) {
  std::int64_t end = 0;
  for (std::size_t b = 0; b < a.blocks.size(); ++b) {
    end += a.blocks[b].layers;
    if (i < end) return b;
  }
  return 0;
}

Traits traits(const Architecture& a, std::int64_t i) {
  const auto each = [i](std::int64_t every) { return every > 0 && (i + 1) % every == 0; };
  Traits t;
  t.block = block_of(a, i);
  t.experts = a.experts && i >= a.experts->first_dense && each(a.experts->every);
  t.window = a.window && !each(a.window->full_every);
  t.routed = a.depth_routing && each(a.depth_routing->every);
  return t;
}

Architecture alike(const Architecture& a, const Traits& t) {
  Architecture kind = a;
  kind.published_names.clear();
  kind.evidence.clear();
  kind.source.clear();
  kind.blocks.clear();
  if (!a.blocks.empty()) {
    const Block& block = a.blocks[t.block];
    if (!block.towers) kind.towers = {};
    kind.parallel_block = block.parallel;
    kind.modulation = block.modulation;
  }
  if (t.experts) {
    kind.experts->first_dense = 0;
    kind.experts->every = 1;
  } else {
    kind.experts.reset();
  }
  if (t.window) {
    kind.window->full_every = kind.window->full_kv_heads = kind.window->full_head_dim = 0;
  } else if (a.window) {
    if (a.window->full_kv_heads > 0) kind.kv_heads = a.window->full_kv_heads;
    if (a.window->full_head_dim > 0) kind.head_dim = a.window->full_head_dim;
    kind.window.reset();
  }
  if (t.routed) {
    kind.depth_routing->every = 1;
  } else {
    kind.depth_routing.reset();
  }
  kind.layers = 0;
  return kind;
}

std::vector<WeightSet> towers_or_all(const Architecture& a, bool untied) {
  if (a.towers.list.empty() || !untied) return {{}};
  std::vector<WeightSet> sets;
  for (const Tower& t : a.towers.list) sets.push_back({t.modalities, 0});
  return sets;
}

bool any_in(const std::vector<std::string>& some, const std::vector<std::string>& of) {
  return std::any_of(some.begin(), some.end(), [&](const std::string& m) {
    return std::find(of.begin(), of.end(), m) != of.end();
  });
}

}  // namespace

LayerKinds layer_kinds(const Architecture& a) {
  LayerKinds out;
  std::vector<Traits> seen;
  for (std::int64_t i = 0; i < a.layers; ++i) {
    const Traits t = traits(a, i);
    auto found = std::find(seen.begin(), seen.end(), t);
    if (found == seen.end()) {
      out.kinds.push_back(alike(a, t));
      found = seen.insert(seen.end(), t);
    }
    const auto kind = static_cast<std::size_t>(found - seen.begin());
    ++out.kinds[kind].layers;
    out.of.push_back(static_cast<std::uint8_t>(kind));
  }
  return out;
}

std::string kind_name(const Architecture& a) {
  std::vector<std::string> parts;
  if (a.parallel_block) parts.emplace_back("parallel");
  if (a.window) parts.emplace_back("window");
  if (!a.towers.list.empty()) parts.emplace_back("towers");
  if (a.experts) parts.emplace_back("experts");
  if (a.depth_routing) parts.emplace_back("depth routing");
  return parts.empty() ? "dense" : fmt::format("{}", fmt::join(parts, ", "));
}

std::vector<WeightSet> attention_sets(const Architecture& a) {
  return towers_or_all(a, a.towers.attention);
}

std::vector<WeightSet> feed_forward_sets(const Architecture& a) {
  std::vector<WeightSet> sets = towers_or_all(a, a.towers.feed_forward);
  if (!a.experts) return sets;
  if (a.experts->groups.empty()) {
    for (WeightSet& s : sets) s.experts = a.experts->count;
    return sets;
  }
  const bool towers = sets.size() > 1;
  std::vector<WeightSet> grouped;
  for (const ExpertGroup& g : a.experts->groups) grouped.push_back({g.modalities, g.count});
  for (const WeightSet& s : sets) {
    const bool covered = std::any_of(grouped.begin(), grouped.end(), [&](const WeightSet& g) {
      return any_in(s.modalities, g.modalities);
    });
    if (towers && !covered) grouped.push_back(s);
  }
  return grouped;
}

std::vector<std::string> modalities_of(const Architecture& a) {
  std::set<std::string> names;
  for (const Tower& t : a.towers.list) names.insert(t.modalities.begin(), t.modalities.end());
  if (a.experts) {
    for (const ExpertGroup& g : a.experts->groups) {
      names.insert(g.modalities.begin(), g.modalities.end());
    }
  }
  for (const Adapter& adapter : a.adapters) names.insert(adapter.modality);
  for (const Encoder& e : a.encoders) names.insert(e.modality);
  // Beside encoded or continuous items a model has its vocabulary's tokens.
  if (!names.empty() && a.vocab > 0) names.insert("text");
  return {names.begin(), names.end()};
}

std::int64_t norm_sets(const Architecture& a) {
  return std::ssize(towers_or_all(a, a.towers.norms));
}

}  // namespace forerun::models
