#pragma once

/// A scenario that comes with the program with some of its text replaced, as `--set` would.

#include <doctest/doctest.h>

#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "core/file.h"
#include "core/reader.h"
#include "sim/scenario.h"
#include "tests/replaced.h"

namespace forerun::sim {

using Replacements = std::vector<std::pair<std::string_view, std::string>>;

inline Scenario variant(const std::string& name, const Replacements& replacements) {
  std::string text = read_file(data_path("scenarios/" + name + ".json"), 1 << 20);
  for (const auto& [from, to] : replacements) text = replaced(std::move(text), from, to);
  Problems problems;
  const JsonDocument document = JsonDocument::parse(text, problems);
  const std::optional<Scenario> s = read_scenario(document, problems);
  REQUIRE_MESSAGE(s, problems.text(name));
  return *s;
}

}  // namespace forerun::sim
