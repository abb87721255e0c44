#include "sim/scoreboard.h"

#include <doctest/doctest.h>

#include <string>

namespace forerun::sim {
namespace {

RowOutcome outcome(const std::string& group, double measured, double predicted) {
  RowOutcome o;
  o.id = group;
  o.group = o.family = group;
  o.framework = "f";
  o.accelerator = "a";
  o.model = "m";
  o.measured.step_time = Seconds(measured);
  if (predicted > 0) {
    o.step_time = Seconds(predicted);
  } else {
    o.reason = "refused";
  }
  o.accelerators = 1;
  o.tokens = 1;
  return o;
}

RowOutcome memory_outcome(bool ran_out, bool fits, double reserved_gib) {
  RowOutcome o;
  o.group = "memory";
  o.framework = "f";
  o.accelerator = "a";
  o.measured.out_of_memory = ran_out;
  o.fits = fits;
  o.reserved = reserved_gib * 1.0_GiB;
  o.capacity = 80.0_GiB;
  return o;
}

TEST_SUITE("sim/scoreboard") {
  TEST_CASE("errors are averaged within a group, then over groups") {
    // Group x: 10 % and 30 %, mean 20 %; group y: 0 %. Over groups 10 %, over rows 13.3 %.
    const Scoreboard b =
        make_scoreboard({outcome("x", 1, 1.1), outcome("x", 1, 0.7), outcome("y", 2, 2)});
    REQUIRE(b.groups.size() == 2);
    CHECK(b.groups[0].error == doctest::Approx(0.2));
    CHECK(b.groups[0].bias == doctest::Approx(-0.1));
    CHECK(b.groups[0].worst == doctest::Approx(0.3));
    CHECK(b.mean_over_groups == doctest::Approx(0.1));
    CHECK(b.median_over_groups == doctest::Approx(0.1));
    CHECK(b.mean_over_rows == doctest::Approx(0.4 / 3));
  }

  TEST_CASE("a refused row counts as 100 per cent and one out of scope not at all") {
    RowOutcome other = outcome("z", 1, 0);
    other.out_of_scope = true;
    const Scoreboard b = make_scoreboard({outcome("x", 1, 0), outcome("y", 1, 1), other});
    CHECK(b.refused == 1);
    CHECK(b.out_of_scope == 1);
    CHECK(b.scored == 1);
    CHECK(b.mean_over_groups == doctest::Approx(0.5));
  }

  TEST_CASE("a group of five plans is chosen from by cost a token") {
    // Measured 5 4 3 2 1, predicted in the same order but for the last two: the plan predicted
    // cheapest measures 2 where 1 was to be had, regret 100 %. Ranks differ by one swap: rho =
    // 1 - 6 x 2 / (5 x 24) = 0.9.
    std::vector<RowOutcome> plans;
    for (const auto& [measured, predicted] :
         std::vector<std::pair<double, double>>{{5, 50}, {4, 40}, {3, 30}, {2, 10}, {1, 20}}) {
      plans.push_back(outcome("x", measured, predicted));
    }
    const Scoreboard b = make_scoreboard(plans);
    REQUIRE(b.choices.size() == 1);
    CHECK(b.choices[0].regret == doctest::Approx(1.0));
    CHECK(b.choices[0].spearman == doctest::Approx(0.9));
    plans.pop_back();
    CHECK(make_scoreboard(plans).choices.empty());
  }

  TEST_CASE("fitting is scored over both recalls, with cases near capacity apart") {
    // 3 of 4 that ran are right, 1 of 2 that ran out: (0.75 + 0.5) / 2.
    const Scoreboard b =
        make_scoreboard({memory_outcome(false, true, 20), memory_outcome(false, true, 30),
                         memory_outcome(false, true, 79), memory_outcome(false, false, 85),
                         memory_outcome(true, false, 160), memory_outcome(true, true, 60)});
    REQUIRE(b.fit.balanced());
    CHECK(*b.fit.balanced() == doctest::Approx(0.625));
    CHECK(b.fit_near.ran == 2);
    CHECK(b.fit_near.out_of_memory == 0);
    CHECK_FALSE(b.fit_near.balanced());
    CHECK(b.fit_clear.ran == 2);
    CHECK(b.fit_clear.out_of_memory == 2);
  }

  TEST_CASE("speed ratios compare a model's cheapest rows on two accelerators") {
    RowOutcome slow = outcome("x", 4, 4.4), worse = outcome("x", 9, 1), fast = outcome("y", 2, 2);
    fast.accelerator = "b";
    const Scoreboard b = make_scoreboard({slow, worse, fast});
    REQUIRE(b.ratios.size() == 1);
    CHECK(b.ratios[0].measured == doctest::Approx(2.0));
    CHECK(b.ratios[0].predicted == doctest::Approx(2.2));
    CHECK(*b.ratio_error == doctest::Approx(0.1));
  }

  TEST_CASE("memory is compared with what was reported, and a peak with what was held") {
    RowOutcome o = outcome("x", 1, 1);
    o.measured.memory = 10.0_GiB;
    o.memory = 11.0_GiB;
    o.measured.reserved = 20.0_GiB;
    o.peak = 17.0_GiB;
    o.measured.after_step = 5.0_GiB;
    o.after_step = 4.0_GiB;
    const Scoreboard b = make_scoreboard({o});
    CHECK(*b.memory_error == doctest::Approx(0.1));
    CHECK(*b.peak_in_reserved == 1.0);
    CHECK(*b.after_step_error == doctest::Approx(0.2));
  }

  TEST_CASE("a band is scored by the share of tested rows inside it") {
    std::vector<RowOutcome> rows = {outcome("x", 1, 1), outcome("x", 2, 1), outcome("x", 9, 1)};
    for (RowOutcome& o : rows) {
      o.split = "test";
      o.band = TimeBand{0.8, Seconds(0.5), Seconds(1.5), "all"};
    }
    rows[2].split = "fit";
    const Scoreboard b = make_scoreboard(rows);
    CHECK(*b.in_band == 0.5);
    CHECK(*b.band_level == 0.8);
    CHECK_FALSE(make_scoreboard({outcome("x", 1, 1)}).in_band);
  }

  TEST_CASE("the interval over families repeats itself for one seed") {
    std::vector<RowOutcome> rows;
    for (int i = 0; i < 12; ++i) {
      rows.push_back(outcome(std::string(1, static_cast<char>('a' + i)), 1, 1 + 0.02 * i));
    }
    const Scoreboard first = make_scoreboard(rows, 7), again = make_scoreboard(rows, 7);
    REQUIRE(first.over_families);
    CHECK(first.over_families->low < first.mean_over_groups);
    CHECK(first.over_families->high > first.mean_over_groups);
    CHECK(first.over_families->low == again.over_families->low);
  }

  TEST_CASE("rows are predicted to the same outcomes by one thread and by three") {
    std::vector<std::variant<PublishedRow, RefusedRow>> rows;
    for (int i = 0; i < 20; ++i) {
      rows.emplace_back(RefusedRow{"row" + std::to_string(i), "g", "reason", false, {}});
    }
    const auto one = predict_rows(rows, {}, 1), three = predict_rows(rows, {}, 3);
    for (std::size_t i = 0; i < rows.size(); ++i) {
      CHECK(one[i].id == "row" + std::to_string(i));
      CHECK(three[i].id == one[i].id);
    }
  }
}

}  // namespace
}  // namespace forerun::sim
