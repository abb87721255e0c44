#include "sim/chakra/trace_json.h"

#include <doctest/doctest.h>

#include "tests/replaced.h"

namespace forerun::chakra {
namespace {

constexpr const char* kTrace = R"({
  "version": "0.0.4"
}{
  "id": "216", "name": "aten::mm", "type": "COMP_NODE", "ctrlDeps": ["2"], "dataDeps": ["3", "4"],
  "startTimeMicros": "1700000000000000", "durationMicros": "12",
  "inputs": {"values": "[]"},
  "attr": [{"name": "is_cpu_op", "boolVal": false}, {"name": "num_ops", "int64Val": "1024"},
           {"name": "comm_tag", "int32Val": -3}, {"name": "pg_name", "stringVal": "0"},
           {"name": "tensors", "int64List": {"values": ["1"]}}]
}{"id": 217, "type": 7, "data_deps": [216], "duration_micros": 5})";

TEST_SUITE("sim/chakra/trace_json") {
  TEST_CASE("either spelling of keys, numbers in quotes or not, types by name or number") {
    Problems problems;
    const auto t = read_json_trace(kTrace, problems);
    REQUIRE_MESSAGE(t, problems.text("trace"));
    CHECK(t->version == "0.0.4");
    REQUIRE(t->nodes.size() == 2);
    const Node& a = t->nodes[0];
    CHECK(a.id == 216);
    CHECK(a.type == NodeType::compute);
    CHECK(a.control_dependencies == std::vector<std::uint64_t>{2});
    CHECK(a.data_dependencies == std::vector<std::uint64_t>{3, 4});
    CHECK(a.start_micros == 1'700'000'000'000'000);
    CHECK(a.integer("num_ops", 0) == 1024);
    CHECK(a.integer("comm_tag", 0) == -3);
    CHECK(a.text("pg_name") == "0");
    CHECK(t->nodes[1].type == NodeType::collective);
    CHECK(t->nodes[1].data_dependencies == std::vector<std::uint64_t>{216});
    CHECK(t->nodes[1].duration_micros == 5);
  }

  TEST_CASE("what is wrong is told by object and field") {
    const auto problem_of = [](const std::string& text) {
      Problems problems;
      CHECK(!read_json_trace(text, problems));
      REQUIRE(!problems.empty());
      return problems.list().front().where + ": " + problems.list().front().what;
    };
    CHECK(problem_of(replaced(kTrace, "COMP_NODE", "COMPUTE_NODE"))
              .starts_with("object 1, /type: unknown type of node \"COMPUTE_NODE\""));
    CHECK(problem_of(replaced(kTrace, "\"12\"", "\"-12\"")) ==
          "object 1, /durationMicros: expected a whole number of 64 bits, found \"-12\"");
    CHECK(problem_of(replaced(kTrace, "216]", "2.5]"))
              .find("object 2, /data_deps/0: expected an integer") != std::string::npos);
    CHECK(problem_of(std::string(kTrace).substr(0, 200)).find("is it whole?") != std::string::npos);
    CHECK(problem_of("{\"version\": \"1\"}{\"ph\": \"X\"}").find("is no node") !=
          std::string::npos);
  }
}

}  // namespace
}  // namespace forerun::chakra
