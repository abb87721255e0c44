#include "sim/expert_loads.h"

#include <doctest/doctest.h>

#include <cmath>
#include <string>

namespace forerun::sim {
namespace {

ExpertLoads power_law(double exponent) {
  ExpertLoads l;
  l.kind = LoadKind::power_law;
  l.exponent = exponent;
  return l;
}

ExpertLoads dirichlet(double concentration) {
  ExpertLoads l;
  l.kind = LoadKind::dirichlet;
  l.concentration = concentration;
  return l;
}

}  // namespace

TEST_SUITE("sim/expert_loads") {
  TEST_CASE("balanced experts load every rank alike and drop nothing") {
    const GroupLoad g = group_load({}, 64, 8, 1.0, 1, 0, 0, 0);
    CHECK(g.worst == 1);
    CHECK(g.dropped == 0);
  }

  // One expert a rank: the busiest has 1 / H of the rows, H = sum of r^-a over 8 experts; a = 1:
  // 8 / 2.717857 = 2.943495 of the fair share, whatever the order.
  TEST_CASE("with one expert a rank the power law's first expert sets the load") {
    double harmonic = 0;
    for (int r = 1; r <= 8; ++r) harmonic += 1.0 / r;
    for (std::int64_t layer = 0; layer < 5; ++layer) {
      CHECK(group_load(power_law(1), 8, 8, 0, 7, 0, 0, layer).worst ==
            doctest::Approx(8 / harmonic));
    }
  }

  // Shares .5, .25, .125, .125 of four experts on two ranks: .75 and .25, so 1.5 and .5 of fair. A
  // capacity of 1 keeps .25 + .25 + .125 + .125 = .75: a quarter is dropped, the busiest rank full.
  TEST_CASE("given shares are summed by rank, and a capacity drops what is beyond it") {
    ExpertLoads l;
    l.kind = LoadKind::given;
    l.shares = {0.5, 0.25, 0.125, 0.125};
    CHECK(group_load(l, 4, 2, 0, 1, 0, 0, 0).worst == doctest::Approx(1.5));
    const GroupLoad capped = group_load(l, 4, 2, 1.0, 1, 0, 0, 0);
    CHECK(capped.dropped == doctest::Approx(0.25));
    CHECK(capped.worst == doctest::Approx(1.0));
  }

  // A Dirichlet share of n experts has mean 1/n and variance (1/n)(1 - 1/n) / (n c + 1): of 64 with
  // c = 16 the coefficient of variation is sqrt(63 / 1025) = 0.248. The mean over 400 draws of the
  // greatest of 64 such (about normal: 2.3 to 2.5 standard deviations above, Blom) is near 1.6.
  TEST_CASE("the greatest Dirichlet load is as far above the mean as its variance says") {
    double sum = 0;
    for (std::int64_t m = 0; m < 400; ++m) {
      sum += group_load(dirichlet(16), 64, 64, 0, 3, 0, m, 0).worst;
    }
    CHECK(sum / 400 > 1.55);
    CHECK(sum / 400 < 1.75);
    // A hundred times more concentrated: a tenth of the spread.
    double even = 0;
    for (std::int64_t m = 0; m < 400; ++m) {
      even += group_load(dirichlet(1600), 64, 64, 0, 3, 0, m, 0).worst;
    }
    CHECK((even / 400 - 1) == doctest::Approx((sum / 400 - 1) / 10).epsilon(0.15));
  }

  TEST_CASE("a load depends on its group, micro-batch and layer and on nothing asked before") {
    const auto at = [](std::int64_t g, std::int64_t m, std::int64_t l) {
      return group_load(dirichlet(4), 32, 4, 0, 11, g, m, l).worst;
    };
    const double first = at(1, 2, 3);
    CHECK(at(1, 2, 4) != first);
    CHECK(at(1, 3, 3) != first);
    CHECK(at(2, 2, 3) != first);
    CHECK(at(1, 2, 3) == first);
  }

  TEST_CASE("shares that do not sum to one are refused with their sum") {
    Problems problems;
    const JsonDocument document =
        JsonDocument::parse(R"({"kind": "given", "shares": [0.5, 0.25]})", problems);
    Reader root = document.root(problems);
    static_cast<void>(read_expert_loads(root));
    REQUIRE(problems.list().size() == 1);
    CHECK(problems.list()[0].where == "/shares");
    CHECK(problems.list()[0].what == "sum to 0.75, not to 1");
  }
}

}  // namespace forerun::sim
