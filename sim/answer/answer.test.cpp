#include "sim/answer/answer.h"

#include <doctest/doctest.h>

#include <set>

#include "core/file.h"

TEST_SUITE("sim/answer") {
  using namespace forerun;
  using namespace forerun::sim;
  using namespace forerun::literals;
  using doctest::Approx;

  static Scenario scenario(const std::string& name) {
    Problems problems;
    const JsonDocument document =
        JsonDocument::load(data_path("scenarios/" + name + ".json"), problems);
    std::optional<Scenario> s = read_scenario(document, problems);
    REQUIRE(s);
    return *std::move(s);
  }
  static double value(const std::vector<Metric>& all, const std::string& name) {
    for (const Metric& m : all) {
      if (m.name == name && m.value) return *m.value;
    }
    FAIL("no value of " << name);
    return 0;
  }

  TEST_CASE("where nothing fails and nothing is saved a run is its steps") {
    Scenario s = scenario("chameleon_7b_1024_a100");
    s.operations.reliability = hw::load_reliability("none");
    s.operations.checkpoints[0].blocks = {};
    s.operations.checkpoints[0].every = 3000.0_days;
    AnswerOptions options;
    options.run_draws = 1;
    options.loss_draws = 0;
    Problems problems;
    Answer a = answer(s, options, problems);
    REQUIRE(a.run);
    CHECK(a.run->undisturbed == *a.steps * a.step->time);
    // The one draw differs by the step's own error alone.
    const RunDraw& d = a.run->draws[0];
    CHECK(d.of(TimeUse::training) == d.duration);
  }

  TEST_CASE("the answer of a given step is the answer") {
    const Scenario s = scenario("llama3_405b_16384_h100");
    AnswerOptions options;
    options.run_draws = 20;
    options.loss_draws = 20;
    Problems problems;
    const Answer one = answer(s, options, problems);
    const Answer two = answer(s, options, problems, one.step);
    const auto first = metrics(s, one), second = metrics(s, two);
    REQUIRE(first.size() == second.size());
    std::set<std::string> names;
    for (std::size_t i = 0; i < first.size(); ++i) {
      CHECK(first[i].value == second[i].value);
      CHECK(names.insert(first[i].name).second);
    }
    CHECK(problems.empty());
    CHECK(value(first, "days_p50") > value(first, "days_undisturbed"));
    CHECK(value(first, "goodput_p50") > 0.9);
    CHECK(value(first, "loss.text") == value(first, "loss.mean"));
  }

  TEST_CASE("what does not fit has a memory and no more, by the same names") {
    const Scenario s = scenario("llama3_70b_does_not_fit");
    Problems problems;
    const Answer a = answer(s, {}, problems);
    CHECK_FALSE(a.step);
    const auto all = metrics(s, a);
    CHECK(value(all, "fits") == 0);
    CHECK(value(all, "memory_left_gib") < 0);
    std::size_t known = 0;
    for (const Metric& m : all) known += m.value.has_value() ? 1U : 0U;
    CHECK(known == 5);
  }
}
