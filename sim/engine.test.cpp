#include "sim/engine.h"

#include <doctest/doctest.h>

#include <algorithm>
#include <limits>
#include <string>
#include <tuple>
#include <vector>

#include "core/random.h"

namespace forerun::sim {
namespace {

struct Named {
  int name;
};

std::vector<int> run_all(Engine<Named>& engine) {
  std::vector<int> names;
  engine.run([&](Named e) { names.push_back(e.name); });
  return names;
}

}  // namespace

TEST_SUITE("sim/engine") {
  TEST_CASE("events on one tick run by phase, then in the order they were scheduled") {
    Engine<Named> engine;
    engine.at(Tick{5}, Phase::observe, {6});
    engine.at(Tick{5}, Phase::start, {3});
    engine.at(Tick{5}, Phase::finish, {1});
    engine.at(Tick{5}, Phase::start, {4});
    engine.at(Tick{4}, Phase::observe, {0});
    engine.at(Tick{5}, Phase::start, {5});
    engine.at(Tick{5}, Phase::finish, {2});
    CHECK(engine.size() == 7);
    CHECK(run_all(engine) == std::vector<int>{0, 1, 2, 3, 4, 5, 6});
    CHECK(engine.now() == Tick{5});
    CHECK(engine.empty());
  }

  TEST_CASE("an event scheduled by a handler at its own tick runs before later ticks") {
    Engine<Named> engine;
    engine.at(Tick{1}, Phase::finish, {0});
    engine.at(Tick{2}, Phase::finish, {9});
    std::vector<int> names;
    const auto ran = engine.run([&](Named e) {
      names.push_back(e.name);
      if (e.name < 3) {
        CHECK(engine.size() == 1);  // the event being handled no longer counts
        engine.at(engine.now(), Phase::start, {e.name + 1});
      }
    });
    CHECK(names == std::vector<int>{0, 1, 2, 3, 9});
    CHECK(ran == 5);
  }

  TEST_CASE("run stops before the first event later than `until` and goes on from there") {
    Engine<Named> engine;
    for (int i = 0; i < 10; ++i) engine.at(Tick{i}, Phase::finish, {i});
    int ran = 0;
    CHECK(engine.run([&](Named) { ++ran; }, Tick{4}) == 5);
    CHECK(engine.now() == Tick{4});
    CHECK(engine.size() == 5);
    CHECK(engine.run([&](Named) { ++ran; }) == 5);
    CHECK(ran == 10);
  }

  TEST_CASE("the heap gives the order of a stable sort for random schedules") {
    // Every event schedules none, one or several more; the reference is a stable sort of all that
    // was scheduled by (tick, phase), which is what "first in, first out at one tick and phase"
    // says, because no handler schedules an event before (now, its own phase).
    const Stream random(7, "sim/engine test");
    for (std::uint64_t trial = 0; trial < 50; ++trial) {
      std::uint64_t draw = trial * 100000;
      Engine<Named> engine;
      std::vector<std::tuple<std::int64_t, int, int>> scheduled;
      std::vector<int> ran;
      const auto schedule = [&](Tick when, Phase phase) {
        const int name = static_cast<int>(scheduled.size());
        scheduled.emplace_back(count(when), static_cast<int>(phase), name);
        engine.at(when, phase, {name});
      };
      for (int i = 0; i < 20; ++i) {
        schedule(Tick{static_cast<std::int64_t>(random.below(draw++, 10))}, Phase::start);
      }
      engine.run([&](Named e) {
        ran.push_back(e.name);
        if (scheduled.size() > 2000) return;
        const auto children = random.below(draw++, 3);
        for (std::uint64_t c = 0; c < children; ++c) {
          const auto delay = static_cast<std::int64_t>(random.below(draw++, 20));
          const auto phase =
              delay == 0 ? Phase::observe : static_cast<Phase>(random.below(draw++, 3));
          schedule(Tick{count(engine.now()) + delay}, phase);
        }
      });
      std::stable_sort(scheduled.begin(), scheduled.end(), [](const auto& a, const auto& b) {
        return std::pair(std::get<0>(a), std::get<1>(a)) <
               std::pair(std::get<0>(b), std::get<1>(b));
      });
      std::vector<int> expected;
      for (const auto& s : scheduled) expected.push_back(std::get<2>(s));
      CHECK(ran == expected);
    }
  }

  TEST_CASE("seconds become ticks of a picosecond, rounded up") {
    CHECK(to_ticks(Seconds(0)) == Tick{0});
    CHECK(to_ticks(Seconds(2.0)) == Tick{2'000'000'000'000});
    CHECK(to_ticks(Seconds(0.25e-12)) == Tick{1});
    CHECK(to_ticks(Seconds(0x1p-40)) == Tick{1});  // 0.909 ps
    CHECK(to_ticks(Seconds(0x1p-39)) == Tick{2});  // 1.819 ps
    CHECK(to_ticks(Seconds(3600.0)) == Tick{3'600'000'000'000'000});
    CHECK(to_seconds(Tick{1'500'000'000'000}).base() == 1.5);
  }

  TEST_CASE("a time that cannot be simulated is an error in the input with a hint") {
    for (const double seconds : {3601.0, 1e300, std::numeric_limits<double>::infinity()}) {
      CHECK_THROWS_AS((void)to_ticks(Seconds(seconds)), Error);
    }
    check_length(kMostTicks - 1024.0);
    try {
      check_length(0x1p63);  // 9.22e18 ps are 106.75 days
      FAIL("not refused");
    } catch (const Error& e) {
      CHECK(e.code() == ExitCode::wrong);
      CHECK(std::string(e.what()) ==
            "the step's operations take 107 days, one after the other; less than 53 are simulated");
      CHECK_FALSE(e.hint().empty());
    }
  }
}

}  // namespace forerun::sim
