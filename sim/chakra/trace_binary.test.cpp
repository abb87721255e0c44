#include "sim/chakra/trace_binary.h"

#include <doctest/doctest.h>
#include <rapidcheck.h>

#include <string>

#include "sim/chakra/wire_format.h"

namespace forerun::chakra {
namespace {

ExecutionTrace sample() {
  ExecutionTrace t;
  t.version = "0.0.4";
  Node a;
  a.id = 150;
  a.name = "testing";
  a.type = NodeType::compute;
  a.duration_micros = 1;
  a.attributes = {{"is_cpu_op", false},
                  {"num_ops", std::int64_t{-1}},
                  {"tensor_size", std::uint64_t{1} << 63},
                  {"comm_tag", Int32{-2}},
                  {"x", 0.5},
                  {"pg_name", std::string("3")}};
  Node b;
  b.type = NodeType::collective;
  b.control_dependencies = {150};
  b.data_dependencies = {150, 0, 300};
  b.start_micros = 1'700'000'000'000'000;
  t.nodes = {a, b};
  return t;
}

TEST_SUITE("sim/chakra/trace_binary") {
  TEST_CASE("bytes are those of protobuf's encoding page") {
    // developers' guide: field 1 varint 150 is 08 96 01, field 2 "testing" 12 07 74 65 ...
    ExecutionTrace t;
    t.nodes.resize(1);
    t.nodes[0].id = 150;
    t.nodes[0].name = "testing";
    CHECK(encode(t) == std::string("\0", 1) + "\x0c\x08\x96\x01\x12\x07testing");
    t.nodes[0] = {};
    t.nodes[0].data_dependencies = {3, 270, 86942};  // the guide's packed example
    CHECK(encode(t) == std::string("\0\x08\x2a\x06\x03\x8e\x02\x9e\xa7\x05", 10));
  }

  TEST_CASE("what is written is read back as an equal trace") {
    Problems problems;
    const ExecutionTrace t = sample();
    const auto read = decode(encode(t), problems);
    REQUIRE_MESSAGE(read, problems.text("bytes"));
    CHECK(*read == t);
    CHECK(read->nodes[0].integer("num_ops", 7) == -1);
    CHECK(read->nodes[0].integer("comm_tag", 7) == -2);
    CHECK(read->nodes[0].integer("tensor_size", 7) == 7);  // more than 63 bits
    CHECK(read->nodes[0].text("pg_name") == "3");
    CHECK(is_binary_trace(encode(t)));
  }

  TEST_CASE("unknown fields are passed over, repeated numbers may come one by one") {
    WireWriter node;
    node.number(1, 5);
    node.number(5, 1);
    node.number(5, 2);
    node.bytes(8, "inputs");
    node.fixed64(77, 1);
    Problems problems;
    const std::string bytes =
        std::string("\0", 1) + static_cast<char>(node.text().size()) + node.text();
    const auto read = decode(bytes, problems);
    REQUIRE(read);
    CHECK(read->nodes[0].data_dependencies == std::vector<std::uint64_t>{1, 2});
  }

  TEST_CASE("a file that is cut off or altered is refused or read, never read past") {
    const std::string whole = encode(sample());
    std::size_t refused = 0;
    for (std::size_t n = 0; n < whole.size(); ++n) {
      Problems problems;
      if (!decode(whole.substr(0, n), problems)) ++refused;
    }
    CHECK(refused >= whole.size() - 3);  // but where a message ends
    rc::check([&] {
      std::string altered = whole;
      const auto at = *rc::gen::inRange<std::size_t>(0, whole.size());
      altered[at] = static_cast<char>(*rc::gen::inRange(0, 256));
      Problems problems;
      const bool read = decode(altered, problems).has_value();
      RC_ASSERT(read == problems.empty());
    });
    Problems problems;
    CHECK(!decode("# nccl-tests log\n", problems));
    CHECK(!decode("", problems));
  }
}

}  // namespace
}  // namespace forerun::chakra
