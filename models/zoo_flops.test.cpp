// FLOPs of a token of sparse and mixed-modal models by Megatron's convention, 6 W + 12 L Q S, each
// worked out from the shapes that its source states. S = 4,096.

#include <doctest/doctest.h>

#include <string>

#include "models/flops.h"

namespace forerun::models {
namespace {

/// Sums of products of integers far below 2^53: exact but for what is not whole.
doctest::Approx exactly(double value) { return doctest::Approx(value).epsilon(1e-12); }

double megatron(const std::string& name) {
  return flops_per_token(load_architecture(name), 4096, FlopConvention::megatron);
}

}  // namespace

TEST_SUITE("models/zoo, FLOPs by hand") {
  // 24 layers, h = 1024, f = 2816, 65,536 tokens: a layer 4 x 1024^2 + 3 x 1024 x 2816 =
  // 12,845,056; W = 24 of it + 65536 x 1024 = 375,390,208; 6 W = 2,252,341,248; attention
  // 12 x 24 x 1024 x 4096 = 1,207,959,552.
  TEST_CASE("a dense Chameleon of 443M does 3,460,300,800 operations a token") {
    CHECK(megatron("mot-chameleon-443m-dense") == exactly(3'460'300'800.0));
  }

  // A token multiplies with the matrices of its own tower, which are as large as the dense model's,
  // and attends to all tokens; with two towers or with three.
  TEST_CASE("a mixture of transformers does as much as the dense model, to the last operation") {
    CHECK(megatron("mot-chameleon-443m") == exactly(3'460'300'800.0));
    CHECK(megatron("mot-speech-443m") == exactly(3'460'300'800.0));
  }

  // Each of 4 experts takes S / 4 of the tokens, so a token has 4 x 1/4 x 3 x 1024 x 2816 on the
  // mean, the dense model's; and scores of 1024 x 4 a layer: 6 x 24 x 4096 = 589,824, 0.017 %.
  TEST_CASE("experts that choose tokens do as much as the dense model, and their routers") {
    CHECK(megatron("mot-chameleon-443m-moe4x") == exactly(3'460'300'800.0 + 589'824.0));
  }

  // DeepSeek-V3. Attention: queries 7168 x 1536 + 1536 x 128 x 192, latents 7168 x 576, keys and
  // values 512 x 128 x 256, output 128 x 128 x 7168: 187,105,280, in 61 layers. Three layers with
  // 3 x 7168 x 18432 = 396,361,728; 58 with 9 experts of 3 x 7168 x 2048 = 44,040,192, which is
  // 396,361,728 once more, and routers of 7168 x 256 = 1,835,008. Output 129280 x 7168 =
  // 926,679,040. W = 36,624,596,992. A pair costs 128 heads 2 x 192 for its score and 2 x 128 for
  // its value, three times: 6 x 4096 x 128 x 320 x 61 = 61,404,610,560.
  TEST_CASE("latent attention and experts are counted as DeepSeek-V3's shapes multiply") {
    CHECK(megatron("deepseek-v3") == exactly(6 * 36'624'596'992.0 + 61'404'610'560.0));
  }

  // MoMa's 435M with depth routing: 40 layers of 4 x 1024^2 + 3 x 1024 x 2730 = 12,580,864, 20 of
  // which take a quarter of the tokens, and a router of 1024 that sees all: 20 (12,580,864 +
  // 3,145,216 + 1024) + 65536 x 1024 = 381,650,944. There 1,024 queries see the 1,024 keys of the
  // same tokens, a sixteenth of the pairs: 12 x 1024 x 4096 x (20 + 20 / 16) = 1,069,547,520.
  TEST_CASE("a layer that takes a quarter of the tokens has a sixteenth of the pairs") {
    CHECK(megatron("moma-435m-mod") == exactly(6 * 381'650'944.0 + 1'069'547'520.0));
    // Causal, in the kernels' count: n (n + 1) / 2 of n = 4,096 and of n = 1,024, shared by 4,096.
    const double pairs = 20 * (4096.0 * 4097 / 2 + 1024.0 * 1025 / 2) / 4096;
    CHECK(flops_per_token(load_architecture("moma-435m-mod"), 4096,
                          FlopConvention::hardware_causal) ==
          exactly(6 * 381'650'944.0 + 14 * 1024 * pairs));
  }

  // gpt-oss-20b: 24 layers of 2880 (2 x 4096 + 2 x 512) + 2880 x 32 + 4 x 3 x 2880 x 2880 and
  // 201088 x 2880; in 12 layers a query sees 128 keys, in 12 all 4,096.
  TEST_CASE(
      "half of the layers with windows of 128 keys leave little more than half of the pairs") {
    const double layer = 2880.0 * (2 * 4096 + 2 * 512) + 2880.0 * 32 + 4 * 3 * 2880.0 * 2880;
    CHECK(megatron("gpt-oss-20b") ==
          exactly(6 * (24 * layer + 201088.0 * 2880) + 12.0 * 12 * 4096 * (4096 + 128)));
  }
}

}  // namespace forerun::models
