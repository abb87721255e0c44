#include "models/architecture.h"

namespace forerun::models {
namespace {

/// Elements of a norm over `width` values: a weight each, and a bias each unless it is RMS norm.
std::int64_t norm_parameters(Norm norm, std::int64_t width) {
  return norm == Norm::rms_norm ? width : 2 * width;
}

}  // namespace

ParameterCount parameters(const Architecture& a) {
  const std::int64_t q = a.query_width();
  const std::int64_t kv = a.kv_width();
  const std::int64_t up_matrices = a.gated() ? 2 : 1;

  ParameterCount count;
  count.layers = a.layers;
  count.embedding = a.vocab * a.hidden;
  count.position = a.position == Position::learned ? a.max_positions * a.hidden : 0;
  count.embedding_norm = a.embedding_norm ? norm_parameters(a.norm, a.hidden) : 0;

  count.attention = a.hidden * (q + 2 * kv) + q * a.hidden;
  if (a.linear_bias || a.qkv_bias) count.attention += q + 2 * kv;
  if (a.linear_bias) count.attention += a.hidden;

  count.feed_forward = (up_matrices + 1) * a.hidden * a.ffn;
  if (a.linear_bias) count.feed_forward += up_matrices * a.ffn + a.hidden;

  count.norms = 2 * norm_parameters(a.norm, a.hidden);
  // One RMS weight a dimension of a head, shared by all heads; one for queries, one for keys.
  if (a.qk_norm) count.norms += 2 * a.head_dim;

  count.final_norm = a.final_norm ? norm_parameters(a.norm, a.hidden) : 0;
  count.head = a.tied_embeddings ? 0 : a.vocab * a.hidden;
  return count;
}

}  // namespace forerun::models
