#include "models/loss/mixture_run.h"

#include <doctest/doctest.h>

#include <cmath>
#include <string>
#include <vector>

namespace forerun::models {
namespace {

MixtureRun speech_text(double parameters) {
  MixtureRun run;
  run.law = load_law("speech_text_demo");
  run.modalities = {"speech", "text"};
  run.stages = {{0, {0.5, 0.5}}};
  run.unique = {0, 0};
  run.start = {std::log(2000.0), std::log(50000.0)};
  run.parameters = parameters;
  run.recipe = default_recipe();
  run.tokens = 45e9;
  run.batch_tokens = 1e6;
  GainInput dense;
  dense.decoder = parameters;
  dense.share = 0.5;
  dense.tokens = 45e9;
  run.gains = {dense, dense};
  run.draws = 60;
  return run;
}

const CompanionLaws& companions() {
  static const CompanionLaws laws = load_companion_laws("schedule_luo_100m");
  return laws;
}

MixtureAnswer answer(const MixtureRun& run) {
  Problems problems;
  auto a = mixture_answer(run, companions(), problems);
  REQUIRE_MESSAGE(a, problems.text("run"));
  return *a;
}

TEST_SUITE("models/loss/mixture_run") {
  TEST_CASE("the run ends at the law, its mean through plateaus and all") {
    const MixtureAnswer a = answer(speech_text(350e6));
    const Law law = load_law("speech_text_demo");
    Problems problems;
    const InteractionLaw i =
        interaction_law(law, central_values(law), {"speech", "text"}, problems);
    const MixtureLoss end = final_loss(i, 350e6, {0.5, 0.5}, {22.5e9, 22.5e9});
    CHECK(std::abs(a.mean - end.mean) < 1e-6);
    for (std::size_t m = 0; m < 2; ++m) {
      CHECK(std::abs(a.ascent.gated.loss[m].back() - end.modalities[m].loss) < 1e-6);
    }
    CHECK(a.ascent.plateaus.size() >= 2);
    CHECK(a.modalities[0].flat_share > 0.15);
  }

  TEST_CASE("at 30B nothing stands still and the pair is nearer to synergy than at 350M") {
    const MixtureAnswer small = answer(speech_text(350e6)), large = answer(speech_text(30e9));
    CHECK(large.modalities[0].flat_share == 0);
    REQUIRE(small.pairs.size() == 1);
    // Figure 5's marks: exp(P) is 1.68 at 350M and 0.96 at 30B.
    CHECK(std::exp(small.pairs[0].interaction) == doctest::Approx(1.68).epsilon(0.005));
    CHECK(std::exp(large.pairs[0].interaction) == doctest::Approx(0.96).epsilon(0.005));
    CHECK(small.pairs[0].synergy_probability < 0.01);
    CHECK(large.pairs[0].synergy_probability > 0.6);
  }

  TEST_CASE("speech at 2.7B stands still for about 15,000 of 45,000 updates") {
    // Aghajanyan et al. 2023, figure 6 left.
    MixtureRun run = speech_text(2.7e9);
    run.draws = 1;
    std::vector<double> lengths, flat;
    for (run.seed = 1; run.seed <= 60; ++run.seed) {
      const MixtureAnswer a = answer(run);
      lengths.push_back(a.modalities[0].longest_plateau);
      flat.push_back(a.modalities[0].flat_share);
    }
    MESSAGE("longest plateau " << quantile(lengths, 0.1) << " " << median(lengths) << " "
                               << quantile(lengths, 0.9) << ", flat " << median(flat));
    CHECK(median(lengths) == doctest::Approx(15000).epsilon(0.1));
  }

  TEST_CASE("the barrier's bands hold both the figure's point and the paper's statement") {
    const PairAnswer p = answer(speech_text(30e9)).pairs[0];
    CHECK(p.cheapest->parameters == doctest::Approx(19e9).epsilon(0.03));
    CHECK(p.cheapest_parameters.low < 19e9);
    CHECK(p.cheapest_parameters.high > 28.35e9);
    CHECK(p.cheapest_tokens.low < 45.12e9);
    CHECK(p.cheapest_tokens.high > 45.12e9);
  }

  TEST_CASE("bands are ordered, and the same for any number of threads") {
    MixtureRun run = speech_text(2.7e9);
    run.draws = 20;
    run.threads = 1;
    const MixtureAnswer one = answer(run);
    run.threads = 3;
    const MixtureAnswer three = answer(run);
    for (std::size_t i = 0; i < one.bands.size(); ++i) {
      for (std::size_t k = 0; k < one.bands[i].size(); ++k) {
        CHECK(one.bands[i][k].low <= one.bands[i][k].high);
        CHECK(one.bands[i][k].middle == three.bands[i][k].middle);
      }
    }
    run.seed = 2;
    CHECK(answer(run).mean_band.low != one.mean_band.low);
  }

  TEST_CASE("towers reach the dense model's loss at the fraction that was fitted, and end lower") {
    MixtureRun run = speech_text(1.5e9);
    for (GainInput& g : run.gains) g.own_share = 1.0;
    const MixtureAnswer a = answer(run);
    const MixtureAnswer dense = answer(speech_text(1.5e9));
    for (std::size_t i = 0; i < 2; ++i) {
      const ModalityAnswer& m = a.modalities[i];
      CHECK(m.dense_end == doctest::Approx(dense.modalities[i].end.loss));
      CHECK(m.end.loss < m.dense_end);
      REQUIRE(m.dense_step);
      CHECK(*m.dense_step / a.course.steps == doctest::Approx(m.step_fraction).epsilon(0.02));
    }
    CHECK(a.mean < a.dense_mean);
    CHECK(a.ascent.plateaus.empty());  // nothing is shared
    CHECK_FALSE(dense.ascent.plateaus.empty());
  }

  TEST_CASE("data that run out leave a higher loss") {
    MixtureRun run = speech_text(1.5e9);
    run.unique = {1e9, 0};
    const MixtureAnswer a = answer(run);
    CHECK(a.modalities[0].passes == doctest::Approx(22.5));
    CHECK(a.modalities[0].effective_tokens < 0.6 * a.modalities[0].tokens);
    CHECK(a.modalities[0].end.loss > answer(speech_text(1.5e9)).modalities[0].end.loss + 0.01);
  }

  TEST_CASE("a law without the constants of a modality refuses each by name") {
    MixtureRun run = speech_text(1.5e9);
    run.modalities = {"image", "text"};
    Problems problems;
    CHECK_FALSE(mixture_answer(run, companions(), problems));
    CHECK(problems.list().size() == 10);
    CHECK(problems.text("").find("image.E is not known") != std::string::npos);
    CHECK(problems.text("").find("image|text.C is not known") != std::string::npos);
  }

  TEST_CASE("constants that give a loss below zero are refused by the modality's name") {
    MixtureRun run = speech_text(2.7e9);
    run.law.joints.clear();
    run.law.constants["speech|text.C"].value = 3;  // 1.7 nats of synergy of 1.7 that speech has
    Problems problems;
    CHECK_FALSE(mixture_answer(run, companions(), problems));
    CHECK(problems.text("").find("gives speech a loss of -0.0") != std::string::npos);
  }

  TEST_CASE("an end above a fresh model's loss, a warm-up beyond the end, no slope: all are said") {
    const auto warned = [](const MixtureRun& run, const char* what) {
      for (const std::string& w : answer(run).warnings) {
        if (w.find(what) != std::string::npos) return true;
      }
      return false;
    };
    MixtureRun run = speech_text(2.7e9);
    for (const char* what : {"does not hold here", "outlasts the run", "stands still all run"}) {
      CHECK_FALSE(warned(run, what));
    }
    run.unique = {1, 0};  // at most 16 tokens' worth
    CHECK(warned(run, "speech: what repeated tokens are worth: 2.25e+10 passes"));
    // 1.2 + 110 / 2.7e9^0.31 + 110 / 16.39^0.24 + P = 1.2 + 0.13 + 56.22 + 0.29; ln 2000 = 7.60.
    CHECK(warned(run, "speech: the law ends at 57.8 nats, a fresh model begins at 7.6"));
    run = speech_text(2.7e9);
    run.recipe.learning_rate.warm_up_steps = 1e9;
    CHECK(warned(run, "outlasts the run of 45000"));
    run = speech_text(2.7e9);
    run.law.constants["text.B"].value = 0;
    CHECK(warned(run, "text: nothing in the law falls with tokens"));
  }

  TEST_CASE("the scatter of single runs widens the band and leaves the middle") {
    MixtureRun run = speech_text(2.7e9);
    run.law.form = "power";
    run.law = load_law("chinchilla_epoch");
    run.modalities = {"text"};
    run.stages = {{0, {1.0}}};
    run.unique = {0};
    run.start = {std::log(50000.0)};
    run.gains.resize(1);
    const MixtureAnswer without = answer(run);
    run.law.constants["scatter"] = {0.1, Evidence::fitted, "a test", Spread::none, 0, 0};
    const MixtureAnswer with = answer(run);
    CHECK(with.mean_band.high - with.mean_band.low >
          1.2 * (without.mean_band.high - without.mean_band.low));
    CHECK(with.mean == without.mean);
  }
}

}  // namespace
}  // namespace forerun::models
