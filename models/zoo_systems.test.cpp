// FLOPs of a token of every system of the literature by Megatron's convention, 6 W + 12 L Q S, from
// the shapes that its source states, multiplied out here and not by the program's counting. Of the
// released models: config.json of each; of the others their papers' tables. S = 4,096.

#include <doctest/doctest.h>

#include <array>
#include <string>

#include "models/encoder_operations.h"
#include "models/flops.h"

namespace forerun::models {
namespace {

constexpr double kSequence = 4096;

/// One decoder: layers of equal attention, some or all with experts.
struct Shape {
  const char* name;
  double layers, hidden, query, kv, vocab;  ///< query: heads x head size; kv: of keys alone
  double dense_layers, up_down, ffn;  ///< of the dense layers; matrices of a feed-forward part
  double used = 0, expert_ffn = 0;    ///< of the others: experts of a token, shared ones too
  double router = 0;                  ///< outputs of their router
};

double by_hand(const Shape& s) {
  const double attention = s.hidden * (2 * s.query + 2 * s.kv);
  const double dense = s.up_down * s.hidden * s.ffn;
  const double sparse = s.used * s.up_down * s.hidden * s.expert_ffn + s.router * s.hidden;
  const double w = s.layers * attention + s.dense_layers * dense +
                   (s.layers - s.dense_layers) * sparse + s.vocab * s.hidden;
  return 6 * w + 12 * s.layers * s.query * kSequence;
}

double megatron(const std::string& name) {
  return flops_per_token(load_architecture(name), 4096, FlopConvention::megatron);
}

/// Latent attention: down and up projections of queries, keys and values, and the output.
double latent(double hidden, double heads, double query_rank, double kv_rank) {
  return hidden * query_rank + query_rank * heads * (128 + 64) + hidden * (kv_rank + 64) +
         kv_rank * heads * (128 + 128) + heads * 128 * hidden;
}
/// A pair: scores of 128 + 64 and values of 128 a head, forward and twice that backward.
double latent_pairs(double layers, double heads) {
  return 6 * kSequence * layers * heads * (192 + 128);
}

}  // namespace

TEST_SUITE("models/zoo, FLOPs by hand") {
  TEST_CASE("decoders, dense and with experts, do what their shapes multiply to") {
    const std::array shapes = {
        // Touvron et al. 2023 and Chameleon Team 2024; SpiRit-LM adds 512 units to Llama 2's words,
        // Transfusion has its shape and adapters at the ends.
        Shape{"chameleon-7b", 32, 4096, 4096, 4096, 65536, 32, 3, 11008},
        Shape{"chameleon-34b", 48, 8192, 8192, 1024, 65536, 48, 3, 22016},
        Shape{"spiritlm-7b-base", 32, 4096, 4096, 4096, 32512, 32, 3, 11008},
        Shape{"transfusion-7b", 32, 4096, 4096, 4096, 32000, 32, 3, 11008},
        // Aghajanyan et al. 2023, table 1: OPT's and its own shapes, two matrices a layer.
        Shape{"interaction-8m", 4, 128, 128, 128, 60464, 4, 2, 512},
        Shape{"interaction-30b", 48, 7168, 7168, 7168, 60464, 48, 2, 28672},
        Shape{"interaction-30b-speech-text", 48, 7168, 7168, 7168, 52272, 48, 2, 28672},
        // Kedia et al. 2024: BERT's 1,024, deeper.
        Shape{"deepscalelm-192", 192, 1024, 1024, 1024, 30522, 192, 2, 4096},
        // Experts: Jiang et al. 2024, Yang et al. 2025, Muennighoff et al. 2024, xai-org/grok-1.
        Shape{"mixtral-8x7b", 32, 4096, 4096, 1024, 32000, 0, 3, 0, 2, 14336, 8},
        Shape{"qwen3-30b-a3b", 48, 2048, 4096, 512, 151936, 0, 3, 0, 8, 768, 128},
        Shape{"qwen3-235b-a22b", 94, 4096, 8192, 512, 151936, 0, 3, 0, 8, 1536, 128},
        Shape{"olmoe-1b-7b", 16, 2048, 2048, 2048, 50304, 0, 3, 0, 8, 1024, 64},
        Shape{"grok-1", 64, 6144, 6144, 1024, 131072, 0, 3, 0, 2, 32768, 8},
        // One routed and one shared expert; Maverick's in every second layer, between dense ones of
        // 16,384. Chunks of 8,192 hold the whole sequence.
        Shape{"llama4-scout", 48, 5120, 5120, 1024, 202048, 0, 3, 0, 2, 8192, 16},
        Shape{"llama4-maverick", 48, 5120, 5120, 1024, 202048, 24, 3, 16384, 2, 8192, 128},
        // BAGEL: a token goes through one of two towers of Qwen2 7B.
        Shape{"bagel-7b-mot", 28, 3584, 3584, 512, 152064, 28, 3, 18944},
        // MM1 (McKinzie et al. 2024; widths assumed): 64 experts, two a token, in every second
        // layer. MoMa's four experts of a modality take a quarter of its tokens each.
        Shape{"mm1-3b-moe", 28, 2816, 2816, 2816, 32000, 14, 3, 8192, 2, 8192, 64},
        Shape{"mm1-30b", 48, 7168, 7168, 7168, 32000, 48, 3, 19072},
        Shape{"moma-1.4b-moe4t4i", 24, 2048, 2048, 2048, 65536, 0, 3, 0, 1, 5461, 4},
    };
    for (const Shape& s : shapes) {
      CAPTURE(s.name);
      CHECK(megatron(s.name) == doctest::Approx(by_hand(s)).epsilon(1e-12));
    }
  }

  TEST_CASE("latent attention of DeepSeek-V2 and Kimi K2, with their shared experts") {
    // V2: 59 layers of 6 + 2 experts of 1,536, one of 12,288; K2: 60 of 8 + 1 of 2,048, one of
    // 18,432.
    const double v2 = 60 * latent(5120, 128, 1536, 512) + 3.0 * 5120 * 12288 +
                      59 * (8 * 3.0 * 5120 * 1536 + 160.0 * 5120) + 102400.0 * 5120;
    CHECK(megatron("deepseek-v2") ==
          doctest::Approx(6 * v2 + latent_pairs(60, 128)).epsilon(1e-12));
    const double k2 = 61 * latent(7168, 64, 1536, 512) + 3.0 * 7168 * 18432 +
                      60 * (9 * 3.0 * 7168 * 2048 + 384.0 * 7168) + 163840.0 * 7168;
    CHECK(megatron("kimi-k2") == doctest::Approx(6 * k2 + latent_pairs(61, 64)).epsilon(1e-12));
  }

  TEST_CASE("half of gpt-oss-120b's 36 layers see 128 keys") {
    const double layer = 2880.0 * (2 * 4096 + 2 * 512) + 2880.0 * 128 + 4 * 3 * 2880.0 * 2880;
    CHECK(megatron("gpt-oss-120b") ==
          doctest::Approx(6 * (36 * layer + 201088.0 * 2880) + 12.0 * 18 * 4096 * (4096 + 128))
              .epsilon(1e-12));
  }

  TEST_CASE("FLUX.1's double blocks are two towers, its single blocks one part beside the other") {
    // Black Forest Labs' flux: 19 double blocks of 4 h^2 + 2 h 4h a stream, 38 single ones of
    // h (3 h + 4 h) + (h + 4 h) h; h = 3,072; no vocabulary. Modulation is a vector an item.
    const double h = 3072;
    const double w = (19 + 38) * 12 * h * h;
    CHECK(megatron("flux-1-schnell") ==
          doctest::Approx(6 * w + 12.0 * 57 * h * kSequence).epsilon(1e-12));
    CHECK(megatron("flux-1-dev") == megatron("flux-1-schnell"));
  }

  TEST_CASE("MM1's encoder does 2 W and its scores a patch, and the connector what it holds") {
    // ViT-H: 32 layers of 4 x 1280^2 + 2 x 1280 x 5120 = 19,660,800 on 729 patches of an item, each
    // attending to 729; patches of 588 values. The connector's 76,230,208 weights of MM1 30B, half
    // of them at every patch before the pooling, half at 144 places after it, rounded down to whole
    // rows of 1280 and 7168.
    const Architecture a = load_architecture("mm1-30b");
    Slice s;
    s.micro_batch = 1, s.sequence = 4096;
    s.modalities = {{"text", 4096 - 10 * 144}, {"image", 10 * 144}};
    const double patches = 10 * 729;
    const double before = 76'230'208 / 2 / 1280 * 1280.0, after = 76'230'208 / 2 / 7168 * 7168.0;
    const double expected =
        patches * (2 * 588.0 * 1280 + 32 * (2 * 19'660'800.0 + 4.0 * 729 * 1280) + 2 * before) +
        10 * 144 * 2 * after;
    double sum = 0;
    for (const LayerOperation& o : encoders_forward(a, s, {}).operations) {
      if (const auto* kernel = std::get_if<hw::Kernel>(&o.work)) sum += hw::flops(*kernel).base();
    }
    CHECK(sum == doctest::Approx(expected).epsilon(1e-12));
  }

  TEST_CASE("Quiet-STaR runs Mistral 7B fifteen times, each pass over one sequence of keys more") {
    // ahead + talk - 1 = 12 + 4 - 1 passes of a layer: projections 4096 (2 x 4096 + 2 x 1024) and
    // 3 x 4096 x 14336, fifteen times; pass k attends to k + 1 sequences of keys, of which the
    // first is causal.
    const Architecture a = load_architecture("quiet-star-7b");
    Slice s;
    s.micro_batch = 1, s.sequence = 256;
    double products = 0;
    for (const LayerOperation& o : layer_forward(a, s, {}).operations) {
      const auto* kernel = std::get_if<hw::Kernel>(&o.work);
      if (kernel != nullptr && std::holds_alternative<hw::Gemm>(*kernel)) {
        products += hw::flops(*kernel).base();
      }
    }
    CHECK(products == 15 * 256 * 2 * (4096.0 * (2 * 4096 + 2 * 1024) + 3 * 4096.0 * 14336));
  }
}

}  // namespace forerun::models
