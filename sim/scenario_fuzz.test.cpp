// Whatever is done to a scenario's text, reading it ends with a scenario or with problems: no
// crash, no exception, no scenario with a problem.

#include <doctest/doctest.h>
#include <rapidcheck.h>

#include <string>
#include <vector>

#include "core/file.h"
#include "core/reader.h"
#include "sim/scenario.h"

namespace forerun::sim {
namespace {

const std::string& original() {
  static const std::string text =
      read_file(data_path("scenarios/llama2_70b_64_h100.json"), kMaxJsonBytes);
  return text;
}

/// Pieces that hurt: structure, extreme numbers, other kinds of value, other names.
const std::vector<std::string>& pieces() {
  static const std::vector<std::string> list = {"{",
                                                "}",
                                                "[",
                                                "]",
                                                ",",
                                                ":",
                                                "\"",
                                                "null",
                                                "-1",
                                                "0",
                                                "1e308",
                                                "1e-308",
                                                "9223372036854775807",
                                                "99999999999999999999",
                                                "0.5",
                                                "true",
                                                "\"8\"",
                                                "\"\"",
                                                "\"9 parsecs\"",
                                                "\\u0000",
                                                "\xff",
                                                "\"tensor\": 3,",
                                                "\"base\": \"x\","};
  return list;
}

bool holds(const std::string& text) {
  Problems problems;
  const JsonDocument document = JsonDocument::parse(text, problems);
  const std::optional<Scenario> s = read_scenario(document, problems);
  return s.has_value() == problems.empty();
}

TEST_SUITE("sim/scenario") {
  TEST_CASE("a scenario with a piece put in, taken out or replaced is read or refused") {
    CHECK(rc::check([] {
      std::string text = original();
      const int changes = *rc::gen::inRange(1, 5);
      for (int i = 0; i < changes; ++i) {
        const std::size_t at = *rc::gen::inRange<std::size_t>(0, text.size());
        const std::size_t length = *rc::gen::inRange<std::size_t>(0, 12);
        text.replace(at, length, *rc::gen::elementOf(pieces()));
      }
      RC_ASSERT(holds(text));
    }));
  }

  TEST_CASE("a number of a scenario replaced by any other is read or refused") {
    CHECK(rc::check([] {
      std::string text = original();
      std::vector<std::size_t> digits;
      for (std::size_t i = 1; i + 1 < text.size(); ++i) {
        if (text[i - 1] == ' ' && text[i] >= '0' && text[i] <= '9') digits.push_back(i);
      }
      const std::size_t at = *rc::gen::elementOf(digits);
      const std::size_t end = text.find_first_of(",}\n", at);
      text.replace(at, end - at, std::to_string(*rc::gen::arbitrary<std::int64_t>()));
      RC_ASSERT(holds(text));
    }));
  }

  TEST_CASE("any bytes are read or refused") {
    CHECK(rc::check([](const std::string& text) { RC_ASSERT(holds(text)); }));
  }
}

}  // namespace
}  // namespace forerun::sim
