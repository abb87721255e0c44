#include "sim/cost/power_by_use.h"

#include <doctest/doctest.h>

#include "sim/cost/cost_forecast.h"
#include "sim/cost/made_runs.h"

namespace forerun::sim {

using namespace literals;
using doctest::Approx;
using testing::scenario;

TEST_SUITE("sim/cost/power_by_use") {
  // A DGX H100 may draw 10.2 kW, 4.6 beyond its boards: 47 to 61 % of these are 2.15 to 2.8 kW.
  TEST_CASE("beside its boards a node draws what nodes of H100 were measured to") {
    const Scenario s = scenario("{}");
    StepResult step;
    step.power = 650.0_W;
    const PowerByUse p = power_by_use(s, step);
    CHECK(p.beside.value.base() * 8 == Approx(2'152));
    CHECK(p.beside.most->base() * 8 == Approx(2'800));
    CHECK(p.beside.origin.evidence == Evidence::derived);
    CHECK(p.board_computing == 650.0_W);
    CHECK(p.board_waiting == 117.0_W);
    CHECK(p.most.base() * 8 == Approx(10'200));
  }

  TEST_CASE("a node whose data sheet is not known draws in proportion, assumed") {
    Scenario s = scenario("{}");
    s.network.name = "mine";
    const PowerByUse p = power_by_use(s, StepResult{});
    CHECK(p.beside.value.base() * 8 == Approx(2'152));
    CHECK(p.beside.most->base() * 8 == Approx(2'800));
    CHECK(p.beside.origin.evidence == Evidence::assumed);
    CHECK(p.most == 700.0_W + *p.beside.most);
  }

  TEST_CASE("what is stated is taken, and a cap of the owner's leaves hosts as they are") {
    CHECK(power_by_use(scenario(R"({"power": {"beside": "310 W"}})"), StepResult{}).beside ==
          Stated<Watts>{310.0_W, std::nullopt, {}});
    CHECK(power_by_use(scenario("{}", "\"500 W\""), StepResult{}).beside ==
          power_by_use(scenario("{}"), StepResult{}).beside);
  }

  // arXiv:2506.14551: 76 % of the rated 10.2 kW in compute-intensive training; at most 82 %.
  TEST_CASE("a node of H100 that trains draws what was measured") {
    const Scenario s = scenario("{}");
    const PowerByUse p = power_by_use(s, simulate_step(s));
    const double low = 8 * (p.board_computing + p.beside.value).base() / 10'200;
    const double high = 8 * (p.board_computing + *p.beside.most).base() / 10'200;
    MESSAGE("of the rated power, where 0.76 is published: " << low << " to " << high);
    CHECK(low > 0.66);
    CHECK(high < 0.82);
  }

  TEST_CASE("a cap trades days against energy") {
    struct Outcome {
      double days, kwh;
    };
    const auto outcome = [](const std::string& cap) {
      const Scenario s = scenario(R"({"site": {"pue": 1.1}})", cap);
      const StepResult step = simulate_step(s);
      const RunForecast run = testing::undisturbed(s, 1e5 * step.time);
      const CostForecast cost = cost_forecast(s, step, run);
      MESSAGE(cap << ": " << run.draws[0].duration.in(1.0_days) << " days, " << cost.energy_kwh.p50
                  << " kWh, " << step.power.base() << " W");
      return Outcome{run.draws[0].duration.in(1.0_days), cost.energy_kwh.p50};
    };
    const Outcome whole = outcome(""), less = outcome("\"550 W\""), least = outcome("\"450 W\"");
    CHECK(less.days > whole.days);
    CHECK(least.days > less.days);
    CHECK(less.kwh < whole.kwh);
  }
}

}  // namespace forerun::sim
