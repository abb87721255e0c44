#include "sim/run.h"

#include <doctest/doctest.h>

#include "core/file.h"
#include "sim/provenance.h"

namespace forerun::sim {
namespace {

Scenario scenario(const std::string& name) {
  Problems problems;
  const JsonDocument document =
      JsonDocument::load(data_path("scenarios/" + name + ".json"), problems);
  const std::optional<Scenario> s = read_scenario(document, problems);
  REQUIRE_MESSAGE(s, problems.text(name));
  return *s;
}

TEST_SUITE("sim/run") {
  TEST_CASE("days, hours and cost follow from the step by arithmetic") {
    // 1e9 tokens / (16 sequences x 8192) = 7629.4 steps, so 7630; hours of 8 accelerators.
    Scenario s = scenario("llama3_8b_torchtitan");
    s.training_tokens = 1e9;
    s.price = 2.0_usd_per_h;
    const RunResult r = simulate_run(s, {});
    CHECK(*r.steps == 7630);
    CHECK(r.duration->base() == doctest::Approx(7630 * r.step.time.base()));
    CHECK(*r.accelerator_hours == doctest::Approx(8 * r.duration->in(1.0_h)));
    CHECK(r.cost->in(1.0_usd) == doctest::Approx(2 * *r.accelerator_hours));
    CHECK(r.tokens_per_second == doctest::Approx(16 * 8192 / r.step.time.base()));
    CHECK(r.redone_steps == 0);
    // A tenth of the steps thrown away and done again.
    Rollbacks lost;
    lost.steps_median = 763;
    CHECK(*simulate_run(s, lost).duration / *r.duration == doctest::Approx(1.1).epsilon(1e-4));
  }

  TEST_CASE("a scenario without tokens is one step, with no days and no loss") {
    const RunResult r = simulate_run(scenario("gpt3_175b_korthikanti"), {});
    CHECK(r.step.time > Seconds(0));
    CHECK_FALSE(r.duration);
    CHECK_FALSE(r.cost);
  }
}

TEST_SUITE("sim/provenance") {
  TEST_CASE("an answer's inputs are those of model, accelerator, network and framework") {
    const Scenario s = scenario("gpt3_175b_korthikanti");
    const Provenance p = provenance(s);
    CHECK(p.facts.size() == s.model.evidence.size() + s.accelerator.evidence.size() +
                                s.network.evidence.size() + s.framework.evidence.size());
    // The preset's attention kernel is assumed: nothing stronger than that holds for the answer.
    CHECK(p.weakest == Evidence::assumed);
    for (const InputFact& f : p.facts) CHECK_MESSAGE(!f.source.empty(), f.owner << " " << f.fact);
  }
}

}  // namespace
}  // namespace forerun::sim
