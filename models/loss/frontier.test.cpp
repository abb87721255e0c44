#include "models/loss/frontier.h"

#include <doctest/doctest.h>

#include <array>
#include <string>

namespace forerun::models {
namespace {

Frontier of(const std::string& law_name, const std::string& kind) {
  const Law law = load_law(law_name);
  Problems problems;
  const Frontier out = frontier(law, central_values(law), kind, problems);
  REQUIRE_MESSAGE(problems.empty(), problems.text(law_name));
  return out;
}

TEST_SUITE("models/loss/frontier") {
  TEST_CASE("the files have the frontiers that figure 26 prints") {
    CHECK(of("native_multimodal_early", "average") == Frontier{29.574, -.0492});
    CHECK(of("native_multimodal_late", "average") == Frontier{29.923, -.0494});
    CHECK(of("native_multimodal_moe", "average") == Frontier{27.086, -.048});
    CHECK(of("native_multimodal_early", "captions") == Frontier{47.97, -.061});
    CHECK(of("native_multimodal_late", "interleaved") == Frontier{25.303, -.0460});
    CHECK(of("native_multimodal_early", "interleaved") == Frontier{25.114, -.0458});
    CHECK(of("native_multimodal_early", "text") == Frontier{22.709, -.042});
    CHECK(of("native_multimodal_late", "captions") == Frontier{49.99, -.062});
    CHECK(of("native_multimodal_late", "text") == Frontier{22.642, -.042});
    CHECK(of("native_multimodal_moe", "captions") == Frontier{51.857, -.064});
    CHECK(of("native_multimodal_moe", "interleaved") == Frontier{22.715, -.044});
    CHECK(of("native_multimodal_moe", "text") == Frontier{20.036, -.040});
  }

  // c of interleaved data is -.0458 in figure 26, which the file has, and -.0459 in table 2.
  TEST_CASE("the files have what tables 2 and 3 print") {
    struct Row {
      const char *law, *kind;
      double floor, alpha, beta, a, b, d, c;
    };
    constexpr std::array kRows = {
        Row{"early", "text", 2.222, .3084, .3375, .5246, .4774, .9085, -.042},
        Row{"early", "captions", 1.569, .3111, .3386, .5203, .4785, .9187, -.061},
        Row{"early", "interleaved", 1.966, .2971, .338, .5315, .4680, .8791, -.0458},
        Row{"early", "average", 1.904, .301, .335, .5262, .473, .8987, -.0492},
        Row{"late", "average", 1.891, .2903, .3383, .6358, .4619, .6732, -.0494},
        Row{"moe", "average", 2.158, .710, .372, .361, .656, 1.797, -.048},
        Row{"mixtures", "captions-45_interleaved-45_text-10", 1.906, .301, .335, .527, .474, .901,
            -.0492},
        Row{"mixtures", "captions-40_interleaved-20_text-40", 1.965, .328, .348, .518, .486, .937,
            -.0486},
        Row{"mixtures", "captions-30_interleaved-30_text-40", 1.847, .253, .338, .572, .428, .748,
            -.0463},
        Row{"mixtures", "captions-20_interleaved-40_text-40", 1.836, .259, .354, .582, .423, .726,
            -.0488}};
    for (const Row& row : kRows) {
      CAPTURE(row.law);
      CAPTURE(row.kind);
      const Law law = load_law(std::string("native_multimodal_") + row.law);
      const auto at = [&](const char* name) {
        return law.constants.at(std::string(row.kind) + "." + name).value;
      };
      CHECK(at("E") == row.floor);
      CHECK(at("alpha") == row.alpha);
      CHECK(at("beta") == row.beta);
      CHECK(at("a") == row.a);
      CHECK(at("b") == row.b);
      CHECK(at("d") == row.d);
      CHECK(at("c") == row.c);
    }
    const Law moe = load_law("native_multimodal_moe");
    CHECK(moe.constants.at("average.A").value == 381773);
    CHECK(moe.constants.at("average.B").value == 4659);
    // Table 11, of the average.
    CHECK(load_law("native_multimodal_early").constants.at("average.alpha").high == .10101);
  }

  // 29.574 x 1e21^-0.0492 = 29.574 x 10^-1.0332 = 2.7397; late 2.7454; experts 2.6592.
  TEST_CASE("at 1e21 FLOPs early and late fusion are equal to 0.3 %, and experts are below both") {
    const double early = final_loss(of("native_multimodal_early", "average"), 1e21);
    const double late = final_loss(of("native_multimodal_late", "average"), 1e21);
    const double moe = final_loss(of("native_multimodal_moe", "average"), 1e21);
    CHECK(early == doctest::Approx(2.7397).epsilon(1e-4));
    CHECK(late == doctest::Approx(2.7454).epsilon(1e-4));
    CHECK(moe == doctest::Approx(2.6592).epsilon(1e-4));
  }

  TEST_CASE("FLOPs for a loss reach it") {
    const Frontier f = of("native_multimodal_early", "text");
    CHECK(final_loss(f, flops_for(f, 2.9)) == doctest::Approx(2.9));
  }

  TEST_CASE("ten times the FLOPs take the optimum where the printed exponents say") {
    const Law law = load_law("native_multimodal_early");
    Problems problems;
    const FrontierGrowth growth = frontier_growth(law, central_values(law), "average", problems);
    CHECK(growth == FrontierGrowth{.5262, .473, .8987});
    const OptimumFactors ten = grown(growth, 10);
    CHECK(ten.parameters == doctest::Approx(3.359).epsilon(1e-3));
    CHECK(ten.tokens == doctest::Approx(2.972).epsilon(1e-3));
    // C = 6 N D: their product is ten, to the digits printed.
    CHECK(ten.parameters * ten.tokens == doctest::Approx(10).epsilon(0.01));
    // b / a is d.
    CHECK(growth.tokens / growth.parameters ==
          doctest::Approx(growth.tokens_by_parameters).epsilon(2e-3));
  }

  // Table 12 prints A and B of the experts' model alone: its power law along its own optimum is the
  // frontier of figure 26, to the digits of both, inside the range of the runs.
  TEST_CASE("the experts' power law lies on the experts' frontier") {
    const Law law = load_law("native_multimodal_moe");
    Problems problems;
    const PowerLaw power = power_law(law, central_values(law), "average", problems);
    REQUIRE(problems.empty());
    for (const double flops : {1e20, 1e21, 1e22}) {
      CHECK(
          compute_optimum(power, flops).loss ==
          doctest::Approx(final_loss(of("native_multimodal_moe", "average"), flops)).epsilon(0.03));
    }
  }

  TEST_CASE("a dense model's power law is refused with the reason") {
    const Law law = load_law("native_multimodal_early");
    Problems problems;
    (void)power_law(law, central_values(law), "text", problems);
    REQUIRE(problems.list().size() == 2);
    CHECK(problems.list()[0].what.find("constant text.A is not known (printed for the sparse model "
                                       "only") == 0);
  }

  TEST_CASE("mixtures of data have exponents of their own, without a frontier") {
    const Law law = load_law("native_multimodal_mixtures");
    CHECK(frontier_kinds(law).size() == 4);
    Problems problems;
    const FrontierGrowth half =
        frontier_growth(law, central_values(law), "captions-45_interleaved-45_text-10", problems);
    CHECK(problems.empty());
    CHECK(half == FrontierGrowth{.527, .474, .901});
    (void)frontier(law, central_values(law), "captions-45_interleaved-45_text-10", problems);
    CHECK(problems.list().size() == 1);
  }

  TEST_CASE("a late-fusion model's FLOPs count its encoder") {
    CHECK(late_fusion_flops(1e9, 2e9, 3e9, 4e9) == doctest::Approx(6 * 14e18));
  }
}

}  // namespace
}  // namespace forerun::models
