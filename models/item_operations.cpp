#include "models/item_operations.h"

#include <algorithm>
#include <cmath>

#include "models/low_precision.h"
#include "models/operation_builder.h"
#include "models/parameters.h"

namespace forerun::models {
namespace {

using hw::CollectiveKind;
using hw::Gemm;

std::int64_t whole(double rows) { return std::max<std::int64_t>(1, std::llround(rows)); }

/// Tokens of a modality on one rank, outside tensor-parallel regions.
double tokens_of(const std::string& modality, const Slice& s) {
  for (const ModalityTokens& m : s.modalities) {
    if (m.modality != modality) continue;
    return static_cast<double>(m.tokens) * static_cast<double>(s.outer_tokens()) /
           static_cast<double>(s.micro_batch * s.sequence);
  }
  return 0;
}

/// A product forward, or its two gradients.
void product(OperationBuilder& b, bool backward, std::int64_t m, std::int64_t n, std::int64_t k,
             const KernelChoices& c, hw::Precision p) {
  if (!backward) {
    b.kernel("encoder product", Gemm{m, n, k, p});
    return;
  }
  b.kernel("encoder input gradient", Gemm{m, k, n, p});
  Gemm weight{n, k, m, p};
  weight.accumulates = c.fused_gradient_accumulation && c.gradient_bytes == 4;
  b.weight_gradient(true);
  b.kernel("encoder weight gradient", weight);
  b.weight_gradient(false);
}

void encoder_layer(OperationBuilder& b, bool backward, const Encoder& e, double items,
                   const KernelChoices& c, hw::Precision p) {
  const std::int64_t rows = whole(items * static_cast<double>(e.patches));
  const double values = static_cast<double>(rows) * static_cast<double>(e.hidden);
  const std::int64_t up = (e.gated ? 2 : 1) * e.ffn;
  hw::Attention attention;
  attention.pass = backward ? hw::Pass::backward : hw::Pass::forward;
  attention.kernel = c.attention;
  attention.batch = whole(items);
  attention.queries = attention.keys = e.patches;
  attention.heads = attention.kv_heads = e.heads;
  attention.head_dim = e.hidden / e.heads;
  attention.causal = false;
  b.memory("encoder norms and residuals", values, backward ? 24 : 12, backward ? 12 : 8,
           backward ? 8 : 4);
  product(b, backward, rows, 3 * e.hidden, e.hidden, c, p);
  b.kernel("encoder attention", attention, backward ? 3 : 1);
  product(b, backward, rows, e.hidden, e.hidden, c, p);
  product(b, backward, rows, up, e.hidden, c, p);
  b.memory("encoder activation", static_cast<double>(rows) * static_cast<double>(up),
           backward ? 4 : 2, 2);
  product(b, backward, rows, e.hidden, e.ffn, c, p);
}

/// From the encoder's width to the model's.
void connector(OperationBuilder& b, bool backward, const Architecture& a, const Encoder& e,
               double items, const KernelChoices& c, hw::Precision p) {
  const std::int64_t out = whole(items * static_cast<double>(e.outputs));
  const std::int64_t in = whole(items * static_cast<double>(e.patches));
  switch (e.connector) {
    case ConnectorKind::linear:
      product(b, backward, out, a.hidden, e.hidden, c, p);
      return;
    case ConnectorKind::mlp:
      product(b, backward, out, a.hidden, e.hidden, c, p);
      product(b, backward, out, a.hidden, a.hidden, c, p);
      return;
    case ConnectorKind::convolutional: {
      // Half of the weights before the pooling, at every patch, half after it.
      const std::int64_t half = connector_parameters(a, e) / 2;
      product(b, backward, in, e.hidden, std::max<std::int64_t>(1, half / e.hidden), c, p);
      product(b, backward, out, a.hidden, std::max<std::int64_t>(1, half / a.hidden), c, p);
      return;
    }
  }
}

void encode(OperationBuilder& b, bool backward, const Architecture& a, const Slice& s,
            const KernelChoices& c) {
  const hw::Precision p = sixteen_bit(s.precision);
  for (const Encoder& e : a.encoders) {
    const double items = encoder_items(e, s);
    if (items <= 0) continue;
    const std::int64_t rows = whole(items * static_cast<double>(e.patches));
    const double gathered =
        2.0 * items * static_cast<double>(e.outputs * a.hidden) * static_cast<double>(s.tensor);
    if (backward) {
      if (s.tensor > 1) {
        b.exchange("scatter item gradients", CollectiveKind::reduce_scatter, gathered,
                   Dimension::tensor);
      }
      connector(b, true, a, e, items, c, p);
      if (e.frozen) continue;
      for (std::int64_t i = 0; i < e.layers; ++i) encoder_layer(b, true, e, items, c, p);
      b.weight_gradient(true);
      b.kernel("patch embedding weight gradient", Gemm{e.hidden, e.patch_width, rows, p});
      b.weight_gradient(false);
      continue;
    }
    b.kernel("patch embedding", Gemm{rows, e.hidden, e.patch_width, p});
    for (std::int64_t i = 0; i < e.layers; ++i) encoder_layer(b, false, e, items, c, p);
    connector(b, false, a, e, items, c, p);
    if (s.tensor > 1) {
      b.exchange("gather items", CollectiveKind::all_gather, gathered, Dimension::tensor);
    }
  }
}

/// Half of a U-Net: convolutions of 3 x 3 as products over 9 channels^2 weights each.
void half_unet(OperationBuilder& b, bool backward, const Adapter& adapter, double tokens,
               const KernelChoices& c, hw::Precision p) {
  if (adapter.unet_parameters == 0) return;
  const double items = tokens / static_cast<double>(adapter.item_tokens);
  const std::int64_t rows = whole(items * static_cast<double>(adapter.unet_positions));
  const std::int64_t channels = adapter.unet_channels;
  const std::int64_t convolutions =
      std::max<std::int64_t>(1, adapter.unet_parameters / 2 / (9 * channels * channels));
  for (std::int64_t i = 0; i < convolutions; ++i) {
    product(b, backward, rows, channels, 9 * channels, c, p);
    b.memory("U-Net norm and activation", static_cast<double>(rows) * static_cast<double>(channels),
             backward ? 8 : 4, 4, 2);
  }
}

}  // namespace

double encoder_items(const Encoder& e, const Slice& s) {
  // Tensor ranks share the items of the tokens that they hold together.
  const double of_ranks = s.sequence_parallel ? 1.0 : 1.0 / static_cast<double>(s.tensor);
  return tokens_of(e.modality, s) * of_ranks / static_cast<double>(e.outputs);
}

OperationList items_forward(const Architecture& a, const Slice& s, const KernelChoices& c) {
  OperationBuilder b;
  encode(b, false, a, s, c);
  for (const Adapter& adapter : a.adapters) {
    const double tokens = tokens_of(adapter.modality, s);
    if (adapter.input_width == 0 || tokens <= 0) continue;
    half_unet(b, false, adapter, tokens, c, sixteen_bit(s.precision));
    b.kernel("continuous tokens in",
             Gemm{whole(tokens), a.hidden, adapter.input_width, sixteen_bit(s.precision)});
  }
  return b.take();
}

OperationList items_backward(const Architecture& a, const Slice& s, const KernelChoices& c) {
  OperationBuilder b;
  for (const Adapter& adapter : a.adapters) {
    const double tokens = tokens_of(adapter.modality, s);
    if (adapter.input_width == 0 || tokens <= 0) continue;
    b.weight_gradient(true);
    b.kernel("continuous tokens in weight gradient",
             Gemm{a.hidden, adapter.input_width, whole(tokens), sixteen_bit(s.precision)});
    b.weight_gradient(false);
    half_unet(b, true, adapter, tokens, c, sixteen_bit(s.precision));
  }
  encode(b, true, a, s, c);
  return b.take();
}

OperationList predictions_forward(const Architecture& a, const Slice& s) {
  OperationBuilder b;
  for (const Adapter& adapter : a.adapters) {
    const double tokens = tokens_of(adapter.modality, s);
    if (adapter.output_width == 0 || tokens <= 0) continue;
    b.kernel("continuous tokens out",
             Gemm{whole(tokens), adapter.output_width, a.hidden, sixteen_bit(s.precision)});
    half_unet(b, false, adapter, tokens, {}, sixteen_bit(s.precision));
    b.memory("diffusion loss", tokens * static_cast<double>(adapter.output_width), 8, 4, 3);
  }
  return b.take();
}

OperationList predictions_backward(const Architecture& a, const Slice& s, const KernelChoices& c) {
  OperationBuilder b;
  for (const Adapter& adapter : a.adapters) {
    const double tokens = tokens_of(adapter.modality, s);
    if (adapter.output_width == 0 || tokens <= 0) continue;
    half_unet(b, true, adapter, tokens, c, sixteen_bit(s.precision));
    b.kernel("continuous tokens out input gradient",
             Gemm{whole(tokens), a.hidden, adapter.output_width, sixteen_bit(s.precision)});
    b.weight_gradient(true);
    b.kernel("continuous tokens out weight gradient",
             Gemm{adapter.output_width, a.hidden, whole(tokens), sixteen_bit(s.precision)});
    b.weight_gradient(false);
  }
  return b.take();
}

Bytes item_activations(const Architecture& a, const Slice& s) {
  Bytes sum{};
  for (const Encoder& e : a.encoders) {
    const double items = encoder_items(e, s);
    const double patches = items * static_cast<double>(e.patches);
    // 16-bit inputs of two norms and four products, queries, keys, values, context, activation.
    const double layer =
        2.0 * patches * static_cast<double>(8 * e.hidden + (e.gated ? 3 : 2) * e.ffn);
    if (!e.frozen) sum += Bytes(static_cast<double>(e.layers) * layer);
    sum += Bytes(2.0 * patches * static_cast<double>(e.hidden));
  }
  for (const Adapter& adapter : a.adapters) {
    if (adapter.unet_parameters == 0) continue;
    const double items = tokens_of(adapter.modality, s) / static_cast<double>(adapter.item_tokens);
    const double convolutions =
        static_cast<double>(adapter.unet_parameters) /
        (9.0 * static_cast<double>(adapter.unet_channels * adapter.unet_channels));
    // Input of each convolution and of the norm before it.
    sum += Bytes(4.0 * items * static_cast<double>(adapter.unet_positions * adapter.unet_channels) *
                 convolutions);
  }
  return sum;
}

}  // namespace forerun::models
