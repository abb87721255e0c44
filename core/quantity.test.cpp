#include "core/quantity.h"

#include <doctest/doctest.h>
#include <rapidcheck.h>

#include <cmath>
#include <cstdint>
#include <type_traits>

namespace forerun {
namespace {

template <class A, class B>
concept Addable = requires(A a, B b) { a + b; };
template <class A, class B>
concept Comparable = requires(A a, B b) { a < b; };
template <class Q, class U>
concept Exchangeable = requires(Q q, U u) { q.in(u); };

// The type system is the test: none of these may ever compile.
static_assert(!Addable<Seconds, Bytes> && !Addable<Seconds, double> && !Addable<Bytes, Flops>);
static_assert(Addable<Seconds, Seconds> && !Comparable<Seconds, Bytes> && Comparable<Bytes, Bytes>);
static_assert(!std::is_convertible_v<double, Seconds> && !std::is_convertible_v<Seconds, double>);
static_assert(std::is_constructible_v<Seconds, double> && !std::is_constructible_v<Seconds, Bytes>);
static_assert(!Exchangeable<Seconds, Bytes> && Exchangeable<Seconds, Seconds>);

// Division and multiplication give the quantity that physics says.
static_assert(std::is_same_v<decltype(Bytes(1) / Bandwidth(1)), Seconds>);
static_assert(std::is_same_v<decltype(Flops(1) / FlopRate(1)), Seconds>);
static_assert(std::is_same_v<decltype(Bytes(1) / Seconds(1)), Bandwidth>);
static_assert(std::is_same_v<decltype(Bandwidth(1) * Seconds(1)), Bytes>);
static_assert(std::is_same_v<decltype(Watts(1) * Seconds(1)), Joules>);
static_assert(std::is_same_v<decltype(DollarRate(1) * Seconds(1)), Dollars>);
static_assert(std::is_same_v<decltype(Bytes(1) / Bytes(1)), double>);
static_assert(std::is_same_v<decltype(Bandwidth(1) * (Seconds(1) / Bytes(1))), double>);

static_assert(sizeof(Seconds) == sizeof(double) && std::is_trivially_copyable_v<Seconds>);

}  // namespace

TEST_SUITE("core/quantity") {
  TEST_CASE("80 GiB over 400 Gb/s take 1.718 seconds") {
    // 80 * 2^30 bytes = 85,899,345,920; 400 Gb/s = 5e10 bytes a second.
    CHECK((80.0_GiB / 400.0_Gbps).in(1.0_s) == doctest::Approx(1.7179869184).epsilon(1e-15));
  }

  TEST_CASE("a bit is an eighth of a byte and a GiB is not a GB") {
    CHECK(8.0_Gbps == 1.0_GBps);
    CHECK((1.0_GiB).in(1.0_B) == 1073741824.0);
    CHECK((1.0_GB).in(1.0_B) == 1e9);
    CHECK((1.0_GiB).in(1.0_MiB) == 1024.0);
  }

  TEST_CASE("a value leaves by naming a unit") {
    CHECK((2.0_s).in(1.0_ms) == doctest::Approx(2000.0));
    CHECK((1.0_days).in(1.0_h) == 24.0);
    CHECK((1.5_ms).base() == doctest::Approx(1.5e-3));
  }

  TEST_CASE("a 700 W accelerator at 2.95 dollars an hour uses 16.8 kWh and 70.80 dollars a day") {
    CHECK((700.0_W * 1.0_days).base() == doctest::Approx(16.8 * 3.6e6));
    CHECK((2.95_usd_per_h * 1.0_days).in(1.0_usd) == doctest::Approx(70.8));
  }

  TEST_CASE("what is divided by a rate and multiplied by it again is the same") {
    CHECK(rc::check("bytes survive the way through time", [] {
      const auto bytes = *rc::gen::inRange<std::int64_t>(0, std::int64_t{1} << 50);
      const auto rate = *rc::gen::inRange<std::int64_t>(1, std::int64_t{1} << 40);
      const Bytes b(static_cast<double>(bytes));
      const Bandwidth r(static_cast<double>(rate));
      RC_ASSERT(std::abs(((b / r) * r - b).base()) <= 1e-15 * b.base());
      RC_ASSERT(b + b - b == b);
      RC_ASSERT(-(-b) == b);
    }));
  }
}

}  // namespace forerun
