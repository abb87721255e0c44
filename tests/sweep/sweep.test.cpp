// `forerun sweep` from end to end: killed, stopped, short of room, without rights, over processes.

#include <doctest/doctest.h>
#include <fmt/format.h>
#include <unistd.h>

#include <algorithm>
#include <chrono>
#include <csignal>
#include <cstdlib>
#include <filesystem>
#include <random>
#include <thread>

#include "core/file.h"
#include "core/reader.h"
#include "tests/cli/program.h"
#include "tests/replaced.h"
#include "tests/shipped_copy.h"
#include "tests/sweep/process.h"

namespace forerun::testing {
namespace {

TEST_SUITE("cli/sweep") {
  namespace fs = std::filesystem;

  /// `points` of them, two thirds of a grid and a third drawn, some infeasible, some refused.
  std::string sweep(int points) {
    return fmt::format(R"({{
  "schema": 1, "name": "many", "base": "gpt3_175b_korthikanti", "seed": 7,
  "answer": {{"run_draws": 3, "loss_draws": 0}},
  "designs": [
    {{"name": "grid", "kind": "grid", "axes": [
      {{"paths": ["plan.tensor", "plan.pipeline", "plan.data"], "values": [[8, 8, 1], [4, 16, 1], [8, 4, 2]]}},
      {{"path": "training_tokens", "from": 1e9, "to": 1e10, "count": {0}, "scale": "log"}},
      {{"path": "operations.spares", "values": [0, 8]}}]}},
    {{"name": "cube", "kind": "latin_hypercube", "points": {1}, "axes": [
      {{"path": "training_tokens", "from": 1e9, "to": 1e10, "scale": "log"}},
      {{"path": "plan.micro_batch", "values": [1, 2, 3]}}]}}]
}})",
                       points / 9, points - points / 9 * 6);
  }

  std::string bytes(const std::string& path) { return read_file(path, 1u << 30); }

  std::vector<std::string> words(const std::string& file, const std::string& store,
                                 const std::vector<std::string>& more = {}) {
    std::vector<std::string> out = {FORERUN_PROGRAM, "sweep", file, "--store", store};
    out.insert(out.end(), more.begin(), more.end());
    return out;
  }

  std::vector<std::string> by_ranks(int ranks, const std::string& file, const std::string& store,
                                    const std::vector<std::string>& more = {}) {
    std::vector<std::string> out = {"mpirun", "--oversubscribe", "-n", std::to_string(ranks)};
    for (const std::string& word : words(file, store, more)) out.push_back(word);
    return out;
  }

  /// False, with a message, where this machine or this program has no MPI.
  bool has_mpi(const Folder& folder) {
    if (!on_path("mpirun")) {
      MESSAGE("skipped: there is no mpirun");
      return false;
    }
    setenv("OMPI_ALLOW_RUN_AS_ROOT", "1", 1);
    setenv("OMPI_ALLOW_RUN_AS_ROOT_CONFIRM", "1", 1);
    Process p(by_ranks(2, "no_such_sweep", folder.path("x")));
    const Ran r = p.wait();
    if (has(r.out, "built without MPI")) {
      MESSAGE("skipped: forerun was built without MPI");
      return false;
    }
    if (!has(r.out, "no_such_sweep")) {
      MESSAGE("skipped: mpirun starts nothing here: ", r.out);
      return false;
    }
    return true;
  }

  /// The store of an undisturbed sweep.
  std::string undisturbed(const Folder& folder, const std::string& file) {
    const std::string store = folder.path("undisturbed.sqlite");
    Process p(words(file, store, {"--threads", "1"}));
    const Ran r = p.wait();
    REQUIRE_MESSAGE(r.code == 0, r.out);
    return bytes(store);
  }

  void sleep_ms(int ms) { std::this_thread::sleep_for(std::chrono::milliseconds(ms)); }

  TEST_CASE("killed ten times at random, a sweep has the same bytes in the end") {
    const Folder folder;
    const std::string file = folder.file("sweep.json", sweep(900));
    const std::string expected = undisturbed(folder, file);
    const std::string store = folder.path("killed.sqlite");
    std::mt19937 random(std::random_device{}());
    int kills = 0;
    for (; kills < 10; ++kills) {
      Process p(words(file, store, {"--resume", "--threads", "2"}));
      sleep_ms(40 + static_cast<int>(random() % 160));
      p.signal(SIGKILL);
      if (p.wait().code != 128 + SIGKILL) break;  // it was done before
    }
    CHECK(kills >= 5);
    Process last(words(file, store, {"--resume"}));
    const Ran r = last.wait();
    CHECK(r.code == 0);
    CHECK(has(r.out, "900 points about gpt3_175b_korthikanti"));
    CHECK(bytes(store) == expected);
  }

  TEST_CASE("Ctrl-C stores what was begun, says how to go on, and ends with code 1") {
    const Folder folder;
    const std::string file = folder.file("sweep.json", sweep(3000));
    const std::string store = folder.path("stopped.sqlite");
    Process p(words(file, store));
    while (!fs::exists(store + "-wal") || fs::file_size(store + "-wal") < 200'000) sleep_ms(5);
    p.signal(SIGINT);
    const Ran r = p.wait();
    CHECK(r.code == 1);
    CHECK(has(r.out, "error: stopped: "));
    CHECK(has(r.out, " of 3,000 points are stored in " + store));
    CHECK(
        has(r.out, fmt::format("hint: forerun sweep {} --store {} --resume goes on", file, store)));
  }

  TEST_CASE("a file that cannot grow is told; what was stored stays, and is gone on with") {
    const Folder folder;
    const std::string file = folder.file("sweep.json", sweep(450));
    const std::string expected = undisturbed(folder, file);
    const std::string store = folder.path("short.sqlite");
    Process p(words(file, store), {300'000, false});
    const Ran r = p.wait();
    CHECK(r.code == 1);
    CHECK_MESSAGE(has(r.out, "error: can't write " + store + ": "), r.out);
    CHECK(has(r.out, "hint: what was stored stays stored; --resume goes on from there"));
    Process more(words(file, store, {"--resume"}));
    CHECK(more.wait().code == 0);
    CHECK(bytes(store) == expected);
  }

  TEST_CASE("a file or folder that may only be read is told") {
    const Folder folder;
    const std::string file = folder.file("sweep.json", sweep(18));
    const std::string expected = undisturbed(folder, file);
    // Rights of a folder are its owner's business, and root's nobody's.
    fs::permissions(folder.path("."), fs::perms::owner_all | fs::perms::group_read |
                                          fs::perms::group_exec | fs::perms::others_read |
                                          fs::perms::others_exec);
    const std::string store = folder.path("read.sqlite");
    {
      Process p(words(file, store), {std::nullopt, true});
      sleep_ms(300);
      p.signal(SIGINT);
      const Ran r = p.wait();
      if (r.code == 126 || r.code == 127) {
        MESSAGE("skipped: nobody may not run ", FORERUN_PROGRAM);
        return;
      }
      if (::geteuid() == 0) {
        CHECK(r.code == 1);
        CHECK(has(r.out, "error: can't write " + store + ": Permission denied"));
      }
    }
    // A store that is not finished, and may not be written.
    {
      Process p(words(file, store), {100'000, false});
      CHECK(p.wait().code == 1);
    }
    fs::permissions(store, fs::perms::owner_read | fs::perms::others_read);
    const std::string before = bytes(store);
    Process p(words(file, store, {"--resume"}), {std::nullopt, true});
    const Ran r = p.wait();
    CHECK(r.code == 1);
    CHECK_MESSAGE(has(r.out, "error: can't "), r.out);
    CHECK(has(r.out, store));
    CHECK(bytes(store) == before);
    // One that is finished is answered from, without a right to write.
    const std::string finished = folder.path("undisturbed.sqlite");
    fs::permissions(finished, fs::perms::owner_read | fs::perms::others_read);
    Process q(words(file, finished, {"--resume"}), {std::nullopt, true});
    CHECK(q.wait().code == 0);
    CHECK(bytes(finished) == expected);
  }

  TEST_CASE("three processes, and any number of threads, have the bytes of one") {
    const Folder folder;
    const std::string file = folder.file("sweep.json", sweep(270));
    const std::string expected = undisturbed(folder, file);
    for (const char* threads : {"2", "5"}) {
      const std::string store = folder.path(fmt::format("threads{}.sqlite", threads));
      Process p(words(file, store, {"--threads", threads}));
      CHECK(p.wait().code == 0);
      CHECK(bytes(store) == expected);
    }
    if (!has_mpi(folder)) return;
    for (const int ranks : {1, 2, 3}) {
      const std::string store = folder.path(fmt::format("ranks{}.sqlite", ranks));
      Process p(by_ranks(ranks, file, store, {"--threads", "1"}));
      const Ran r = p.wait();
      CHECK_MESSAGE(r.code == 0, r.out);
      CHECK(has(r.out, "270 points about"));
      CHECK(bytes(store) == expected);
      // One that is finished is answered from.
      Process again(by_ranks(ranks, file, store, {"--resume"}));
      CHECK(again.wait().code == 0);
      CHECK(bytes(store) == expected);
    }
  }

  TEST_CASE("a killed worker ends the job; gone on with by any number of processes") {
    const Folder folder;
    if (!has_mpi(folder)) return;
    const std::string file = folder.file("sweep.json", sweep(900));
    const std::string expected = undisturbed(folder, file);
    const std::string store = folder.path("job.sqlite");
    {
      Process job(by_ranks(3, file, store, {"--threads", "1"}));
      while (!fs::exists(store + "-wal") || fs::file_size(store + "-wal") < 150'000) sleep_ms(5);
      int killed = 0;
      for (const pid_t child : job.children()) {
        if (environment_of(child, "OMPI_COMM_WORLD_RANK") != "2") continue;
        ::kill(child, SIGKILL);
        ++killed;
      }
      CHECK(killed == 1);
      const Ran r = job.wait();
      CHECK(r.code != 0);
      CHECK(bytes(store) != expected);
    }
    Process p(by_ranks(2, file, store, {"--resume", "--threads", "1"}));
    const Ran r = p.wait();
    CHECK_MESSAGE(r.code == 0, r.out);
    CHECK(bytes(store) == expected);
  }

  TEST_CASE("mistakes are refused by all processes, and told by one") {
    const Folder folder;
    if (!has_mpi(folder)) return;
    const std::string file =
        folder.file("sweep.json", replaced(sweep(18), "plan.micro_batch", "plan.micro_bach"));
    Process p(by_ranks(3, file, folder.path("x.sqlite")));
    const Ran r = p.wait();
    CHECK(r.code == 1);
    const std::size_t first = r.out.find("did you mean plan.micro_batch?");
    REQUIRE(first != std::string::npos);
    CHECK(r.out.find("did you mean plan.micro_batch?", first + 1) == std::string::npos);
    CHECK_FALSE(fs::exists(folder.path("x.sqlite")));
  }

  TEST_CASE("wrong paths, stores of others and missing flags are refused by name") {
    const Folder folder;
    const std::string good = folder.file("good.json", sweep(18));
    const std::string store = folder.path("s.sqlite");
    const Ran usage = forerun({"sweep", good});
    CHECK(usage.code == 2);
    CHECK(has(usage.err, "--store FILE"));
    const Ran wrong = forerun(
        {"sweep",
         folder.file("wrong.json", replaced(sweep(18), "plan.micro_batch", "plan.mirco_batch")),
         "--store", store});
    CHECK(wrong.code == 1);
    CHECK(has(wrong.err,
              "/designs/1/axes/1/path: \"plan.mirco_batch\" is no path of this scenario (did you "
              "mean plan.micro_batch?)"));
    CHECK_FALSE(fs::exists(store));
    CHECK(forerun({"sweep", good, "--store", store}).code == 0);
    const Ran twice = forerun({"sweep", good, "--store", store});
    CHECK(twice.code == 1);
    CHECK(has(twice.err, "exists already"));
    const Ran other =
        forerun({"sweep", folder.file("other.json", sweep(27)), "--store", store, "--resume"});
    CHECK(other.code == 1);
    CHECK(has(other.err, "is of another sweep"));
    const Ran none = forerun({"sweep", "korthikanti_plan", "--store", folder.path("n.sqlite")});
    CHECK(none.code == 1);
    CHECK(has(none.err, "did you mean korthikanti_plans?"));
    CHECK(forerun({"check", good}).code == 0);
  }

  TEST_CASE("profiles that were edited since are told; a store may be called :memory:") {
    const Folder folder;
    const std::string good = folder.file("good.json", sweep(18));
    const std::string store = folder.path("s.sqlite");
    CHECK(forerun({"sweep", good, "--store", store}).code == 0);
    CHECK(forerun({"sweep", good, "--store", store, "--resume"}).code == 0);
    {
      const ShippedCopy copy;
      CHECK(forerun({"sweep", good, "--store", store, "--resume"}).code == 0);
      const std::string profile = copy.path + "/hw/profiles/accelerators/a100-sxm-80gb.json";
      write_file(profile, bytes(profile) + "\n");
      const Ran edited = forerun({"sweep", good, "--store", store, "--resume"});
      CHECK(edited.code == 1);
      CHECK_MESSAGE(has(edited.err, "they were edited since"), edited.err);
    }
    const fs::path before = fs::current_path();
    fs::current_path(folder.path(""));
    const Ran named = forerun({"sweep", good, "--store", ":memory:"});
    fs::current_path(before);
    CHECK_MESSAGE(named.code == 0, named.err);
    CHECK(fs::file_size(folder.path(":memory:")) > 0);
  }

  TEST_CASE("a point that is too long to be simulated ends no sweep") {
    const Folder folder;
    const std::string file =
        folder.file("long.json", R"({"schema": 1, "name": "x", "base": "llama3_8b_torchtitan",
      "answer": {"run_draws": 2, "loss_draws": 0},
      "designs": [{"kind": "grid", "axes": [
        {"path": "training_tokens", "values": [1e18, 1e9]}]}]})");
    const Ran r = forerun({"sweep", file, "--store", folder.path("s.sqlite")});
    CHECK_MESSAGE(r.code == 0, r.err);
    CHECK_MESSAGE(has(r.out, "1 failed: simulation, for example point 0: "), r.out);
    CHECK(has(r.out, "2 points about llama3_8b_torchtitan, 1 answered"));
  }

  TEST_CASE("the summary is JSON on demand, and a table is exported") {
    const Folder folder;
    const std::string good = folder.file("good.json", sweep(18));
    const Ran r = forerun({"sweep", good, "--store", folder.path("s.sqlite"), "--json", "-",
                           "--export", folder.path("s.csv")});
    CHECK(r.code == 0);
    Problems problems;
    const JsonDocument document = JsonDocument::parse(r.out, problems);
    Reader top = document.root(problems);
    CHECK(top.integer("points", 0, 100) == 18);
    CHECK(top.objects("best").front().text("metric") == "days_p50");
    CHECK_MESSAGE(problems.empty(), problems.text("out"));
    const std::string csv = bytes(folder.path("s.csv"));
    CHECK(std::ranges::count(csv, '\n') == 19);
    CHECK(fs::exists(folder.path("s.csv.schema.json")));
  }

  TEST_CASE("one process starts as fast as another command, whether or not MPI is built in") {
    const Ran r = forerun({"sweep", "--help"});
    CHECK(r.code == 0);
    CHECK(r.seconds < 1);
  }
}

}  // namespace
}  // namespace forerun::testing
