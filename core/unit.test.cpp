#include "core/unit.h"

#include <doctest/doctest.h>
#include <fmt/format.h>
#include <rapidcheck.h>

#include <string>

#include "core/quantity.h"

namespace forerun::unit {
namespace {

/// The value, or -1 where the text is refused.
double value(std::string_view text, Kind kind) {
  const auto result = parse(text, kind);
  return result.index() == 0 ? std::get<0>(result) : -1.0;
}

constexpr Kind kKinds[] = {Kind::seconds,   Kind::bytes,    Kind::bandwidth,
                           Kind::flop_rate, Kind::watts,    Kind::dollar_rate,
                           Kind::dollars,   Kind::duration, Kind::energy_price};

}  // namespace

TEST_SUITE("core/unit") {
  TEST_CASE("a text and a literal of one unit are the same quantity") {
    CHECK(value("5 us", Kind::seconds) == (5.0_us).base());
    CHECK(value("2.5 ms", Kind::seconds) == (2.5_ms).base());
    CHECK(value("54 days", Kind::seconds) == (54.0_days).base());
    CHECK(value("80 GiB", Kind::bytes) == (80.0_GiB).base());
    CHECK(value("80 GB", Kind::bytes) == (80.0_GB).base());
    CHECK(value("400 Gb/s", Kind::bandwidth) == (400.0_Gbps).base());
    CHECK(value("370 GB/s", Kind::bandwidth) == (370.0_GBps).base());
    CHECK(value("989.4 TFLOP/s", Kind::flop_rate) == (989.4_TFLOPps).base());
    CHECK(value("700 W", Kind::watts) == (700.0_W).base());
    CHECK(value("2.95 USD/h", Kind::dollar_rate) == (2.95_usd_per_h).base());
    CHECK(value("310000 USD", Kind::dollars) == (310000.0_usd).base());
    CHECK(value("0.08 USD/kWh", Kind::energy_price) == (0.08_usd_per_kWh).base());
    CHECK(value("80 USD/MWh", Kind::energy_price) ==
          doctest::Approx((0.08_usd_per_kWh).base()).epsilon(1e-15));
  }

  TEST_CASE("every unit's prefix is what it says") {
    CHECK(value("1 min", Kind::seconds) == 60.0);
    CHECK(value("1 h", Kind::seconds) == 3600.0);
    CHECK(value("1 TiB", Kind::bytes) == 1099511627776.0);
    CHECK(value("1 TB/s", Kind::bandwidth) == 1e12);
    CHECK(value("1 GiB/s", Kind::bandwidth) == 1073741824.0);
    CHECK(value("8 kb/s", Kind::bandwidth) == 1000.0);
    CHECK(value("8 Tb/s", Kind::bandwidth) == 1e12);
    CHECK(value("1 PFLOP/s", Kind::flop_rate) == 1e15);
    CHECK(value("1 MW", Kind::watts) == 1e6);
    CHECK(value("5us", Kind::seconds) == value("5 us", Kind::seconds));
    CHECK(value("1.5e3 ms", Kind::seconds) == 1.5);
  }

  TEST_CASE("what is nearly right is refused") {
    for (const char* text :
         {"", "us", "5", "5  us", " 5 us", "5 us ", "+5 us", ".5 us", "5 US", "5 µs", "0x5 us",
          "nan us", "1,000 us", "5 s/s", "5 us us", "-", "- 5 us"}) {
      CAPTURE(text);
      CHECK(value(text, Kind::seconds) == -1.0);
    }
  }

  TEST_CASE("a unit belongs to one kind only, and each kind's example is right") {
    for (const Kind kind : kKinds) {
      CHECK(value(facts(kind).example, kind) > 0.0);
      for (const Kind other : kKinds) {
        // Durations are times, of people's plans and not of machines.
        const bool times = (kind == Kind::seconds || kind == Kind::duration) &&
                           (other == Kind::seconds || other == Kind::duration);
        if (other != kind && !times) CHECK(value(facts(kind).example, other) == -1.0);
      }
    }
  }

  TEST_CASE("numbers are read to the last bit in every unit") {
    CHECK(rc::check("print and read back", [] {
      const auto mantissa = *rc::gen::inRange<std::int64_t>(0, std::int64_t{1} << 53);
      const double number = static_cast<double>(mantissa) * 0x1p-20;
      for (const Kind kind : kKinds) {
        for (const Unit& unit : facts(kind).units) {
          RC_ASSERT(value(fmt::format("{} {}", number, unit.name), kind) == number * unit.size);
        }
      }
    }));
  }
}

}  // namespace forerun::unit
