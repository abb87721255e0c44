#include "sim/planner/sensitivity.h"

#include <doctest/doctest.h>
#include <fmt/format.h>

#include <algorithm>
#include <cmath>

#include "sim/planner/shipped.h"

namespace forerun::sim {
namespace {

const MakeScenario kMake = [](const std::vector<std::string>& set, Problems& problems) {
  return edited("llama3_8b_torchtitan", set, problems);
};
const MakeSpace kSpace = [](const Scenario& s) {
  SearchSpace space = default_space(s);
  space.tensor = {1};
  space.pipeline = {1};
  space.micro_batch = {1, 2};
  std::erase_if(space.recompute, [](const RecomputeChoice& c) { return c.share < 1; });
  space.sharding = {ShardingStage::parameters};
  return space;
};

DecisionQuestion a100_or_h100(double h100_price) {
  const auto price = [](double usd) {
    return fmt::format(R"(price={{"accelerator_hour": "{} USD/h", "source": "the test"}})", usd);
  };
  DecisionQuestion q;
  q.goal = Goal::cost;
  q.choices = {{"machine",
                {{"A100",
                  {"cluster.accelerator=a100-sxm-80gb", "cluster.network={\"name\": \"dgx-a100\"}",
                   price(1)}},
                 {"H100",
                  {"cluster.accelerator=h100-sxm-80gb", "cluster.network={\"name\": \"dgx-h100\"}",
                   price(h100_price)}}}}};
  return q;
}

std::vector<SensitivityRow> rows_of(const DecisionQuestion& q, Decision& d) {
  Problems problems;
  d = *decide(q, kMake, kSpace, {}, problems);
  return sensitivity(q, d, {});
}

const SensitivityRow& row(const std::vector<SensitivityRow>& rows, const std::string& beginning) {
  const auto at = std::ranges::find_if(
      rows, [&](const SensitivityRow& r) { return r.input.starts_with(beginning); });
  REQUIRE_MESSAGE(at != rows.end(), beginning);
  return *at;
}

TEST_SUITE("sim/planner/sensitivity") {
  TEST_CASE("a price swings its own machine's cost by its own share, and turns a close decision") {
    Decision d;
    // The price at which both cost the same follows from their steps; 5 % above it A100 win by 5 %.
    const DecisionQuestion equal = a100_or_h100(1);
    rows_of(equal, d);
    const double even = d.points[0].step->time / d.points[1].step->time;
    CHECK(even > 1.2);
    const DecisionQuestion close = a100_or_h100(1.05 * even);
    const std::vector<SensitivityRow> rows = rows_of(close, d);
    CHECK(d.points[d.ranking.front()].names.front() == "A100");
    const SensitivityRow& own = row(rows, "price of a100-sxm-80gb");
    CHECK(own.swing == doctest::Approx(0.5));
    CHECK(own.winner_at_low == 0);
    CHECK(own.winner_at_high == 1);
    const SensitivityRow& other = row(rows, "price of h100-sxm-80gb");
    CHECK(other.swing == doctest::Approx(0));
    CHECK(other.winner_at_low == 1);
    // Those that turn it come first.
    CHECK(rows.front().changes(0));
  }

  TEST_CASE("a decision that is not close holds") {
    Decision d;
    for (const SensitivityRow& r : rows_of(a100_or_h100(40), d)) {
      CHECK_MESSAGE(!r.changes(d.ranking.front()), r.input);
    }
  }

  TEST_CASE("constants of a law move tokens, and so cost, where a loss is to be reached") {
    DecisionQuestion q = a100_or_h100(2);
    q.free_tokens = true;
    q.loss_at_most = 2.1;
    Decision d;
    const std::vector<SensitivityRow> rows = rows_of(q, d);
    REQUIRE_FALSE(d.ranking.empty());
    // Fitted together, the law's constants move together: a worse draw needs more tokens.
    const SensitivityRow& law = row(rows, "constants of law chinchilla_refit together");
    REQUIRE(law.at_low);
    CHECK((!law.at_high || *law.at_high > *law.at_low));
    CHECK(law.swing > 0.05);
    CHECK(std::ranges::none_of(
        rows, [](const SensitivityRow& r) { return r.input.starts_with("E of law"); }));
  }
}

}  // namespace
}  // namespace forerun::sim
