#include "models/elementwise_operations.h"

namespace forerun::models {

void norm_forward(const Layer& l, std::string_view name, double tokens) {
  const double elements = tokens * l.hidden();
  if (l.c.fused_norm) {
    l.b.memory(name, elements, 2, 2);
  } else {
    // cast, square, mean, scale, cast back, weight: separate kernels over 32-bit intermediates.
    l.b.memory(name, elements, 2 + 4 + 4 + 4 + 4 + 2, 4 + 4 + 0 + 4 + 2 + 2, 6);
  }
}

void norm_backward(const Layer& l, std::string_view name, double tokens) {
  const double elements = tokens * l.hidden();
  if (l.c.fused_norm) {
    l.b.memory(name, elements, 4, 2);
    l.b.memory("norm weight gradient", elements, 4, 0);
  } else {
    l.b.memory(name, elements, 2 + 2 + 4 + 4 + 4 + 4 + 4 + 4, 2 + 4 + 4 + 4 + 4 + 2, 9);
  }
}

void sub_layer_norms(const Layer& l, std::string_view name) {
  const std::int64_t times = l.a.norm_order == NormOrder::both ? 2 : 1;
  for (std::int64_t i = 0; i < times; ++i) norm_forward(l, name, l.outer());
  // (1 + scale) norm + shift, and the gate on the sub-layer's output.
  if (l.a.modulation > 0) l.b.memory("modulate", l.outer() * l.hidden(), 6, 6, 3);
}

void sub_layer_norm_gradients(const Layer& l, std::string_view name) {
  const std::int64_t times = l.a.norm_order == NormOrder::both ? 2 : 1;
  // Of each of the three, the gradient of its input and the sum over tokens for its vector.
  if (l.a.modulation > 0)
    l.b.memory("modulate gradient", l.outer() * l.hidden(), 3 * (2 + 4), 6, 6);
  for (std::int64_t i = 0; i < times; ++i) norm_backward(l, name, l.outer());
}

void modulation_forward(const Layer& l) {
  if (l.a.modulation == 0) return;
  for (std::int64_t set = 0; set < norm_sets(l.a); ++set) {
    l.b.kernel("modulation",
               hw::Gemm{l.s.micro_batch, l.a.modulation * l.a.hidden, l.a.hidden,
                        sixteen_bit(l.s.precision)},
               2);
  }
}

void modulation_backward(const Layer& l) {
  if (l.a.modulation == 0) return;
  const std::int64_t n = l.a.modulation * l.a.hidden;
  const hw::Precision p = sixteen_bit(l.s.precision);
  for (std::int64_t set = 0; set < norm_sets(l.a); ++set) {
    l.b.kernel("modulation input gradient", hw::Gemm{l.s.micro_batch, l.a.hidden, n, p}, 2);
    l.b.weight_gradient(true);
    l.b.kernel("modulation weight gradient", hw::Gemm{n, l.a.hidden, l.s.micro_batch, p});
    l.b.weight_gradient(false);
  }
}

void residual_forward(const Layer& l, double tokens) {
  const double elements = tokens * l.hidden();
  const double mask = l.c.dropout ? 1 : 0;
  if (l.c.fused_elementwise || (!l.a.linear_bias && !l.c.dropout)) {
    l.b.memory("residual", elements, 4, 2 + mask);
    return;
  }
  if (l.a.linear_bias) l.b.memory("bias", elements, 2, 2);
  if (l.c.dropout) l.b.memory("dropout", elements, 2, 2 + mask);
  l.b.memory("residual", elements, 4, 2);
}

void residual_backward(const Layer& l, double tokens) {
  const double elements = tokens * l.hidden();
  if (l.c.dropout) l.b.memory("dropout gradient", elements, 2 + 1, 2);
  if (l.a.linear_bias) l.b.memory("bias gradient", elements, 2, 0);
}

void join_gradient(const Layer& l, double tokens) {
  l.b.memory("join residual gradient", tokens * l.hidden(), 4, 2);
}

void clamp_forward(const Layer& l, double elements) {
  if (!l.a.clamped_activation) return;
  // Each half clamped into a copy, both copied into one tensor.
  l.b.memory("clamp gate and up", elements, 2 * (2 + 2), 2 * (2 + 2), 3);
}

void clamp_backward(const Layer& l, double elements) {
  if (!l.a.clamped_activation) return;
  // Each half's gradient masked by its input, both copied into one tensor.
  l.b.memory("clamp gradient", elements, 2 * (4 + 2), 2 * (2 + 2), 3);
}

void activation_forward(const Layer& l, double tokens) {
  const double elements = tokens * static_cast<double>(l.ffn());
  clamp_forward(l, elements);
  if (l.a.gated()) {
    if (l.c.fused_elementwise) {
      l.b.memory("activation", elements, 4, 2);
    } else {
      l.b.memory("activation", elements, 2 + 4, 2 + 2, 2);
    }
  } else if (l.c.fused_elementwise || !l.a.linear_bias) {
    l.b.memory("activation", elements, 2, 2);
  } else {
    l.b.memory("activation", elements, 2 + 2, 2 + 2, 2);
  }
}

void activation_backward(const Layer& l, double tokens) {
  const double elements = tokens * static_cast<double>(l.ffn());
  if (l.a.gated()) {
    if (l.c.fused_elementwise) {
      l.b.memory("activation gradient", elements, 6, 4);
    } else {
      l.b.memory("activation gradient", elements, 4 + 4 + 4, 2 + 2 + 2, 3);
    }
  } else {
    l.b.memory("activation gradient", elements, 4, 2);
  }
  clamp_backward(l, elements);
  if (l.a.linear_bias) l.b.memory("bias gradient", elements, 2, 0);
}

namespace {

/// Queries and keys are views of one product's result, which no norm takes as they are; of a
/// tower's too, which is normed before the towers are joined (NVIDIA/NeMo, JointSelfAttention).
bool splits_projection(const Layer& l) {
  return !l.c.separate_projections && !l.c.generated_elementwise;
}

}  // namespace

void head_norms_forward(const Layer& l) {
  if (!l.a.qk_norm || l.a.latent_attention) return;
  const double elements = l.inner() * static_cast<double>(l.query_width() + l.kv_width());
  if (splits_projection(l)) l.b.memory("copy queries and keys", elements, 2, 2, 2);
  l.b.memory("query and key norm", elements, 2, 2, 2);
}

void head_norms_backward(const Layer& l) {
  if (!l.a.qk_norm || l.a.latent_attention) return;
  const double elements = l.inner() * static_cast<double>(l.query_width() + l.kv_width());
  l.b.memory("query and key norm gradient", elements, 4 + 4, 2, 4);
  if (splits_projection(l)) {
    const double values = l.inner() * static_cast<double>(l.kv_width());
    l.b.memory("join query, key, value gradients", elements + values, 2, 2);
  }
}

void rotary(const Layer& l, std::string_view name) {
  if (l.a.position != Position::rotary) return;
  const double elements = l.inner() * static_cast<double>(l.query_width() + l.kv_width());
  if (l.a.scaled_rotary && l.c.fused_rotary) {
    // Half negated, halves swapped by a copy, times cosine, times sine, added, copied to the end.
    l.b.memory(name, elements, 1 + 2 + 2 + 2 + 4 + 2, 1 + 2 + 2 + 2 + 2 + 2, 12);
  } else if (l.c.fused_rotary) {
    l.b.memory(name, elements, 2, 2, 2);
  } else {
    // To complex 32 bit, multiply, back.
    l.b.memory(name, elements, 2 + 4 + 4, 4 + 4 + 2, 8);
  }
}

}  // namespace forerun::models
