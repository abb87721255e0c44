#include "sim/sweep/shipped_data.h"

#include <doctest/doctest.h>

#include <chrono>

#include "core/file.h"
#include "tests/shipped_copy.h"

namespace forerun::sim {
namespace {

TEST_SUITE("sim/sweep/shipped_data") {
  TEST_CASE("an edited profile, model or law has another hash, and it is found in no time") {
    const auto begin = std::chrono::steady_clock::now();
    const std::string before = read_shipped_data_hash();
    const std::chrono::duration<double> took = std::chrono::steady_clock::now() - begin;
    MESSAGE("read in ", took.count() * 1e3, " ms");
    CHECK(took.count() < 1);  // some ms; this only tells a mistake from a busy machine
    CHECK(before.size() == 16);
    CHECK(shipped_data_hash() == before);
    const ShippedCopy copy;
    CHECK(read_shipped_data_hash() == before);
    for (const char* name :
         {"hw/profiles/accelerators/h100-sxm-80gb.json", "models/laws/chinchilla_refit.json",
          "models/zoo/llama3-8b.json", "sim/bands.json", "sim/frameworks/generic.json"}) {
      const std::string file = copy.path + "/" + name, text = read_file(file, 1u << 26);
      write_file(file, text + "\n");
      CHECK_MESSAGE(read_shipped_data_hash() != before, name);
      write_file(file, text);
    }
    write_file(copy.path + "/models/laws/notes.txt", "no data");
    CHECK(read_shipped_data_hash() == before);
    write_file(copy.path + "/models/laws/another.json", "{}");
    CHECK(read_shipped_data_hash() != before);
  }
}

}  // namespace
}  // namespace forerun::sim
