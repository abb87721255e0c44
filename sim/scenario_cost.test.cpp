#include "sim/scenario_cost.h"

#include <doctest/doctest.h>
#include <rapidcheck.h>

#include <vector>

#include "core/file.h"
#include "sim/scenario.h"

namespace forerun::sim {
namespace {

using namespace literals;

/// A scenario without a price of its own, with this cost.
std::optional<Scenario> read(const std::string& cost, Problems& problems,
                             const char* price = "null") {
  JsonDocument document = JsonDocument::parse(
      read_file(data_path("scenarios/llama2_70b_64_h100.json"), kMaxJsonBytes), problems);
  document.set("price", price, problems);
  document.set("cost", cost, problems);
  return read_scenario(document, problems);
}

Scenario scenario(const std::string& cost) {
  Problems problems;
  auto s = read(cost, problems);
  REQUIRE_MESSAGE(s, problems.text("s"));
  return *std::move(s);
}

std::string problems_of(const std::string& cost, const char* price = "null") {
  Problems problems;
  const bool was_read = read(cost, problems, price).has_value();
  CHECK(was_read == problems.empty());
  return problems.text("s");
}

const std::string kSite = R"("site": {"place": "usa-texas", "operator": "google"})";

/// One of each way to say each thing.
const std::vector<std::string>& examples() {
  static const std::vector<std::string> list = {
      R"({"start": "2026-12-01", "start_hour": 8.5, "deadline": "2027-02-15",
          "budget": "5000000 USD", "rent": {"cloud": "aws", "offer": "p5.48xlarge"},
          "site": "usa-virginia"})",
      R"({"rent": {"cloud": "aws", "offer": "p5.48xlarge", "kind": "capacity_block",
          "date": "2025", "at_least_days": 14}})",
      R"({"rent": {"accelerator_hour": {"value": "2.1 USD/h", "most": "2.6 USD/h",
          "evidence": "derived", "source": "two offers"}, "accelerators": 8, "kind": "spot",
          "preemptions": {"per_1000_node_days": [2, 8], "notice": "2 min", "source": "guess"}}})",
      R"({"rent": {"accelerator_hour": "2.1 USD/h"}, "site": {"place": "iceland", "pue": 1.05,
          "carbon": {"g_per_kwh": 3}}, "power": {"beside": "310 W"}})",
      R"({"buy": {"sale": "8 x H100 node", "covers": "the node with InfiniBand cards", "years": 4,
          "resale": 0.2, "interest": {"value": 0.07, "most": 0.12, "source": "banks"},
          "used": 0.9, "network": 0.15, "facility": {"kw_month": "150 USD"}}, )" +
          kSite + R"(, "people": {"count": 4, "year": "300000 USD"},
          "storage": {"size": "500 TB", "tb_month": {"value": "20 USD", "source": "a list"}}})",
      R"({"buy": {"price": "300000 USD", "accelerators": 8, "charged": 0.1,
          "facility": {"node": "100000 USD", "years": 14}},
          "site": {"operator": "industry", "electricity": {"peak": "0.123 USD/kWh",
          "off_peak": "61.7 USD/MWh", "peak_from": 7, "peak_to": 22}}})",
      R"({"buy": {"price": "300000 USD", "accelerators": 8, "years": 3},
          "site": {"electricity": "0.0717 USD/kWh", "pue": {"value": 1.1, "most": 1.3}}})"};
  return list;
}

}  // namespace

TEST_SUITE("sim/scenario_cost") {
  TEST_CASE("an offer's newest price of the kind that is not after the date is taken") {
    // AWS, on demand: 12.29 before June 2025, 6.88 from then.
    const auto price = [](const std::string& rest) {
      return scenario(R"({"rent": {"cloud": "aws", "offer": "p5.48xlarge", )" + rest + "}}")
          .cost.rent->accelerator_hour.value.in(1.0_usd_per_h);
    };
    CHECK(price(R"("date": "2026-03")") == doctest::Approx(6.88));
    CHECK(price(R"("date": "2025-05")") == doctest::Approx(12.29));
    CHECK(price(R"("kind": "capacity_block", "date": "2026-01-01")") == doctest::Approx(4.916));
    const Scenario s =
        scenario(R"({"start": "2026-12-01", "rent": {"cloud": "aws", "offer": "p5.48xlarge"}})");
    CHECK(s.cost.rent->whole == 8);
    CHECK(s.price == s.cost.rent->accelerator_hour.value);
    CHECK(s.cost.rent->accelerator_hour.origin.evidence == Evidence::published);
    CHECK(s.price_source == s.cost.rent->accelerator_hour.origin.source);
  }

  TEST_CASE("what is stated goes before the operator's file, and that before the place's") {
    const Scenario s = scenario(R"({"site": {"place": "usa-texas", "operator": "google",
                                    "electricity": "0.2 USD/kWh"}})");
    CHECK(s.cost.site.electricity->mean().in(1.0_usd_per_kWh) == doctest::Approx(0.2));
    CHECK(s.cost.site.electricity->origin == Origin{});
    CHECK(s.cost.site.carbon->mean() == doctest::Approx(369.5));
    CHECK(s.cost.site.pue->value == 1.10);
  }

  TEST_CASE("every way to state a cost is written so that it reads back as the same") {
    for (const std::string& cost : examples()) {
      CAPTURE(cost);
      const Scenario s = scenario(cost);
      const std::string text = scenario_json(s);
      Problems problems;
      const auto back = read_scenario(JsonDocument::parse(text, problems), problems);
      REQUIRE_MESSAGE(back, problems.text("written"));
      CHECK(back->cost == s.cost);
      CHECK(back->price == s.price);
      CHECK(scenario_json(*back) == text);
    }
  }

  TEST_CASE("limits in time are days in order, and say from when") {
    CHECK(problems_of(R"({"start": "2026-12-01", "deadline": "2026-11-30"})") ==
          "s: /cost/deadline: a deadline in the past: 2026-11-30 is before the start, "
          "2026-12-01\n");
    CHECK(problems_of(R"({"start": "2026-12-01", "deadline": "2026-12-01"})").empty());
    CHECK(problems_of(R"({"deadline": "2026-11-30", "start_hour": 3})") ==
          "s: /cost/start_hour: given, but no start\n"
          "s: /cost/deadline: needs a start, from which the run is counted\n");
    CHECK(problems_of(R"({"start": "2026-12", "start_hour": 25})") ==
          "s: /cost/start: expected a day from 2000 to 2099 like \"2026-03-17\", found "
          "\"2026-12\"\n"
          "s: /cost/start_hour: must be from 0 to 24, found 25\n");
    CHECK(problems_of(R"({"start": "2026-02-29"})") ==
          "s: /cost/start: expected a day from 2000 to 2099 like \"2026-03-17\", found "
          "\"2026-02-29\"\n");
    CHECK(problems_of(R"({"budget": "1000 USD"})") ==
          "s: /cost/budget: needs what machines cost: rent, buy or the scenario's price\n");
    CHECK(problems_of(R"({"budget": "0 USD", "rent": {"accelerator_hour": "2 USD/h"}})") ==
          "s: /cost/budget: must be above 0\n");
  }

  TEST_CASE("negative prices are refused") {
    CHECK(problems_of(R"({"rent": {"accelerator_hour": "-2 USD/h"}})") ==
          "s: /cost/rent/accelerator_hour: must be at least 0, found \"-2 USD/h\"\n");
    CHECK(problems_of(R"({"buy": {"price": "-1 USD", "accelerators": 8, "years": 4}, )" + kSite +
                      "}") == "s: /cost/buy/price: must be at least 0, found \"-1 USD\"\n");
    CHECK(problems_of(R"({"site": {"electricity": "-0.1 USD/kWh"}})") ==
          "s: /cost/site/electricity: must be at least 0, found \"-0.1 USD/kWh\"\n");
    CHECK(problems_of(R"({"budget": "-5 USD"})")
              .starts_with("s: /cost/budget: must be at least 0, found \"-5 USD\"\n"));
    CHECK(problems_of(R"({"people": {"count": -1, "year": "-3 USD"}})") ==
          "s: /cost/people/count: must be from 0 to 1000000, found -1\n"
          "s: /cost/people/year: must be at least 0, found \"-3 USD\"\n");
  }

  TEST_CASE("every mistake of a rent is told") {
    CHECK(problems_of(R"({"rent": {}})") ==
          "s: /cost/rent: needs a cloud and its offer, or an accelerator_hour\n");
    CHECK(problems_of(R"({"rent": {"cloud": "awz", "offer": "p5.48xlarge", "date": "2026"}})") ==
          "s: /cost/rent/cloud: \"awz\" is no cloud: did you mean aws?\n");
    CHECK(problems_of(R"({"rent": {"cloud": "aws", "offer": "p5.48xlarg", "date": "2026"}})") ==
          "s: /cost/rent/offer: \"p5.48xlarg\" is no offer of aws: did you mean p5.48xlarge?\n");
    CHECK(problems_of(R"({"rent": {"cloud": "aws", "offer": "p5.48xlarge"}})") ==
          "s: /cost/rent/date: missing, and so is a start: prices hold at a date\n");
    CHECK(
        problems_of(R"({"rent": {"cloud": "aws", "offer": "p5.48xlarge", "date": "tomorrow"}})") ==
        "s: /cost/rent/date: expected a date from 2000 to 2099 like \"2026-03-17\", \"2026-03\" "
        "or \"2026\", found \"tomorrow\"\n");
    const std::string early =
        problems_of(R"({"rent": {"cloud": "aws", "offer": "p5.48xlarge", "date": "2023-01"}})");
    CHECK(
        early.starts_with("s: /cost/rent/offer: no price of kind on_demand that is not after "
                          "2023-01; there are: "));
    CHECK(early.find("6.88 USD/h") != std::string::npos);
    CHECK(problems_of(R"({"rent": {"cloud": "aws", "offer": "p4d.24xlarge", "date": "2026"}})") ==
          "s: /cost/rent/offer: p4d.24xlarge has a100-sxm-40gb, and the cluster "
          "h100-sxm-80gb\n");
    CHECK(problems_of(
              R"({"rent": {"accelerator_hour": "2 USD/h", "cloud": "aws", "knd": "spot"}})") ==
          "s: /cost/rent/cloud: given, and so is accelerator_hour\n"
          "s: /cost/rent/knd: unknown key (did you mean kind?)\n");
    CHECK(problems_of(R"({"rent": {"accelerator_hour": "2 USD/h", "kind": "spot"}})") ==
          "s: /cost/rent/preemptions: missing: what is rented on the spot may be taken back\n");
    CHECK(problems_of(R"({"rent": {"accelerator_hour": "2 USD/h", "preemptions":
                          {"per_1000_node_days": [8, 2]}}})") ==
          "s: /cost/rent/preemptions/per_1000_node_days: the low end is above the high end\n"
          "s: /cost/rent/preemptions/notice: missing\n");
    CHECK(problems_of(R"({"rent": {"accelerator_hour": "2 USD/h"}})",
                      R"({"accelerator_hour": "2 USD/h", "source": "s"})") ==
          "s: /price: given, and so is the cost's rent\n");
  }

  TEST_CASE("every mistake of a purchase is told") {
    CHECK(problems_of(R"({"buy": {"years": 4, "charged": 0.1}})") ==
          "s: /cost/buy: needs a sale or a price\n"
          "s: /cost/buy: needs only one of years, charged\n");
    CHECK(problems_of(R"({"buy": {"price": "1 USD", "accelerators": 8}, "rent":
                          {"accelerator_hour": "1 USD/h"}})") ==
          "s: /cost/buy: needs years or charged\n"
          "s: /cost/buy: given, and so is rent\n");
    CHECK(problems_of(R"({"buy": {"sale": "8 x H100 nod", "years": 4}})") ==
          "s: /cost/buy/sale: \"8 x H100 nod\" is no machine for sale: did you mean 8 x H100 "
          "node?\n");
    CHECK(problems_of(R"({"buy": {"sale": "8 x H100 node", "years": 4}})")
              .starts_with("s: /cost/buy/covers: must choose one of 2 prices; there are: \"the "
                           "node with InfiniBand cards\" (310000 USD, 2024-08), "));
    CHECK(problems_of(R"({"buy": {"sale": "DGX A100", "years": 4}})") ==
          "s: /cost/buy/sale: what a DGX A100 costs is not known: state a price\n");
    CHECK(problems_of(R"({"buy": {"price": "1 USD", "accelerators": 8, "charged": 0.1,
                          "interest": 0.1, "used": 0, "facility": {"node": "1 USD", "kw_month":
                          "1 USD"}}, )" +
                      kSite + "}") ==
          "s: /cost/buy/used: must be from 0.01 to 1, found 0\n"
          "s: /cost/buy/interest: goes with years, not with a share that is charged\n"
          "s: /cost/buy/facility: needs only one of node, kw_month\n");
    CHECK(problems_of(R"({"buy": {"price": "1 USD", "accelerators": 8, "years": 4},
                          "site": "france"})") ==
          "s: /cost/site: what electricity costs there is not known: state electricity\n"
          "s: /cost/site: its PUE is not known: name an operator, or state pue\n");
    CHECK(
        problems_of(R"({"buy": {"price": "1 USD", "accelerators": 8, "years": 4}, )" + kSite + "}",
                    R"({"accelerator_hour": "2 USD/h", "source": "s"})") ==
        "s: /cost/buy: given, and so is price: machines are bought or rented\n");
    CHECK(problems_of(R"({"buy": {"sale": "GB200 NVL72", "covers": "the rack", "years": 4}, )" +
                      kSite + "}") ==
          "s: /cost/buy/sale: GB200 NVL72 has gb200, and the cluster h100-sxm-80gb\n");
  }

  TEST_CASE("every mistake of a site is told") {
    CHECK(problems_of(R"({"site": "usa-texa"})") ==
          "s: /cost/site: \"usa-texa\" is no site: did you mean usa-texas?\n");
    CHECK(problems_of(R"({"site": {"place": "francd", "operator": "gogle", "carbon": 300,
                          "pue": 0.9, "plce": 1}})") ==
          "s: /cost/site/place: \"francd\" is no site: did you mean france?\n"
          "s: /cost/site/operator: \"gogle\" is no site: did you mean google?\n"
          "s: /cost/site/carbon: expected an object with g_per_kwh or hours\n"
          "s: /cost/site/pue: must be from 1 to 10, found 0.9\n"
          "s: /cost/site/plce: unknown key (did you mean place?)\n");
  }

  TEST_CASE("a scenario's cost with a piece put in, taken out or replaced is read or refused") {
    const std::vector<std::string> pieces = {"{",
                                             "}",
                                             "[",
                                             "]",
                                             ",",
                                             ":",
                                             "\"",
                                             "null",
                                             "-1",
                                             "0",
                                             "1e308",
                                             "0.5",
                                             "\"8\"",
                                             "\"\"",
                                             "\"9 parsecs\"",
                                             "\"-3 USD\"",
                                             "\"1e300 USD\"",
                                             "\"2026-12-01\"",
                                             "9223372036854775807",
                                             "\xff"};
    CHECK(rc::check([&] {
      std::string cost = *rc::gen::elementOf(examples());
      const int changes = *rc::gen::inRange(1, 4);
      for (int i = 0; i < changes; ++i) {
        const std::size_t at = *rc::gen::inRange<std::size_t>(0, cost.size());
        cost.replace(at, *rc::gen::inRange<std::size_t>(0, 12), *rc::gen::elementOf(pieces));
      }
      Problems problems;
      const bool was_read = read(cost, problems).has_value();
      RC_ASSERT(was_read == problems.empty());
    }));
  }
}

}  // namespace forerun::sim
