#include "models/stability/spike_hazard.h"

#include <doctest/doctest.h>

#include <cmath>
#include <string>

#include "models/stability/example_runs.h"

namespace forerun::stability {
namespace {

SpikeRates expected(const StabilityCase& c) {
  return expected_spikes(c, course(c), load_constants());
}

TEST_SUITE("models/stability/spike_hazard") {
  TEST_CASE("draws agree with the closed form in number, place, share that diverges and size") {
    const Constants k = load_constants();
    StabilityCase c = testing::chameleon(true);
    c.steps = 100000;
    const Course along = course(c);
    const SpikeRates sum = expected_spikes(c, along, k);
    double all = 0, loss = 0, diverged = 0, amplitude = 0, early = 0;
    const int runs = 60;
    for (int i = 0; i < runs; ++i) {
      const Stream stream(1, "spikes/" + std::to_string(i));
      double before = 0;
      for (const SpikeEvent& e : draw_spikes(c, along, k, {}, stream)) {
        CHECK(e.step >= before);
        before = e.step;
        all += 1;
        if (e.step < 50000) early += 1;
        if (e.in_loss) loss += 1;
        if (e.diverged) diverged += 1;
        amplitude += e.amplitude;
      }
    }
    // Poisson: within four deviations.
    const auto poisson = [&](double found, double mean) {
      CAPTURE(mean);
      CHECK(std::abs(found - mean) < 4 * std::sqrt(mean));
    };
    poisson(all, runs * sum.gradient);
    poisson(loss, runs * sum.loss);
    poisson(diverged, runs * sum.diverging);
    // The base does not follow the falling rate: half of them in the first half.
    poisson(early, all / 2);
    CHECK(amplitude / loss == doctest::Approx(k.amplitude.value).epsilon(0.15));
  }

  TEST_CASE("the reference run has its own count; more modalities and lower alpha have more") {
    StabilityCase c;
    c.architecture = models::load_architecture("gpt3-125m");
    c.recipe = models::default_recipe();
    c.recipe.learning_rate.peak = 6e-4;
    c.recipe.learning_rate.warm_up_steps = 2000;
    c.parameters = 1.24e8;
    c.tokens = 1e10;
    c.steps = 18560;
    // llm.c 124M: 28 gradient norms over 7 deviations in 18,560 steps: 1.5e-3 a step.
    CHECK(expected(c).gradient == doctest::Approx(28).epsilon(0.02));
    CHECK(expected(c).loss == doctest::Approx(2).epsilon(0.05));
    const double alone = expected(c).gradient;
    c.modalities = {{"text", 0.5, true}, {"speech", 0.5, true}};
    c.alpha = 0.3;
    const double at_reference = expected(c).gradient;
    CHECK(at_reference > alone);
    c.alpha = 0.15;
    // 1 + 2 x .3/.15 = 5 against 1 + 2 = 3
    CHECK(expected(c).gradient == doctest::Approx(at_reference * 5 / 3).epsilon(1e-3));
  }

  TEST_CASE("at one alpha spikes grow with the logarithm of size where rates keep their ratio") {
    const Constants k = load_constants();
    StabilityCase c = testing::chameleon(false);
    const double small = expected(c).gradient;
    const double before = critical_rate(c.parameters, false, k);
    c.parameters = 49e18;
    CHECK(c.parameters > 7e9);
    c.recipe.learning_rate.peak = 1e-4 * critical_rate(c.parameters, false, k) / before;
    // ln 4.9e19 / ln 7e9 = 2
    CHECK(expected(c).gradient == doctest::Approx(2 * small).epsilon(0.01));
  }

  TEST_CASE("QK-norm, norm order, z-loss, embedding norm, beta2, warm-up and bf16 soften") {
    StabilityCase c = testing::of_text_only(testing::chameleon(false));
    c.recipe.z_loss = 0;
    const auto less = [&](auto change) {
      StabilityCase with = c;
      change(with);
      CHECK(expected(with).gradient < expected(c).gradient);
    };
    less([](StabilityCase& s) { s.architecture.qk_norm = true; });
    less([](StabilityCase& s) { s.architecture.norm_order = models::NormOrder::after; });
    less([](StabilityCase& s) { s.architecture.embedding_norm = true; });
    less([](StabilityCase& s) { s.recipe.z_loss = 1e-5; });
    less([](StabilityCase& s) { s.recipe.beta2 = 0.9; });
    less([](StabilityCase& s) { s.recipe.learning_rate.warm_up_steps = 8000; });
    less([](StabilityCase& s) { s.recipe.initialisation = models::Initialisation::small; });
    less([](StabilityCase& s) { s.recipe.dropout = 0.1; });
    less([](StabilityCase& s) { s.recipe.learning_rate.peak = 5e-5; });
    less([](StabilityCase& s) { s.format = TrainingFormat::fp32; });
    StabilityCase half = c;
    half.format = TrainingFormat::fp16;
    CHECK(expected(half).gradient > expected(c).gradient);
  }

  TEST_CASE("near the critical rate loss spikes multiply, by the published 43 a doubling") {
    const Constants k = load_constants();
    StabilityCase c = testing::of_text_only(testing::chameleon(false));
    const Course along = course(c);
    const double critical = critical_rate(c.parameters, false, k);
    Course hot = along;
    hot.peak = 0;  // leaves out the base
    const double half = spike_rates(c, hot, {9000, critical / 2, 0}, k).loss;
    const double whole = spike_rates(c, hot, {9000, critical, 0}, k).loss;
    CHECK(whole / half == doctest::Approx(183 / 4.3).epsilon(0.02));
    CHECK(whole == doctest::Approx(0.0183).epsilon(0.02));
    CHECK(spike_rates(c, hot, {9000, critical, 0}, k).diverging == doctest::Approx(whole));
  }

  TEST_CASE("a spike that diverges is rolled back and batches are skipped; one that heals is not") {
    const Constants k = load_constants();
    const StabilityCase c = testing::chameleon(false);
    const Course along = course(c);
    int diverged = 0;
    for (const SpikeEvent& e : draw_spikes(c, along, k, {}, Stream(2, "spikes"))) {
      CHECK(e.rolled_back == e.diverged);
      CHECK((e.heals_after > 0) == (e.in_loss && !e.diverged));
      if (!e.rolled_back) continue;
      ++diverged;
      CHECK(e.rolled_back_to == doctest::Approx(std::max(0.0, e.step - 100)));
      CHECK(e.skipped >= 200);
      CHECK(e.skipped <= 500);
    }
    CHECK(diverged > 0);
    // PaLM's way: every loss spike.
    const RollbackPolicy every{true};
    for (const SpikeEvent& e : draw_spikes(c, along, k, every, Stream(2, "spikes"))) {
      CHECK(e.rolled_back == e.in_loss);
    }
  }

  TEST_CASE("far over the critical rate every step spikes once, and draws come to an end") {
    const Constants k = load_constants();
    StabilityCase c = testing::chameleon(false);
    c.recipe.learning_rate.peak = 10;
    const Course along = course(c);
    const SpikeRates hot = spike_rates(c, along, {9000, 10, 0}, k);
    CHECK(hot.gradient == 1);
    CHECK(hot.loss == doctest::Approx(1));
    CHECK(hot.diverging == doctest::Approx(hot.loss));
    CHECK(expected_spikes(c, along, k).gradient <= static_cast<double>(c.steps));
    CHECK(draw_spikes(c, along, k, {}, Stream(2, "hot")).size() == kMostSpikes);
  }

  TEST_CASE("the same stream draws the same spikes, another others") {
    const Constants k = load_constants();
    const StabilityCase c = testing::chameleon(true);
    const Course along = course(c);
    const auto one = draw_spikes(c, along, k, {}, Stream(2, "a"));
    CHECK(one == draw_spikes(c, along, k, {}, Stream(2, "a")));
    CHECK(one != draw_spikes(c, along, k, {}, Stream(2, "b")));
  }
}

}  // namespace
}  // namespace forerun::stability
