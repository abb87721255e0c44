#include "models/loss/fit/identifiability.h"

#include <doctest/doctest.h>

#include <cmath>

#include "core/random.h"

namespace forerun::models {
namespace {

/// Runs of a power law, sizes and tokens the given ones, 0.5 % of noise.
RunTable made(const std::vector<double>& sizes, const std::vector<double>& tokens) {
  const Stream noise(1, "noise");
  RunTable table;
  for (const double n : sizes) {
    for (const double d : tokens) {
      Run run;
      run.name = "r" + std::to_string(table.runs.size());
      run.parameters = n;
      run.tokens[""] = d;
      run.losses[""] = (1.7 + 300 / std::pow(n, 0.33) + 1200 / std::pow(d, 0.35)) *
                       (1 + 0.005 * noise.normal(table.runs.size()));
      table.runs.push_back(run);
    }
  }
  return table;
}

struct Done {
  Stages stages;
  Fit fit;
};
Done done(const RunTable& table, std::int64_t bootstrap = 60) {
  Problems problems;
  Done out{stages_of("power", "", table, problems), {}};
  REQUIRE_MESSAGE(problems.empty(), problems.text("runs"));
  FitOptions o;
  o.bootstrap = bootstrap;
  o.search.screened = 200;
  o.search.tried = 4;
  out.fit = fit_stages(out.stages, o);
  return out;
}

TEST_SUITE("models/loss/fit/identifiability") {
  TEST_CASE("few and near token counts leave B and beta the weakest, and a warning says so") {
    const Done d = done(made({1e8, 1e9, 1e10, 5e10}, {1e10, 2e10, 4e10}));
    const StageFit& stage = d.fit.stages.front();
    CHECK(stage.names[weakest_constant(stage).constant] == "B");
    bool said = false;
    for (const std::string& w : fit_warnings(d.stages, d.fit)) {
      said = said || w.find("B and beta move together") != w.npos;
    }
    CHECK(said);
  }

  TEST_CASE("the next run to pin B has tokens outside those seen, and stays within its FLOPs") {
    const Done d = done(made({1e8, 1e9, 1e10, 5e10}, {1e10, 2e10, 4e10}));
    const auto next =
        next_runs(d.stages.stages.front(), d.fit.stages.front(), d.fit.values, 1e22, 3);
    REQUIRE(next.size() == 3);
    for (const NextRun& n : next) {
      CHECK(n.flops <= 1e22);
      CHECK(n.narrower < 1);
      CHECK(n.all_share < 1);
      CHECK((n.point.tokens < 1e10 || n.point.tokens > 4e10));
    }
    CHECK(next[0].narrower <= next[1].narrower);
  }

  TEST_CASE("doing the proposed run narrows the constant about as foretold") {
    RunTable table = made({1e8, 1e9, 1e10, 5e10}, {1e10, 2e10, 4e10});
    const Done before = done(table, 0);
    const Stage& stage = before.stages.stages.front();
    StageFit fit = before.fit.stages.front();
    // The weakest by the information matrix itself, which next_runs takes the bootstrap's word for.
    fit.intervals.assign(5, Interval{0.99, 1.0});
    fit.intervals[3] = {fit.constants[3] / 100, fit.constants[3] * 100};
    const NextRun best = next_runs(stage, fit, before.fit.values, 1e22, 1).front();
    const auto model = stage.model({});
    const double now = identifiability(*model, fit).standard_errors[3];
    Run run;
    run.name = "next";
    run.parameters = best.point.parameters;
    run.tokens[""] = best.point.tokens;
    run.losses[""] = 3;  // the information does not depend on what was measured
    table.runs.push_back(run);
    Problems problems;
    const Stages more = stages_of("power", "", table, problems);
    const auto larger = more.stages.front().model({});
    const double then = identifiability(*larger, fit).standard_errors[3];
    CHECK(then / now == doctest::Approx(best.narrower).epsilon(1e-3));
  }

  TEST_CASE("draws hold the fit's constants in their middle and do not depend on threads") {
    const RunTable table = made({1e8, 1e9, 1e10}, {1e9, 1e10, 1e11});
    Problems problems;
    const Stages stages = stages_of("power", "", table, problems);
    FitOptions o;
    o.bootstrap = 40;
    const Fit one = fit_stages(stages, o);
    o.threads = 3;
    const Fit three = fit_stages(stages, o);
    CHECK(one.draws == three.draws);
    for (std::size_t k = 0; k < 5; ++k) {
      CHECK(one.stages[0].intervals[k].low <= one.stages[0].constants[k] * 1.0001);
      CHECK(one.stages[0].intervals[k].high >= one.stages[0].constants[k] * 0.9999);
    }
  }
}

}  // namespace
}  // namespace forerun::models
