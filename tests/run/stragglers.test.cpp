// The straggler profile beside ByteDance's published distribution: two figures set its two free
// constants, two others are the test.

#include "hw/stragglers.h"

#include <doctest/doctest.h>
#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <vector>

#include "core/statistics.h"

namespace forerun::hw {
namespace {

struct Fleet {
  double slow = 0;    ///< share of jobs at 1.1 or slower
  double wasted = 0;  ///< mean of 1 - 1/S
  double p90 = 0, p99 = 0;
};

Fleet fleet(const Stragglers& s, std::uint64_t jobs) {
  const Stream stream(1, "fleet");
  std::vector<double> wasted;
  Fleet f;
  for (std::uint64_t j = 0; j < jobs; ++j) {
    const double slowdown = s.slowdown(stream, j * 16);
    f.slow += slowdown >= 1.1 ? 1.0 / static_cast<double>(jobs) : 0.0;
    wasted.push_back(1 - 1 / slowdown);
  }
  f.wasted = mean(wasted);
  f.p90 = quantile(wasted, 0.9);
  f.p99 = quantile(wasted, 0.99);
  return f;
}

double misfit(const Fleet& f) {
  return std::pow(std::log(f.slow / 0.425), 2) + std::pow(std::log(f.wasted / 0.104), 2);
}

TEST_SUITE("run/stragglers") {
  using doctest::Approx;

  TEST_CASE("ByteDance's jobs: what the constants were fitted to, and what they say besides") {
    const Fleet f = fleet(load_stragglers("bytedance-jobs"), 200000);
    MESSAGE(
        fmt::format("S >= 1.1: {:.3f} of jobs (published .425, fitted); wasted {:.3f} (.104, "
                    "fitted); worst tenth wastes {:.3f} or more (.213, test); worst hundredth "
                    "{:.3f} (.45, test)",
                    f.slow, f.wasted, f.p90, f.p99));
    CHECK(f.slow == Approx(0.425).epsilon(0.05));
    CHECK(f.wasted == Approx(0.104).epsilon(0.1));
    // Not fitted: within a quarter.
    CHECK(f.p90 == Approx(0.213).epsilon(0.25));
    CHECK(f.p99 == Approx(0.45).epsilon(0.2));
  }

  TEST_CASE("the constants are those that fit best, of a grid about them") {
    const Stragglers profile = load_stragglers("bytedance-jobs");
    const double here = misfit(fleet(profile, 20000));
    double best = here;
    for (const double mean : {0.065, 0.0725, 0.08, 0.0875, 0.095}) {
      for (const double spread : {0.45, 0.6, 0.75, 0.9, 1.05}) {
        Stragglers other = profile;
        other.causes.back().mean = mean;
        other.causes.back().log_spread = spread;
        best = std::min(best, misfit(fleet(other, 20000)));
      }
    }
    CAPTURE(best);
    CHECK(here < best + 0.002);
  }

  TEST_CASE("wrong input is named") {
    Problems problems;
    CHECK_FALSE(read_stragglers(
        R"({"schema": 1, "name": "a", "description": "b", "causes": [{"name": "c", "share": 1.5,
            "mean": 0.1, "log_spread": 1, "evidence": "assumed", "source": "made"}]})",
        problems));
    REQUIRE(problems.list().size() == 1);
    CHECK(problems.list()[0].where == "/causes/0/share");
  }
}

}  // namespace
}  // namespace forerun::hw
