// Table 2 of MoMa (Lin et al. 2024, arXiv:2407.21770v3): tokens a second and GPU of six models of
// equal FLOPs on 256 A100, each with six sequences of 4,096 tokens a step.
//
// All are to be within 15 %, and their ratios to the dense model within 5 %. Depth routing with one
// expert a modality misses both, by what is written here; docs/published-runs.md says what was
// tried. A miss that moves by more than a point either way, a bar it now meets included, fails
// until it is written anew.

#include <doctest/doctest.h>
#include <fmt/format.h>

#include <array>
#include <cmath>
#include <optional>
#include <string>

#include "sim/step.h"
#include "tests/scenarios/variant.h"

namespace forerun::sim {
namespace {

struct Miss {
  double ratio, tokens;  ///< over the published ones, less one
};
struct Row {
  const char* model;
  double tokens_per_second;
  std::optional<Miss> miss = std::nullopt;
};

constexpr double kTokens = 6 * 4096;  // a step and GPU
constexpr Row kDense = {"moma-435m-dense", 31'970};
constexpr std::array kRows = {
    Row{"moma-435m-moe8x", 28'990},       Row{"moma-435m-moe1t1i", 30'196},
    Row{"moma-435m-moe4t4i", 26'424},     Row{"moma-435m-mod-moe1t1i", 25'367, Miss{0.118, 0.184}},
    Row{"moma-435m-mod-moe4t4i", 22'114},
};

double tokens_per_second(const char* model) {
  const Scenario s = variant("moma_435m_256_a100", {{"moma-435m-moe4t4i", model}});
  return kTokens / step_time(s).in(1.0_s);
}

}  // namespace

TEST_SUITE("scenarios/moma") {
  TEST_CASE(
      "MoMa's tokens a second are within 15 %, their ratios within 5 %, but for recorded misses") {
    const double dense = tokens_per_second(kDense.model);
    CHECK(std::abs(dense / kDense.tokens_per_second - 1) < 0.15);
    for (const Row& row : kRows) {
      CAPTURE(row.model);
      const double tokens = tokens_per_second(row.model);
      const double absolute = tokens / row.tokens_per_second - 1;
      const double ratio =
          (tokens / dense) / (row.tokens_per_second / kDense.tokens_per_second) - 1;
      INFO(fmt::format("ratio {:+.3f}, tokens a second {:+.3f}", ratio, absolute));
      if (row.miss) {
        CHECK(std::abs(ratio - row.miss->ratio) < 0.01);
        CHECK(std::abs(absolute - row.miss->tokens) < 0.01);
      } else {
        CHECK(std::abs(ratio) < 0.05);
        CHECK(std::abs(absolute) < 0.15);
      }
    }
  }
}

}  // namespace forerun::sim
