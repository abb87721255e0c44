#include "sim/sweep/store.h"

#include <doctest/doctest.h>
#include <fmt/format.h>

#include <cstdlib>
#include <filesystem>
#include <functional>
#include <map>
#include <random>

#include "core/error.h"
#include "core/file.h"
#include "sim/sweep/export.h"
#include "sim/sweep/made_sweep.h"
#include "sim/sweep/run_sweep.h"
#include "sim/sweep/summary.h"
#include "sim/sweep/thread_crew.h"
#include "tests/folder.h"
#include "tests/replaced.h"

namespace forerun::sim {
namespace {

namespace fs = std::filesystem;

TEST_SUITE("sim/sweep/store") {
  using testing::Folder;

  std::vector<PointResult> results_of(const Sweep& s) {
    PointAnswerer answerer(s);
    std::vector<PointResult> out;
    for (std::int64_t p = 0; p < s.points(); ++p) out.push_back(answerer.answer(p));
    return out;
  }

  std::string bytes(const std::string& path) { return read_file(path, 1u << 30); }

  std::string message(const std::function<void()>& work) {
    try {
      work();
    } catch (const Error& e) {
      CHECK(e.code() == ExitCode::wrong);
      return e.what();
    }
    return "nothing was thrown";
  }

  void sql(const std::string& path, const std::string& text) {
    Database(path, Database::Access::write).run(text);
  }

  TEST_CASE("what is stored is read back, and views show it") {
    const Folder folder;
    const Sweep s = made_sweep();
    const std::vector<PointResult> results = results_of(s);
    const std::string path = folder.path("s.sqlite");
    {
      SweepStore store(path, s, "1", StoreMode::fresh);
      CHECK(store.count() == 0);
      store.add(results);
      CHECK(store.count() == 9);
      CHECK(store.has(8));
      store.finish();
    }
    const StoredSweep stored(path);
    std::size_t next = 0;
    stored.each([&](const StoredPoint& p) {
      const PointResult& r = results[next++];
      CHECK(p.point == r.point);
      CHECK(p.seed == 5);
      CHECK(p.settings == settings_json(s.settings(r.point)));
      CHECK(p.status == name_in(kPointStatuses, r.status));
      CHECK(p.reason == r.reason);
      std::size_t known = 0;
      for (std::size_t m = 0; m < p.values.size(); ++m) {
        if (!p.values[m]) continue;
        ++known;
        const auto found = std::ranges::find(r.metrics, stored.metrics()[m].name, &Metric::name);
        REQUIRE(found != r.metrics.end());
        CHECK(*p.values[m] == *found->value);
      }
      CHECK(known == r.metrics.size());
    });
    CHECK(next == 9);
    const Database d(path, Database::Access::read);
    Statement rows = d.prepare(
        "SELECT point, \"plan.micro_batch\", training_tokens, \"operations.spares\", days_p50, "
        "step_s FROM results ORDER BY point");
    std::vector<std::int64_t> points;
    while (rows.step()) {
      points.push_back(rows.integer(0));
      CHECK(rows.is_null(1) == (rows.integer(0) >= 6));
      CHECK(rows.is_null(3) == (rows.integer(0) < 6));
      CHECK(rows.number(4) > 0);
      CHECK(rows.number(5) > 0);
    }
    CHECK(points == std::vector<std::int64_t>{0, 1, 2, 3, 6, 7, 8});
    CHECK(d.integer("SELECT count(*) FROM failed WHERE cause = '/plan/global_batch'") == 2);
    CHECK(d.integer("SELECT count(*) FROM answers WHERE evidence IN ('derived', 'assumed')") > 0);
    CHECK(d.integer("SELECT count(*) FROM pragma_foreign_key_check") == 0);
    Statement sound = d.prepare("PRAGMA integrity_check");
    REQUIRE(sound.step());
    CHECK(sound.text(0) == "ok");
    Statement mode = d.prepare("PRAGMA journal_mode");
    REQUIRE(mode.step());
    CHECK(mode.text(0) == "delete");
  }

  TEST_CASE("the finished file is the same bytes, in whatever order and pieces results came") {
    const Folder folder;
    const Sweep s = made_sweep();
    const std::vector<PointResult> results = results_of(s);
    const std::string first = folder.path("first.sqlite");
    {
      SweepStore store(first, s, "1", StoreMode::fresh);
      store.add(results);
      store.finish();
    }
    std::mt19937 random(1);
    for (int round = 0; round < 6; ++round) {
      std::vector<PointResult> order = results;
      std::ranges::shuffle(order, random);
      const std::string path = folder.path(fmt::format("{}.sqlite", round));
      std::size_t at = 0;
      while (at < order.size()) {
        // Closed and opened again before each piece.
        SweepStore store(path, s, "1", StoreMode::resume);
        CHECK(store.count() == static_cast<std::int64_t>(at));
        const std::size_t count = std::min<std::size_t>(1 + random() % 4, order.size() - at);
        store.add(std::span(order).subspan(at, count));
        at += count;
      }
      SweepStore store(path, s, "1", StoreMode::resume);
      CHECK_FALSE(store.finished());
      CHECK(bytes(path) != bytes(first));
      store.finish();
      CHECK(store.finished());
      CHECK(bytes(path) == bytes(first));
      CHECK_FALSE(fs::exists(path + "-wal"));
    }
    // One that is finished is looked at only.
    const SweepStore again(first, s, "1", StoreMode::resume);
    CHECK(again.finished());
    CHECK(again.count() == 9);
    CHECK(bytes(first) == bytes(folder.path("0.sqlite")));
  }

  TEST_CASE("files that are no store of this sweep are refused, and left alone") {
    const Folder folder;
    const Sweep s = made_sweep();
    const std::string path = folder.path("s.sqlite");
    const auto open = [&](const Sweep& sweep, const char* version, StoreMode mode) {
      return message([&] { const SweepStore store(path, sweep, version, mode); });
    };
    {
      SweepStore store(path, s, "1", StoreMode::fresh);
      store.add(results_of(s));
      CHECK(open(s, "1", StoreMode::resume) ==
            fmt::format("another forerun sweep is writing {}", path));
      store.finish();
    }
    const std::string good = bytes(path);
    CHECK(open(s, "1", StoreMode::fresh) == path + " exists already");
    CHECK(open(s, "2", StoreMode::resume) ==
          path + " holds answers of forerun 1; this is 2, whose answers may differ");
    const Sweep other = made_sweep(replaced(sweep_text(), "2e8", "3e8"));
    CHECK(
        open(other, "1", StoreMode::resume) ==
        fmt::format("{} is of another sweep: \"made\" with hash {:016x}, but \"made\" has {:016x}",
                    path, s.hash, other.hash));
    CHECK(bytes(path) == good);
    sql(path, "PRAGMA user_version = 7");
    CHECK(open(s, "1", StoreMode::resume) ==
          path + " is a store of version 7; this forerun writes version 1");
    sql(path, "PRAGMA application_id = 1");
    CHECK(open(s, "1", StoreMode::resume) == path + " is a database, but no store of a sweep");
    write_file(path, "{\"schema\": 1}");
    CHECK(open(s, "1", StoreMode::resume) == path + " is no SQLite database");
    CHECK(bytes(path) == "{\"schema\": 1}");
    write_file(path, good.substr(0, 5000));
    CHECK(open(s, "1", StoreMode::resume) == path + " is damaged");
    fs::remove(path);
    fs::create_directory(path);
    CHECK(open(s, "1", StoreMode::resume).find("can't write " + path) == 0);
    fs::remove(path);
    CHECK(message([&] {
            const SweepStore store(folder.path("none/s.sqlite"), s, "1", StoreMode::fresh);
          }).ends_with("No such file or directory"));
  }

  TEST_CASE("a file of somebody else's beside the store is left alone") {
    const Folder folder;
    const Sweep s = made_sweep();
    const std::string path = folder.path("s.sqlite"), aside = path + "-finishing";
    const auto open = [&](const Sweep& sweep, StoreMode mode) {
      return message([&] { const SweepStore store(path, sweep, "1", mode); });
    };
    write_file(aside, "mine");
    CHECK(open(s, StoreMode::fresh) == aside + " is in the way");
    CHECK(open(s, StoreMode::resume) == aside + " is in the way");
    CHECK_FALSE(fs::exists(path));
    write_file(path, "");
    CHECK(open(s, StoreMode::resume) == aside + " is in the way");
    write_file(path, "{}");
    CHECK(open(s, StoreMode::resume) == path + " is no SQLite database");
    fs::remove(path);
    fs::remove(aside);
    {
      const SweepStore store(path, s, "1", StoreMode::fresh);
    }
    write_file(aside, "mine");
    const Sweep other = made_sweep(replaced(sweep_text(), "2e8", "3e8"));
    CHECK(open(other, StoreMode::resume).find("is of another sweep") != std::string::npos);
    CHECK(bytes(aside) == "mine");
    // Of this sweep, killed while it finished: thrown away.
    SweepStore store(path, s, "1", StoreMode::resume);
    CHECK_FALSE(fs::exists(aside));
    store.add(results_of(s));
    write_file(aside, "mine");  // came meanwhile
    CHECK(message([&] { store.finish(); }) == "can't write " + aside + ": File exists");
    CHECK(bytes(aside) == "mine");
    fs::remove(aside);
    store.finish();
    CHECK(summarise(path, 1).answered == 7);
  }

  TEST_CASE("a store that is a link stays one; folders and links to nothing are named") {
    const Folder folder;
    const Sweep s = made_sweep();
    const std::string path = folder.path("link.sqlite"), target = folder.path("far/s.sqlite");
    fs::create_directory(folder.path("far"));
    fs::create_symlink(target, path);
    for (const StoreMode mode : {StoreMode::fresh, StoreMode::resume}) {
      CHECK(message([&] { const SweepStore store(path, s, "1", mode); }) ==
            fmt::format("can't write {}: it is a link to {}, which does not exist", path, target));
      CHECK(message([&] { const SweepStore store(folder.path("far"), s, "1", mode); }) ==
            fmt::format("can't write {}: it is a folder", folder.path("far")));
    }
    CHECK_FALSE(fs::exists(target));
    write_file(target, "");
    {
      SweepStore store(path, s, "1", StoreMode::resume);
      CHECK(store.path() == path);
      store.add(results_of(s));
      store.finish();
    }
    CHECK(fs::is_symlink(path));
    CHECK(fs::is_regular_file(fs::symlink_status(target)));
    CHECK(summarise(path, 1).answered == 7);
    CHECK(SweepStore(path, s, "1", StoreMode::resume).finished());
  }

  TEST_CASE("a name that SQLite has for no file is a file all the same") {
    const Folder folder;
    const Sweep s = made_sweep();
    const fs::path before = fs::current_path();
    fs::current_path(folder.path());
    {
      SweepStore store(":memory:", s, "1", StoreMode::fresh);
      store.add(results_of(s));
      store.finish();
    }
    CHECK(summarise(":memory:", 1).answered == 7);
    fs::current_path(before);
    CHECK(summarise(folder.path(":memory:"), 1).answered == 7);
  }

  TEST_CASE("rows that cannot be are damage") {
    const Folder folder;
    const Sweep s = made_sweep();
    const std::string path = folder.path("s.sqlite");
    {
      SweepStore store(path, s, "1", StoreMode::fresh);
      store.add(results_of(s));
    }
    for (const char* point : {"9", "-1", "9000000000000000000"}) {
      sql(path, fmt::format("UPDATE points SET point = {} WHERE point NOT BETWEEN 0 AND 7", point));
      CHECK(message([&] { const SweepStore store(path, s, "1", StoreMode::resume); }) ==
            path + " is damaged");
    }
    sql(path, "UPDATE points SET point = 8 WHERE point NOT BETWEEN 0 AND 7");
    CHECK(SweepStore(path, s, "1", StoreMode::resume).count() == 9);
    sql(path, "UPDATE metrics SET metric = 9999 WHERE point = 0 AND position = 1");
    CHECK(message([&] { (void)summarise(path, 1); }) == path + " is damaged");
    sql(path, "UPDATE metric_names SET metric = 9999 WHERE metric = 1");
    CHECK(message([&] { const SweepStore store(path, s, "1", StoreMode::resume); }) ==
          path + " is damaged");
  }

  TEST_CASE("a store of other data than come with forerun is refused") {
    const Folder folder;
    const Sweep s = made_sweep();
    const std::string path = folder.path("s.sqlite");
    {
      const SweepStore store(path, s, "1", StoreMode::fresh);
    }
    CHECK(SweepStore(path, s, "1", StoreMode::resume).count() == 0);
    sql(path, "UPDATE meta SET value = '0123456789abcdef' WHERE key = 'data'");
    CHECK(message([&] { const SweepStore store(path, s, "1", StoreMode::resume); }) ==
          path +
              " holds answers of other profiles, models or laws than come with this forerun: "
              "they were edited since");
  }

  TEST_CASE("points of which over a tenth was given up are no best ones, and are counted") {
    const Folder folder;
    const Sweep s = made_sweep();
    const std::string path = folder.path("s.sqlite");
    std::vector<PointResult> results = results_of(s);
    const auto set = [&](std::int64_t point, const std::string& name, double value) {
      auto& metrics = results[static_cast<std::size_t>(point)].metrics;
      const auto found = std::ranges::find(metrics, name, &Metric::name);
      REQUIRE(found != metrics.end());
      found->value = value;
    };
    for (const std::int64_t point : {0, 1}) set(point, "days_p50", 1e-9);
    set(0, "given_up", 0.11);
    set(1, "given_up", 0.1);
    SweepStore store(path, s, "1", StoreMode::fresh);
    store.add(results);
    store.finish();
    const SweepSummary summary = summarise(path, 9);
    CHECK(summary.answered == 7);
    CHECK(summary.given_up == 1);
    REQUIRE(summary.objectives[0].best.size() == 6);
    CHECK(summary.objectives[0].best[0].point == 1);
    for (const auto& objective : summary.objectives) {
      for (const StoredPoint& p : objective.best) CHECK(p.point != 0);
    }
  }

  TEST_CASE("a file that was made and not filled is begun anew") {
    const Folder folder;
    const Sweep s = made_sweep();
    const std::string path = folder.path("s.sqlite");
    write_file(path, "");
    CHECK(SweepStore(path, s, "1", StoreMode::resume).count() == 0);
    fs::remove(path);
    write_file(path, "");
    sql(path, "PRAGMA journal_mode = WAL");  // writes a header
    CHECK(fs::file_size(path) > 0);
    CHECK(SweepStore(path, s, "1", StoreMode::resume).count() == 0);
  }

  TEST_CASE("somebody may have the file open while it is put in order") {
    const Folder folder;
    const Sweep s = made_sweep();
    const std::string path = folder.path("s.sqlite"), other = folder.path("o.sqlite");
    SweepStore store(path, s, "1", StoreMode::fresh);
    store.add(results_of(s));
    const Database reader(path, Database::Access::read);
    CHECK(reader.integer("SELECT count(*) FROM results") == 7);
    store.finish();
    CHECK(summarise(path, 1).answered == 7);
    CHECK(reader.integer("SELECT count(*) FROM results") == 7);  // of what it had opened
    SweepStore alone(other, s, "1", StoreMode::fresh);
    alone.add(results_of(s));
    alone.finish();
    CHECK(bytes(path) == bytes(other));
  }

  TEST_CASE("a sweep that is stopped goes on where it was") {
    const Folder folder;
    const Sweep s = made_sweep();
    const auto run = [&](const std::string& path, int threads, std::int64_t until) {
      SweepStore store(path, s, "1", StoreMode::resume);
      PointAnswerer answerer(s);
      ThreadCrew crew(answerer, threads);
      crew.give(missing_points(s, store));
      return run_sweep(s, store, crew, [](std::int64_t) {}, [&] { return store.count() >= until; });
    };
    const std::string whole = folder.path("whole.sqlite"), parts = folder.path("parts.sqlite");
    CHECK(run(whole, 1, 100));
    CHECK_FALSE(run(parts, 1, 1));
    CHECK(run(parts, 3, 100));
    CHECK(bytes(whole) == bytes(parts));
  }

  TEST_CASE("the summary counts, groups failures and lists the best") {
    const Folder folder;
    const Sweep s = made_sweep();
    const std::string path = folder.path("s.sqlite");
    SweepStore store(path, s, "1", StoreMode::fresh);
    store.add(results_of(s));
    store.finish();
    const SweepSummary summary = summarise(path, 2);
    CHECK(summary.points == 9);
    CHECK(summary.answered == 7);
    REQUIRE(summary.failures.size() == 1);
    CHECK(summary.failures[0].count == 2);
    CHECK(summary.failures[0].example == 4);
    REQUIRE(summary.objectives.size() >= 3);
    CHECK(summary.objectives[0].metric == "days_p50");
    CHECK(summary.objectives[1].metric == "cost_usd_p50");
    CHECK(summary.objectives[2].metric == "loss.mean");
    REQUIRE(summary.objectives[0].best.size() == 2);
    const auto days = [&](std::size_t i) {
      return *summary.value(summary.objectives[0].best[i], "days_p50");
    };
    CHECK(days(0) <= days(1));
    StoredSweep(path).each([&](const StoredPoint& p) {
      if (const auto d = summary.value(p, "days_p50")) CHECK(*d >= days(0));
    });
  }

  TEST_CASE("exported tables have one type a column, and gaps where nothing is known") {
    const Folder folder;
    const Sweep s = made_sweep(R"({"schema": 1, "name": "x", "base": "llama3_8b_torchtitan",
      "answer": {"run_draws": 2, "loss_draws": 0},
      "designs": [{"name": "a, \"b\"", "kind": "list", "axes": [
        {"path": "training_tokens", "values": [100000000, 2e8, 3e8]},
        {"path": "plan.micro_batch", "values": [1, 3, 2]},
        {"path": "cluster.power_cap", "values": [null, "450 W", "500 W"]},
        {"path": "plan.sequence_parallel", "values": [false, false, false]}]}]})");
    const std::string path = folder.path("s.sqlite"), csv = folder.path("s.csv");
    SweepStore store(path, s, "1", StoreMode::fresh);
    store.add(results_of(s));
    store.finish();
    export_sweep(s, path, csv);
    const std::string text = bytes(csv);
    CHECK(
        text.starts_with("point,design,seed,training_tokens,plan.micro_batch,cluster.power_cap,"
                         "plan.sequence_parallel,status,cause,reason,fits,"));
    CHECK(text.find("\r\n0,\"a, \"\"b\"\"\",1,100000000,1,,false,answered,,,1,") !=
          std::string::npos);
    CHECK(text.find("\r\n1,\"a, \"\"b\"\"\",1,2e8,3,450 W,false,refused,/plan/global_batch,") !=
          std::string::npos);
    CHECK(text.ends_with("\r\n"));
    Problems problems;
    const std::string schema_text = bytes(csv + ".schema.json");
    const JsonDocument schema = JsonDocument::parse(schema_text, problems);
    Reader top = schema.root(problems);
    CHECK(top.text("csv") == "s.csv");
    CHECK(top.integer("rows", 0, 100) == 3);
    std::map<std::string, std::string> types;
    std::map<std::string, bool> gaps;
    for (Reader column : top.objects("columns")) {
      types[column.text("name")] = column.text("type");
      gaps[column.text("name")] = column.boolean("nullable");
    }
    CHECK(types["point"] == "int64");
    CHECK(types["training_tokens"] == "double");
    CHECK(types["plan.micro_batch"] == "int64");
    CHECK(types["cluster.power_cap"] == "string");
    CHECK(types["plan.sequence_parallel"] == "bool");
    CHECK(types["days_p50"] == "double");
    CHECK(gaps["cluster.power_cap"]);
    CHECK(gaps["days_p50"]);
    CHECK_FALSE(gaps["design"]);
  }
}

}  // namespace
}  // namespace forerun::sim
