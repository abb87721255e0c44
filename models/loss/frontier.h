#pragma once

/// The loss of native multimodal models along their compute-optimal frontier (Shukor et al. 2025,
/// arXiv:2504.07951v4):
///
///   L = K C^c     N ~ C^a     D ~ C^b     D ~ N^d         C FLOPs, early fusion C = 6 N D,
///                                            late fusion C = 6 (N_v D_v + N D), v the encoder
///
/// per kind of data (text, captions, interleaved) and on average, for early fusion, late fusion and
/// early fusion with experts; and the exponents by mixture. The factors of N and D were not
/// published, so the frontier says how an optimum grows, not where it starts.
///
/// Text is the only loss there: images come in, and none is predicted. It is not the setting of
/// models that write images (Chameleon) nor of the interaction law.

#include <optional>
#include <string>
#include <vector>

#include "models/loss/law.h"
#include "models/loss/power_law.h"

namespace forerun::models {

struct Frontier {
  double coefficient = 0;  ///< K
  double exponent = 0;     ///< c, negative
  bool operator==(const Frontier&) const = default;
};
/// What a law of form "frontier" has something about, in alphabetical order.
[[nodiscard]] std::vector<std::string> frontier_kinds(const Law&);
/// Of one kind of data; what is not there is a problem.
[[nodiscard]] Frontier frontier(const Law&, const ConstantValues&, const std::string& kind,
                                Problems&);
/// Asserts FLOPs above zero.
[[nodiscard]] double final_loss(const Frontier&, double flops);
/// FLOPs that reach `loss`.
[[nodiscard]] double flops_for(const Frontier&, double loss);

/// How the optimum moves.
struct FrontierGrowth {
  double parameters = 0;            ///< a
  double tokens = 0;                ///< b
  double tokens_by_parameters = 0;  ///< d
  bool operator==(const FrontierGrowth&) const = default;
};
[[nodiscard]] FrontierGrowth frontier_growth(const Law&, const ConstantValues&,
                                             const std::string& kind, Problems&);
/// Optimal parameters and tokens, as multiples of what they are, when FLOPs grow by `factor`.
struct OptimumFactors {
  double parameters = 0, tokens = 0;
};
[[nodiscard]] OptimumFactors grown(const FrontierGrowth&, double factor);

/// Training FLOPs of a decoder of `parameters` over `tokens`, with an encoder before it.
[[nodiscard]] double late_fusion_flops(double encoder_parameters, double encoder_tokens,
                                       double parameters, double tokens);

}  // namespace forerun::models
