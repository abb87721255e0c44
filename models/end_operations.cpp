// The ends of the model: embedding, final norm, logits and loss, and the once-a-step weight casts.

#include "models/layer_operations.h"
#include "models/low_precision.h"
#include "models/operation_builder.h"
#include "models/parameters.h"

namespace forerun::models {
namespace {

using hw::CollectiveKind;
using hw::Gemm;

double activations(const Architecture& a, std::int64_t tokens) {
  return static_cast<double>(tokens) * static_cast<double>(a.hidden);
}

/// Cross-entropy over logits cut by vocabulary, bytes of traffic per logit.
/// 32-bit in separate passes (Megatron-LM's vocab_parallel_cross_entropy), after the cast: maximum
/// (4), subtract (4, 4), exponential (4, 4), sum (4), divide (4, 4); backward scales the stored
/// softmax (4, 4). Fused: one pass each way over 16-bit logits (twice read forward: maximum, sum).
struct LossTraffic {
  double forward_read, forward_written, backward_read, backward_written;
  int forward_launches, backward_launches;
};
LossTraffic loss_traffic(const KernelChoices& c) {
  if (c.fused_cross_entropy) return {4, 0, 2, 2, 2, 1};
  if (c.fp32_logits) return {4 + 4 + 4 + 4 + 4, 4 + 4 + 4, 4, 4, 9, 4};
  return {2 + 2 + 2, 2 + 2, 2 + 2, 2, 5, 3};
}

double logits(const Slice& s, std::int64_t padded_vocab) {
  const std::int64_t rows = padded_vocab / s.tensor;  // whole, as the output matrix is cut
  return static_cast<double>(s.tokens()) * static_cast<double>(rows);
}

}  // namespace

OperationList embedding_forward(const Architecture& a, const Slice& s, const KernelChoices& c) {
  OperationBuilder b;
  if (a.vocab == 0) return b.take();  // continuous tokens alone
  const double row = 2.0 * static_cast<double>(a.hidden);
  b.kernel("word embedding", hw::Gather{s.tokens(), Bytes(row)}, s.tensor > 1 ? 5 : 1);
  if (s.tensor > 1) {
    const double bytes = 2.0 * activations(a, s.tokens());
    b.exchange("reduce embedding",
               s.sequence_parallel ? CollectiveKind::reduce_scatter : CollectiveKind::all_reduce,
               bytes, Dimension::tensor);
  }
  const double elements = activations(a, s.outer_tokens());
  if (a.position == Position::learned) b.memory("position embedding", elements, 4, 2);
  if (a.embedding_norm) b.memory("embedding norm", elements, 2, 2);
  if (c.dropout) b.memory("embedding dropout", elements, 2, 3);
  return b.take();
}

OperationList embedding_backward(const Architecture& a, const Slice& s, const KernelChoices& c,
                                 std::int64_t padded_vocab) {
  OperationBuilder b;
  if (a.vocab == 0) return b.take();
  const double elements = activations(a, s.outer_tokens());
  if (c.dropout) b.memory("embedding dropout gradient", elements, 3, 2);
  if (a.embedding_norm) b.memory("embedding norm gradient", elements, 4 + 4, 2, 2);
  if (a.position == Position::learned) b.memory("position embedding gradient", elements, 2, 2, 2);
  if (s.tensor > 1 && s.sequence_parallel) {
    b.exchange("gather embedding gradient", CollectiveKind::all_gather,
               2.0 * activations(a, s.tokens()), Dimension::tensor);
  }
  const double row = 2.0 * static_cast<double>(a.hidden);
  // The gradient is dense: a table of zeros, the rows added to it, and its sum into the buffer.
  const std::int64_t rows = padded_vocab / s.tensor;
  const double table = static_cast<double>(rows) * static_cast<double>(a.hidden);
  b.weight_gradient(true);
  b.plain_pass_of_weights("zero embedding gradient", table, 0, 2);
  b.kernel("word embedding gradient", hw::Gather{s.tokens(), Bytes(row), hw::Adding::sorted}, 3);
  b.plain_pass_of_weights("accumulate embedding gradient", table, 2.0 + c.gradient_bytes,
                          c.gradient_bytes);
  b.weight_gradient(false);
  return b.take();
}

OperationList head_forward(const Architecture& a, const Slice& s, const KernelChoices&,
                           std::int64_t padded_vocab) {
  OperationBuilder b;
  if (a.final_norm) b.memory("final norm", activations(a, s.outer_tokens()), 2, 2);
  if (s.tensor > 1 && s.sequence_parallel) {
    b.exchange("gather sequence", CollectiveKind::all_gather, 2.0 * activations(a, s.tokens()),
               Dimension::tensor);
  }
  const std::int64_t vocab = padded_vocab / s.tensor;
  if (vocab > 0) b.kernel("logits", Gemm{s.tokens(), vocab, a.hidden, sixteen_bit(s.precision)});
  return b.take();
}

namespace {

/// The output matrix's gradient, added to its buffer.
void output_weight_gradient(OperationBuilder& b, const Architecture& a, const Slice& s,
                            const KernelChoices& c, std::int64_t vocab) {
  const bool fused = c.fused_gradient_accumulation;
  b.weight_gradient(true);
  b.kernel("logits weight gradient", Gemm{vocab, a.hidden, s.tokens(), sixteen_bit(s.precision), 1,
                                          fused && c.gradient_bytes == 4});
  if (!fused) {
    b.plain_pass_of_weights("accumulate gradient", static_cast<double>(vocab * a.hidden),
                            2.0 + c.gradient_bytes, c.gradient_bytes);
  }
  b.weight_gradient(false);
}

OperationList head_gradients(const Architecture& a, const Slice& s, const KernelChoices& c,
                             std::int64_t padded_vocab, bool of_weights) {
  OperationBuilder b;
  const std::int64_t vocab = padded_vocab / s.tensor;
  if (vocab == 0) {
    if (a.final_norm) b.memory("final norm gradient", activations(a, s.outer_tokens()), 8, 2, 2);
    return b.take();
  }
  b.kernel("logits input gradient", Gemm{s.tokens(), a.hidden, vocab, sixteen_bit(s.precision)});
  std::int32_t reducing = -1;
  if (s.tensor > 1) {
    const CollectiveKind kind =
        s.sequence_parallel ? CollectiveKind::reduce_scatter : CollectiveKind::all_reduce;
    const double bytes = 2.0 * activations(a, s.tokens());
    if (c.tensor_gradient_overlap || c.tensor_overlap) {
      reducing = b.exchange_async("reduce input gradient", kind, bytes, Dimension::tensor);
    } else {
      b.exchange("reduce input gradient", kind, bytes, Dimension::tensor);
    }
  }
  if (of_weights) output_weight_gradient(b, a, s, c, vocab);
  b.require(reducing);
  if (a.final_norm) {
    b.memory("final norm gradient", activations(a, s.outer_tokens()), 8, 2, 2);
  }
  return b.take();
}

}  // namespace

OperationList head_backward(const Architecture& a, const Slice& s, const KernelChoices& c,
                            std::int64_t padded_vocab) {
  return head_gradients(a, s, c, padded_vocab, true);
}

OperationList head_input_gradient(const Architecture& a, const Slice& s, const KernelChoices& c,
                                  std::int64_t padded_vocab) {
  return head_gradients(a, s, c, padded_vocab, false);
}

OperationList head_weight_gradient(const Architecture& a, const Slice& s, const KernelChoices& c,
                                   std::int64_t padded_vocab) {
  OperationBuilder b;
  output_weight_gradient(b, a, s, c, padded_vocab / s.tensor);
  return b.take();
}

OperationList cast_logits_forward(const Slice& s, const KernelChoices& c,
                                  std::int64_t padded_vocab) {
  OperationBuilder b;
  if (c.fp32_logits && !c.fused_cross_entropy)
    b.memory("cast logits", logits(s, padded_vocab), 2, 4);
  return b.take();
}

OperationList cast_logits_backward(const Slice& s, const KernelChoices& c,
                                   std::int64_t padded_vocab) {
  OperationBuilder b;
  if (c.fp32_logits && !c.fused_cross_entropy) {
    b.memory("cast logits gradient", logits(s, padded_vocab), 4, 2);
  }
  return b.take();
}

OperationList loss_forward(const Slice& s, const KernelChoices& c, std::int64_t padded_vocab) {
  OperationBuilder b;
  if (padded_vocab == 0) return b.take();
  const LossTraffic t = loss_traffic(c);
  b.memory("cross-entropy", logits(s, padded_vocab), t.forward_read, t.forward_written,
           t.forward_launches);
  if (s.tensor > 1) {
    // Maximum, target logit and sum of exponentials, four bytes a token each.
    for (int i = 0; i < 3; ++i) {
      b.exchange("reduce loss", CollectiveKind::all_reduce, 4.0 * static_cast<double>(s.tokens()),
                 Dimension::tensor);
    }
  }
  return b.take();
}

OperationList loss_backward(const Slice& s, const KernelChoices& c, std::int64_t padded_vocab) {
  OperationBuilder b;
  if (padded_vocab == 0) return b.take();
  const LossTraffic t = loss_traffic(c);
  b.memory("cross-entropy gradient", logits(s, padded_vocab), t.backward_read, t.backward_written,
           t.backward_launches);
  return b.take();
}

OperationList multi_token_forward(const Architecture& a, const Slice& s, const KernelChoices&) {
  OperationBuilder b;
  const double elements = activations(a, s.outer_tokens());
  b.kernel("word embedding",
           hw::Gather{s.outer_tokens(), Bytes(2.0 * static_cast<double>(a.hidden))});
  b.memory("multi-token norms", elements, 4, 4, 2);
  b.kernel("multi-token join",
           Gemm{s.outer_tokens(), a.hidden, 2 * a.hidden, sixteen_bit(s.precision)});
  return b.take();
}

OperationList multi_token_backward(const Architecture& a, const Slice& s, const KernelChoices& c) {
  OperationBuilder b;
  const double elements = activations(a, s.outer_tokens());
  const hw::Precision p = sixteen_bit(s.precision);
  const bool fused = c.fused_gradient_accumulation;
  b.kernel("multi-token join input gradient", Gemm{s.outer_tokens(), 2 * a.hidden, a.hidden, p});
  b.weight_gradient(true);
  b.kernel("multi-token join weight gradient",
           Gemm{a.hidden, 2 * a.hidden, s.outer_tokens(), p, 1, fused && c.gradient_bytes == 4});
  b.weight_gradient(false);
  b.memory("multi-token norms gradient", elements, 16, 4, 4);
  b.weight_gradient(true);
  b.kernel(
      "word embedding gradient",
      hw::Gather{s.outer_tokens(), Bytes(2.0 * static_cast<double>(a.hidden)), hw::Adding::sorted},
      3);
  b.weight_gradient(false);
  return b.take();
}

OperationList weight_casts(const Architecture& a, const Slice& s, const KernelChoices&) {
  OperationBuilder b;
  const LayerParameters held = layer_parameters(a, {s.tensor, s.expert, s.expert_tensor});
  quantize_weight(b, s.precision, "cast attention weights", static_cast<double>(held.attention));
  quantize_weight(b, s.precision, "cast feed-forward weights",
                  static_cast<double>(held.feed_forward));
  if (held.experts > 0) {
    quantize_weight(b, s.precision, "cast expert weights", static_cast<double>(held.experts));
  }
  return b.take();
}

}  // namespace forerun::models
