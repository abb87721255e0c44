#include "tests/laws/step_matching.h"

#include <doctest/doctest.h>

#include <cmath>

#include "core/statistics.h"

namespace forerun::laws {
namespace {

TEST_SUITE("tests/laws/step_matching") {
  TEST_CASE("the law's file is what the fit gives") {
    const auto rows = read_fractions();
    const models::ArchitectureGain g = fit_gain(rows, std::vector<double>(rows.size(), 1.0));
    const models::Law law = models::load_law("step_matching");
    CHECK(g.kappa == doctest::Approx(law.constants.at("kappa").value).epsilon(1e-3));
    CHECK(g.mu == doctest::Approx(law.constants.at("mu").value).epsilon(1e-3));
    CHECK(g.lambda == doctest::Approx(law.constants.at("lambda").value).epsilon(1e-3));
    CHECK(g.mu_experts == doctest::Approx(law.constants.at("mu_experts").value).epsilon(1e-3));
    CHECK(g.embedding_weight ==
          doctest::Approx(law.constants.at("embedding_weight").value).epsilon(1e-3));
    CHECK(g.validation == doctest::Approx(law.constants.at("validation").value).epsilon(1e-3));
  }

  TEST_CASE("sizes and a modality that no fit saw are predicted better than by the next smaller") {
    const models::Law law = models::load_law("step_matching");
    Problems problems;
    const models::ArchitectureGain g =
        models::architecture_gain(law, models::central_values(law), problems);
    std::vector<double> ours, repeated, unseen;
    for (const Fraction& f : read_fractions()) {
      const bool held = f.size == "1.5b" || f.modality == "speech";
      const bool both = f.architecture == "mot" || f.architecture == "moe4x";
      const double error = std::abs(predicted(g, f) / f.published - 1);
      if ((held && both) || f.architecture == "hybrid" || f.size == "7b") unseen.push_back(error);
      if (!held || !both || f.repeated == 0) continue;
      CHECK_FALSE(f.fitted);
      ours.push_back(error);
      repeated.push_back(std::abs(f.repeated / f.published - 1));
    }
    CHECK(ours.size() == 19);
    MESSAGE("mean error " << mean(ours) << ", repeating the next smaller size " << mean(repeated));
    CHECK(mean(ours) < 0.10);
    CHECK(mean(ours) < mean(repeated));
    // Hybrids, and what has no smaller size to repeat, too: the aim of 10 % is missed here.
    MESSAGE("all " << unseen.size() << " that no fit saw: " << mean(unseen));
    CHECK(unseen.size() == 24);
    CHECK(mean(unseen) < 0.11);
  }
}

}  // namespace
}  // namespace forerun::laws
