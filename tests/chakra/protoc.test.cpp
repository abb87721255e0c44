// The bytes that forerun writes, read and written again by protoc: of a four-rank step each message
// decodes with the schema's field numbers, no field is unknown, and what protoc encodes is the
// same.

#include <doctest/doctest.h>
#include <fmt/format.h>
#include <unistd.h>

#include <cstdlib>
#include <filesystem>
#include <string>

#include "core/file.h"
#include "sim/chakra/step_export.h"
#include "sim/chakra/trace_binary.h"
#include "sim/chakra/wire_format.h"
#include "sim/step.h"
#include "tests/replay/small_step.h"

namespace forerun::chakra {
namespace {

namespace fs = std::filesystem;
constexpr std::uint64_t kLimit = 64 << 20;

std::size_t count(const std::string& text, const std::string& part) {
  std::size_t n = 0;
  for (std::size_t at = text.find(part); at != std::string::npos; at = text.find(part, at + 1)) ++n;
  return n;
}

/// Runs `protoc --decode=TYPE` or `--encode=TYPE` from one file into another.
void protoc(const fs::path& folder, const char* what, const char* type, const char* from,
            const char* to) {
  const std::string command =
      fmt::format("{} --proto_path={} --{}={} {}/trace.proto < {} > {}", FORERUN_PROTOC,
                  data_path("tests/chakra"), what, type, data_path("tests/chakra"),
                  (folder / from).string(), (folder / to).string());
  REQUIRE_MESSAGE(std::system(command.c_str()) == 0, command);
}

TEST_SUITE("chakra/protoc") {
  TEST_CASE("protoc reads each rank of a four-rank step and writes the same bytes") {
    const fs::path folder =
        fs::temp_directory_path() / fmt::format("forerun-protoc-{}", ::getpid());
    fs::create_directories(folder);
    const sim::Scenario s = testing::small_step(1, 2, 2);
    const sim::StepResult r = sim::simulate_step(s, sim::Detail::kernels);
    static_cast<void>(
        export_step(s, 1, *r.program, *r.execution, [&](std::int64_t, const ExecutionTrace& trace) {
          const std::string bytes = encode(trace);
          WireReader messages(bytes);
          std::string_view metadata, body;
          REQUIRE(messages.delimited(metadata));
          WireWriter nodes;
          while (!messages.at_end()) {
            REQUIRE(messages.delimited(body));
            nodes.bytes(1, body);
          }
          write_file((folder / "metadata").string(), metadata);
          write_file((folder / "nodes").string(), nodes.text());
          protoc(folder, "decode", "GlobalMetadata", "metadata", "text");
          CHECK(read_file((folder / "text").string(), kLimit) == "version: \"0.0.4\"\n");
          protoc(folder, "decode", "Nodes", "nodes", "text");
          const std::string text = read_file((folder / "text").string(), kLimit);
          CHECK(count(text, "\nnode {") + 1 == trace.nodes.size());
          for (const char* unknown : {"\n  1", "\n  2", "\n  3", "\n    1", "\n    2", "\n    3"}) {
            CHECK_MESSAGE(count(text, unknown) == 0, unknown);  // a field without a name
          }
          for (const char* type : {"COMP_NODE", "COMM_COLL_NODE", "COMM_SEND_NODE"}) {
            CHECK_MESSAGE(count(text, type) > 0, type);
          }
          protoc(folder, "encode", "Nodes", "text", "again");
          CHECK(read_file((folder / "again").string(), kLimit) == nodes.text());
        }));
    fs::remove_all(folder);
  }
}

}  // namespace
}  // namespace forerun::chakra
