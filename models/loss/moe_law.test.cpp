#include "models/loss/moe_law.h"

#include <doctest/doctest.h>

#include <array>
#include <cmath>
#include <string>
#include <utility>

namespace forerun::models {
namespace {

JointMoeLaw joint() {
  const Law law = load_law("joint_moe_ludziejewski");
  Problems problems;
  const JointMoeLaw out = joint_moe_law(law, central_values(law), problems);
  REQUIRE(problems.empty());
  return out;
}

RoutedLaw routed(const std::string& name) {
  const Law law = load_law(name);
  Problems problems;
  const RoutedLaw out = routed_law(law, central_values(law), problems);
  REQUIRE(problems.empty());
  return out;
}

TEST_SUITE("models/loss/moe_law") {
  TEST_CASE("one expert saturates to E_start, and no number of them to more than E_max") {
    CHECK(saturated_experts(1, 2.0732, 290.4521) == doctest::Approx(2.0732).epsilon(1e-12));
    CHECK(saturated_experts(1e9, 2.0732, 290.4521) == doctest::Approx(290.4521).epsilon(1e-5));
    // 1 / (1 / (7 + 1 / (1 / 2 - 1 / 100)) + 1 / 100), 1 / 0.49 = 2.0408: 1 / (0.11061 + 0.01).
    CHECK(saturated_experts(8, 2, 100) == doctest::Approx(8.2913).epsilon(1e-4));
  }

  TEST_CASE("the joint law's file has what table 3 of its paper prints") {
    CHECK(joint() == JointMoeLaw{35.91, -.1889, -.2285, .0098, 35.98, -.1775, .5529, -.0259, 2.0732,
                                 290.4521, 1.3637});
  }

  // Tables 1 and 4: the optima of 1e20, 1e21 and 1e22 FLOPs, and their losses. The sizes are
  // printed to three digits, which is why the first is 2.5895 here and 2.5897 there.
  TEST_CASE("the joint law gives the losses of its paper's optimal models") {
    CHECK(final_loss(joint(), 1.73e9, 9.65e9, 1) == doctest::Approx(2.5897).epsilon(1.5e-4));
    CHECK(final_loss(joint(), 3.79e9, 4.40e10, 8) == doctest::Approx(2.2945).epsilon(1.5e-4));
    CHECK(final_loss(joint(), 1.23e10, 1.36e11, 32) == doctest::Approx(2.0694).epsilon(2e-4));
  }

  TEST_CASE("the dense model that experts are worth ends at the same loss") {
    const JointMoeLaw law = joint();
    const auto dense = effective_parameters(law, 1e9, 50e9, 8);
    REQUIRE(dense);
    CHECK(final_loss(law, *dense, 50e9, 1) ==
          doctest::Approx(final_loss(law, 1e9, 50e9, 8)).epsilon(1e-12));
    CHECK(*dense > 1e9);
    const auto same = effective_parameters(law, 1e9, 50e9, 1);
    REQUIRE(same);
    CHECK(*same == doctest::Approx(1e9).epsilon(1e-9));
  }

  TEST_CASE("few tokens make experts worth less than the dense model of their active size") {
    // omega + zeta ln D > 0 below D = exp(0.5529 / 0.0259) = 1.9e9: there experts cost tokens.
    const auto few = effective_parameters(joint(), 1e9, 0.5e9, 8);
    const auto many = effective_parameters(joint(), 1e9, 80e9, 8);
    REQUIRE(few);
    REQUIRE(many);
    CHECK(*few < *many);
  }

  TEST_CASE("experts that no dense model matches have no dense model's size") {
    // Of a model so large that parameters leave nothing, experts still better what tokens bring.
    CHECK_FALSE(effective_parameters(joint(), 1e18, 80e9, 32));
  }

  TEST_CASE("the routed laws' files have what their paper's table 3 prints") {
    CHECK(routed("routed_published_s_base") ==
          RoutedLaw{-.082, -.108, .009, 1.104, 1.847, 314.478});
    CHECK(routed("routed_published_rl_r") == RoutedLaw{-.083, -.126, .012, 1.111, 1.880, 469.982});
    CHECK(routed("routed_published_hash") == RoutedLaw{-.087, -.136, .012, 1.157, 4.175, 477.741});
  }

  TEST_CASE("the routed law's logarithms are to base ten") {
    // Dense, 1e9 parameters, S-BASE: e = log10 1.847 = 0.26647; -0.738 - 0.028779 + 0.021584 +
    // 1.104 = 0.358805, 10^0.358805 = 2.2846. With natural logarithms of the same constants the
    // loss would be far from any language model's.
    CHECK(final_loss(routed("routed_published_s_base"), 1e9, 1) ==
          doctest::Approx(2.2846).epsilon(1e-4));
  }

  TEST_CASE("routing's worth: equal loss, more with experts, and none at the cutoff") {
    for (const std::string name : {"s_base", "rl_r", "hash"}) {
      CAPTURE(name);
      const RoutedLaw law = routed("routed_published_" + name);
      double last = 0;
      for (const double experts : {1.0, 2.0, 8.0, 64.0, 512.0}) {
        const double dense = effective_parameters(law, 370e6, experts);
        CHECK(final_loss(law, dense, 1) == doctest::Approx(final_loss(law, 370e6, experts)));
        CHECK(dense > last);
        last = dense;
      }
      const double cutoff = routing_cutoff(law);
      CHECK(effective_parameters(law, cutoff, 64) == doctest::Approx(cutoff).epsilon(1e-6));
    }
  }

  // Published as 937B, 85B and 83B. Of constants so rounded, S-BASE: b / c from 0.1075 / 0.0095 to
  // 0.1085 / 0.0085, so from 2.1e11 to 5.8e12; RL-R: 0.1255 / 0.0125 to 0.1265 / 0.0115, 1.1e10 to
  // 1.0e11; HASH: 7.3e10 to 7.4e11.
  TEST_CASE("the published cutoffs lie where the printed digits allow them") {
    struct Row {
      const char* name;
      double published;
    };
    for (const Row& row : {Row{"s_base", 937e9}, Row{"rl_r", 85e9}, Row{"hash", 83e9}}) {
      CAPTURE(row.name);
      RoutedLaw low = routed(std::string("routed_published_") + row.name), high = low;
      low.b += 0.0005;
      low.c += 0.0005;
      high.b -= 0.0005;
      high.c -= 0.0005;
      CHECK(routing_cutoff(low) < row.published);
      CHECK(routing_cutoff(high) > row.published);
    }
  }

  TEST_CASE("a constant that is missing is a problem of that name, for either law") {
    Problems problems;
    const Law law = load_law("joint_moe_ludziejewski");
    ConstantValues values = central_values(law);
    values.erase("zeta");
    (void)joint_moe_law(law, values, problems);
    const Law other = load_law("routed_published_hash");
    values = central_values(other);
    values.erase("E_max");
    (void)routed_law(other, values, problems);
    REQUIRE(problems.list().size() == 2);
    CHECK(problems.list()[0].what.find("constant zeta is not known") == 0);
    CHECK(problems.list()[1].what.find("constant E_max is not known") == 0);
  }
}

}  // namespace
}  // namespace forerun::models
