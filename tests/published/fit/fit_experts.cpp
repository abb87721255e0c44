// Fits the constants of Megatron-Core's layer with experts (experts.h) on the rows with experts
// that may be fitted, all other constants as the files hold them, and writes them into every preset
// that drives Megatron-Core if asked to.
//
//   fit_experts [--write]

#include <fmt/format.h>

#include <cmath>
#include <cstdio>
#include <map>
#include <set>
#include <string>
#include <thread>
#include <vector>

#include "core/error.h"
#include "core/file.h"
#include "core/reader.h"
#include "experts.h"
#include "fact_text.h"
#include "predictor.h"

namespace forerun::published {
namespace {

std::map<std::string, double> group_errors(const std::vector<sim::PublishedRow>& rows,
                                           const ExpertValues& v, int threads) {
  std::map<std::string, std::pair<double, double>> sums;
  const std::vector<double> errors = log_errors(rows, v, threads);
  for (std::size_t i = 0; i < rows.size(); ++i) {
    auto& [sum, count] = sums[rows[i].group];
    sum += std::abs(std::expm1(errors[i]));
    count += 1;
  }
  std::map<std::string, double> means;
  for (const auto& [group, s] : sums) means[group] = s.first / s.second;
  return means;
}

void write(const ExpertValues& v, const std::set<std::string>& families) {
  for (const char* preset : kExpertPresets) {
    const std::string path = data_path(fmt::format("sim/frameworks/{}.json", preset));
    std::string text = read_file(path, kMaxJsonBytes);
    for (std::size_t i = 0; i < v.size(); ++i) {
      text = with_fact(text, kExpertConstants[i].name, expert_text(i, v[i]), "fitted",
                       fmt::format("tests/published/fit/fit_experts: one for all that drive "
                                   "Megatron-Core's experts, on families {}",
                                   fmt::join(families, ", ")));
    }
    write_file(path, text);
  }
}

int fit(bool writes) {
  const int threads = static_cast<int>(std::max(1u, std::thread::hardware_concurrency()));
  std::vector<sim::PublishedRow> rows;
  std::set<std::string> families;
  for (sim::PublishedRow& row : load_rows()) {
    if (row.split != "fit" || !has_experts(row)) continue;
    families.insert(row.family);
    rows.push_back(std::move(row));
  }
  const ExpertValues v = fit_experts(rows, threads);
  for (std::size_t i = 0; i < v.size(); ++i) {
    fmt::print("{:16} {}\n", kExpertConstants[i].name, expert_text(i, v[i]));
  }
  const auto before = group_errors(rows, expert_start(), threads);
  for (const auto& [group, error] : group_errors(rows, v, threads)) {
    fmt::print("{:28} {:5.1f} % -> {:5.1f} %\n", group, 100 * before.at(group), 100 * error);
  }
  if (writes) write(v, families);
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
