// GPU-hours of whole trainings beside those published: OPT, BLOOM, Chameleon, Llama 2 and 3. Plans
// that nobody published are fully sharded with full recompute, by one rule for all (scenarios). A
// band is the 10th to the 90th percentile, as `forerun run` prints it, and ends at 20 % of the
// median each way.

#include <doctest/doctest.h>
#include <fmt/format.h>

#include <algorithm>

#include "core/file.h"
#include "sim/answer/answer.h"

namespace forerun::sim {
namespace {

constexpr double kWidest = 0.2;  // of the median, each way

TEST_SUITE("run/gpu_hours") {
  TEST_CASE("published GPU-hours lie inside the band, of 20 % at most, for four in five") {
    int inside = 0, all = 0;
    for (const char* name : {"opt_175b_992_a100", "bloom_176b_jean_zay", "chameleon_7b_1024_a100",
                             "chameleon_34b_3072_a100", "llama2_7b_1024_a100",
                             "llama2_13b_1024_a100", "llama2_70b_1024_a100", "llama3_8b_1024_h100",
                             "llama3_70b_2048_h100", "llama3_405b_16384_h100"}) {
      Problems problems;
      const JsonDocument document =
          JsonDocument::load(data_path(fmt::format("scenarios/{}.json", name)), problems);
      const std::optional<Scenario> s = read_scenario(document, problems);
      REQUIRE_MESSAGE(s, name);
      AnswerOptions options;
      options.run_draws = 400;
      options.threads = 2;
      const Answer a = answer(*s, options, problems);
      REQUIRE(a.run);
      const double hours = static_cast<double>(s->accelerators) / 3600;
      const double middle = a.run->duration_s.p50 * hours;
      const double low = std::max(a.run->duration_s.p10 * hours, middle * (1 - kWidest));
      const double high = std::min(a.run->duration_s.p90 * hours, middle * (1 + kWidest));
      const double published = s->published.accelerator_hours.value();
      const bool in = low <= published && published <= high;
      inside += in ? 1 : 0;
      ++all;
      MESSAGE(fmt::format(
          "{:<24} {:>10.0f} ({:>10.0f} to {:>10.0f}), published {:>10.0f}: {:+.1f} % {}", name,
          middle, low, high, published, 100 * (middle / published - 1), in ? "inside" : "OUTSIDE"));
    }
    CHECK(5 * inside >= 4 * all);
  }
}

}  // namespace
}  // namespace forerun::sim
