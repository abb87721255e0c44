#include "core/table.h"

#include <doctest/doctest.h>
#include <rapidcheck.h>

#include <string>

namespace forerun {

TEST_SUITE("core/table") {
  TEST_CASE("columns align by letters, not by bytes") {
    Table table({{"part", Table::Align::left}, {"time", Table::Align::right}});
    table.row({"µ-batch", "12.3 ms"});
    table.row({"all", "1 s"});
    CHECK(table.text() ==
          "part        time\n"
          "-------  -------\n"
          "µ-batch  12.3 ms\n"
          "all          1 s\n");
    CHECK(table.markdown() ==
          "| part | time |\n"
          "|---|---:|\n"
          "| µ-batch | 12.3 ms |\n"
          "| all | 1 s |\n");
  }

  TEST_CASE("a column separator inside a cell does not make a column") {
    Table table({{"a|b", Table::Align::left}});
    table.row({"c|d"});
    CHECK(table.markdown() == "| a\\|b |\n|---|\n| c\\|d |\n");
  }

  TEST_CASE("a number keeps its significant digits when rounding carries") {
    CHECK(significant(12.345, 3) == "12.3");
    CHECK(significant(9.996, 3) == "10.0");
    CHECK(significant(0.00123456, 3) == "0.00123");
    CHECK(significant(1234.5, 3) == "1234");
    CHECK(significant(-4.5678, 3) == "-4.57");
    CHECK(significant(0.0, 3) == "0");
  }

  TEST_CASE("a time is shown in the unit in which it is at least one") {
    CHECK(show(Seconds(0.0)) == "0 s");
    CHECK(show(12.34_ms) == "12.3 ms");
    CHECK(show(4.561_s) == "4.56 s");
    CHECK(show(999.9_us) == "1.00 ms");
    CHECK(show(90.0_s) == "1.50 min");
    CHECK(show(30.0_h) == "30.0 h");
    CHECK(show(3.2_days) == "3.20 days");
    CHECK(show(54.0_days) == "54.0 days");
    CHECK(show(-5.0_us) == "-5.00 us");
    CHECK(show(0.5_ns) == "0.500 ns");
  }

  TEST_CASE("sizes and rates are shown with their unit") {
    CHECK(show(78.4_GiB) == "78.4 GiB");
    CHECK(show(Bytes(512.0)) == "512 B");
    CHECK(show(370.0_GBps) == "370 GB/s");
    CHECK(show(3.35e3 * 1.0_GBps) == "3.35 TB/s");
    CHECK(show(412.0_TFLOPps) == "412 TFLOP/s");
    CHECK(show(2500.0_TFLOPps) == "2500 TFLOP/s");
    CHECK(show(16384.0 * 400.0_TFLOPps) == "6554 PFLOP/s");
    CHECK(show(1.234e6 * 1.0_usd) == "$1.23 M");
    CHECK(show(-12.5_usd) == "-$12.5");
    CHECK(show_percent(0.1234) == "12.3 %");
    CHECK(show_percent(0.1234, 0) == "12 %");
    CHECK(show_count(16384.0) == "16,384");
    CHECK(show_count(405e9) == "405 B");
    CHECK(show_count(2.5) == "2.50");
    CHECK(show_count(-1234567.0) == "-1.23 M");
    CHECK(show_count(999999.0) == "999,999");
  }

  TEST_CASE("what is shown of a time is within half a percent of it") {
    CHECK(rc::check("read back, three digits are within 0.5 %", [] {
      const auto picoseconds = *rc::gen::inRange<std::int64_t>(1000, std::int64_t{1} << 62);
      const double t = static_cast<double>(picoseconds) * 1e-12;
      const std::string text = show(Seconds(t));
      const double shown = std::stod(text);
      const std::string unit = text.substr(text.find(' ') + 1);
      const double size = unit == "ns"    ? 1e-9
                          : unit == "us"  ? 1e-6
                          : unit == "ms"  ? 1e-3
                          : unit == "s"   ? 1.0
                          : unit == "min" ? 60.0
                          : unit == "h"   ? 3600.0
                                          : 86400.0;
      RC_ASSERT(std::abs(shown * size - t) <= 0.005001 * t);
    }));
  }
}

}  // namespace forerun
