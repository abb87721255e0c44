// What the forward pass keeps for the backward pass (Korthikanti 2022, arXiv 2205.05198, section 4,
// extended to gated activations, grouped queries, fused attention and low precision).

#include "models/layer_operations.h"

#include <algorithm>

namespace forerun::models {

std::vector<SavedActivation> layer_saved(const Architecture& a, const Slice& s, const KernelChoices& c) {
  std::vector<SavedActivation> saved;
  const double inner = static_cast<double>(s.tokens());
  const double outer = static_cast<double>(s.outer_tokens()) * static_cast<double>(a.hidden);
  const double t = static_cast<double>(s.tensor);
  const double query = inner * static_cast<double>(a.query_width()) / t;
  const double kv = inner * static_cast<double>(std::max<std::int64_t>(a.kv_width(), a.head_dim * s.tensor)) / t;
  const double ffn = inner * static_cast<double>(a.ffn) / t;
  const auto keep = [&](std::string_view name, double bytes, LayerPart part) {
    saved.push_back({name, Bytes(bytes), part});
  };
  keep("attention norm input", 2 * outer, LayerPart::residual);
  keep("query, key, value input", 2 * outer, LayerPart::attention_norm);
  keep("query, key, value", 2 * (query + 2 * kv), LayerPart::qkv);
  keep("attention output input", 2 * query, LayerPart::core_attention);
  if (c.fused_attention) {
    keep("log-sum-exp", 4 * inner * static_cast<double>(a.heads) / t, LayerPart::core_attention);
  } else {
    const double scores = inner * static_cast<double>(s.sequence) * static_cast<double>(a.heads) / t;
    keep("softmax", 2 * scores, LayerPart::core_attention);
    if (c.dropout) keep("dropped probabilities and mask", 3 * scores, LayerPart::core_attention);
  }
  if (c.dropout) keep("dropout masks", 2 * outer, LayerPart::residual);
  keep("feed-forward norm input", 2 * outer, LayerPart::residual);
  keep("feed-forward up input", 2 * outer, LayerPart::ffn_norm);
  keep("activation input", (a.gated() ? 4 : 2) * ffn, LayerPart::ffn_up);
  keep("feed-forward down input", 2 * ffn, LayerPart::activation);
  return saved;
}

}  // namespace forerun::models
