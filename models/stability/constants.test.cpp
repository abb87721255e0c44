#include "models/stability/constants.h"

#include <doctest/doctest.h>

#include <algorithm>

#include "core/file.h"

namespace forerun::stability {
namespace {

std::string file() { return read_file(data_path("models/stability/constants.json"), 1 << 20); }

std::string with(const std::string& from, const std::string& to) {
  std::string text = file();
  const std::size_t at = text.find(from);
  REQUIRE(at != std::string::npos);
  return text.replace(at, from.size(), to);
}

std::string refusal(const std::string& text) {
  Problems problems;
  CHECK_FALSE(read_constants(text, problems));
  return problems.text("constants");
}

bool has(const std::string& text, const std::string& part) {
  return text.find(part) != std::string::npos;
}

TEST_SUITE("models/stability/constants") {
  TEST_CASE("every constant lies in its range, and an assumed one has a range and a reason") {
    const Constants k = load_constants();
    for (const auto& [name, c] : listed(k)) {
      CAPTURE(name);
      CHECK(c.least <= c.value);
      CHECK(c.value <= c.most);
      CHECK(k.source.at(name).size() > 5);
      if (k.evidence.at(name) == Evidence::assumed) CHECK(c.least < c.most);
    }
  }

  TEST_CASE("a value outside its own range is refused with path and rule") {
    CHECK(has(refusal(with("\"qk_norm_rate_gain\": {\"value\": 7.5",
                           "\"qk_norm_rate_gain\": {\"value\": 1.5")),
              "/constants/qk_norm_rate_gain/least: must not be above the value"));
  }

  TEST_CASE("a missing constant, an unknown one and one without a source are named") {
    CHECK(has(refusal(with("\"clip_exponent\"", "\"clip_exponant\"")),
              "/constants/clip_exponent: missing"));
    CHECK(has(refusal(with("\"clip_exponent\"", "\"clip_exponant\"")),
              "/constants/clip_exponant: unknown key (did you mean clip_exponent?)"));
    CHECK(has(refusal(with("\"source\": \"learned gain", "\"sauce\": \"learned gain")),
              "/constants/qk_norm_gain/source: missing"));
  }

  TEST_CASE("an assumed constant without a range is refused") {
    CHECK(has(refusal(with("\"value\": 2, \"least\": 1, \"most\": 4, \"evidence\": \"assumed\"",
                           "\"value\": 2, \"least\": 2, \"most\": 2, \"evidence\": \"assumed\"")),
              "an assumed constant has a range"));
  }

  TEST_CASE("draws stay in the range, have the value as median, and are repeatable") {
    const Constants k = load_constants();
    const Stream stream(3, "stability/constants");
    int below = 0;
    for (std::uint64_t i = 0; i < 400; ++i) {
      const Constants d = drawn(k, stream, i);
      const auto all = listed(d);
      CHECK(std::ranges::all_of(all, [](const auto& named) {
        return named.second.value >= named.second.least * (1 - 1e-12) - 1e-12 &&
               named.second.value <= named.second.most * (1 + 1e-12);
      }));
      if (d.critical_rate.value < k.critical_rate.value) ++below;
    }
    CHECK(below > 160);  // 200 within four deviations of 10
    CHECK(below < 240);
    CHECK(drawn(k, stream, 7).batch_slope.value == drawn(k, stream, 7).batch_slope.value);
    CHECK(drawn(k, stream, 7).batch_slope.value != drawn(k, stream, 8).batch_slope.value);
  }
}

}  // namespace
}  // namespace forerun::stability
