#include "sim/paired_segment.h"

#include <doctest/doctest.h>

namespace forerun::sim {
namespace {

PricedOperation kernel(std::int64_t ticks, std::int32_t wait = -1) {
  PricedOperation p;
  p.ticks = ticks;
  p.wait = wait;
  return p;
}

PricedOperation exchange(std::int64_t ticks, std::int32_t wait) {
  PricedOperation p = kernel(ticks, wait);
  p.stream = StreamKind::tensor;
  p.category = Category::expert_exchange;
  return p;
}

/// Attention, tokens to their experts, experts, back, and what comes after.
Segment layer(std::int64_t attention, std::int64_t out, std::int64_t experts, std::int64_t back) {
  Segment s;
  s.operations = {kernel(attention), exchange(out, 0), kernel(experts, 1), exchange(back, 2),
                  kernel(5, 3)};
  fold(s);
  return s;
}

}  // namespace

TEST_SUITE("sim/paired segment") {
  TEST_CASE("the exchanges of either pass run beside kernels of the other") {
    // Alone 100 + 60 + 80 + 70 + 5 and 90 + 50 + 120 + 40 + 5. Together the kernels fill 400 and
    // only the last exchange is waited for. Kernels run b100 f90 b80 f120 b5 f5; exchanges: b's 60
    // from 100 to 160 (its experts may begin at 190), f's 50 from 190 to 240 (wanted at 270), b's
    // 70 from 270 to 340 (wanted at 390), f's 40 from 390 to 430, behind which b's last kernel, at
    // 390, fits and f's begins at 430.
    const Segment backward = layer(100, 60, 80, 70), forward = layer(90, 50, 120, 40);
    CHECK(backward.ticks == 315);
    CHECK(forward.ticks == 305);
    const Segment both = run_together(forward, backward);
    CHECK(both.ticks == 435);
    CHECK(both.breakdown[static_cast<std::size_t>(Category::compute)] == 400);
    CHECK(both.breakdown[static_cast<std::size_t>(Category::expert_exchange)] == 35);
  }

  TEST_CASE("operations of both keep what they wait for and say whose they are") {
    const Segment both = run_together(layer(90, 50, 120, 40), layer(100, 60, 80, 70));
    REQUIRE(both.operations.size() == 10);
    int of_backward = 0;
    for (std::size_t i = 0; i < both.operations.size(); ++i) {
      const PricedOperation& o = both.operations[i];
      of_backward += o.of_backward ? 1 : 0;
      if (o.wait < 0) continue;
      const PricedOperation& waited = both.operations[static_cast<std::size_t>(o.wait)];
      CHECK(static_cast<std::size_t>(o.wait) < i);
      CHECK(waited.of_backward == o.of_backward);
      CHECK(waited.stream != o.stream);
    }
    CHECK(of_backward == 5);
  }

  TEST_CASE("passes without exchanges take as long as one after the other") {
    Segment one, other;
    one.operations = {kernel(30), kernel(40)};
    other.operations = {kernel(50)};
    fold(one);
    fold(other);
    CHECK(run_together(one, other).ticks == 120);
  }

  TEST_CASE("layers are paired in order; ends and layers without a partner stay alone") {
    const Segment a = layer(10, 5, 10, 5), b = layer(20, 5, 20, 5);
    Segment end;
    end.operations = {kernel(7)};
    fold(end);
    PairedSegments known;
    // Forward: embedding and three layers. Backward: loss, a module's layer, its end, one layer.
    const std::vector<Unit> forward = {{&end, 0, 0, true}, {&a}, {&a}, {&a}};
    const std::vector<Unit> backward = {{&end, 0, 0, true}, {&b}, {&end, 0, 0, true}, {&b}};
    const std::vector<Unit> units = units_together(forward, backward, known);
    REQUIRE(units.size() == 6);
    const Segment* pair = &known.of(a, b);
    CHECK(units[0].segment == &known.alone(end));
    CHECK(units[1].segment == &end);
    CHECK(units[2].segment == pair);
    CHECK(units[3].segment == &known.alone(end));
    CHECK(units[4].segment == pair);
    CHECK(units[5].segment == &a);
  }
}

}  // namespace forerun::sim
