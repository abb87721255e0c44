#include "models/parameters.h"

#include <doctest/doctest.h>

#include <array>
#include <cmath>
#include <string>
#include <string_view>
#include <utility>

namespace forerun::models {
namespace {

std::int64_t total(const std::string& name) { return parameters(load_architecture(name)).total(); }

}  // namespace

TEST_SUITE("models/parameters") {
  // A block of GPT-2's kind with h = 2, one head of 2, ffn 3, vocabulary 5, 4 positions:
  // attention 4 h^2 + 4 h = 16 + 8; feed-forward 2 h f + f + h = 12 + 5; norms 4 h = 8.
  TEST_CASE("a block counts matrices, biases and norms one by one") {
    Architecture a;
    a.layers = 3;
    a.hidden = 2;
    a.heads = a.kv_heads = 1;
    a.head_dim = 2;
    a.ffn = 3;
    a.vocab = 5;
    a.position = Position::learned;
    a.max_positions = 4;
    a.linear_bias = true;
    const ParameterCount count = parameters(a);
    CHECK(count.layers.attention == 3 * 16);
    CHECK(count.layers.feed_forward == 3 * 12);
    CHECK(count.layers.biases == 3 * (8 + 5));
    CHECK(count.layers.norms == 3 * 8);
    CHECK(count.embedding == 10);
    CHECK(count.position == 8);
    CHECK(count.final_norm == 4);
    CHECK(count.head == 10);
    CHECK(count.total() == 10 + 8 + 3 * (24 + 17 + 8) + 4 + 10);
  }

  // Released checkpoints, by the sum of their tensors (BLOOM: arXiv:2211.05100 table 3, and the
  // model cards; Llama, Mistral, Qwen: "total parameters" of the safetensors index on the model
  // pages). By hand for Llama 3.1 405B: attention 16384 (2 x 16384 + 2 x 1024) = 570,425,344;
  // feed-forward 3 x 16384 x 53248 = 2,617,245,696; norms 32,768; x 126, + 2 x 128256 x 16384 +
  // 16384. BLOOM-176B: 70 (12 h^2 + 13 h) + 250880 h + 4 h with h = 14336.
  TEST_CASE("released checkpoints are counted to the last parameter") {
    constexpr std::array<std::pair<std::string_view, std::int64_t>, 15> kReleased = {{
        {"llama3-8b", 8'030'261'248},
        {"llama3-70b", 70'553'706'496},
        {"llama3-405b", 405'853'388'800},
        {"llama2-7b", 6'738'415'616},
        {"llama2-13b", 13'015'864'320},
        {"llama2-70b", 68'976'648'192},
        {"mistral-7b", 7'248'023'552},
        {"qwen2-7b", 7'615'616'512},
        {"qwen3-8b", 8'190'735'360},
        {"bloom-560m", 559'214'592},
        {"bloom-1.1b", 1'065'314'304},
        {"bloom-1.7b", 1'722'408'960},
        {"bloom-3b", 3'002'557'440},
        {"bloom-7.1b", 7'069'016'064},
        {"bloom-176b", 176'247'271'424},
    }};
    for (const auto& [name, expected] : kReleased) {
      CAPTURE(name);
      CHECK(total(std::string(name)) == expected);
    }
  }

  // Brown et al. 2020, table D.1, in millions and to three or four digits; so within half of the
  // last digit printed: 125 (0.5), 356, 760, then 1,320, 2,650, 6,660, 12,850 (5) and 174,600 (50).
  TEST_CASE("the GPT-3 series has the parameters of its paper's table D.1") {
    struct Row {
      const char* name;
      double millions, half_digit;
    };
    for (const Row& row :
         {Row{"gpt3-125m", 125, 0.5}, Row{"gpt3-350m", 356, 0.5}, Row{"gpt3-760m", 760, 0.5},
          Row{"gpt3-1.3b", 1320, 5}, Row{"gpt3-2.7b", 2650, 5}, Row{"gpt3-6.7b", 6660, 5},
          Row{"gpt3-13b", 12850, 5}, Row{"gpt3-175b", 174600, 50}}) {
      CAPTURE(row.name);
      CHECK(std::abs(static_cast<double>(total(row.name)) * 1e-6 - row.millions) <= row.half_digit);
    }
  }

  // Narayanan et al. 2021, table 1, in billions to one digit after the point; Korthikanti et al.
  // 2022 names its models 22B and 175B, to the billion.
  TEST_CASE("the Megatron series has the parameters of its papers' tables") {
    struct Row {
      const char* name;
      double billions, half_digit;
    };
    for (const Row& row : {Row{"megatron-1.7b", 1.7, 0.05}, Row{"megatron-3.6b", 3.6, 0.05},
                           Row{"megatron-7.5b", 7.5, 0.05}, Row{"megatron-18b", 18.4, 0.05},
                           Row{"megatron-39b", 39.1, 0.05}, Row{"megatron-76b", 76.1, 0.05},
                           Row{"megatron-145b", 145.6, 0.05}, Row{"megatron-310b", 310.1, 0.05},
                           Row{"megatron-530b", 529.6, 0.05}, Row{"megatron-1t", 1008.0, 0.05},
                           Row{"megatron-22b", 22, 0.5}, Row{"megatron-175b", 175, 0.5}}) {
      CAPTURE(row.name);
      CHECK(std::abs(static_cast<double>(total(row.name)) * 1e-9 - row.billions) <= row.half_digit);
    }
  }

  // P = 12 l h^2 (1 + 13/12h + (V + s)/12lh), Narayanan et al. 2021, eq. 2. It leaves out the final
  // norm's 2 h, which is the whole difference.
  TEST_CASE("a Megatron model differs from the paper's formula by its final norm only") {
    const double l = 80;
    const double h = 12288;
    const double formula = 12 * l * h * h * (1 + 13 / (12 * h) + (51200.0 + 2048.0) / (12 * l * h));
    CHECK(static_cast<double>(total("megatron-145b")) - formula == doctest::Approx(2 * h));
  }

  // Nemotron-4 15B: 3.2 B embedding and 12.5 B other parameters (arXiv:2402.16819, section 2);
  // 340B: 9.4 B and 331.6 B (arXiv:2406.11704, table 1); half of the last digit each, but for the
  // 15B's embeddings, whose 2 x 256000 x 6144 = 3.146 B the report rounds up.
  TEST_CASE("Nemotron-4 splits into the embedding and other parameters that its reports state") {
    const ParameterCount small = parameters(load_architecture("nemotron4-15b"));
    CHECK(small.embedding + small.head == 2 * 256'000LL * 6144);
    CHECK(static_cast<double>(small.layers.total()) == doctest::Approx(12.5e9).epsilon(0.004));
    const ParameterCount large = parameters(load_architecture("nemotron4-340b"));
    CHECK(static_cast<double>(large.embedding + large.head) ==
          doctest::Approx(9.4e9).epsilon(0.006));
    CHECK(static_cast<double>(large.layers.total()) == doctest::Approx(331.6e9).epsilon(2e-4));
  }

  TEST_CASE("tying the embeddings removes exactly the output matrix") {
    Architecture a = load_architecture("llama3-8b");
    const ParameterCount untied = parameters(a);
    a.tied_embeddings = true;
    CHECK(untied.total() - parameters(a).total() == 128'256LL * 4096);
  }
}

}  // namespace forerun::models
