#include "sim/sweep/own_files.h"

#include <doctest/doctest.h>
#include <fmt/format.h>

#include <cstdlib>
#include <filesystem>
#include <string>

#include "core/file.h"
#include "sim/sweep/made_sweep.h"
#include "tests/folder.h"
#include "tests/replaced.h"

namespace forerun::sim {
namespace {

namespace fs = std::filesystem;

TEST_SUITE("sim/sweep/own_files") {
  using testing::Folder;

  /// A shipped file under that name in the folder.
  std::string copy(const Folder& folder, const std::string& data, const std::string& name) {
    return folder.file(name, read_file(data_path(data), 1u << 26));
  }

  std::string sweep_of(const std::string& axes) {
    return R"({"schema": 1, "name": "x", "base": "llama3_8b_torchtitan",
      "designs": [{"kind": "list", "axes": [)" +
           axes + "]}]}";
  }

  /// One byte of space more changes no meaning, and all the same the content.
  void touch(const std::string& file) { write_file(file, read_file(file, 1u << 26) + "\n"); }

  TEST_CASE("a file that a value names is in the hash, for odd and even numbers of values") {
    const Folder folder;
    const std::string file =
        copy(folder, "hw/profiles/accelerators/h100-sxm-80gb.json", "mine.json");
    for (const char* others : {"", "\"h200-sxm\", ", "\"h200-sxm\", \"a100-sxm-80gb\", "}) {
      const std::string text = sweep_of(
          fmt::format(R"({{"path": "cluster.accelerator", "values": [{}"{}"]}})", others, file));
      const std::uint64_t before = made_sweep(text).hash;
      CHECK(before == made_sweep(text).hash);
      touch(file);
      CHECK(before != made_sweep(text).hash);
    }
  }

  TEST_CASE("a file that the base names is in the hash, for odd and even numbers of values") {
    const Folder folder;
    const std::string file =
        copy(folder, "hw/profiles/accelerators/h100-sxm-80gb.json", "mine.json");
    const std::string base = folder.path() + "/base.json";
    write_file(base, replaced(read_file(data_path("scenarios/llama3_8b_torchtitan.json"), 1u << 20),
                              "\"h100-sxm-96gb-500w\"", "\"" + file + "\""));
    for (const char* values : {"1", "1, 2", "\"x\", \"y\", \"z\""}) {
      const std::string path = values[0] == '1' ? "plan.micro_batch" : "description";
      const std::string text =
          replaced(sweep_of(fmt::format(R"({{"path": "{}", "values": [{}]}})", path, values)),
                   "\"llama3_8b_torchtitan\"", "\"" + base + "\"");
      const std::uint64_t before = made_sweep(text).hash;
      touch(file);
      CHECK(before != made_sweep(text).hash);
    }
  }

  TEST_CASE("two files that change places are noticed") {
    const Folder folder;
    const std::string a = copy(folder, "hw/profiles/accelerators/h100-sxm-80gb.json", "a.json");
    const std::string b = copy(folder, "hw/profiles/accelerators/a100-sxm-80gb.json", "b.json");
    const std::string text =
        sweep_of(fmt::format(R"({{"path": "cluster.accelerator", "values": ["{}", "{}"]}})", a, b));
    const std::uint64_t before = made_sweep(text).hash;
    fs::rename(a, folder.path() + "/c");
    fs::rename(b, a);
    fs::rename(folder.path() + "/c", b);
    CHECK(before != made_sweep(text).hash);
  }

  TEST_CASE("a law's file is in the hash; names that are none, and none at all, are not") {
    const Folder folder;
    const std::string file = copy(folder, "models/laws/chinchilla_refit.json", "law.json");
    const std::string text =
        sweep_of(fmt::format(R"({{"path": "loss.law", "values": ["{}"]}})", file));
    const std::uint64_t before = made_sweep(text).hash;
    touch(file);
    CHECK(before != made_sweep(text).hash);
    CHECK(own_files_hash(made_sweep()) == 0);
    // A sweep of a store's name: the store grows, and the sweep stays the same.
    const std::string named = replaced(text, "\"name\": \"x\"", "\"name\": \"" + file + "\"");
    CHECK(own_files_hash(made_sweep(named)) == own_files_hash(made_sweep(text)));
    CHECK(own_files_hash(made_sweep(replaced(sweep_text(), "\"made\"", "\"" + file + "\""))) == 0);
  }
}

}  // namespace
}  // namespace forerun::sim
