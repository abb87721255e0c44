#include "models/loss/interaction_law.h"

#include <doctest/doctest.h>
#include <rapidcheck.h>

#include <cmath>
#include <numeric>
#include <string>
#include <vector>

namespace forerun::models {
namespace {

/// Constants of the size that speech and text have, none of them the paper's.
InteractionLaw speech_text() {
  return {{"speech", "text"},
          {{1.2, 110, 0.31, 110, 0.24}, {1.4, 20, 0.18, 80, 0.22}},
          {{0.99, 22.4, 0.151, 150, 0.24, 0.5}}};
}

InteractionLaw three() {
  return {
      {"image", "speech", "text"},
      {{3.0, 10, 0.13, 12, 0.13}, {1.2, 110, 0.31, 110, 0.24}, {1.4, 20, 0.18, 80, 0.22}},
      {{0.2, 3, 0.12, 2, 0.1, 0.3}, {0.5, 8, 0.15, 4, 0.2, 0.7}, {0.99, 22.4, 0.151, 150, 0.24}}};
}

TEST_SUITE("models/loss/interaction_law") {
  TEST_CASE("two modalities at equal shares have the paper's law") {
    const InteractionLaw law = speech_text();
    const double n = 2.7e9, d = 22.5e9;
    const MixtureLoss m = final_loss(law, n, {0.5, 0.5}, {d, d});
    const double speech = 1.2 + 110 / std::pow(n, 0.31) + 110 / std::pow(d, 0.24);
    const double text = 1.4 + 20 / std::pow(n, 0.18) + 80 / std::pow(d, 0.22);
    const double pair = -0.99 + 22.4 / std::pow(n, 0.151) + 150 / std::pow(2 * d, 0.24);
    CHECK(m.mean == doctest::Approx(0.5 * (speech + text) + pair).epsilon(1e-12));
    CHECK(m.alone == doctest::Approx(0.5 * (speech + text)).epsilon(1e-12));
    CHECK(m.modalities[0].interaction == doctest::Approx(pair).epsilon(1e-12));
  }

  TEST_CASE("modalities average to the closure, whatever the shares and splits") {
    const bool ok = rc::check("closure", [] {
      const InteractionLaw law = three();
      std::vector<double> w(3);
      for (double& x : w) x = 1.0 + *rc::gen::inRange(0, 1000);
      const double sum = std::accumulate(w.begin(), w.end(), 0.0);
      std::vector<double> d(3);
      for (std::size_t i = 0; i < 3; ++i) {
        w[i] /= sum;
        d[i] = w[i] * 1e11;
      }
      const MixtureLoss m = final_loss(law, 1e9, w, d);
      double closure = 0, mean = 0;
      for (std::size_t i = 0; i < 3; ++i) {
        closure += w[i] * final_loss(law.own[i], 1e9, d[i]).loss;
        mean += w[i] * m.modalities[i].loss;
        for (std::size_t j = i + 1; j < 3; ++j) {
          closure += 4 * w[i] * w[j] * interaction(law.pairs[law.index(i, j)], 1e9, d[i] + d[j]);
        }
      }
      RC_ASSERT(std::abs(m.mean - closure) < 1e-12);
      RC_ASSERT(std::abs(m.mean - mean) < 1e-12);
    });
    CHECK(ok);
  }

  TEST_CASE("a split moves loss between the two and leaves their mean") {
    InteractionLaw law = speech_text();
    const MixtureLoss half = final_loss(law, 1e9, {0.3, 0.7}, {3e10, 7e10});
    law.pairs[0].split = 0.8;
    const MixtureLoss uneven = final_loss(law, 1e9, {0.3, 0.7}, {3e10, 7e10});
    CHECK(uneven.mean == doctest::Approx(half.mean).epsilon(1e-12));
    CHECK(uneven.modalities[0].interaction / half.modalities[0].interaction ==
          doctest::Approx(1.6));
    CHECK(uneven.modalities[1].interaction / half.modalities[1].interaction ==
          doctest::Approx(0.4));
  }

  TEST_CASE("a modality without share neither changes the others nor has a loss") {
    const MixtureLoss with = final_loss(three(), 1e9, {0.0, 0.5, 0.5}, {0.0, 5e10, 5e10});
    const MixtureLoss without = final_loss(speech_text(), 1e9, {0.5, 0.5}, {5e10, 5e10});
    CHECK(with.mean == doctest::Approx(without.mean).epsilon(1e-12));
    CHECK(with.modalities[0].loss == 0);
  }

  TEST_CASE("on the barrier the pair neither gains nor loses, and beyond it gains") {
    const PairTerm p = speech_text().pairs[0];
    const double n = barrier_parameters(p, 45e9).value();
    CHECK(interaction(p, n, 45e9) == doctest::Approx(0).scale(1).epsilon(1e-9));
    CHECK(interaction(p, 2 * n, 45e9) < 0);
    CHECK(barrier_tokens(p, n).value() == doctest::Approx(45e9));
    // 22.4 / 350e6^0.151 is 1.15, above C: no number of tokens gets there.
    CHECK_FALSE(barrier_tokens(p, 350e6));
  }

  TEST_CASE("no other point of the barrier takes fewer FLOPs than the cheapest") {
    const PairTerm p = speech_text().pairs[0];
    const BarrierPoint best = cheapest_barrier(p).value();
    CHECK(interaction(p, best.parameters, best.tokens) ==
          doctest::Approx(0).scale(1).epsilon(1e-9));
    for (const double factor : {0.9, 0.99, 1.01, 1.1}) {
      const double n = best.parameters * factor;
      CHECK(n * barrier_tokens(p, n).value() > best.parameters * best.tokens);
    }
  }

  TEST_CASE("every constant that is missing is named, and a power law has one modality") {
    Law law;
    law.name = "x";
    law.form = "interaction";
    law.missing["speech.E"] = "never published";
    Problems problems;
    (void)interaction_law(law, {}, {"text", "speech"}, problems);
    CHECK(problems.list().size() == 15);  // five of each modality and of the pair
    CHECK(problems.text("").find("speech.E is not known (never published)") != std::string::npos);
    law.form = "power";
    Problems more;
    (void)interaction_law(law, {}, {"text", "speech"}, more);
    CHECK(more.text("").find("speaks of one modality, the mixture has 2: speech, text") !=
          std::string::npos);
  }

  TEST_CASE("index counts pairs in order") {
    const InteractionLaw law = three();
    CHECK(law.index(0, 1) == 0);
    CHECK(law.index(2, 0) == 1);
    CHECK(law.index(1, 2) == 2);
  }
}

}  // namespace
}  // namespace forerun::models
