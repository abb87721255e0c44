#include "sim/sweep/point.h"

#include <doctest/doctest.h>

#include "sim/scenario.h"
#include "sim/sweep/made_sweep.h"

namespace forerun::sim {
namespace {

TEST_SUITE("sim/sweep/point") {
  /// What the point's scenario is answered without any memory of others.
  std::vector<Metric> asked_alone(const Sweep& s, std::int64_t point) {
    Problems problems;
    std::optional<Scenario> scenario =
        read_scenario(point_document(s, s.settings(point), problems), problems);
    REQUIRE_MESSAGE(scenario.has_value(), problems.text("point"));
    scenario->seed = s.seed_of(point);
    AnswerOptions options;
    options.run_draws = s.run_draws;
    options.loss_draws = s.loss_draws;
    const Answer a = answer(*scenario, options, problems);
    REQUIRE(problems.empty());
    std::vector<Metric> out = metrics(*scenario, a);
    std::erase_if(out, [](const Metric& m) { return !m.value; });
    return out;
  }

  void check_equal(const std::vector<Metric>& a, const std::vector<Metric>& b) {
    REQUIRE(a.size() == b.size());
    for (std::size_t i = 0; i < a.size(); ++i) {
      CHECK(a[i].name == b[i].name);
      CHECK(a[i].unit == b[i].unit);
      CHECK(*a[i].value == *b[i].value);
      CHECK(a[i].evidence == b[i].evidence);
    }
  }

  TEST_CASE("a point's answer is its scenario's, although steps and losses are remembered") {
    const Sweep s = made_sweep();
    PointAnswerer answerer(s);
    for (const std::int64_t point : {8, 1, 0, 2, 7}) {
      const PointResult r = answerer.answer(point);
      REQUIRE(r.status == PointStatus::answered);
      CHECK(r.point == point);
      CHECK(r.reason.empty());
      check_equal(r.metrics, asked_alone(s, point));
    }
  }

  TEST_CASE("settings outside the step's and the loss's sections are felt all the same") {
    // The same step throughout; price, operations and tokens move days and dollars.
    const Sweep s = made_sweep(R"({"schema": 1, "name": "x", "base": "llama3_8b_torchtitan",
      "answer": {"run_draws": 4, "loss_draws": 2},
      "designs": [{"kind": "grid", "axes": [
        {"path": "price.accelerator_hour", "values": ["1 USD/h", "3 USD/h"]},
        {"path": "operations.detection", "values": ["1 s", "12 h"]},
        {"path": "cost.budget", "values": ["100 USD", "1000000 USD"]},
        {"path": "recipe.learning_rate.peak", "values": [1e-4, 1e-3]},
        {"path": "training_tokens", "values": [1e9, 1e11]}]}]})");
    PointAnswerer answerer(s);
    for (std::int64_t p = 0; p < s.points(); ++p) {
      check_equal(answerer.answer(p).metrics, asked_alone(s, p));
    }
  }

  TEST_CASE("a broken rule is the point's reason") {
    const Sweep s = made_sweep();
    PointAnswerer answerer(s);
    const PointResult r = answerer.answer(4);
    CHECK(r.status == PointStatus::refused);
    CHECK(r.cause == "/plan/global_batch");
    CHECK(r.reason.starts_with("/plan/global_batch: 16 is no multiple"));
    CHECK(r.metrics.empty());
  }

  TEST_CASE("what does not fit is told by how much") {
    const Sweep big = made_sweep(R"({"schema": 1, "name": "x", "base": "llama3_70b_does_not_fit",
      "designs": [{"kind": "grid", "axes": [{"path": "plan.micro_batch", "values": [1]}]}]})");
    PointAnswerer answerer(big);
    const PointResult r = answerer.answer(0);
    CHECK(r.status == PointStatus::infeasible);
    CHECK(r.cause == "memory");
    CHECK(r.reason.find("GiB over on stage 0 (") != std::string::npos);
  }

  TEST_CASE("a run that is too long to be simulated is a failed point with the reason") {
    const Sweep s = made_sweep(R"({"schema": 1, "name": "x", "base": "llama3_8b_torchtitan",
      "answer": {"run_draws": 2, "loss_draws": 2},
      "designs": [{"kind": "grid", "axes": [
        {"path": "training_tokens", "values": [1e18, 1e9]}]}]})");
    PointAnswerer answerer(s);
    const PointResult r = answerer.answer(0);
    CHECK(r.status == PointStatus::failed);
    CHECK(r.cause == "simulation");
    CHECK_MESSAGE(r.reason.find("years") != std::string::npos, r.reason);
    CHECK(r.metrics.empty());
    CHECK(answerer.answer(1).status == PointStatus::answered);
  }

  TEST_CASE("a seed that an axis sets is the point's") {
    const Sweep s = made_sweep(R"({"schema": 1, "name": "x", "base": "llama3_8b_torchtitan",
      "answer": {"run_draws": 3, "loss_draws": 0},
      "designs": [{"kind": "grid", "axes": [{"path": "seed", "values": [1, 2]}]}]})");
    PointAnswerer answerer(s);
    const auto days = [&](std::int64_t point) {
      for (const Metric& m : answerer.answer(point).metrics) {
        if (m.name == "days_mean") return *m.value;
      }
      return 0.0;
    };
    CHECK(days(0) > 0);
    CHECK(days(0) != days(1));
  }

  TEST_CASE("an answer comes through its bytes unchanged") {
    const Sweep s = made_sweep();
    PointAnswerer answerer(s);
    for (const std::int64_t point : {0, 4}) {
      const PointResult r = answerer.answer(point);
      const PointResult back = unpacked(packed(r));
      CHECK(back.point == r.point);
      CHECK(back.status == r.status);
      CHECK(back.cause == r.cause);
      CHECK(back.reason == r.reason);
      check_equal(back.metrics, r.metrics);
    }
  }
}

}  // namespace
}  // namespace forerun::sim
