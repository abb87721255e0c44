
#include "core/error.h"
#include "models/architecture.h"

namespace forerun::models {
namespace {

/// Elements of the matrices that multiply each token once in the forward pass.
double multiplying_elements(const Architecture& a) {
  const std::int64_t attention = a.hidden * (2 * a.query_width() + 2 * a.kv_width());
  const std::int64_t feed_forward = (a.gated() ? 3 : 2) * a.hidden * a.ffn;
  return static_cast<double>(a.layers * (attention + feed_forward) + a.vocab * a.hidden);
}

}  // namespace

double flops_per_token(const Architecture& a, std::int64_t seq_len, FlopConvention convention) {
  const ParameterCount count = parameters(a);
  const double n = static_cast<double>(count.total());
  const double embeddings = static_cast<double>(count.embedding + count.position + count.head);
  // Scores and context of one token against every position, over all layers: L Q S.
  const double pairs =
      static_cast<double>(a.layers * a.query_width()) * static_cast<double>(seq_len);
  switch (convention) {
    case FlopConvention::six_n:
      return 6.0 * n;
    case FlopConvention::six_n_no_embedding:
      return 6.0 * (n - embeddings);
    case FlopConvention::palm:
      return 6.0 * n + 12.0 * pairs;
    case FlopConvention::megatron:
      return 6.0 * multiplying_elements(a) + 12.0 * pairs;
    case FlopConvention::megatron_causal:
      return 6.0 * multiplying_elements(a) + 6.0 * pairs;
    case FlopConvention::hardware_causal:
      return 6.0 * multiplying_elements(a) + 7.0 * static_cast<double>(a.layers * a.query_width()) *
                                                 static_cast<double>(seq_len + 1);
  }
  FORERUN_ASSERT(false, "no such FLOP convention");
}

std::string_view name(FlopConvention convention) {
  switch (convention) {
    case FlopConvention::six_n:
      return "six_n";
    case FlopConvention::six_n_no_embedding:
      return "six_n_no_embedding";
    case FlopConvention::palm:
      return "palm";
    case FlopConvention::megatron:
      return "megatron";
    case FlopConvention::megatron_causal:
      return "megatron_causal";
    case FlopConvention::hardware_causal:
      return "hardware_causal";
  }
  FORERUN_ASSERT(false, "no such FLOP convention");
}

}  // namespace forerun::models
