#include "models/loss/mixture_optimum.h"

#include <doctest/doctest.h>

#include <cmath>

#include "models/loss/power_law.h"

namespace forerun::models {
namespace {

ModalityLosses of(std::vector<PowerLaw> laws) {
  return [laws = std::move(laws)](double parameters, std::span<const double>,
                                  std::span<const double> tokens) {
    std::vector<double> out;
    for (std::size_t i = 0; i < laws.size(); ++i) {
      out.push_back(final_loss(laws[i], parameters, tokens[i]).loss);
    }
    return out;
  };
}

const PowerLaw kText{1.8, 480, .35, 2000, .37};
const PowerLaw kSpeech{2.5, 120, .30, 300, .24};

TEST_SUITE("models/loss/mixture_optimum") {
  TEST_CASE("one modality's optimum is that of its power law") {
    const MixtureOptimum best = optimal_mixture({1e21, {1.0}}, of({kText}));
    const ComputeOptimum alone = compute_optimum(kText, 1e21);
    CHECK(best.parameters == doctest::Approx(alone.parameters).epsilon(1e-3));
    CHECK(best.tokens == doctest::Approx(alone.tokens).epsilon(1e-3));
    CHECK(best.loss == doctest::Approx(alone.loss));
    CHECK(best.shares == std::vector<double>{1.0});
  }

  // v_i beta_i B_i / D_i^(beta_i + 1) is equal at the optimum: with equal beta the tokens are as
  // (v_i B_i)^(1 / (1 + beta)); 8 times the weight and beta 0.5 make 4 times the tokens.
  TEST_CASE("tokens go where one more lowers the weighted loss most") {
    const PowerLaw law{1, 100, .3, 1000, .5};
    const MixtureOptimum best = optimal_mixture({1e21, {8.0, 1.0}}, of({law, law}));
    CHECK(best.shares[0] == doctest::Approx(0.8).epsilon(1e-4));
    CHECK(best.shares[1] == doctest::Approx(0.2).epsilon(1e-4));
    CHECK(best.loss == doctest::Approx((8 * best.losses[0] + best.losses[1]) / 9));
  }

  TEST_CASE("no neighbour with the same FLOPs is better") {
    const ModalityLosses loss = of({kText, kSpeech});
    const MixtureOptimum best = optimal_mixture({1e21, {1.0, 1.0}}, loss);
    CHECK(6 * best.parameters * best.tokens == doctest::Approx(1e21));
    const auto mean = [&](double parameters, double share) {
      const double tokens = 1e21 / (6 * parameters);
      const std::vector<double> each = {share * tokens, (1 - share) * tokens};
      const std::vector<double> shares = {share, 1 - share};
      const std::vector<double> l = loss(parameters, shares, each);
      return 0.5 * (l[0] + l[1]);
    };
    CHECK(mean(best.parameters, best.shares[0]) == doctest::Approx(best.loss));
    for (const double f : {0.95, 1.05}) {
      CHECK(mean(best.parameters * f, best.shares[0]) > best.loss);
      CHECK(mean(best.parameters, best.shares[0] * f) > best.loss);
    }
  }

  TEST_CASE("a modality that only competes is left its least share") {
    const ModalityLosses loss = [](double parameters, std::span<const double> shares,
                                   std::span<const double> tokens) {
      const double competition = 0.5 * shares[1];
      return std::vector<double>{final_loss(kText, parameters, tokens[0]).loss + competition, 2.0};
    };
    MixtureProblem problem{1e21, {1.0, 1.0}};
    problem.least_share = 0.05;
    const MixtureOptimum best = optimal_mixture(problem, loss);
    CHECK(best.shares[1] == doctest::Approx(0.05));
    CHECK(best.shares[0] == doctest::Approx(0.95));
  }

  TEST_CASE("a fixed size is kept, and its tokens are what the FLOPs leave") {
    MixtureProblem problem{6e21, {1.0, 1.0}};
    problem.parameters = 1e9;
    const MixtureOptimum best = optimal_mixture(problem, of({kText, kSpeech}));
    CHECK(best.parameters == 1e9);
    CHECK(best.tokens == doctest::Approx(1e12));
  }
}

}  // namespace
}  // namespace forerun::models
