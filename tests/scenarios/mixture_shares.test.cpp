// The mixture experiment of docs/mixtures.md: MoT 7B on 256 A100, images being from 0.1 to 0.9 of
// all tokens, every micro-batch the mean or drawn by each rank.

#include <doctest/doctest.h>
#include <fmt/format.h>

#include <array>
#include <cmath>
#include <string>

#include "sim/imbalance.h"
#include "sim/step.h"
#include "tests/scenarios/variant.h"

namespace forerun::sim {
namespace {

Scenario with_images(double share, bool mean) {
  const std::string mixture = fmt::format(
      R"("mixture": {{"kinds": [
        {{"name": "text", "share": {:.1f}, "spans": [{{"modality": "text", "tokens": 800, "spread": 1.2}}]}},
        {{"name": "image", "share": {:.1f}, "spans": [{{"modality": "image", "items": 1}}]}}]}},
      "mean_compositions": {})",
      1 - share, share, mean);
  return variant("mot_7b_256_a100", {{R"("mixture": {"base": "chameleon"})", mixture}});
}

struct Row {
  double share;
  Seconds mean, drawn, imbalance;  ///< of the table
};

}  // namespace

TEST_SUITE("scenarios/mixture shares") {
  // To 1 % of a step, and to 5 ms of what imbalance costs.
  TEST_CASE(
      "imbalance never speeds a step up, and costs what the table says at each share of images") {
    for (const Row& row : {Row{0.1, 3.085_s, 3.132_s, 42.6_ms}, Row{0.3, 3.055_s, 3.132_s, 39.4_ms},
                           Row{0.5, 3.057_s, 3.132_s, 44.1_ms}, Row{0.7, 3.055_s, 3.132_s, 44.1_ms},
                           Row{0.9, 3.085_s, 3.132_s, 49.8_ms}}) {
      CAPTURE(row.share);
      const Seconds mean = step_time(with_images(row.share, true));
      const Scenario s = with_images(row.share, false);
      const Seconds drawn = step_time(s);
      const Seconds cost = imbalance_cost(s, drawn).total();
      INFO(fmt::format("{:.3f} s, {:.3f} s, {:.1f} ms", mean.in(1.0_s), drawn.in(1.0_s),
                       cost.in(1.0_ms)));
      CHECK(cost > Seconds(0));
      CHECK(drawn > mean);
      CHECK(std::abs(mean / row.mean - 1) < 0.01);
      CHECK(std::abs(drawn / row.drawn - 1) < 0.01);
      CHECK(std::abs((cost - row.imbalance).in(1.0_ms)) < 5);
    }
  }
}

}  // namespace forerun::sim
