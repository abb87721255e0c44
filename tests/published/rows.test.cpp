// The published rows are whole, and no model family is on both sides of the split.

#include <doctest/doctest.h>

#include <array>
#include <map>
#include <set>
#include <sstream>
#include <string>
#include <string_view>
#include <utility>

#include "core/file.h"
#include "core/problem.h"
#include "core/reader.h"
#include "models/published_model.h"

namespace forerun {
namespace {

constexpr std::array<std::string_view, 6> kFiles = {"published",         "sparse",
                                                    "vtrain_a100_multi", "vtrain_a100_single",
                                                    "nanotron_h100",     "nanotron_h100_oom"};
constexpr std::array kSplits = {std::pair<std::string_view, bool>{"fit", true},
                                std::pair<std::string_view, bool>{"test", false}};
constexpr std::int64_t kMost = 1 << 30;

/// Calls `visit(row, line)` for the reader of each row of each file.
template <class Visit>
void for_each_row(Problems& problems, Visit&& visit) {
  for (const std::string_view file : kFiles) {
    std::istringstream lines(read_file(
        data_path("tests/published/rows/" + std::string(file) + ".jsonl"), kMaxJsonBytes));
    std::string line;
    while (std::getline(lines, line)) {
      const JsonDocument document = JsonDocument::parse(line, problems);
      Reader row = document.root(problems);
      visit(row, line);
    }
  }
}

std::map<std::string, bool> fitted_families(Problems& problems) {
  const JsonDocument document =
      JsonDocument::load(data_path("tests/published/families.json"), problems);
  Reader root = document.root(problems);
  std::map<std::string, bool> fitted;
  for (Reader& family : root.objects("families")) {
    const std::string name = family.text("name");
    CHECK_MESSAGE(!fitted.contains(name), name);
    fitted[name] = family.choice("split", kSplits);
    CHECK(!family.text("reason").empty());
    family.finish();
  }
  root.finish();
  return fitted;
}

}  // namespace

TEST_SUITE("tests/published") {
  TEST_CASE("every row has all fields that a simulation needs, and its model can be read") {
    const models::PublishedModels models;
    Problems problems;
    std::set<std::string> ids;
    for_each_row(problems, [&](Reader& row, const std::string& line) {
      const std::size_t before = problems.list().size();
      const std::string id = row.text("id");
      CHECK_MESSAGE(ids.insert(id).second, id);
      for (const char* key : {"group", "source", "url", "precision", "framework"}) {
        static_cast<void>(row.text(key));
      }
      const std::int64_t seq_len = row.integer("seq_len", 1, kMost);
      Reader model = row.object("model");
      static_cast<void>(models.read(model, seq_len));

      Reader cluster = row.object("cluster");
      static_cast<void>(cluster.text("accelerator"));
      const std::int64_t accelerators = cluster.integer("accelerators", 1, kMost);
      static_cast<void>(cluster.integer("per_node", 1, kMost));
      static_cast<void>(cluster.integer("nvlink_domain", 1, kMost));

      Reader plan = row.object("parallelism");
      const std::int64_t dp = plan.integer("dp", 1, kMost);
      CHECK_MESSAGE(dp * plan.integer("tp", 1, kMost) * plan.integer("pp", 1, kMost) *
                            plan.integer("cp", 1, kMost) ==
                        accelerators,
                    id);
      static_cast<void>(plan.integer("vp", 1, kMost));
      static_cast<void>(plan.boolean("sp"));
      CHECK_MESSAGE(
          row.integer("global_batch", 1, kMost) % (dp * row.integer("micro_batch", 1, kMost)) == 0,
          id);
      static_cast<void>(row.object("sharding").integer("stage", 0, 3));
      static_cast<void>(row.object("recompute").text("mode"));
      static_cast<void>(row.object("software"));

      Reader measured = row.object("measured");
      if (measured.has("out_of_memory")) {
        CHECK_MESSAGE(measured.boolean("out_of_memory"), id);
      } else {
        CHECK_MESSAGE(measured.number("step_time_s", 0.0, 1e6) > 0.0, id);
      }
      if (problems.list().size() > before) FAIL_CHECK(line);
    });
    CHECK_MESSAGE(problems.empty(), problems.text("rows"));
    CHECK(ids.size() == 2691);
  }

  TEST_CASE("every row's family is in the table and every row is on its family's side") {
    Problems problems;
    const std::map<std::string, bool> fitted = fitted_families(problems);
    std::set<std::string> seen;
    for_each_row(problems, [&](Reader& row, const std::string& line) {
      const std::string family = row.text("family");
      seen.insert(family);
      const auto entry = fitted.find(family);
      REQUIRE_MESSAGE(entry != fitted.end(), line);
      const bool fit = row.choice("split", kSplits);
      CHECK_MESSAGE(fit == entry->second, line);
    });
    CHECK_MESSAGE(problems.empty(), problems.text("rows"));
    CHECK(seen.size() == fitted.size());
  }

  TEST_CASE("no group has rows on both sides") {
    Problems problems;
    std::map<std::string, std::set<std::string>> sides;
    for_each_row(problems, [&](Reader& row, const std::string&) {
      sides[row.text("group")].insert(row.text("split"));
    });
    for (const auto& [group, splits] : sides) CHECK_MESSAGE(splits.size() == 1, group);
  }

  TEST_CASE("Korthikanti's eight rows are never fitted") {
    Problems problems;
    int rows = 0;
    for_each_row(problems, [&](Reader& row, const std::string&) {
      if (!row.text("id").starts_with("korthikanti-")) return;
      ++rows;
      CHECK(row.text("split") == "test");
    });
    CHECK(rows == 8);
  }
}

}  // namespace forerun
