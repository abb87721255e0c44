// Fits the one memory constant of a framework, allocator_slack (sim/memory_habits.h), on published
// rows that may be fitted, and prints what each value comes to on both sides of the split.
//
//   fit_memory
//
// A framework with runs that ran out of memory: the slack with the best balanced accuracy of fits /
// does not fit (the middle of the best values). One whose published memory is the allocator's: the
// slack with the least median error (a few rows are of other versions of the framework).

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <cstdio>
#include <map>
#include <optional>
#include <sstream>
#include <string>
#include <variant>
#include <vector>

#include "core/error.h"
#include "core/file.h"
#include "core/table.h"
#include "sim/layout.h"
#include "sim/memory.h"
#include "sim/published_row.h"

namespace forerun::published {
namespace {

constexpr std::uint64_t kMostBytes = 1u << 26;
constexpr int kSteps = 40;
constexpr double kStep = 0.01;

/// One row's stages without slack.
struct Case {
  std::string framework;
  bool fitted = false, ran_out = false, compares_capacity = false;
  std::optional<Bytes> measured;  ///< the allocator's
  std::vector<sim::StageMemory> stages;
  std::size_t reporting = 0;
  Bytes capacity{};
};

void read_cases(const std::string& file, std::vector<Case>& cases) {
  sim::PublishedRowReader reader;
  std::istringstream lines(read_file(data_path("tests/published/rows/" + file), kMostBytes));
  std::string line;
  while (std::getline(lines, line)) {
    auto row = reader.read(line);
    auto* published = std::get_if<sim::PublishedRow>(&row);
    if (published == nullptr) continue;
    sim::Scenario& s = published->scenario;
    const sim::Measured& measured = published->measured;
    Case c;
    c.framework = s.framework.name;
    c.fitted = published->split == "fit";
    c.ran_out = measured.out_of_memory;
    c.compares_capacity = measured.out_of_memory || measured.reserved;
    if (s.framework.memory.reported == sim::ReportedMemory::reserved) c.measured = measured.memory;
    if (!c.compares_capacity && !c.measured) continue;
    s.framework.memory.allocator_slack = 0;
    const sim::MemoryResult m = step_memory(s, make_layout(s), sim::Remedies::skip);
    c.stages = m.stages;
    c.reporting = m.reporting;
    c.capacity = m.capacity;
    cases.push_back(c);
  }
}

Bytes with_slack(const sim::StageMemory& stage, double slack) {
  return slack * (stage.peak - stage.persistent);
}

bool fits(const Case& c, double slack) {
  for (const sim::StageMemory& stage : c.stages) {
    if (stage.reserved + with_slack(stage, slack) > c.capacity) return false;
  }
  return true;
}

/// Mean of the shares of runs that ran and of runs that did not which are told right.
double balanced_accuracy(const std::vector<Case>& cases, bool fitted, double slack) {
  double right[2] = {0, 0}, all[2] = {0, 0};
  for (const Case& c : cases) {
    if (c.fitted != fitted) continue;
    ++all[c.ran_out ? 1 : 0];
    if (fits(c, slack) != c.ran_out) ++right[c.ran_out ? 1 : 0];
  }
  return all[0] > 0 && all[1] > 0 ? (right[0] / all[0] + right[1] / all[1]) / 2 : 0;
}

double median_error(const std::vector<Case>& cases, bool fitted, double slack) {
  std::vector<double> errors;
  for (const Case& c : cases) {
    if (c.fitted != fitted || !c.measured) continue;
    const sim::StageMemory& stage = c.stages[c.reporting];
    errors.push_back(std::abs((stage.peak + with_slack(stage, slack)) / *c.measured - 1));
  }
  if (errors.empty()) return 0;
  std::sort(errors.begin(), errors.end());
  return errors[errors.size() / 2];
}

void fit(const std::string& framework, const std::vector<Case>& cases) {
  const bool by_capacity = cases.front().compares_capacity;
  const auto badness = [&](bool fitted, double slack) {
    return by_capacity ? 1 - balanced_accuracy(cases, fitted, slack)
                       : median_error(cases, fitted, slack);
  };
  double least = 1e9;
  int first = 0, last = 0;
  for (int i = 0; i <= kSteps; ++i) {
    const double b = badness(true, i * kStep);
    if (b < least - 1e-9) {
      least = b;
      first = last = i;
    } else if (b < least + 1e-9 && last == i - 1) {
      last = i;
    }
  }
  const double best = 0.5 * static_cast<double>(first + last) * kStep;
  fmt::print("{}: allocator_slack {:.2f} ({:.2f} to {:.2f} are as good), {} rows\n", framework,
             best, first * kStep, last * kStep, cases.size());
  bool tested = false;
  for (const Case& c : cases) tested = tested || !c.fitted;
  fmt::print("  {}: fitted rows {}, tested rows {}\n",
             by_capacity ? "wrong on fits / does not fit, balanced" : "median error",
             show_percent(badness(true, best), 2),
             tested ? show_percent(badness(false, best), 2) : "(there are none)");
}

void run() {
  std::vector<Case> cases;
  for (const char* file : {"nanotron_h100.jsonl", "nanotron_h100_oom.jsonl", "published.jsonl"}) {
    read_cases(file, cases);
  }
  std::map<std::string, std::vector<Case>> by_framework;
  for (const Case& c : cases) by_framework[c.framework].push_back(c);
  for (const auto& [framework, own] : by_framework) fit(framework, own);
}

}  // namespace
}  // namespace forerun::published

int main() {
  try {
    forerun::published::run();
    return 0;
  } catch (const forerun::Error& e) {
    fmt::print(stderr, "error: {}\n", e.what());
    return static_cast<int>(e.code());
  }
}
