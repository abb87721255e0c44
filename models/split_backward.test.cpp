#include "models/split_backward.h"

#include <doctest/doctest.h>

#include <string>

namespace forerun::models {
namespace {

constexpr std::int64_t kTokens = 2048;

/// h 1024, 8 heads of 128, 2 key/value heads, gated ffn 4096.
Architecture block() {
  Architecture a;
  a.layers = 1;
  a.hidden = 1024;
  a.heads = 8;
  a.kv_heads = 2;
  a.head_dim = 128;
  a.ffn = 4096;
  a.vocab = 1000;
  a.activation = Activation::swiglu;
  a.norm = Norm::rms_norm;
  return a;
}

Slice slice(std::int64_t tensor = 1) {
  Slice s;
  s.sequence = kTokens;
  s.tensor = tensor;
  s.sequence_parallel = tensor > 1;
  return s;
}

double product_flops(const OperationList& list) {
  double sum = 0;
  for (const LayerOperation& o : list.operations) {
    const auto* k = std::get_if<hw::Kernel>(&o.work);
    if (k != nullptr && !std::holds_alternative<hw::Attention>(*k)) sum += hw::flops(*k).base();
  }
  return sum;
}

}  // namespace

TEST_SUITE("models/split backward") {
  TEST_CASE("gradients of inputs and of weights are half of the products each") {
    const double weights = 1024.0 * (8 * 128 + 2 * 2 * 128 + 8 * 128 + 3 * 4096);
    const OperationList whole = layer_backward(block(), slice(), {}, {}, false);
    const SplitBackward split = split_backward(whole);
    CHECK(product_flops(split.inputs) == doctest::Approx(2 * kTokens * weights));
    CHECK(product_flops(split.weights) == doctest::Approx(2 * kTokens * weights));
    CHECK(split.inputs.operations.size() + split.weights.operations.size() ==
          whole.operations.size());
    // Recomputed products stay with the first part.
    const SplitBackward full = split_backward(layer_backward(block(), slice(), {}, {}, true));
    CHECK(product_flops(full.inputs) == doctest::Approx(4 * kTokens * weights));
    CHECK(product_flops(full.weights) == doctest::Approx(2 * kTokens * weights));
  }

  TEST_CASE("what waited for an exchange through a weight gradient waits for it still") {
    // Tensor parallel without overlap: every exchange holds up the kernel after it, be that a
    // weight gradient.
    for (const bool overlap : {false, true}) {
      KernelChoices c;
      c.tensor_gradient_overlap = overlap;
      const OperationList whole = layer_backward(block(), slice(4), c, {}, false);
      const SplitBackward split = split_backward(whole);
      std::int32_t last_exchange = -1, covered = -1;
      for (std::size_t i = 0; i < split.inputs.operations.size(); ++i) {
        const LayerOperation& o = split.inputs.operations[i];
        CHECK(o.wait < static_cast<std::int32_t>(i));
        if (std::holds_alternative<Exchange>(o.work)) {
          last_exchange = static_cast<std::int32_t>(i);
          // After a kernel that stays.
          if (o.wait >= 0) {
            const auto& before = split.inputs.operations[static_cast<std::size_t>(o.wait)];
            CHECK(std::holds_alternative<hw::Kernel>(before.work));
            CHECK_FALSE(before.weight_gradient);
          }
        } else if (o.wait >= 0) {
          covered = std::max(covered, o.wait);
        }
      }
      // The last exchange, the input gradient's sum, is waited for by what follows or the end.
      REQUIRE(last_exchange >= 0);
      CHECK(std::max(covered, split.inputs.trailing) == last_exchange);
      for (const LayerOperation& o : split.weights.operations) CHECK(o.wait == -1);
      CHECK(split.weights.trailing == -1);
    }
  }

  TEST_CASE("both operands of each weight gradient are kept, a shared input once") {
    const SplitBackward split = split_backward(layer_backward(block(), slice(), {}, {}, false));
    // 16 bit: down (1024 out, 4096 in), gate and up in one (8192, 1024), attention output (1024,
    // 1024), query, key and value in one (1536, 1024).
    const double widths = (1024 + 4096) + (8192 + 1024) + (1024 + 1024) + (1536 + 1024);
    CHECK(kept_for_weights(split.weights).base() == doctest::Approx(2.0 * kTokens * widths));
    KernelChoices apart;
    apart.separate_projections = true;
    const SplitBackward three = split_backward(layer_backward(block(), slice(), apart, {}, false));
    CHECK(kept_for_weights(three.weights).base() == doctest::Approx(2.0 * kTokens * widths));
  }

  TEST_CASE("experts keep the copies that they received") {
    Architecture a = block();
    Experts e;
    e.count = 8;
    e.top_k = 2;
    e.ffn = 512;
    a.experts = e;
    const SplitBackward split = split_backward(layer_backward(a, slice(), {}, {}, false));
    const double attention = (1024 + 1024) + (1536 + 1024);
    const double routed = 2.0 * ((1024 + 512) + (1024 + 1024));  // two copies of a token
    const double router = 8 + 1024;
    CHECK(kept_for_weights(split.weights).base() ==
          doctest::Approx(2.0 * kTokens * (attention + routed + router)));
  }

  TEST_CASE("the embedding's gradient is one of weights, its exchange is not") {
    const SplitBackward split = split_backward(embedding_backward(block(), slice(4), {}, 1024));
    REQUIRE(split.inputs.operations.size() == 1);
    CHECK(split.inputs.operations[0].name == "gather embedding gradient");
    CHECK(split.inputs.trailing == 0);
    CHECK(split.weights.operations.size() == 3);
    CHECK(kept_for_weights(split.weights).base() == doctest::Approx(kTokens * 2.0 * 1024));
  }
}

}  // namespace forerun::models
