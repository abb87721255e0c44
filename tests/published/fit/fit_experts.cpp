// Fits the three constants of Megatron-Core's layer with experts (expert_launch, expert_traffic,
// grouped_rate) on the rows with experts that may be fitted, all other constants as they stand, and
// writes them into every preset that drives Megatron-Core if asked to.
//
//   fit_experts [--write]
//
// One set for all those presets, because the layer is one library's. Least is the mean over groups
// of the mean absolute log error of a group, plus a prior that one standard deviation of each
// constant (a factor e^0.4 for traffic, e^0.2 for the rate, e^0.7 for the launch) costs a
// hundredth: a row must gain more than that for a constant to leave its start value. Coordinates in
// turn, each by golden section over the logarithm, until a round gains less than 1e-4.

#include <fmt/format.h>

#include <array>
#include <cmath>
#include <cstdio>
#include <map>
#include <sstream>
#include <string>
#include <vector>

#include "core/error.h"
#include "core/file.h"
#include "core/reader.h"
#include "fact_text.h"
#include "sim/published_row.h"
#include "sim/step.h"

namespace forerun::published {
namespace {

struct Constant {
  const char* name;
  const char* unit;
  double start, least, most, spread;
};
constexpr std::array<Constant, 3> kConstants = {{{"expert_launch", " us", 6, 2, 100, 0.7},
                                                 {"expert_traffic", "", 1, 0.7, 4, 0.4},
                                                 {"grouped_rate", "", 1, 0.5, 1.1, 0.2}}};
using Values = std::array<double, kConstants.size()>;

constexpr std::array<const char*, 8> kPresets = {
    "generic",     "megatron-bridge", "megatron-core", "megatron-lm-b200",
    "megatron-lm", "nemo-1",          "nemo-2",        "nemo-mlperf"};

std::vector<sim::PublishedRow> fitted_rows() {
  sim::PublishedRowReader reader;
  std::vector<sim::PublishedRow> rows;
  std::istringstream lines(
      read_file(data_path("tests/published/rows/sparse.jsonl"), kMaxJsonBytes));
  for (std::string line; std::getline(lines, line);) {
    auto read = reader.read(line);
    auto* row = std::get_if<sim::PublishedRow>(&read);
    if (row == nullptr || row->split != "fit" || !row->not_scored.empty()) continue;
    if (row->scenario.model.experts) rows.push_back(std::move(*row));
  }
  return rows;
}

std::map<std::string, double> group_errors(std::vector<sim::PublishedRow>& rows, const Values& v) {
  std::map<std::string, std::pair<double, double>> sums;
  for (sim::PublishedRow& row : rows) {
    sim::Framework& f = row.scenario.framework;
    f.expert_launch = v[0] * 1.0_us;
    f.expert_traffic = v[1];
    f.grouped_rate = v[2];
    auto& [sum, count] = sums[row.group];
    sum += std::abs(std::log(sim::step_time(row.scenario) / *row.measured.step_time));
    count += 1;
  }
  std::map<std::string, double> errors;
  for (const auto& [group, s] : sums) errors[group] = s.first / s.second;
  return errors;
}

double cost(std::vector<sim::PublishedRow>& rows, const Values& v) {
  const auto errors = group_errors(rows, v);
  double sum = 0;
  for (const auto& [group, error] : errors) sum += error / static_cast<double>(errors.size());
  for (std::size_t i = 0; i < v.size(); ++i) {
    const double z = std::log(v[i] / kConstants[i].start) / kConstants[i].spread;
    sum += 0.01 * z * z;
  }
  return sum;
}

/// The best of coordinate `i` between its bounds.
void line_search(std::vector<sim::PublishedRow>& rows, Values& v, std::size_t i) {
  constexpr double kGolden = 0.6180339887498949;
  double low = std::log(kConstants[i].least), high = std::log(kConstants[i].most);
  const auto at = [&](double x) {
    Values moved = v;
    moved[i] = std::exp(x);
    return cost(rows, moved);
  };
  double a = high - kGolden * (high - low), b = low + kGolden * (high - low);
  double at_a = at(a), at_b = at(b);
  while (high - low > 0.01) {
    if (at_a < at_b) {
      high = b;
      b = a;
      at_b = at_a;
      a = high - kGolden * (high - low);
      at_a = at(a);
    } else {
      low = a;
      a = b;
      at_a = at_b;
      b = low + kGolden * (high - low);
      at_b = at(b);
    }
  }
  if (at(0.5 * (low + high)) < cost(rows, v)) v[i] = std::exp(0.5 * (low + high));
}

std::string value_text(const Constant& c, double value) {
  const std::string number = fmt::format("{:.3g}", value);
  return *c.unit == '\0' ? number : fmt::format("\"{}{}\"", number, c.unit);
}

void write(const Values& v, const std::string& families) {
  for (const char* preset : kPresets) {
    const std::string path = data_path(fmt::format("sim/frameworks/{}.json", preset));
    std::string text = read_file(path, kMaxJsonBytes);
    for (std::size_t i = 0; i < v.size(); ++i) {
      text = with_fact(text, kConstants[i].name, value_text(kConstants[i], v[i]), "fitted",
                       "tests/published/fit/fit_experts: one for all that drive Megatron-Core's "
                       "experts, on families " +
                           families);
    }
    write_file(path, text);
  }
}

int fit(bool writes) {
  std::vector<sim::PublishedRow> rows = fitted_rows();
  Values v{};
  for (std::size_t i = 0; i < v.size(); ++i) v[i] = kConstants[i].start;
  const auto before = group_errors(rows, v);
  double last = cost(rows, v);
  for (int round = 0; round < 20; ++round) {
    for (std::size_t i = 0; i < v.size(); ++i) line_search(rows, v, i);
    const double now = cost(rows, v);
    if (last - now < 1e-4) break;
    last = now;
  }
  std::map<std::string, int> families;
  for (const sim::PublishedRow& row : rows) ++families[row.family];
  std::string names;
  for (const auto& [name, count] : families) names += (names.empty() ? "" : ", ") + name;
  for (std::size_t i = 0; i < v.size(); ++i) {
    fmt::print("{:16} {}\n", kConstants[i].name, value_text(kConstants[i], v[i]));
  }
  for (const auto& [group, error] : group_errors(rows, v)) {
    fmt::print("{:28} {:5.1f} % -> {:5.1f} %\n", group, 100 * before.at(group), 100 * error);
  }
  if (writes) write(v, names);
  return 0;
}

}  // namespace
}  // namespace forerun::published

int main(int count, char** words) {
  try {
    const bool writes = count == 2 && std::string(words[1]) == "--write";
    if (count > 1 && !writes) {
      fmt::print(stderr, "fit_experts [--write]\n");
      return 2;
    }
    return forerun::published::fit(writes);
  } catch (const forerun::Error& e) {
    fmt::print(stderr, "error: {}\n", e.what());
    return 1;
  }
}
