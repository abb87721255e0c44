#include "sim/planner/search_file.h"

#include <doctest/doctest.h>

#include <string>

#include "sim/planner/shipped.h"

namespace forerun::sim {
namespace {

constexpr hw::PriceDate kToday{2026, 11, 27};

struct ReadFile {
  SearchFile file;
  std::string problems;
};

ReadFile read(const std::string& text) {
  static const Scenario s = shipped("gpt3_175b_korthikanti");
  Problems problems;
  const JsonDocument document = JsonDocument::parse(text, problems);
  ReadFile out{read_search_file(document, s, kToday, problems), {}};
  if (problems.empty()) check_question(out.file.question, problems);
  out.problems = problems.text("search");
  return out;
}

bool has(const std::string& text, const std::string& part) {
  return text.find(part) != std::string::npos;
}

TEST_SUITE("sim/planner/search_file") {
  TEST_CASE("goal, limits, choices and plans are read") {
    const ReadFile r = read(R"({
      "schema": 1, "goal": "cost", "loss_at_most": 2.1, "budget": "2e6 USD",
      "start": "2026-12-01", "finish_by": "2027-01-30", "free_tokens": true,
      "plan": {"tensor": [8, 4], "sharding": ["optimizer"], "sequence_parallel": "on",
               "recompute": [{"mode": "full", "share": 0.5}]},
      "choices": [{"of": "machine", "options": [
        {"name": "64", "set": ["cluster.accelerators=64"]},
        {"name": "128", "set": ["cluster.accelerators=128"]}]}]
    })");
    CHECK(r.problems.empty());
    const DecisionQuestion& q = r.file.question;
    CHECK(q.goal == Goal::cost);
    CHECK(q.loss_at_most == 2.1);
    CHECK(q.budget->base() == 2e6);
    CHECK(q.within->in(1.0_days) == doctest::Approx(60));
    REQUIRE(q.choices.size() == 1);
    CHECK(q.choices[0].options[1].set.front() == "cluster.accelerators=128");
  }

  TEST_CASE("wrong limits are refused with their rule") {
    const auto says = [](const std::string& rest, const std::string& what) {
      const ReadFile r = read("{\"schema\": 1, " + rest + "}");
      CHECK_MESSAGE(has(r.problems, what), r.problems);
    };
    says(R"("budget": "-5 USD")", "/budget: ");
    says(R"("budget": "0 USD")", "/budget: must be above 0");
    says(R"("finish_by": "2026-01-01")", "/finish_by: 2026-01-01 is past: today is 2026-11-27");
    says(R"("finish_by": "2027-02-30")", "/finish_by: \"2027-02-30\" is no day like 2027-02-01");
    says(R"("finish_by": "2027-01-01", "days": 3)", "has one of them");
    says(R"("start": "2027-03-01", "finish_by": "2027-02-01")", "not after the start");
    says(R"("goal": "speed")", "/goal: ");
    says(R"("goal": "time", "budget": "5 USD")", "/goal: \"time\" is of one step");
    says(R"("goal": "loss", "free_tokens": true)", "says how many to train");
    says(R"("goal": "date", "free_tokens": true, "days": 4)", "would train one step");
    says(R"("days": 0)", "/days: must be above 0");
    says(R"("plans": {})", "/plans: unknown key");
  }

  TEST_CASE("wrong plans and choices are refused with their rule") {
    const auto says = [](const std::string& rest, const std::string& what) {
      const ReadFile r = read("{\"schema\": 1, " + rest + "}");
      CHECK_MESSAGE(has(r.problems, what), r.problems);
    };
    says(R"("plan": {"tensor": []})", "/plan/tensor: no value to search");
    says(R"("plan": {"tensor": [0]})", "/plan/tensor/0");
    says(R"("plan": {"sharding": ["optimiser"]})", "did you mean optimizer?");
    says(R"("plan": {"schedule": []})", "/plan/schedule: no value to search");
    says(R"("plan": {"recompute": [{"mode": "none", "share": 0.5}]})", "the mode is not full");
    says(R"("choices": [{"of": "x", "options": []}])", "no option to choose");
    says(R"("choices": [{"of": "x", "options": [{"name": "a", "set": ["plan"]}]}])",
         "expected PATH=VALUE");
    says(R"("choices": [{"of": "x", "options": [{"name": "a", "set": []},
                                               {"name": "a", "set": []}]}])",
         "is an option before");
  }
}

}  // namespace
}  // namespace forerun::sim
