#pragma once

/// FLOPs of a token by the conventions in use, for what is printed and compared beside a step. What
/// the kernels of a step do is the sum over their lists (sim/).

#include <cstdint>
#include <string_view>

#include "models/architecture.h"

namespace forerun::models {

/// FLOPs of one token's forward and backward pass (no recompute) by the conventions in use. They
/// differ by 10-40 % on one model, so each is named and none is the default of a comparison.
/// N = parameters that a token uses (models/parameters.h: all, in a dense model), L = layers, Q =
/// query width, S = sequence, W = elements of all matrices that multiply one token (attention,
/// feed-forward, output; the embedding's gather is free). Latent attention has heads (qk + v) / 2
/// for Q; layers with a window of w tokens have min(w, S) for S; a layer with depth routing that
/// takes a share c of the tokens counts c of its matrices and, as only those are keys, c^2 of its
/// pairs (Raposo et al. 2024, arXiv 2404.02258). Encoders, adapters and multi-token prediction are
/// left out.
enum class FlopConvention : std::uint8_t {
  six_n,               ///< 6 N (Kaplan 2020)
  six_n_no_embedding,  ///< 6 (N - word embedding - positions - output matrix) (Kaplan 2020,
                       ///< eq. 2.1)
  palm,                ///< 6 N + 12 L Q S (Chowdhery 2022, app. B), attention not halved
  megatron,            ///< 6 W + 12 L Q S; at ffn = 4h and one kv head a head this is
                       ///< 72 L h^2 (1 + S/6h + V/12Lh) (Narayanan 2021, Korthikanti 2022)
  megatron_causal,     ///< 6 W + 6 L Q S: half of the scores are masked
  hardware_causal  ///< 6 W + 7 L Q (S + 1): what the kernels do. Fused attention's backward pass
                   ///< computes the scores again, five products for two, so 4 Q S (1 + 2.5),
                   ///< times the share (S + 1) / 2S of the pairs that causal masking leaves
};
[[nodiscard]] double flops_per_token(const Architecture&, std::int64_t seq_len, FlopConvention);
[[nodiscard]] std::string_view name(FlopConvention);

}  // namespace forerun::models
