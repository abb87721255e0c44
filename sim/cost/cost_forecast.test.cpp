#include "sim/cost/cost_forecast.h"

#include <doctest/doctest.h>

#include <algorithm>

#include "sim/cost/made_runs.h"

namespace forerun::sim {
namespace {

using namespace literals;
using doctest::Approx;
using testing::scenario;

/// A run of `n` days, paid for its eight nodes and two spares.
RunDraw days(double n) {
  RunDraw d = testing::ten_days();
  const double of_ten = n / 10;
  d.duration *= of_ten;
  for (Seconds& use : d.use) use *= of_ten;
  d.node_time *= of_ten;
  d.job_node_time *= of_ten;
  d.computing *= of_ten;
  return d;
}

/// 1 to 10 days: 3,840 USD each day at 2 USD an hour.
RunForecast up_to_ten_days() {
  std::vector<RunDraw> draws;
  for (int n = 1; n <= 10; ++n) draws.push_back(days(n));
  return testing::forecast(std::move(draws));
}

StepResult step() {
  StepResult r;
  r.power = 600.0_W;
  return r;
}

bool says(const std::vector<std::string>& texts, std::string_view part) {
  return std::ranges::any_of(texts, [&](const std::string& t) { return t.find(part) != t.npos; });
}

}  // namespace

TEST_SUITE("sim/cost/cost_forecast") {
  TEST_CASE("percentiles are of the draws, item by item") {
    const Scenario s = scenario(R"({"rent": {"accelerator_hour": "2 USD/h"},
                                    "people": {"count": 1, "year": "36525 USD"}})");
    const CostForecast f = cost_forecast(s, step(), up_to_ten_days());
    REQUIRE(f.items.size() == 2);
    CHECK(f.items[0].name == "rent");
    CHECK(f.items[0].usd.p50 == Approx(3'840 * 5.5));
    CHECK(f.items[1].name == "people");
    CHECK(f.items[1].usd.mean == Approx(100 * 5.5));
    CHECK(f.total_usd.p10 == Approx(3'940 * 1.9));
    CHECK(f.total_usd.p90 == Approx(3'940 * 9.1));
    CHECK(f.total_usd.mean == Approx(f.items[0].usd.mean + f.items[1].usd.mean));
    CHECK(f.evidence == Evidence::assumed);
    CHECK_FALSE(f.carbon_kg);
    CHECK_FALSE(f.by_deadline);
    CHECK_FALSE(f.within_budget);
    CHECK_FALSE(f.both);
  }

  // Six days fit before the end of December 6th; 15,400 USD pay four. What is late is dear too: the
  // probability of both is that of the budget, not the product.
  TEST_CASE("a deadline and a budget are met by the same draws") {
    const Scenario s = scenario(R"({"start": "2026-12-01", "deadline": "2026-12-06",
        "budget": "15400 USD", "rent": {"accelerator_hour": "2 USD/h"}})");
    const CostForecast f = cost_forecast(s, step(), up_to_ten_days());
    CHECK(*f.by_deadline == Approx(0.6));
    CHECK(*f.within_budget == Approx(0.4));
    CHECK(*f.both == Approx(0.4));
  }

  TEST_CASE("a start in the day leaves less of it, and a deadline is the end of its day") {
    const auto by = [](const std::string& hour) {
      return *cost_forecast(scenario(R"({"start": "2026-12-01", "deadline": "2026-12-06",
                                         "start_hour": )" +
                                     hour + "}"),
                            step(), up_to_ten_days())
                  .by_deadline;
    };
    CHECK(by("0") == Approx(0.6));
    CHECK(by("0.5") == Approx(0.5));
    CHECK(by("24") == Approx(0.5));
  }

  TEST_CASE("a run that did not end is late and over the budget, and is told") {
    RunForecast run = up_to_ten_days();
    run.draws[0].finished = false;
    const CostForecast f =
        cost_forecast(scenario(R"({"start": "2026-12-01", "deadline": "2027-12-06",
                                   "budget": "1000000 USD", "rent": {"accelerator_hour": "2 USD/h"}})"),
                      step(), run);
    CHECK(*f.by_deadline == Approx(0.9));
    CHECK(*f.within_budget == Approx(0.9));
    CHECK(says(f.warnings, "1 of 10 simulated runs did not end"));
  }

  TEST_CASE("evidence is the weakest of what an item rests on, and its source is named") {
    const CostForecast rented = cost_forecast(
        scenario(R"({"rent": {"cloud": "aws", "offer": "p5.48xlarge", "date": "2026-03"}})"),
        step(), up_to_ten_days());
    CHECK(rented.items[0].evidence == Evidence::published);
    CHECK(rented.items[0].source.starts_with("aws p5.48xlarge, on_demand, 2025-06: "));
    const std::string buy = R"({"buy": {"price": {"value": "300000 USD", "source": "an offer"},
        "accelerators": 8, "years": {"value": 5, "source": "Epoch AI"}, "used": {"value": 1,
        "source": "our plan"}, "resale": )";
    const std::string site = R"(}, "site": {"place": "usa", "operator": "google"}})";
    CHECK(cost_forecast(scenario(buy + R"({"value": 0, "source": "our plan"})" + site), step(),
                        up_to_ten_days())
              .items[0]
              .evidence == Evidence::published);
    const CostForecast bought = cost_forecast(scenario(buy + "0" + site), step(), up_to_ten_days());
    CHECK(bought.items[0].evidence == Evidence::assumed);
    CHECK(bought.items[0].source == "an offer");
    CHECK(bought.carbon_kg);
    CHECK(says(bought.assumptions, "capital bears no interest"));
    CHECK(says(bought.assumptions, "no network but what"));
  }

  TEST_CASE("what a price does not say is told") {
    const auto warnings = [](const std::string& cost) {
      return cost_forecast(scenario(cost), step(), up_to_ten_days()).warnings;
    };
    CHECK(says(warnings(R"({"rent": {"accelerator_hour": "2 USD/h", "kind": "reserved"}})"),
               "state at_least_days"));
    CHECK(warnings(R"({"rent": {"accelerator_hour": "2 USD/h", "kind": "reserved",
                       "at_least_days": 365}})")
              .empty());
    CHECK(says(warnings(R"({"start": "2028-01-01", "rent": {"cloud": "lambda", "offer":
                            "h100", "kind": "list"}})"),
               "and the run starts 2028-01-01"));
    CHECK(says(cost_forecast(scenario("{}"), step(), up_to_ten_days()).assumptions,
               "no PUE was named"));
  }

  TEST_CASE("the same question has the same answer, and another seed another where prices range") {
    const std::string cost =
        R"({"rent": {"accelerator_hour": {"value": "1 USD/h", "most": "4 USD/h"}}})";
    Scenario s = scenario(cost);
    const auto total = [&] { return cost_forecast(s, step(), up_to_ten_days()).total_usd.mean; };
    const double first = total();
    CHECK(total() == first);
    s.seed = 7;
    CHECK(total() != first);
  }
}

}  // namespace forerun::sim
