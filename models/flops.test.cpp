#include "models/flops.h"

#include <doctest/doctest.h>

#include <string>

namespace forerun::models {
namespace {

double per_sequence(const std::string& name, std::int64_t seq_len, FlopConvention convention) {
  return flops_per_token(load_architecture(name), seq_len, convention) *
         static_cast<double>(seq_len);
}

}  // namespace

TEST_SUITE("models/flops") {
  // 72 L h^2 (1 + S/6h + V/12Lh) for a token, Narayanan et al. 2021, section 5.1 without its
  // recompute (whose 96 is 72 x 4/3).
  TEST_CASE("Megatron's convention is the formula of its paper on a GPT block") {
    const double l = 96;
    const double h = 12288;
    const double s = 2048;
    const double formula = 72 * l * h * h * (1 + s / (6 * h) + 51200 / (12 * l * h));
    CHECK(flops_per_token(load_architecture("megatron-175b"), 2048, FlopConvention::megatron) ==
          doctest::Approx(formula).epsilon(1e-12));
  }

  // NVIDIA's DGX Cloud benchmarking recipes (github.com/NVIDIA/dgxc-benchmarking, READMEs of
  // release 24.11 and, for Nemotron, 25.04) state the FLOPs of one sequence to three digits:
  // Llama 3.1 8B 4.74e14 and 70B 3.94e15 at 8192 tokens, Llama 2 70B 1.82e15 and Nemotron-4
  // 15B 3.85e14 at 4096. By hand for the 8B: W = 32 (4096 (2 x 4096 + 2 x 1024) + 3 x 4096 x 14336)
  // + 128256 x 4096 = 7,504,658,432; 8192 (6 W + 12 x 32 x 4096 x 8192) = 4.74422e14. (Its 405B
  // recipe states 2.17e16, 0.9 % above this convention; the recipe's own formula for that model is
  // not known to us.)
  TEST_CASE("Megatron's convention gives the FLOPs of a sequence that DGX Cloud's recipes state") {
    CHECK(per_sequence("llama3-8b", 8192, FlopConvention::megatron) ==
          doctest::Approx(4.74422e14).epsilon(1e-6));
    CHECK(per_sequence("llama3-70b", 8192, FlopConvention::megatron) ==
          doctest::Approx(3.94e15).epsilon(0.0013));
    CHECK(per_sequence("llama2-70b", 4096, FlopConvention::megatron) ==
          doctest::Approx(1.82e15).epsilon(0.0028));
    CHECK(per_sequence("nemotron4-15b", 4096, FlopConvention::megatron) ==
          doctest::Approx(3.85e14).epsilon(0.0013));
  }

  // Brown et al. 2020, table D.1: 3.14e23 FLOPs on 300 B tokens (6 x 174.6e9 x 300e9);
  // Llama Team 2024, section 3.2: 3.8e25 for 405 B parameters on 15.6 T tokens.
  TEST_CASE("six N gives the training FLOPs that GPT-3 and Llama 3 state") {
    CHECK(flops_per_token(load_architecture("gpt3-175b"), 2048, FlopConvention::six_n) * 300e9 ==
          doctest::Approx(3.14e23).epsilon(0.0016));
    CHECK(flops_per_token(load_architecture("llama3-405b"), 8192, FlopConvention::six_n) *
              15.6e12 ==
          doctest::Approx(3.8e25).epsilon(0.013));
  }

  // Chowdhery et al. 2022, app. B: 6 N + 12 L H Q T.
  TEST_CASE("PaLM's convention adds twelve operations a layer, query dimension and position") {
    const Architecture a = load_architecture("mpt-7b");
    CHECK(flops_per_token(a, 2048, FlopConvention::palm) -
              flops_per_token(a, 2048, FlopConvention::six_n) ==
          doctest::Approx(12.0 * 32 * 4096 * 2048));
  }

  TEST_CASE("leaving embeddings out drops word, position and output tables and nothing else") {
    const Architecture a = load_architecture("gpt3-125m");
    CHECK(flops_per_token(a, 2048, FlopConvention::six_n) -
              flops_per_token(a, 2048, FlopConvention::six_n_no_embedding) ==
          doctest::Approx(6.0 * (50257 + 2048) * 768));
  }

  // At S = 1 a token attends to itself only: 4 Q forward and 10 Q backward a layer, with no mask.
  TEST_CASE("the hardware convention counts fused attention's seven products over unmasked pairs") {
    const Architecture a = load_architecture("llama3-8b");
    const double matrices = 6.0 * 7'504'658'432.0;
    CHECK(flops_per_token(a, 1, FlopConvention::hardware_causal) - matrices ==
          doctest::Approx(14.0 * 32 * 4096));
    // Two tokens: three of four pairs are left, so 1.5 a token.
    CHECK(flops_per_token(a, 2, FlopConvention::hardware_causal) - matrices ==
          doctest::Approx(14.0 * 1.5 * 32 * 4096));
  }

  TEST_CASE("causal masking halves exactly the attention part of Megatron's convention") {
    const Architecture a = load_architecture("llama3-405b");
    CHECK(flops_per_token(a, 8192, FlopConvention::megatron) -
              flops_per_token(a, 8192, FlopConvention::megatron_causal) ==
          doctest::Approx(6.0 * 126 * 16384 * 8192));
  }
}

}  // namespace forerun::models
