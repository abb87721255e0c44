#include "models/encoder_operations.h"

#include <algorithm>
#include <cmath>
#include <string>
#include <vector>

#include "models/low_precision.h"
#include "models/operation_builder.h"
#include "models/parameters.h"

namespace forerun::models {
namespace {

using hw::CollectiveKind;
using hw::Gemm;

/// A pass of a part of one encoder.
class EncoderPass {
 public:
  EncoderPass(OperationBuilder& b, bool backward, const Architecture& a, const Encoder& e,
              const Slice& s, const KernelChoices& c)
      : b_(b),
        backward_(backward),
        a_(a),
        e_(e),
        c_(c),
        precision_(sixteen_bit(s.precision)),
        tensor_(s.encoder_tensor),
        items_(encoder_items(e, s)) {}

  [[nodiscard]] double items() const { return items_; }

  void patch_embedding() {
    const std::int64_t rows = patches();
    if (!backward_) {
      b_.kernel("patch embedding", Gemm{rows, e_.hidden, e_.patch_width, precision_});
      return;
    }
    b_.weight_gradient(true);
    b_.kernel("patch embedding weight gradient", Gemm{e_.hidden, e_.patch_width, rows, precision_});
    b_.weight_gradient(false);
  }

  void layer() {
    const std::int64_t rows = patches();
    const double values = static_cast<double>(rows) * static_cast<double>(e_.hidden);
    const std::int64_t up = (e_.gated ? 2 : 1) * e_.ffn / tensor_;
    b_.memory("encoder norms and residuals", values, backward_ ? 24 : 12, backward_ ? 12 : 8,
              backward_ ? 8 : 4);
    product(rows, 3 * e_.hidden / tensor_, e_.hidden);
    b_.kernel("encoder attention", attention(), backward_ ? 3 : 1);
    product(rows, e_.hidden, e_.hidden / tensor_);
    sum_over_tensor(values);
    product(rows, up, e_.hidden);
    b_.memory("encoder activation", static_cast<double>(rows) * static_cast<double>(up),
              backward_ ? 4 : 2, 2);
    product(rows, e_.hidden, e_.ffn / tensor_);
    sum_over_tensor(values);
  }

  /// From the encoder's width to the model's; whole on every rank.
  void connector() {
    const std::int64_t out = whole(items_ * static_cast<double>(e_.outputs));
    switch (e_.connector) {
      case ConnectorKind::linear:
        product(out, a_.hidden, e_.hidden, !e_.frozen);
        return;
      case ConnectorKind::mlp:
        product(out, a_.hidden, e_.hidden, !e_.frozen);
        product(out, a_.hidden, a_.hidden);
        return;
      case ConnectorKind::convolutional: {
        // Half of the weights before the pooling, at every patch, half after it.
        const std::int64_t half = connector_parameters(a_, e_) / 2;
        product(patches(), e_.hidden, std::max<std::int64_t>(1, half / e_.hidden), !e_.frozen);
        product(out, a_.hidden, std::max<std::int64_t>(1, half / a_.hidden));
        return;
      }
    }
  }

 private:
  [[nodiscard]] static std::int64_t whole(double rows) {
    return std::max<std::int64_t>(1, std::llround(rows));
  }
  [[nodiscard]] std::int64_t patches() const {
    return whole(items_ * static_cast<double>(e_.patches));
  }
  [[nodiscard]] hw::Attention attention() const {
    hw::Attention attention;
    attention.pass = backward_ ? hw::Pass::backward : hw::Pass::forward;
    attention.kernel = c_.attention;
    attention.batch = whole(items_);
    attention.queries = attention.keys = e_.patches;
    attention.heads = attention.kv_heads = e_.heads / tensor_;
    attention.head_dim = e_.hidden / e_.heads;
    attention.causal = false;
    return attention;
  }
  /// A product forward, or its two gradients; that of its input may not be wanted.
  void product(std::int64_t m, std::int64_t n, std::int64_t k, bool of_input = true) {
    if (!backward_) {
      b_.kernel("encoder product", Gemm{m, n, k, precision_});
      return;
    }
    if (of_input) b_.kernel("encoder input gradient", Gemm{m, k, n, precision_});
    Gemm weight{n, k, m, precision_};
    weight.accumulates = c_.fused_gradient_accumulation && c_.gradient_bytes == 4;
    b_.weight_gradient(true);
    b_.kernel("encoder weight gradient", weight);
    b_.weight_gradient(false);
  }
  void sum_over_tensor(double values) {
    if (tensor_ == 1) return;
    b_.exchange("reduce encoder's partial sums", CollectiveKind::all_reduce, 2.0 * values,
                Dimension::encoder);
  }

  OperationBuilder& b_;
  bool backward_;
  const Architecture& a_;
  const Encoder& e_;
  const KernelChoices& c_;
  hw::Precision precision_;
  std::int64_t tensor_;
  double items_;
};

/// Outputs of all groups of an encoder's ranks, for each of the language model's tensor ranks.
double gathered_bytes(const Architecture& a, const Encoder& e, const Slice& s, double items) {
  const std::int64_t groups = s.tensor / s.encoder_tensor;
  return 2.0 * items * static_cast<double>(e.outputs * a.hidden * groups);
}

}  // namespace

double encoder_items(const Encoder& e, const Slice& s) {
  // The groups among the tensor ranks share the items of the tokens that all hold together.
  const double of_ranks = static_cast<double>(s.encoder_tensor) /
                          (s.sequence_parallel ? 1.0 : static_cast<double>(s.tensor));
  return s.outer_tokens_of(e.modality) * of_ranks / static_cast<double>(e.outputs);
}

namespace {

/// Kernels of the i-th encoder are marked with its modality.
std::vector<std::string> modalities(const Architecture& a) {
  std::vector<std::string> names;
  for (const Encoder& e : a.encoders) names.push_back(e.modality);
  return names;
}

}  // namespace

OperationList encoders_forward(const Architecture& a, const Slice& s, const KernelChoices& c,
                               EncoderPart part) {
  OperationBuilder b;
  b.name_sets(modalities(a));
  std::int32_t index = 0;
  for (const Encoder& e : a.encoders) {
    b.set(index++);
    EncoderPass pass(b, false, a, e, s, c);
    if (pass.items() <= 0) continue;
    if (part.first()) pass.patch_embedding();
    for (std::int64_t i = 0; i < part.layers(e); ++i) pass.layer();
    if (!part.last()) continue;
    pass.connector();
    if (s.tensor > s.encoder_tensor) {
      b.exchange("gather items", CollectiveKind::all_gather, gathered_bytes(a, e, s, pass.items()),
                 Dimension::tensor);
    }
  }
  return b.take();
}

OperationList encoders_backward(const Architecture& a, const Slice& s, const KernelChoices& c,
                                EncoderPart part, bool redo) {
  OperationBuilder b;
  b.name_sets(modalities(a));
  std::int32_t index = 0;
  for (const Encoder& e : a.encoders) {
    b.set(index++);
    EncoderPass again(b, false, a, e, s, c);
    EncoderPass pass(b, true, a, e, s, c);
    if (pass.items() <= 0) continue;
    if (part.last()) {
      if (s.tensor > s.encoder_tensor) {
        b.exchange("scatter item gradients", CollectiveKind::reduce_scatter,
                   gathered_bytes(a, e, s, pass.items()), Dimension::tensor);
      }
      pass.connector();
    }
    if (e.frozen) continue;
    for (std::int64_t i = 0; i < part.layers(e); ++i) {
      b.recomputed(true);
      if (redo) again.layer();
      b.recomputed(false);
      pass.layer();
    }
    if (part.first()) pass.patch_embedding();
  }
  return b.take();
}

Bytes encoder_activations(const Architecture& a, const Slice& s, EncoderPart part, bool redo) {
  Bytes sum{};
  const auto t = static_cast<double>(s.encoder_tensor);
  for (const Encoder& e : a.encoders) {
    const double patches = encoder_items(e, s) * static_cast<double>(e.patches);
    const auto hidden = static_cast<double>(e.hidden), ffn = static_cast<double>(e.ffn);
    // 16-bit inputs of two norms and two products, whole; cut: queries, keys, values, context,
    // activation.
    const double layer = 2.0 * patches * (4 * hidden + (4 * hidden + (e.gated ? 3 : 2) * ffn) / t);
    const auto layers = static_cast<double>(part.layers(e));
    if (!e.frozen) sum += Bytes(redo ? layers * 2.0 * patches * hidden + layer : layers * layer);
    if (part.last()) sum += Bytes(2.0 * patches * hidden);
  }
  return sum;
}

Bytes encoder_message(const Architecture& a, const Slice& s, EncoderPart part) {
  double bytes = 0;
  for (const Encoder& e : a.encoders) {
    bytes += part.last() ? 2.0 * s.outer_tokens_of(e.modality) * static_cast<double>(a.hidden)
                         : 2.0 * encoder_items(e, s) * static_cast<double>(e.patches * e.hidden);
  }
  return Bytes(bytes);
}

HeldEncoders held_encoders(const Architecture& a, EncoderPart part, std::int64_t tensor) {
  HeldEncoders held;
  for (const Encoder& e : a.encoders) {
    const std::int64_t matrices = encoder_layer_matrices(e);
    std::int64_t own =
        part.layers(e) * (encoder_layer_parameters(e) - matrices + matrices / tensor);
    if (part.first()) own += encoder_embedding_parameters(e);
    if (part.last()) own += 2 * e.hidden;  // final norm
    (e.frozen ? held.frozen : held.trained) += own;
    if (part.last()) held.trained += connector_parameters(a, e);
  }
  return held;
}

}  // namespace forerun::models
