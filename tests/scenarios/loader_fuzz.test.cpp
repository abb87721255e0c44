// The scenario loader against damaged scenarios: a scenario or problems, never neither, never both,
// never a crash. The values put in are those that break arithmetic: nothing, negative, fractions,
// and whole numbers whose product does not fit 64 bits.

#include <doctest/doctest.h>
#include <rapidcheck.h>

#include <algorithm>
#include <cctype>
#include <filesystem>
#include <string>
#include <string_view>
#include <vector>

#include "core/file.h"
#include "core/reader.h"
#include "sim/scenario.h"

namespace forerun::sim {
namespace {

std::vector<std::string> shipped_scenarios() {
  std::vector<std::string> texts;
  for (const auto& entry : std::filesystem::directory_iterator(data_path("scenarios"))) {
    if (entry.path().extension() == ".json") texts.push_back(read_file(entry.path(), 1u << 20));
  }
  std::sort(texts.begin(), texts.end());
  return texts;
}

struct Token {
  std::size_t at;
  std::size_t length;
};

/// Every text (keys too), number and word of a JSON text.
std::vector<Token> tokens_of(std::string_view text) {
  std::vector<Token> tokens;
  for (std::size_t i = 0; i < text.size();) {
    const std::size_t start = i;
    if (text[i] == '"') {
      for (++i; i < text.size() && text[i] != '"'; ++i) {
        if (text[i] == '\\') ++i;
      }
      ++i;
    } else {
      while (i < text.size() && (std::isalnum(static_cast<unsigned char>(text[i])) != 0 ||
                                 text[i] == '-' || text[i] == '.')) {
        ++i;
      }
    }
    if (i == start) {
      ++i;
    } else {
      tokens.push_back({start, i - start});
    }
  }
  return tokens;
}

std::string damaged(std::string text) {
  const int edits = *rc::gen::inRange(1, 4);
  for (int i = 0; i < edits; ++i) {
    const std::vector<Token> tokens = tokens_of(text);
    if (tokens.empty()) break;
    const Token token = *rc::gen::elementOf(tokens);
    const std::string other = *rc::gen::element<std::string>(
        "0", "-1", "1", "2", "3", "7", "1e30", "3.7", "4294967296", "9223372036854775807",
        "18446744073709551615", "null", "true", "[]", "{}", "[1, 1000000]", "\"\"", "\"fsdp\"",
        "\"1 GB/s\"", "\"h100-sxm-80gb\"", "\"llama3-8b\"", "\"../../etc/passwd\"", "\"tensor\"",
        "\"no\\u0000name\"", ",", "");
    text.replace(token.at, token.length, other);
  }
  return text;
}

void survives(const std::string& text) {
  Problems problems;
  const JsonDocument document = JsonDocument::parse(text, problems);
  const auto scenario = read_scenario(document, problems);
  RC_ASSERT(scenario.has_value() == problems.empty());
}

}  // namespace

TEST_SUITE("scenarios") {
  TEST_CASE("every shipped scenario is read without a problem") {
    const std::vector<std::string> texts = shipped_scenarios();
    CHECK(texts.size() >= 1);
    for (const std::string& text : texts) {
      Problems problems;
      const JsonDocument document = JsonDocument::parse(text, problems);
      CHECK(read_scenario(document, problems).has_value());
      CHECK(problems.text("scenario") == "");
    }
  }

  TEST_CASE("a damaged scenario gives a scenario or problems") {
    const std::vector<std::string> texts = shipped_scenarios();
    CHECK(rc::check("tokens replaced", [&] {
      for (int i = 0; i < 5; ++i) survives(damaged(*rc::gen::elementOf(texts)));
    }));
  }

  TEST_CASE("a scenario cut short gives problems") {
    for (const std::string& text : shipped_scenarios()) {
      for (std::size_t length = 0; length + 2 < text.size(); length += 7) {
        Problems problems;
        const JsonDocument document = JsonDocument::parse(text.substr(0, length), problems);
        CHECK(!read_scenario(document, problems).has_value());
        CHECK(problems.list().size() == 1);  // what was not read is not missing
      }
    }
  }
}

}  // namespace forerun::sim
