// Whole runs against what was published of them: interruptions and effective time of Llama 3's 54
// days, mean times to failure of Meta's research clusters.

#include <doctest/doctest.h>
#include <fmt/format.h>

#include <cmath>

#include "core/file.h"
#include "sim/run/run_events.h"
#include "sim/run/run_forecast.h"
#include "sim/run/young_daly.h"

namespace forerun::sim {
namespace {

Scenario scenario(const std::string& name) {
  Problems problems;
  const JsonDocument document =
      JsonDocument::load(data_path("scenarios/" + name + ".json"), problems);
  std::optional<Scenario> s = read_scenario(document, problems);
  REQUIRE(s);
  return *std::move(s);
}

RunForecast fifty_four_days(const char* reliability) {
  Scenario s = scenario("llama3_405b_54_days");
  s.operations.reliability = hw::load_reliability(reliability);
  // Its step is stated, so that the simulated one is not asked.
  return run_forecast(run_setup(s, *s.operations.step_time, std::nullopt), 1, 1000, 2);
}

/// A job that computes for ever on so many accelerators, with nothing but its failures.
RunSetup job(const char* reliability, std::int64_t accelerators) {
  RunSetup s;
  s.phases = {{0, Seconds(1), 1, {}}};
  s.nodes = accelerators / 8;
  s.spares = 1'000'000;
  s.reference_nodes = static_cast<double>(s.nodes);
  s.reliability = hw::load_reliability(reliability);
  s.tiers = {{"storage", 60, {}, {}, {}, Survives::all, true}};
  s.replacement = {1, 1};
  s.longest = Seconds(1e12);
  return s;
}

/// Mean time between interruptions in hours, by simulation over `days` of computing.
double simulated_hours(const char* reliability, std::int64_t accelerators, double days) {
  RunSetup s = job(reliability, accelerators);
  s.steps = days * 86400;
  double interruptions = 0, hours = 0;
  for (std::uint64_t d = 0; d < 20; ++d) {
    const RunDraw r = simulate_run_in_time(s, 1, d);
    for (const std::int64_t n : r.interruptions) interruptions += static_cast<double>(n);
    hours += r.duration.base() / 3600;
  }
  return hours / interruptions;
}

TEST_SUITE("run/published") {
  using doctest::Approx;

  TEST_CASE("Llama 3, 54 days: research clusters' rates hold the 419 interruptions") {
    const RunForecast f = fifty_four_days("meta-rsc");
    MESSAGE(
        fmt::format("{:.1f} days, {:.0f} interruptions ({:.0f} to {:.0f}), goodput {:.3f} "
                    "({:.3f} to {:.3f})",
                    f.duration_s.p50 / 86400, f.interruptions.p50, f.interruptions.p10,
                    f.interruptions.p90, f.goodput.p50, f.goodput.p10, f.goodput.p90));
    CHECK(f.duration_s.p50 / 86400 == Approx(54).epsilon(0.01));
    CHECK(f.interruptions.p10 < 419);
    CHECK(f.interruptions.p90 > 419);
    CHECK(f.goodput.p50 > 0.90);
    CHECK(f.goodput.p50 < 0.98);
  }

  TEST_CASE("Llama 3, 54 days, its own rates: each cause's published count lies in its band") {
    const RunForecast f = fifty_four_days("llama3-405b-54-days");
    const std::vector<double> published = {148, 72, 54, 35, 32, 19, 17, 7, 7,
                                           6,   6,  3,  3,  2,  2,  2,  2, 2};
    REQUIRE(f.causes.size() == published.size());
    for (std::size_t i = 0; i < published.size(); ++i) {
      CAPTURE(f.causes[i].name);
      // Of 1,000 runs' mean; software does not fail while the job is down, some 5 % of the time.
      CHECK(f.causes[i].interruptions.mean == Approx(published[i]).epsilon(0.08));
      CHECK(f.causes[i].interruptions.p10 <= published[i]);
      CHECK(f.causes[i].interruptions.p90 >= published[i]);
    }
    CHECK(f.interruptions.mean == Approx(419).epsilon(0.03));
    CHECK(f.goodput.p50 > 0.90);
  }

  TEST_CASE("RSC: the formula 1 / (nodes x rate) by simulation") {
    CHECK(simulated_hours("meta-rsc-1-hardware", 1024, 200) ==
          Approx(1000 / (128 * 6.5) * 24).epsilon(0.05));
    CHECK(simulated_hours("meta-rsc-1-hardware", 16384, 20) ==
          Approx(1000 / (2048 * 6.5) * 24).epsilon(0.05));
    CHECK(simulated_hours("meta-rsc-1-hardware", 16384, 20) == Approx(1.8).epsilon(0.05));
  }

  TEST_CASE("RSC: observed times to failure once the software of research jobs is in") {
    // Software's rate is that of jobs of 8; the jobs of 1,024 are the test.
    CHECK(simulated_hours("meta-rsc-1-jobs", 8, 20000) / 24 == Approx(47.7).epsilon(0.05));
    const double large = simulated_hours("meta-rsc-1-jobs", 1024, 200);
    MESSAGE(fmt::format("1,024 accelerators: {:.2f} h simulated, 7.9 h observed", large));
    CHECK(large == Approx(7.9).epsilon(0.25));
  }

  TEST_CASE("RSC: the ratio of effective time by formula and by simulation, within 5 %") {
    for (const auto& [accelerators, interval] :
         {std::pair<std::int64_t, double>{1024, 3600}, {4096, 1800}, {16384, 600}}) {
      RunSetup s = job("meta-rsc-1-hardware", accelerators);
      s.steps = 40 * 86400;
      s.restart = {300, 300};
      s.tiers[0].blocked = Seconds(30);
      s.tiers[0].every_steps = interval;
      double goodput = 0;
      for (std::uint64_t d = 0; d < 20; ++d)
        goodput += simulate_run_in_time(s, 1, d).goodput() / 20;
      const Seconds mean = *mean_time_to_loss(s);
      const double formula =
          first_order_goodput(Seconds(interval), Seconds(30), Seconds(300), mean);
      MESSAGE(fmt::format("{} accelerators: {:.4f} simulated, {:.4f} by formula", accelerators,
                          goodput, formula));
      CHECK(goodput == Approx(formula).epsilon(0.05));
      const double exact = Seconds(1e6) / daly_duration(Seconds(1e6), Seconds(interval),
                                                        Seconds(30), Seconds(300), mean);
      CHECK(goodput == Approx(exact).epsilon(0.01));
    }
  }
}

}  // namespace
}  // namespace forerun::sim
