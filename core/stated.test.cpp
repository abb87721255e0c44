#include "core/stated.h"

#include <doctest/doctest.h>

namespace forerun {
namespace {

using namespace literals;

Stated<DollarRate> read(const std::string& text, Problems& problems) {
  const JsonDocument document = JsonDocument::parse(text, problems);
  Reader top = document.root(problems);
  auto stated =
      read_stated(top, "price", [](Reader& r, std::string_view key) { return r.dollar_rate(key); });
  top.finish();
  return stated;
}

std::string problems_of(const std::string& text) {
  Problems problems;
  (void)read(text, problems);
  return problems.text("f");
}

}  // namespace

TEST_SUITE("core/stated") {
  TEST_CASE("a plain value is assumed, one with a source is what its source says") {
    Problems problems;
    CHECK(read(R"({"price": "2 USD/h"})", problems) ==
          Stated<DollarRate>{2.0_usd_per_h, std::nullopt, {Evidence::assumed, ""}});
    CHECK(read(R"({"price": {"value": "2 USD/h", "source": "an offer"}})", problems) ==
          Stated<DollarRate>{2.0_usd_per_h, std::nullopt, {Evidence::published, "an offer"}});
    CHECK(read(R"({"price": {"value": "2 USD/h", "most": "3 USD/h", "evidence": "derived",
                  "source": "two offers"}})",
               problems) ==
          Stated<DollarRate>{2.0_usd_per_h, 3.0_usd_per_h, {Evidence::derived, "two offers"}});
    CHECK(read(R"({"price": {"value": "2 USD/h", "most": "3 USD/h"}})", problems).origin ==
          Origin{});
    CHECK(problems.empty());
  }

  TEST_CASE("a range that does not rise, evidence without a source and other keys are refused") {
    CHECK(problems_of(R"({"price": {"value": "2 USD/h", "most": "2 USD/h", "evidence": "published",
                          "sauce": ""}})") ==
          "f: /price/most: must be above the lower end of the range\n"
          "f: /price/evidence: given, but no source: what has none is assumed\n"
          "f: /price/sauce: unknown key (did you mean source?)\n");
    CHECK(problems_of(R"({"price": {"value": "2 USD/h", "source": ""}})") ==
          "f: /price/source: empty: leave it out, or name one\n");
    CHECK(problems_of(R"({"price": "-2 USD/h"})") ==
          "f: /price: must be at least 0, found \"-2 USD/h\"\n");
    CHECK(problems_of(R"({"price": 2})") ==
          "f: /price: expected a price with its unit like \"2.95 USD/h\", found 2\n");
  }
}

}  // namespace forerun
