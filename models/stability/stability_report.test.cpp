#include "models/stability/stability_report.h"

#include <doctest/doctest.h>

#include <algorithm>

#include "models/stability/example_runs.h"

namespace forerun::stability {
namespace {

constexpr std::int64_t kDraws = 60;

StabilityReport report(const StabilityCase& c, std::uint64_t seed = 1) {
  Problems problems;
  const auto result = stability_report(c, load_constants(), seed, problems, kDraws);
  REQUIRE_MESSAGE(result, problems.text("case"));
  return *result;
}

TEST_SUITE("models/stability/stability_report") {
  TEST_CASE("Chameleon 7B without QK-norm is lost at a fifth to a third of the run, with it not") {
    const StabilityReport without = report(testing::chameleon(false));
    // Published: diverges about 20 % into the epoch, generally at 20-30 % of progress.
    CHECK(without.lost > 0.9);
    CHECK(without.lost_progress > 0.15);
    CHECK(without.lost_progress < 0.3);
    CHECK(without.findings.front().failure == Failure::attention_logits);
    CHECK(without.of(Failure::attention_logits).progress_band.high > 0.25);
    const StabilityReport with = report(testing::chameleon(true));
    CHECK(with.lost < 0.01);
  }

  TEST_CASE("the same run of one modality, or that only reads images, is far safer") {
    StabilityCase reads = testing::chameleon(false);
    reads.modalities[1].generated = false;
    CHECK(report(testing::of_text_only(testing::chameleon(false))).lost < 0.05);
    CHECK(report(reads).lost < 0.05);
  }

  TEST_CASE("QK-norm leads the remedies of logits, and each says what it leaves") {
    const StabilityReport r = report(testing::chameleon(false));
    const Finding& logits = r.of(Failure::attention_logits);
    REQUIRE(!logits.remedies.empty());
    CHECK(logits.remedies.front().what == "QK-norm");
    CHECK(logits.remedies.front().probability < 0.01);
    for (const Remedy& m : logits.remedies) CHECK(m.probability < logits.probability);
    CHECK(logits.why ==
          "the largest attention logit reaches more than 1e5, where 3162 ends half of all runs and "
          "1e4 nearly all; with one modality it would be 39");
  }

  TEST_CASE("a rate above the critical one is found, with half of it as remedy") {
    StabilityCase c = testing::of_text_only(testing::chameleon(true));
    c.recipe.learning_rate.peak = 0.05;
    const StabilityReport r = report(c);
    const Finding& rate = r.of(Failure::learning_rate);
    CHECK(rate.probability > 0.5);
    CHECK(rate.median_progress < 0.02);  // when warm-up reaches it
    CHECK(std::ranges::any_of(rate.remedies,
                              [](const Remedy& m) { return m.what == "half the learning rate"; }));
    CHECK(r.lost >= rate.probability);
  }

  TEST_CASE("dense, MoE and MoT of one mixture: towers of attention compete less") {
    const auto lost = [](const char* name) {
      StabilityCase c = testing::chameleon(false);
      c.architecture = models::load_architecture(name);
      c.architecture.qk_norm = false;
      c.tokens = 5e11;
      c.steps = 60000;
      return report(c).of(Failure::attention_logits).probability;
    };
    const double dense = lost("mot-chameleon-7b-dense");
    CHECK(lost("mot-chameleon-7b-moe4x") == doctest::Approx(dense));
    CHECK(lost("mot-chameleon-7b") < dense / 2);
    StabilityCase towers = testing::chameleon(true);
    towers.architecture = models::load_architecture("mot-chameleon-7b-dense");
    towers.architecture.qk_norm = true;
    const double shared = report(towers).expected.gradient;
    towers.architecture = models::load_architecture("mot-chameleon-7b");
    towers.architecture.qk_norm = true;
    // 1 + 2 x .3 against 1 + 2
    CHECK(report(towers).expected.gradient == doctest::Approx(shared * 1.6 / 3).epsilon(1e-3));
  }

  TEST_CASE("bands hold the probability's draws, and a report is repeatable") {
    const StabilityReport a = report(testing::chameleon(true));
    const StabilityReport b = report(testing::chameleon(true));
    CHECK(a.loss_spikes.low < a.expected.loss);
    CHECK(a.loss_spikes.high > a.expected.loss);
    CHECK(a.loss_spikes.low == b.loss_spikes.low);
    CHECK(a.loss_spikes.low != report(testing::chameleon(true), 2).loss_spikes.low);
    const Finding& spike = a.of(Failure::diverging_spike);
    CHECK(spike.band.low < spike.probability);
    CHECK(spike.band.high > spike.probability);
    CHECK(a.alpha_assumed);
  }

  TEST_CASE("a run without a learning rate is refused, not assumed") {
    StabilityCase c = testing::chameleon(true);
    c.recipe.learning_rate.peak.reset();
    Problems problems;
    CHECK_FALSE(stability_report(c, load_constants(), 1, problems));
    CHECK(problems.list().size() == 1);
    CHECK(problems.list()[0].where == "/recipe/learning_rate/peak");
  }
}

}  // namespace
}  // namespace forerun::stability
