#include "sim/run/segment.h"

#include <doctest/doctest.h>
#include <rapidcheck.h>

#include "sim/run/run_ticks.h"

TEST_SUITE("sim/run/segment") {
  using namespace forerun::sim;
  using doctest::Approx;

  // 10 steps of 2 s; a checkpoint of 1 s after the 3rd and the 7th.
  static Segment made() {
    Segment s;
    s.pace = {2, 2, 0, 0};
    s.steps = 10;
    s.saves = 2;
    s.to_first = 3;
    s.every = 4;
    s.blocked = 1;
    s.ticks = run_ticks(10 * 2 + 2 * 1);
    return s;
  }

  TEST_CASE("where a segment stands, by hand") {
    const Segment s = made();
    const auto at = [&](double seconds) { return progress(s, run_ticks(seconds)); };
    CHECK(at(0).steps == 0);
    CHECK(at(5).steps == 2.5);
    CHECK(at(6.5).steps == 3);
    CHECK(at(6.5).in_save == Approx(0.5));
    CHECK(at(6.5).saves == 0);
    CHECK(at(9).steps == 4);
    CHECK(at(9).saves == 1);
    CHECK(at(9).since_last_save == Approx(2));
    CHECK(at(15.25).in_save == Approx(0.25));
    CHECK(at(15.25).steps == 7);
    CHECK(at(20).saves == 2);
    CHECK(at(20).steps == Approx(9));
    CHECK(at(22).steps == 10);
    CHECK(at(22).in_save == 0);
  }

  TEST_CASE("without checkpoints it is in proportion") {
    Segment s = made();
    s.saves = 0;
    s.ticks = run_ticks(20);
    CHECK(progress(s, run_ticks(5)).steps == 2.5);
    CHECK(progress(s, s.ticks).steps == 10);
  }

  TEST_CASE("steps and saves never fall, and their time is what passed") {
    rc::check([] {
      Segment s;
      s.pace.step = *rc::gen::inRange(1, 1000) / 100.0;
      s.every = *rc::gen::inRange(1, 50);
      s.to_first = *rc::gen::inRange(0, 50);
      s.saves = *rc::gen::inRange(0, 6);
      s.blocked = *rc::gen::inRange(0, 500) / 10.0;
      s.steps = s.to_first + s.every * static_cast<double>(s.saves > 0 ? s.saves - 1 : 0) +
                *rc::gen::inRange(1, static_cast<int>(s.every) + 1);
      s.ticks = run_ticks(s.steps * s.pace.step + static_cast<double>(s.saves) * s.blocked);
      SegmentProgress before;
      for (int i = 0; i <= 20; ++i) {
        const std::int64_t ticks = s.ticks / 20 * i;
        const SegmentProgress p = progress(s, ticks);
        RC_ASSERT(p.steps >= before.steps - 1e-9);
        RC_ASSERT(p.saves >= before.saves);
        const double time =
            p.steps * s.pace.step + static_cast<double>(p.saves) * s.blocked + p.in_save;
        RC_ASSERT(std::abs(time - run_seconds(ticks)) < 1e-4);
        before = p;
      }
    });
  }
}
