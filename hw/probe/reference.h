#pragma once

/// What the probe's kernels should compute, in double precision and without a device: tested by
/// themselves.

#include <cstddef>
#include <cstdint>
#include <span>
#include <vector>

#include "hw/probe/families.h"

namespace forerun::hw {

/// One row of a norm, activation, rotary embedding or cross-entropy.
struct RowInputs {
  ProbeShape shape;
  std::int64_t row = 0;              ///< its place, which is its position for rotary
  std::vector<double> x, up;         ///< input; gradient from above (backward)
  std::vector<double> weight, bias;  ///< of norms
  std::size_t target = 0;            ///< of cross-entropy
};
/// The row's result: of the backward pass the gradient of x; of cross-entropy's forward pass the
/// loss alone.
[[nodiscard]] std::vector<double> row_reference(const RowInputs&);

/// softmax(scale q k^T) v of one query against the keys that it sees: `keys` and `values` are rows
/// of q's width.
struct AttentionReference {
  std::vector<double> out;
  double log_sum = 0;  ///< log of the sum of exp(scores)
};
[[nodiscard]] AttentionReference attention_reference(std::span<const double> q,
                                                     std::span<const double> keys,
                                                     std::span<const double> values, double scale);
/// Gradient of q from that of the row's result.
[[nodiscard]] std::vector<double> attention_query_gradient(std::span<const double> q,
                                                           std::span<const double> keys,
                                                           std::span<const double> values,
                                                           std::span<const double> up,
                                                           double scale);

/// Gradients of one key and its value.
struct KeyGradient {
  std::vector<double> key, value;
};
/// Adds what one query contributes: its result `out`, the result's gradient `up` and its log-sum.
void add_key_gradient(KeyGradient& sum, std::span<const double> q, std::span<const double> key,
                      std::span<const double> value, std::span<const double> out,
                      std::span<const double> up, double log_sum, double scale);

struct AdamState {
  double master = 0, moment1 = 0, moment2 = 0;
};
struct AdamRates {
  double learning_rate, beta1, beta2, epsilon, decay, correction1, correction2;
};
/// AdamW with decoupled decay, one step.
[[nodiscard]] AdamState adam_reference(AdamState, double gradient, const AdamRates&);

}  // namespace forerun::hw
