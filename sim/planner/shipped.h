#pragma once

/// Scenarios that come with the program, for tests beside the planner.

#include <doctest/doctest.h>

#include <optional>
#include <string>
#include <vector>

#include "core/file.h"
#include "core/reader.h"
#include "sim/scenario.h"

namespace forerun::sim {

/// With edits as of --set, without rules across fields.
inline std::optional<Scenario> edited(const std::string& name, const std::vector<std::string>& set,
                                      Problems& problems) {
  JsonDocument document = JsonDocument::load(data_path("scenarios/" + name + ".json"), problems);
  for (const std::string& edit : set) {
    const std::size_t equals = edit.find('=');
    document.set(edit.substr(0, equals), edit.substr(equals + 1), problems);
  }
  return read_unplanned_scenario(document, problems);
}

inline Scenario shipped(const std::string& name, const std::vector<std::string>& set = {}) {
  Problems problems;
  std::optional<Scenario> s = edited(name, set, problems);
  REQUIRE_MESSAGE(s, problems.text(name));
  return *std::move(s);
}

}  // namespace forerun::sim
