#include "hw/site.h"

#include <doctest/doctest.h>

#include "core/error.h"

TEST_SUITE("hw/site") {
  using namespace forerun;
  using namespace forerun::hw;
  using namespace forerun::literals;

  static ElectricityPrice electricity(const std::string& text, Problems& problems) {
    const JsonDocument document = JsonDocument::parse(text, problems);
    Reader top = document.root(problems);
    const ElectricityPrice e = read_electricity(top);
    top.finish();
    return e;
  }
  static std::string problems_of(const std::string& text) {
    Problems problems;
    (void)electricity(text, problems);
    return problems.text("e");
  }
  static std::string site_problems(const std::string& text) {
    Problems problems;
    CHECK_FALSE(read_site(text, problems));
    return problems.text("s");
  }
  static std::string site(const std::string& rest) {
    return R"({"schema": 1, "name": "s", "where": "somewhere")" + rest + "}";
  }

  TEST_CASE("every site loads, names itself, and is plausible") {
    std::size_t grids = 0, priced = 0, operators = 0;
    for (const std::string& name : site_names()) {
      CAPTURE(name);
      const Site s = load_site(name);
      CHECK(s.name == name);
      CHECK_FALSE(s.where.empty());
      if (s.carbon) {
        ++grids;
        // From hydropower alone to coal alone.
        CHECK(s.carbon->mean() > 10);
        CHECK(s.carbon->mean() < 900);
        CHECK(s.carbon->date);
      }
      if (s.electricity) {
        ++priced;
        CHECK(s.electricity->mean() > 0.03_usd_per_kWh);
        CHECK(s.electricity->mean() < 0.4_usd_per_kWh);
        CHECK(s.electricity->date);
      }
      if (s.pue) {
        ++operators;
        CHECK(s.pue->value >= 1);
        CHECK(s.pue->value < 2);
      }
    }
    CHECK(grids >= 20);
    CHECK(priced >= 10);
    CHECK(operators == 5);
  }

  // Our World in Data as codecarbon has it; DCD's round-up; EIA's Electric Power Annual 2023.
  TEST_CASE("published figures are in the files") {
    CHECK(load_site("usa").carbon->mean() == doctest::Approx(369.5));
    CHECK(load_site("france").carbon->mean() == doctest::Approx(56.0));
    CHECK_FALSE(load_site("france").electricity);
    CHECK(load_site("google").pue->value == 1.10);
    CHECK(load_site("usa-texas").electricity->mean().in(1.0_usd_per_kWh) == doctest::Approx(0.066));
  }

  TEST_CASE("a price holds for all hours, for peak hours, or for each") {
    Problems problems;
    const auto flat = electricity(R"({"price": "0.08 USD/kWh", "most": "0.1 USD/kWh"})", problems);
    CHECK(flat.mean().in(1.0_usd_per_kWh) == doctest::Approx(0.08));
    CHECK(flat.most->in(1.0_usd_per_kWh) == doctest::Approx(0.1));
    CHECK(flat.origin == Origin{});
    const auto peak = electricity(R"({"peak": "0.12 USD/kWh", "off_peak": "60 USD/MWh",
        "peak_from": 8, "peak_to": 20, "source": "a tariff", "date": "2026"})",
                                  problems);
    for (std::size_t h = 0; h < kHours; ++h) {
      CAPTURE(h);
      CHECK(peak.by_hour[h].in(1.0_usd_per_kWh) == doctest::Approx(h >= 8 && h < 20 ? 0.12 : 0.06));
    }
    CHECK(peak.origin == Origin{Evidence::published, "a tariff"});
    const auto night = electricity(R"({"peak": "1 USD/kWh", "off_peak": "0 USD/kWh",
        "peak_from": 22, "peak_to": 6})",
                                   problems);
    CHECK(night.mean().in(1.0_usd_per_kWh) == doctest::Approx(8.0 / 24));
    CHECK(night.by_hour[23] == 1.0_usd_per_kWh);
    CHECK(night.by_hour[6] == EnergyPrice{});
    std::string hours;
    for (int h = 0; h < 24; ++h)
      hours += (h > 0 ? ", \"" : "\"") + std::to_string(h) + " USD/MWh\"";
    const auto each = electricity("{\"hours\": [" + hours + "]}", problems);
    CHECK(each.by_hour[7].in(1.0_usd_per_kWh) == doctest::Approx(0.007));
    CHECK(problems.text("e") == "");
    CHECK(electricity(R"({"peak": "1 USD/kWh", "off_peak": "0 USD/kWh", "peak_from": 0,
                          "peak_to": 24})",
                      problems)
              .mean()
              .in(1.0_usd_per_kWh) == doctest::Approx(1));
  }

  TEST_CASE("what is written reads back as the same, to the last bit") {
    Problems problems;
    for (const char* text :
         {R"({"price": "0.0806 USD/kWh", "most": "0.1 USD/kWh", "date": "2023-04", "evidence":
              "derived", "source": "s"})",
          R"({"peak": "0.123 USD/kWh", "off_peak": "61.7 USD/MWh", "peak_from": 8, "peak_to": 20})",
          R"({"price": "0.3 USD/kWh"})"}) {
      const ElectricityPrice e = electricity(text, problems);
      JsonWriter json;
      write_electricity(json, e);
      CHECK(electricity(json.text(), problems) == e);
    }
    CHECK(problems.text("e") == "");
  }

  TEST_CASE("every mistake of a price is told") {
    CHECK(problems_of(R"({})") == "e: needs one of price, peak, hours\n");
    CHECK(problems_of(R"({"price": "-0.08 USD/kWh"})") ==
          "e: /price: must be at least 0, found \"-0.08 USD/kWh\"\n");
    CHECK(problems_of(R"({"price": "0.08 USD/kwh"})") ==
          "e: /price: unknown unit \"USD/kwh\" (did you mean \"USD/kWh\"?) in \"0.08 USD/kwh\"; "
          "write a price of energy like \"0.08 USD/kWh\"\n");
    CHECK(problems_of(R"({"price": "0.08 USD/kWh", "most": "0.08 USD/kWh", "date": "soon"})") ==
          "e: /most: must be above the lower end of the range\n"
          "e: /date: expected a date from 2000 to 2099 like \"2026-03-17\", \"2026-03\" or "
          "\"2026\", found \"soon\"\n");
    CHECK(problems_of(R"({"hours": ["1 USD/MWh", 2]})") ==
          "e: /hours/1: expected a price of energy with its unit like \"0.08 USD/kWh\", found 2\n"
          "e: /hours: must be 24, one for each hour of the day, found 2\n");
    CHECK(problems_of(R"({"peak": "1 USD/kWh", "off_peak": "0 USD/kWh", "peak_from": 8,
                          "peak_to": 8})") ==
          "e: /peak_to: is peak_from: there would be no peak\n");
    CHECK(problems_of(R"({"price": "1 USD/kWh", "hours": []})") ==
          "e: needs only one of price, peak, hours\n");
  }

  TEST_CASE("in a file every number names its source") {
    CHECK(site_problems(site("")) == "s: needs one of electricity, carbon, pue\n");
    CHECK(site_problems(site(R"(, "electricity": {"price": "0.1 USD/kWh"})")) ==
          "s: /electricity/source: missing\n");
    CHECK(site_problems(site(R"(, "carbon": {"g_per_kwh": -3, "source": "s"})")) ==
          "s: /carbon/g_per_kwh: must be from 0 to 10000, found -3\n");
    CHECK(site_problems(site(R"(, "pue": 1.2)")) == "s: /pue: names no source\n");
    CHECK(site_problems(site(R"(, "pue": {"value": 0.9, "source": "s"}, "poe": 1)")) ==
          "s: /pue/value: must be from 1 to 10, found 0.9\n"
          "s: /poe: unknown key (did you mean pue?)\n");
  }

  TEST_CASE("a name that is not there gets the nearest") {
    try {
      (void)load_site("usa-virgina");
      FAIL("loaded");
    } catch (const Error& e) {
      CHECK(std::string(e.what()) == "no site is named usa-virgina");
      CHECK(e.hint() == "did you mean usa-virginia?");
    }
  }
}
