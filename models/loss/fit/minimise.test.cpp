#include "models/loss/fit/minimise.h"

#include <doctest/doctest.h>

#include <cmath>

#include "models/loss/fit/models.h"
#include "models/loss/interaction_law.h"

namespace forerun::models {
namespace {

constexpr double kTruth[] = {1.7, 300, 0.33, 1200, 0.35};

std::unique_ptr<Model> made(double outlier) {
  std::vector<PowerInput> inputs;
  std::vector<Term> terms;
  for (const double n : {1e8, 5e8, 2e9, 1e10}) {
    for (const double d : {1e9, 1e10, 1e11}) {
      const double loss =
          kTruth[0] + kTruth[1] / std::pow(n, kTruth[2]) + kTruth[3] / std::pow(d, kTruth[4]);
      terms.push_back({std::log(loss), 1, inputs.size()});
      inputs.push_back({n, d});
    }
  }
  terms[5].log_loss += outlier;
  return power_model(std::move(inputs), std::move(terms));
}

TEST_SUITE("models/loss/fit/minimise") {
  TEST_CASE("runs made of a law give its constants back from every start") {
    const Found found = minimise_many(*made(0), 1e-3, {});
    CHECK(found.best.converged);
    for (std::size_t k = 0; k < 5; ++k) {
      CHECK(found.best.constants[k] == doctest::Approx(kTruth[k]).epsilon(0.01));
    }
    CHECK(found.best.cost < 1e-10);
    CHECK(found.agreeing == 1);
  }

  TEST_CASE("one run that is off by half moves a small delta's fit little and a large one's much") {
    const auto model = made(std::log(1.5));
    const double robust = minimise_many(*model, 1e-3, {}).best.constants[0];
    const double squares = minimise_many(*model, 10, {}).best.constants[0];
    CHECK(std::abs(robust - kTruth[0]) < 0.02);
    CHECK(std::abs(squares - kTruth[0]) > 0.05);
  }

  TEST_CASE("a run of weight zero counts for nothing") {
    const auto model = made(std::log(1.5));
    std::vector<double> weights(12, 1);
    weights[5] = 0;
    const Minimum m = minimise_from(*model, {2, 100, 0.3, 500, 0.3}, weights, 10);
    CHECK(m.constants[0] == doctest::Approx(kTruth[0]).epsilon(0.01));
  }

  TEST_CASE("the derivatives of every formula are those of differences") {
    const std::vector<Term> one(1);
    CurveInput curve{{{0, 0, 0}, {100, 3e-4, 0.015}, {1000, 3e-4, 0.285}, {1100, 1e-4, 0.305}},
                     {4}};
    struct Case {
      std::unique_ptr<Model> model;
      std::vector<double> at;
    };
    std::vector<Case> cases;
    cases.push_back({power_model({{1e9, 1e10}}, one), {1.7, 300, 0.33, 1200, 0.35}});
    cases.push_back(
        {pair_model({{1e9, 1e10, 3, 4, PairLoss::mean}}, one), {0.5, 20, 0.2, 90, 0.3}});
    cases.push_back({pair_model({{1e9, 1e10, 3, 4, PairLoss::second, 0.3}}, one),
                     {0.5, 20, 0.2, 90, 0.3, 0.4}});
    cases.push_back({routed_model({{1e9, 1e10, 16}}, one), {-0.08, -0.1, 0.01, 1.1, 2, 300}});
    cases.push_back({joint_moe_model({{1e9, 1e10, 8}}, one),
                     {35.9, -0.19, -0.23, 0.0098, 36, -0.18, 0.55, -0.026, 2.07, 290, 1.36}});
    cases.push_back({multi_power_model({curve}, one), {3, 0.5, 0.5, 360, 2, 0.58, 0.64}});
    for (const Case& c : cases) {
      const Residuals here = residuals(*c.model, c.at, true);
      for (std::size_t k = 0; k < c.at.size(); ++k) {
        const Unknown& u = c.model->unknowns()[k];
        const double step = 1e-6;
        std::vector<double> up = c.at, down = c.at;
        up[k] = constant(u, variable(u, c.at[k]) + step);
        down[k] = constant(u, variable(u, c.at[k]) - step);
        // The residual falls as the prediction rises.
        const double slope = -(residuals(*c.model, up, false).values[0] -
                               residuals(*c.model, down, false).values[0]) /
                             (2 * step);
        CHECK_MESSAGE(here.jacobian[k] == doctest::Approx(slope).epsilon(1e-5), u.name);
      }
    }
  }

  TEST_CASE("a pair's model is the interaction law at any shares") {
    const InteractionLaw law{{"a", "b"},
                             {{1.6, 25, 0.18, 120, 0.22}, {2.0, 150, 0.31, 160, 0.24}},
                             {{0.5, 20, 0.2, 1000, 0.35, 0.7}}};
    for (const double share : {0.5, 0.8, 0.1}) {
      const double n = 1e9, d = 3e10;
      const std::vector<double> shares = {share, 1 - share}, tokens = {share * d, (1 - share) * d};
      const MixtureLoss whole = final_loss(law, n, shares, tokens);
      PairInput in{n,    d, whole.modalities[0].alone, whole.modalities[1].alone, PairLoss::mean,
                   share};
      std::vector<PairInput> inputs(3, in);
      inputs[1].loss = PairLoss::first;
      inputs[2].loss = PairLoss::second;
      std::vector<double> losses(3);
      pair_model(inputs, std::vector<Term>(3))
          ->predict(std::vector<double>{0.5, 20, 0.2, 1000, 0.35, 0.7}, losses, nullptr);
      CHECK(losses[0] == doctest::Approx(whole.mean));
      CHECK(losses[1] == doctest::Approx(whole.modalities[0].loss));
      CHECK(losses[2] == doctest::Approx(whole.modalities[1].loss));
    }
  }

  TEST_CASE("the joint law of experts gives the losses of its paper") {
    // Ludziejewski et al. 2025, Tables 1 and 4: 2.5895 dense at 1.73e9 and 9.65e9, 2.2945 with 8
    // experts at 3.79e9 and 4.40e10.
    const std::vector<double> constants = {35.91,  -0.1889, -0.2285, 0.0098,   35.98, -0.1775,
                                           0.5529, -0.0259, 2.0732,  290.4521, 1.3637};
    const auto model =
        joint_moe_model({{1.73e9, 9.65e9, 1}, {3.79e9, 4.40e10, 8}}, std::vector<Term>(2));
    std::vector<double> losses(2);
    model->predict(constants, losses, nullptr);
    CHECK(losses[0] == doctest::Approx(2.5895).epsilon(5e-4));
    CHECK(losses[1] == doctest::Approx(2.2945).epsilon(5e-4));
  }
}

}  // namespace
}  // namespace forerun::models
