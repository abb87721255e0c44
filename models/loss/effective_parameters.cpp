#include "models/loss/effective_parameters.h"

#include <fmt/format.h>

#include <algorithm>
#include <map>
#include <utility>

#include "models/layers.h"
#include "models/parameters.h"

namespace forerun::models {
namespace {

using Names = std::vector<std::string>;

/// The set of `sets` that tokens of `modality` use; null if none names it.
const WeightSet* set_of(const std::vector<WeightSet>& sets, const std::string& modality) {
  for (const WeightSet& s : sets) {
    if (s.modalities.empty() || std::ranges::find(s.modalities, modality) != s.modalities.end()) {
      return &s;
    }
  }
  return nullptr;
}

/// Whether it leaves a modality of the model out.
bool is_own(const WeightSet& set, const Names& all) {
  return !set.modalities.empty() && !std::ranges::all_of(all, [&](const std::string& m) {
    return std::ranges::find(set.modalities, m) != set.modalities.end();
  });
}

/// Parameters of one layer as the tokens of one modality see it, by which set they belong to.
struct Path {
  double attention = 0, norms = 0;
  double shared = 0;  ///< whatever the towers: attention sinks, the router over depth
  double feed_forward = 0, feed_forward_active = 0;
  std::optional<Experts> experts;
};

double latent_norms(const Architecture& a) {
  if (!a.latent_attention) return 0;
  const auto width =
      static_cast<double>(a.latent_attention->kv_rank + a.latent_attention->query_rank);
  return a.norm == Norm::rms_norm ? width : 2 * width;
}

double attention_biases(const Architecture& a) {
  if (a.latent_attention) return 0;
  double biases = a.linear_bias ? static_cast<double>(a.hidden) : 0.0;
  if (a.linear_bias || a.qkv_bias) {
    biases += static_cast<double>(a.query_width() + 2 * a.kv_width());
  }
  return biases;
}

Path path_of(const Architecture& kind, const WeightSet* set) {
  Architecture a = kind;
  a.towers = {};
  a.experts.reset();
  if (kind.experts && set != nullptr && set->experts > 0) {
    Experts own = *kind.experts;
    own.groups = {};
    own.count = set->experts;
    a.experts = std::move(own);
  }
  const LayerParameters p = layer_parameters(a);
  const auto modulation_biases = static_cast<double>(a.modulation * a.hidden);
  const double sinks = a.attention_sinks ? static_cast<double>(a.heads) : 0.0;
  const double depth_router = a.depth_routing ? static_cast<double>(a.hidden) : 0.0;
  Path path;
  path.shared = sinks + depth_router;
  path.attention = static_cast<double>(p.attention) + attention_biases(a) + latent_norms(a);
  path.norms =
      static_cast<double>(p.norms + p.modulation) + modulation_biases - sinks - latent_norms(a);
  path.feed_forward = static_cast<double>(p.feed_forward + p.biases + p.routed()) -
                      attention_biases(a) - modulation_biases - depth_router;
  path.feed_forward_active = path.feed_forward;
  path.experts = a.experts;
  if (a.experts) {
    const double used =
        static_cast<double>(a.experts->top_k) / static_cast<double>(a.experts->count);
    path.feed_forward_active -= static_cast<double>(p.routed()) * (1.0 - used);
  }
  return path;
}

void describe(const Experts& e, ExpertShape& shape) {
  const auto count = static_cast<double>(e.count), top_k = static_cast<double>(e.top_k);
  const double width = static_cast<double>(e.ffn);
  const double shared = static_cast<double>(e.shared * e.shared_ffn);
  shape.experts = count;
  shape.top_k = top_k;
  shape.shared = static_cast<double>(e.shared);
  shape.granularity = (top_k * width + shared) / width;
  shape.expansion = (count * width + shared) / (top_k * width + shared);
  shape.expert_choice = e.routing == Routing::expert_choice;
  shape.drops = e.capacity_factor > 0;
}

ModalityParameters of_modality(const LayerKinds& kinds, const std::string& modality,
                               const Names& all) {
  ModalityParameters out;
  out.modality = modality;
  double with_experts = 0, layers = 0, feed_forward = 0, feed_forward_active = 0;
  for (const Architecture& kind : kinds.kinds) {
    const std::vector<WeightSet> attention = attention_sets(kind);
    const std::vector<WeightSet> forward = feed_forward_sets(kind);
    const WeightSet* const attention_set = set_of(attention, modality);
    const WeightSet* const forward_set = set_of(forward, modality);
    const Path path = path_of(kind, forward_set);
    const auto n = static_cast<double>(kind.layers);
    layers += n;
    feed_forward += n * path.feed_forward;
    feed_forward_active += n * path.feed_forward_active;
    out.active += n * (path.attention + path.norms + path.shared + path.feed_forward_active);
    if (attention_set != nullptr && is_own(*attention_set, all)) out.own += n * path.attention;
    if (norm_sets(kind) > 1) out.own += n * path.norms;
    if (forward_set != nullptr && is_own(*forward_set, all)) {
      out.own += n * path.feed_forward_active;
    }
    if (path.experts) {
      with_experts += n;
      describe(*path.experts, out.experts);
    }
  }
  out.experts.layer_share = with_experts / layers;
  out.experts.model_expansion = feed_forward / feed_forward_active;
  return out;
}

std::vector<ParametersInLaw::OwnSet> own_sets(const LayerKinds& kinds, const Names& all) {
  std::map<Names, double> sets;
  for (const Architecture& kind : kinds.kinds) {
    const auto n = static_cast<double>(kind.layers);
    for (const WeightSet& s : attention_sets(kind)) {
      if (is_own(s, all)) sets[s.modalities] += n * path_of(kind, nullptr).attention;
    }
    for (const WeightSet& s : feed_forward_sets(kind)) {
      if (is_own(s, all)) sets[s.modalities] += n * path_of(kind, &s).feed_forward;
    }
    if (norm_sets(kind) < 2) continue;
    for (const Tower& t : kind.towers.list) {
      sets[t.modalities] += n * path_of(kind, nullptr).norms;
    }
  }
  std::vector<ParametersInLaw::OwnSet> out;
  for (const auto& [modalities, count] : sets) out.push_back({modalities, count});
  return out;
}

std::vector<std::string> caveats_of(const ExpertShape& e) {
  std::vector<std::string> out;
  if (e.expert_choice) {
    out.emplace_back("experts choose their tokens; both laws rest on tokens that choose");
  }
  if (e.top_k + e.shared > 1.0) {
    out.push_back(fmt::format(
        "a token uses {:g} experts{}, granularity {:.3g}; both laws rest on one, as wide as the "
        "dense model's feed-forward part",
        e.top_k, e.shared > 0 ? fmt::format(" and {:g} shared", e.shared) : "", e.granularity));
  }
  if (e.layer_share < 1.0) {
    out.push_back(
        fmt::format("{:.0f} % of the layers have experts; the joint law's all have, and "
                    "count with the expansion of the whole model",
                    100 * e.layer_share));
  }
  if (e.layer_share != 0.5) {
    out.push_back(
        fmt::format("{:.0f} % of the layers have experts; of the routed law's every "
                    "second",
                    100 * e.layer_share));
  }
  if (e.drops) out.emplace_back("experts drop tokens over their capacity; no law knows that");
  return out;
}

}  // namespace

double ParametersInLaw::own_share() const {
  double own = 0;
  for (const OwnSet& s : own_sets) own += s.parameters;
  return own / decoder;
}

const ModalityParameters& ParametersInLaw::of(const std::string& modality) const {
  const auto found = [&](const std::string& m) {
    return std::ranges::find(modalities, m, &ModalityParameters::modality);
  };
  auto it = found(modality);
  if (it == modalities.end()) it = found("text");
  return it == modalities.end() ? modalities.front() : *it;
}

ParametersInLaw parameters_in_law(const Architecture& a) {
  const ParameterCount count = parameters(a);
  ParametersInLaw out;
  out.total = static_cast<double>(count.total());
  out.embedding =
      static_cast<double>(count.embedding + count.position + count.embedding_norm + count.head);
  out.decoder = static_cast<double>(count.layers.total() + count.final_norm);
  const LayerKinds kinds = layer_kinds(a);
  const Names all = modalities_of(a);
  out.own_sets = own_sets(kinds, all);
  for (const std::string& m : all.empty() ? Names{""} : all) {
    out.modalities.push_back(of_modality(kinds, m, all));
    out.modalities.back().active += static_cast<double>(count.final_norm);
  }
  return out;
}

DenseEquivalent dense_equivalent(const ModalityParameters& m, double embedding, double tokens,
                                 const JointMoeLaw& joint, const RoutedLaw& routed) {
  if (m.experts.layer_share <= 0) return {m.active, m.active, {}};
  DenseEquivalent out;
  const double counted = m.active + embedding;
  out.joint = effective_parameters(joint, counted, tokens, m.experts.model_expansion);
  if (out.joint) *out.joint *= m.active / counted;
  out.routed = effective_parameters(routed, m.active, m.experts.expansion);
  out.caveats = caveats_of(m.experts);
  return out;
}

}  // namespace forerun::models
