// The planner on the four machines of Korthikanti et al. 2022, table 5: its best plan against the
// one that was published, under the same simulator.

#include <doctest/doctest.h>
#include <fmt/format.h>

#include <cmath>
#include <sstream>
#include <string>
#include <variant>

#include "core/file.h"
#include "sim/plan_json.h"
#include "sim/planner/plan_search.h"
#include "sim/published_row.h"

namespace forerun::sim {
namespace {

Scenario published(const std::string& id) {
  PublishedRowReader reader;
  std::istringstream lines(
      read_file(data_path("tests/published/rows/published.jsonl"), kMaxJsonBytes));
  for (std::string line; std::getline(lines, line);) {
    if (line.find("\"" + id + "\"") == line.npos) continue;
    const auto row = reader.read(line);
    REQUIRE(std::holds_alternative<PublishedRow>(row));
    return std::get<PublishedRow>(row).scenario;
  }
  FAIL("no row ", id);
  return {};
}

/// By how much the fastest plan of the front that holds no more memory is faster.
double behind_front(const PlanSearch& found) {
  double behind = 0;
  for (const PlannedStep& f : found.front) {
    if (f.memory <= found.own->memory) behind = std::max(behind, found.own->time / f.time - 1);
  }
  return behind;
}

void check_machine(const std::string& size) {
  const Scenario s = published("korthikanti-t5-" + size + "-sel_sp");
  SearchOptions options;
  options.threads = 2;
  const PlanSearch found = search_plans(s, default_space(s), options);
  REQUIRE_FALSE(found.front.empty());
  REQUIRE(found.own);
  CHECK(found.best().time <= found.own->time);
  CHECK_MESSAGE(behind_front(found) <= 0.05, size, ": ", behind_front(found));
  MESSAGE(fmt::format(
      "{}: published {:.2f} s, {:.1f} GiB; best {:.2f} s, {:.1f} GiB: {}; {:.1f} % "
      "behind the front; {} bounded, {} simulated",
      size, found.own->time.base(), found.own->memory.in(1.0_GiB), found.best().time.base(),
      found.best().memory.in(1.0_GiB), plan_text(found.best().plan), 100 * behind_front(found),
      found.counts.bounded_away + found.counts.simulated, found.counts.simulated));
}

}  // namespace

TEST_SUITE("tests/published planner") {
  TEST_CASE("22B on 8 A100: at least as fast as published, which is within 5 % of the front") {
    check_machine("22b");
  }
  TEST_CASE("175B on 64 A100: at least as fast as published, which is within 5 % of the front") {
    check_machine("175b");
  }
  TEST_CASE("530B on 280 A100: at least as fast as published, which is within 5 % of the front") {
    check_machine("530b");
  }
  TEST_CASE("1T on 512 A100: at least as fast as published, which is within 5 % of the front") {
    check_machine("1t");
  }
}

}  // namespace forerun::sim
