// Memory of published runs: what was allocated after a step, the peak, and what did not fit.

#include "sim/memory.h"

#include <doctest/doctest.h>

#include <cmath>
#include <map>
#include <sstream>
#include <string>
#include <variant>

#include "core/file.h"
#include "sim/layout.h"
#include "sim/published_row.h"

namespace forerun::sim {
namespace {

constexpr std::uint64_t kMostBytes = 1u << 26;

/// Calls `visit(row, memory)` for each row of a file that states something about memory.
template <class Visit>
void for_each_memory(const std::string& file, Visit&& visit) {
  PublishedRowReader reader;
  std::istringstream lines(read_file(data_path("tests/published/rows/" + file), kMostBytes));
  std::string line;
  while (std::getline(lines, line)) {
    const auto row = reader.read(line);
    const auto* published = std::get_if<PublishedRow>(&row);
    if (published == nullptr) continue;
    const Measured& m = published->measured;
    if (!m.memory && !m.reserved && !m.out_of_memory) continue;
    const Scenario& s = published->scenario;
    visit(*published, step_memory(s, make_layout(s), Remedies::skip));
  }
}

struct Share {
  double right = 0, all = 0;
  void count(bool is_right) {
    right += is_right ? 1 : 0;
    ++all;
  }
  [[nodiscard]] double value() const { return right / all; }
};

}  // namespace

TEST_SUITE("published/memory") {
  TEST_CASE("nanotron's memory after a step, its peak, and what runs out of memory") {
    std::map<std::string, Share> ran, ran_out, inside;  // by split
    double error = 0, rows = 0;
    for_each_memory("nanotron_h100.jsonl", [&](const PublishedRow& row, const MemoryResult& m) {
      const StageMemory& stage = m.stages[m.reporting];
      error += std::abs(stage.after_step / *row.measured.after_step - 1);
      ++rows;
      const double share = stage.peak / *row.measured.reserved;
      inside[row.split].count(share >= 0.8 && share <= 1.0);
      inside["all"].count(share >= 0.8 && share <= 1.0);
      ran[row.split].count(m.fits);
    });
    for_each_memory("nanotron_h100_oom.jsonl", [&](const PublishedRow& row, const MemoryResult& m) {
      ran_out[row.split].count(!m.fits);
    });
    CHECK(rows == 261);
    CHECK(error / rows <= 0.03);
    CHECK(inside["all"].value() >= 0.90);
    for (const char* split : {"fit", "test"}) {
      CAPTURE(split);
      CHECK((ran[split].value() + ran_out[split].value()) / 2 >= 0.97);
    }
  }

  TEST_CASE("Megatron-LM's peak on B200 is within two per cent, and every run that ran fits") {
    double error = 0, rows = 0;
    for_each_memory("published.jsonl", [&](const PublishedRow& row, const MemoryResult& m) {
      if (row.group != "llama3-405b|B200-simumax") return;
      error += std::abs(m.stages[m.reporting].reported / *row.measured.memory - 1);
      ++rows;
      CHECK(m.fits);
    });
    CHECK(rows == 15);
    CHECK(error / rows <= 0.02);
  }
}

}  // namespace forerun::sim
