#include "models/loss/advise.h"

#include <doctest/doctest.h>

#include <cmath>
#include <string>

#include "models/loss/power_law.h"

namespace forerun::models {
namespace {

bool has(const std::string& text, const std::string& part) {
  return text.find(part) != std::string::npos;
}

/// Two modalities whose constants are known within a few per cent.
const char* const kPair = R"({
  "schema": 1, "name": "two", "form": "interaction", "what": "a test",
  "constants": {
    "text.E": {"value": 1.8, "evidence": "fitted", "source": "own runs", "interval_90": [1.75, 1.85]},
    "text.A": {"value": 480, "evidence": "fitted", "source": "own runs", "interval_90": [450, 512]},
    "text.alpha": {"value": 0.35, "evidence": "fitted", "source": "own runs"},
    "text.B": {"value": 2000, "evidence": "fitted", "source": "own runs", "interval_90": [1800, 2222]},
    "text.beta": {"value": 0.37, "evidence": "fitted", "source": "own runs"},
    "speech.E": {"value": 2.5, "evidence": "fitted", "source": "own runs"},
    "speech.A": {"value": 120, "evidence": "fitted", "source": "own runs"},
    "speech.alpha": {"value": 0.30, "evidence": "fitted", "source": "own runs"},
    "speech.B": {"value": 300, "evidence": "assumed", "source": "a guess", "range": [250, 360]},
    "speech.beta": {"value": 0.24, "evidence": "fitted", "source": "own runs"}
  },
  "domain": {"parameters": [1e7, 1e9], "tokens": [1e9, 1e11], "source": "own runs"}
})";

Law two() {
  Problems problems;
  auto law = read_law(kPair, problems);
  REQUIRE_MESSAGE(law, problems.text("two"));
  return *law;
}

AdviceRequest request(double flops) {
  AdviceRequest out;
  out.flops = flops;
  out.modalities = {{"text", two(), "text"}, {"speech", two(), "speech"}};
  out.draws = 40;
  return out;
}

Advice advised(const AdviceRequest& request) {
  Problems problems;
  auto advice = advise(request, published_advice_laws(), problems);
  REQUIRE_MESSAGE(advice, problems.text("advise"));
  return *advice;
}

/// By value: of a guide that is gone by the end of the line, too.
AdviceRow row(const Advice& advice, AdviceTopic topic, const std::string& of,
              const std::string& rule) {
  for (const AdviceRow& r : advice.rows) {
    if (r.topic == topic && r.of == of && has(r.rule, rule)) return r;
  }
  FAIL("no row " << name(topic) << " of " << of << " by " << rule);
  return advice.rows.front();
}

std::string problems_of(const AdviceRequest& request) {
  Problems problems;
  CHECK_FALSE(advise(request, published_advice_laws(), problems));
  return problems.text("");
}

TEST_SUITE("models/loss/advise") {
  TEST_CASE("of one modality it advises the compute optimum, and bands are its constants'") {
    AdviceRequest one;
    one.flops = 5.76e23;
    const Law law = load_law("chinchilla_epoch");
    one.modalities = {{"text", law, ""}};
    one.draws = 40;
    const Advice advice = advised(one);
    Problems none;
    const ComputeOptimum best =
        compute_optimum(power_law(law, central_values(law), "", none), 5.76e23);
    std::vector<double> sizes;
    for (std::uint64_t i = 0; i < 40; ++i) {
      sizes.push_back(
          compute_optimum(power_law(law, drawn_values(law, 1, i), "", none), 5.76e23).parameters);
    }
    for (const char* rule : {"mixture optimum", "text alone, chinchilla_epoch"}) {
      const AdviceRow size = row(advice, AdviceTopic::size, "", rule);
      CHECK(size.value.value() == doctest::Approx(best.parameters).epsilon(1e-3));
      REQUIRE(size.band);
      CHECK(size.band->low == doctest::Approx(quantile(sizes, 0.1)).epsilon(1e-3));
      CHECK(size.band->high == doctest::Approx(quantile(sizes, 0.9)).epsilon(1e-3));
      CHECK(size.evidence == Evidence::published);
      CHECK(has(size.source, "arXiv:2404.10102"));
    }
    CHECK(row(advice, AdviceTopic::loss, "text", "mixture").value.value() ==
          doctest::Approx(best.loss).epsilon(1e-6));
    // The first publication of the same form stands beside its refit, and has no band.
    CHECK_FALSE(row(advice, AdviceTopic::size, "", "chinchilla_hoffmann").band);
  }

  TEST_CASE("size and tokens use the budget up, and shares sum to one") {
    const Advice advice = advised(request(1e21));
    const double size = *row(advice, AdviceTopic::size, "", "mixture").value;
    const double tokens = *row(advice, AdviceTopic::tokens, "", "mixture").value;
    CHECK(6 * size * tokens == doctest::Approx(1e21));
    CHECK(*row(advice, AdviceTopic::share, "text", "mixture").value +
              *row(advice, AdviceTopic::share, "speech", "mixture").value ==
          doctest::Approx(1));
  }

  TEST_CASE("an answer is as weak as the weakest constant, and says where it leaves the domain") {
    const Advice advice = advised(request(1e23));
    const AdviceRow size = row(advice, AdviceTopic::size, "", "mixture");
    CHECK(size.evidence == Evidence::assumed);
    REQUIRE_FALSE(size.outside.empty());
    CHECK(has(size.outside[0], "parameters: law two rests on 1e+07 to 1e+09"));
    CHECK(row(advice, AdviceTopic::size, "", "text alone, two").evidence == Evidence::fitted);
    CHECK_FALSE(row(advice, AdviceTopic::loss, "text", "mixture").outside.empty());
    const AdviceRow small = row(advised(request(1e19)), AdviceTopic::size, "", "mixture");
    CHECK(small.outside.empty());
    CHECK(small.domain_known);
    AdviceRequest unknown = request(1e19);
    for (AdvisedModality& m : unknown.modalities) m.law.domain.clear();
    CHECK_FALSE(row(advised(unknown), AdviceTopic::size, "", "mixture").domain_known);
  }

  TEST_CASE("more weight on a modality gives it more of the tokens") {
    AdviceRequest heavy = request(1e21);
    heavy.modalities[1].weight = 4;
    CHECK(*row(advised(heavy), AdviceTopic::share, "speech", "mixture").value >
          1.1 * *row(advised(request(1e21)), AdviceTopic::share, "speech", "mixture").value);
  }

  TEST_CASE("pair terms that the caller brings move the advice") {
    AdviceRequest with = request(1e21);
    // Competition that only parameters remove.
    with.model = PairModel{
        [](std::optional<std::uint64_t>) -> ModalityLosses {
          return [](double parameters, std::span<const double>, std::span<const double> tokens) {
            const double pair = 2000 / std::pow(parameters, 0.35);
            const PowerLaw text{1.8, 480, .35, 2000, .37}, speech{2.5, 120, .30, 300, .24};
            return std::vector<double>{final_loss(text, parameters, tokens[0]).loss + pair,
                                       final_loss(speech, parameters, tokens[1]).loss + pair};
          };
        },
        "pairs", Evidence::derived, "a figure"};
    const Advice without = advised(request(1e21));
    const Advice advice = advised(with);
    CHECK(*row(advice, AdviceTopic::size, "", "mixture").value >
          1.3 * *row(without, AdviceTopic::size, "", "mixture").value);
    CHECK(row(advice, AdviceTopic::size, "", "mixture").source == "a figure");
    CHECK(has(advice_text(without), "no pair terms were given"));
    CHECK_FALSE(has(advice_text(advice), "no pair terms were given"));
  }

  // 0.2 nats of synergy that neither size nor tokens change: dL_i = -4 s w_j C with s = 1/2, so at
  // the optimum's shares each modality gains 0.4 times the other's share.
  TEST_CASE("an interaction law's pair terms enter as that law has them") {
    Law law = two();
    const Constant known{0, Evidence::fitted, "own pairs"};
    for (const char* name : {"C", "A", "alpha", "B", "beta"}) {
      law.constants[std::string("speech|text.") + name] = known;
    }
    law.constants["speech|text.C"].value = 0.2;
    AdviceRequest with = request(1e21);
    for (AdvisedModality& m : with.modalities) m.law = law;
    Problems problems;
    with.model = pair_model(law, {"text", "speech"}, with.seed, problems);
    REQUIRE_MESSAGE(with.model, problems.text("pair"));
    const Advice advice = advised(with);
    const double text = *row(advice, AdviceTopic::share, "text", "mixture").value;
    const double size = *row(advice, AdviceTopic::size, "", "mixture").value;
    const double tokens = *row(advice, AdviceTopic::tokens, "", "mixture").value;
    Problems none;
    const PowerLaw own = power_law(law, central_values(law), "text", none);
    CHECK(*row(advice, AdviceTopic::loss, "text", "mixture").value ==
          doctest::Approx(final_loss(own, size, text * tokens).loss - 0.4 * (1 - text)));
    CHECK(row(advice, AdviceTopic::size, "", "mixture").source == "own pairs");
    CHECK_FALSE(pair_model(two(), {"text", "speech"}, 1, problems));
    CHECK(has(problems.text(""), "constant speech|text.C is not known"));
  }

  TEST_CASE("data that run out are repeated, said so, and worth a larger model") {
    AdviceRequest scarce = request(1e21);
    scarce.modalities[1].unique_tokens = 2e9;
    const Advice advice = advised(scarce);
    const AdviceRow passes = row(advice, AdviceTopic::passes, "speech", "repetition");
    CHECK(*passes.value > 2);
    CHECK(passes.evidence == Evidence::assumed);
    CHECK(has(passes.notes.at(0), "of new tokens; one more token"));
    CHECK(*row(advice, AdviceTopic::size, "", "mixture").value >
          *row(advised(request(1e21)), AdviceTopic::size, "", "mixture").value);
    const Advice enough = advised(request(1e21));
    for (const AdviceRow& r : enough.rows) CHECK(r.topic != AdviceTopic::passes);
  }

  TEST_CASE("rules for batch and learning rate stand side by side, and one is refused with why") {
    const Advice advice = advised(request(1e20));
    int rates = 0, batches = 0;
    for (const AdviceRow& r : advice.rows) {
      rates += r.topic == AdviceTopic::learning_rate ? 1 : 0;
      batches += r.topic == AdviceTopic::batch ? 1 : 0;
    }
    CHECK(rates == 6);
    CHECK(batches == 4);
    const AdviceRow step = row(advice, AdviceTopic::learning_rate, "", "rule_step_law");
    REQUIRE(step.band);
    CHECK(step.band->low < *step.value);
    CHECK(step.band->high > *step.value);
    const AdviceRow refused = row(advice, AdviceTopic::learning_rate, "", "rule_microsoft");
    CHECK_FALSE(refused.value);
    CHECK(has(refused.notes.back(), "constant eta_K is not known"));
    CHECK_FALSE(row(advice, AdviceTopic::batch, "", "rule_porian").domain_known);
  }

  // At a text loss of 2.5 to 3 the critical batch is 2.5M to 1.1M tokens.
  TEST_CASE("the critical batch is that of the text's loss") {
    const Advice advice = advised(request(1e20));
    const double loss = *row(advice, AdviceTopic::loss, "text", "mixture").value;
    CHECK(*row(advice, AdviceTopic::batch, "", "critical batch").value ==
          doctest::Approx(2e8 / std::pow(loss, 1 / 0.21)));
  }

  TEST_CASE("a size that is given is kept, without a band") {
    AdviceRequest given = request(1e21);
    given.parameters = 1e9;
    const AdviceRow size = row(advised(given), AdviceTopic::size, "", "size given");
    CHECK(*size.value == 1e9);
    CHECK_FALSE(size.band);
  }

  TEST_CASE("the same request gives the same text, and the text has its parts") {
    const std::string text = advice_text(advised(request(1e21)));
    CHECK(text == advice_text(advised(request(1e21))));
    for (const char* part :
         {"For 1e+21 FLOPs", "80 % band", "share, speech", "learning rate", "refused",
          "Outside what a rule rests on", "Assumed throughout", "Sources"}) {
      CHECK_MESSAGE(has(text, part), part);
    }
    const std::string json = advice_json(advised(request(1e21)));
    CHECK(has(json, "\"band_80\""));
    CHECK(has(json, "\"what\": \"learning rate\""));
  }

  TEST_CASE("what several rules say is printed once, behind the names of all of them") {
    Advice advice;
    for (const char* rule : {"one", "two", "one", "three"}) {
      AdviceRow row;
      row.rule = rule;
      row.source = "a paper";
      row.notes = {"shared"};
      advice.rows.push_back(row);
    }
    advice.rows.back().notes.emplace_back("of its own");
    const std::string text = advice_text(advice);
    CHECK(has(text, "Notes\n  one; two; three: shared\n  three: of its own\n"));
    CHECK(has(text, "Sources\n  one; two; three: a paper\n"));
  }

  TEST_CASE("a wrong request is refused whole, every mistake by name") {
    AdviceRequest wrong = request(0);
    wrong.least_share = 0.6;
    wrong.experts = 0;
    wrong.modalities[0].weight = wrong.modalities[1].weight = 0;
    wrong.modalities[1].unique_tokens = -5;
    wrong.modalities[1].name = "text";
    const std::string text = problems_of(wrong);
    for (const char* part : {"0 FLOPs: must be above zero", "least share 0.6", "0 experts",
                             "all weights are 0", "-5 unique tokens", "named twice"}) {
      CHECK_MESSAGE(has(text, part), text);
    }
  }

  TEST_CASE("a law without a constant is refused by its name") {
    AdviceRequest lacking = request(1e21);
    lacking.modalities[1].law.constants.erase("speech.B");
    lacking.modalities[1].law.missing["speech.B"] = "never published";
    CHECK(has(problems_of(lacking), "constant speech.B is not known (never published)"));
    AdviceRequest flat = request(1e21);
    flat.modalities[0].law.constants.at("text.A").value = 0;
    CHECK(has(problems_of(flat), "no compute optimum"));
    AdviceRequest none;
    none.flops = 1e21;
    CHECK(has(problems_of(none), "no modality"));
  }
}

}  // namespace
}  // namespace forerun::models
