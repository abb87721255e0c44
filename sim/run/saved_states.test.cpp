#include "sim/run/saved_states.h"

#include <doctest/doctest.h>

#include <limits>

TEST_SUITE("sim/run/saved_states") {
  using namespace forerun;
  using namespace forerun::sim;

  constexpr double kNow = std::numeric_limits<double>::infinity();

  static Saved at(double step) { return {step, {static_cast<std::int64_t>(step * 1e6), 0, 0}}; }
  static std::vector<TierTimes> tiers() {
    return {{"storage", 100, Seconds(10), Seconds(5), Seconds(40), Survives::all, true},
            {"memory", 10, Seconds(0), Seconds(2), Seconds(1), Survives::node, false}};
  }
  const Pace kPace{1, 1, 0, 0};

  TEST_CASE("what is being written counts once it is written, and not if the job fell before") {
    const std::vector<TierTimes> all = {tiers()[0]};
    SavedStates s(all, false);
    const std::uint32_t first = s.begin_writing(0, at(100));
    CHECK(s.writing(0));
    CHECK(s.written(0, first));
    CHECK_FALSE(s.written(0, first));
    const std::uint32_t second = s.begin_writing(0, at(200));
    const auto back = s.fall_back(kNow, Survives::all, at(230), kPace);
    CHECK(back.state.step == 100);
    CHECK(back.load == 40);
    CHECK_FALSE(s.written(0, second));
    CHECK(s.kept() == 1);
  }

  TEST_CASE("the last copy in memory is a whole number of intervals back, and where it must be") {
    const std::vector<TierTimes> all = tiers();
    SavedStates s(all, false);
    s.keep(0, at(100));
    // At 131.5 the copy of 130 is not yet on the second node: that of 120 is.
    auto back = s.fall_back(kNow, Survives::node, at(131.5), kPace);
    CHECK(back.state.step == 120);
    CHECK(back.state.counted.training == 120'000'000);
    CHECK(back.load == 1);
    // From there on, counted from 120; a second failure at once finds it again.
    back = s.fall_back(kNow, Survives::node, at(120), kPace);
    CHECK(back.state.step == 120);
    // A rack takes both copies.
    back = s.fall_back(kNow, Survives::all, at(145), kPace);
    CHECK(back.state.step == 100);
    CHECK(back.load == 40);
    back = s.fall_back(kNow, Survives::node, at(100), kPace);
    CHECK(back.load == 40);
  }

  TEST_CASE("old states are kept where they may be needed, newer ones fall with the way back") {
    const std::vector<TierTimes> all = {tiers()[0]};
    SavedStates few(all, false), many(all, true);
    for (SavedStates* s : {&few, &many}) {
      for (const double step : {100.0, 200.0, 300.0}) s->keep(0, at(step));
    }
    CHECK(few.fall_back(250, Survives::all, at(310), kPace).state.step == 0);
    CHECK(many.fall_back(250, Survives::all, at(310), kPace).state.step == 200);
    CHECK(many.fall_back(kNow, Survives::all, at(310), kPace).state.step == 200);
  }
}
