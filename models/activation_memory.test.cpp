#include "models/activation_memory.h"

#include <doctest/doctest.h>
#include <rapidcheck.h>

namespace forerun::models {
namespace {

/// GPT of Korthikanti 2022: four hidden sizes of feed-forward, as many key/value heads as heads.
Architecture gpt(std::int64_t hidden, std::int64_t heads) {
  Architecture a;
  a.layers = 1, a.hidden = hidden, a.heads = heads, a.kv_heads = heads, a.head_dim = hidden / heads;
  a.ffn = 4 * hidden;
  a.vocab = 51200;
  return a;
}

Architecture llama(std::int64_t hidden, std::int64_t heads, std::int64_t kv_heads,
                   std::int64_t ffn) {
  Architecture a = gpt(hidden, heads);
  a.kv_heads = kv_heads, a.ffn = ffn, a.activation = Activation::swiglu;
  return a;
}

KernelChoices unfused_with_dropout() {
  KernelChoices c;
  c.fused_attention = false;
  c.dropout = true;
  return c;
}

Slice slice(std::int64_t micro_batch, std::int64_t sequence, std::int64_t tensor = 1,
            bool sequence_parallel = false) {
  Slice s;
  s.micro_batch = micro_batch, s.sequence = sequence, s.tensor = tensor;
  s.sequence_parallel = sequence_parallel;
  return s;
}

double kept(const Architecture& a, const Slice& s, const KernelChoices& c,
            const std::set<LayerPart>& redo = {}) {
  return kept_bytes(layer_activations(a, s, c), redo).base();
}

const std::set<LayerPart> kAllParts = {LayerPart::attention_norm, LayerPart::qkv,
                                       LayerPart::query,          LayerPart::key,
                                       LayerPart::value,          LayerPart::rotary,
                                       LayerPart::core_attention, LayerPart::attention_output,
                                       LayerPart::ffn_norm,       LayerPart::ffn_up,
                                       LayerPart::ffn_gate,       LayerPart::activation,
                                       LayerPart::ffn_down,       LayerPart::residual};

}  // namespace

TEST_SUITE("models/activation_memory") {
  // Korthikanti 2022, equation 1: s b h (34 + 5 a s / h); with s = 2048, b = 4, h = 6144, a = 64.
  constexpr double kS = 2048, kB = 4, kH = 6144, kA = 64, kSbh = kS * kB * kH;

  TEST_CASE("an unfused 16-bit layer with dropout keeps s b h (34 + 5 a s / h) bytes") {
    CHECK(kept(gpt(6144, 64), slice(4, 2048), unfused_with_dropout()) ==
          doctest::Approx(kSbh * (34 + 5 * kA * kS / kH)));
  }

  TEST_CASE("tensor parallelism divides all but ten bytes an element, sequence parallelism all") {
    // Equations 2 and 4: s b h (10 + 24 / t + 5 a s / h t) and s b h / t (34 + 5 a s / h).
    CHECK(kept(gpt(6144, 64), slice(4, 2048, 8), unfused_with_dropout()) ==
          doctest::Approx(kSbh * (10 + 24.0 / 8 + 5 * kA * kS / kH / 8)));
    CHECK(kept(gpt(6144, 64), slice(4, 2048, 8, true), unfused_with_dropout()) ==
          doctest::Approx(kSbh / 8 * (34 + 5 * kA * kS / kH)));
  }

  TEST_CASE("recompute of core attention leaves 34 bytes an element, of all the layer's input") {
    // Section 5: selective recompute removes 5 a s / h; full recompute keeps 2 s b h.
    CHECK(kept(gpt(6144, 64), slice(4, 2048, 8, true), unfused_with_dropout(),
               {LayerPart::core_attention}) == doctest::Approx(kSbh / 8 * 34));
    CHECK(kept(gpt(6144, 64), slice(4, 2048), unfused_with_dropout(), kAllParts) ==
          doctest::Approx(2 * kSbh));
  }

  TEST_CASE("fused attention keeps one 32-bit value a head and token instead of the square") {
    KernelChoices fused;
    CHECK(kept(gpt(6144, 64), slice(4, 2048), fused) ==
          doctest::Approx(kSbh * 32 + 4 * kA * kS * kB));
  }

  TEST_CASE("a gated layer keeps gate, input and output of the activation") {
    // Llama 3 8B, one token: 8 h outside, queries and result 4 h, keys and values 4 * 1024, three
    // times 2 * 14336, and 32 log-sum-exps.
    KernelChoices fused;
    const double expected = 12 * 4096 + 4 * 1024 + 6 * 14336 + 4 * 32;
    CHECK(kept(llama(4096, 32, 8, 14336), slice(1, 1), fused) == doctest::Approx(expected));
    // Separate kernels for the activation and its product keep the activated gate, too.
    fused.fused_elementwise = false;
    CHECK(kept(llama(4096, 32, 8, 14336), slice(1, 1), fused) ==
          doctest::Approx(expected + 2 * 14336));
  }

  TEST_CASE("compact activations halve an activation's inputs and drop half a byte of attention") {
    // Per token: gate and input 2 x 2 ffn -> 2 x ffn; the result of attention 2 + 1 (its 8-bit
    // copy) -> 1.5 an element. Without 8-bit products nothing changes.
    const Architecture a = llama(4096, 32, 8, 14336);
    Slice s = slice(1, 4096);
    KernelChoices compact;
    compact.compact_activations = true;
    CHECK(kept(a, s, compact) == kept(a, s, {}));
    s.precision = PrecisionRecipe::fp8_delayed;
    CHECK(kept(a, s, {}) - kept(a, s, compact) == 4096 * (2 * 14336 + 1.5 * 4096));
  }

  TEST_CASE("operator-level recompute stores outputs of the products it does not redo") {
    // torchtitan's policy: every second product of wq wk wv wo w1 w3 w2 and attention; with the
    // layer's input that is 2 (h + h + kv + h + f + h) and the log-sum-exps.
    KernelChoices c;
    c.separate_projections = true;
    std::set<LayerPart> redo = kAllParts;
    for (const LayerPart part : {LayerPart::query, LayerPart::value, LayerPart::ffn_gate,
                                 LayerPart::ffn_down, LayerPart::core_attention}) {
      redo.erase(part);
    }
    CHECK(kept(llama(4096, 32, 8, 14336), slice(1, 1), c, redo) ==
          doctest::Approx(2 * (4 * 4096 + 1024 + 14336) + 4 * 32));
  }

  TEST_CASE("more recompute or more tensor ranks never keep more") {
    rc::check([] {
      const std::int64_t heads = 16;
      const Architecture a =
          *rc::gen::arbitrary<bool>() ? gpt(2048, heads) : llama(2048, heads, 8, 5504);
      KernelChoices c;
      c.fused_attention = *rc::gen::arbitrary<bool>();
      c.dropout = *rc::gen::arbitrary<bool>();
      c.fused_elementwise = *rc::gen::arbitrary<bool>();
      const bool sequence_parallel = *rc::gen::arbitrary<bool>();
      const std::int64_t tensor = 1 << *rc::gen::inRange(0, 3);
      const Slice s = slice(*rc::gen::inRange(1, 8), 1024, tensor, sequence_parallel);
      const Slice wider = slice(s.micro_batch, 1024, 2 * tensor, sequence_parallel);
      RC_ASSERT(kept(a, wider, c) <= kept(a, s, c));
      RC_ASSERT(kept(a, s, c, {LayerPart::core_attention}) <= kept(a, s, c));
      RC_ASSERT(kept(a, s, c, kAllParts) <= kept(a, s, c, {LayerPart::core_attention}));
      const Transients t = layer_transients(a, s, c);
      RC_ASSERT(t.forward > Bytes(0) && t.backward > Bytes(0));
    });
  }
}

}  // namespace forerun::models
