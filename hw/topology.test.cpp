#include "hw/topology.h"

#include <doctest/doctest.h>

#include <algorithm>

#include "core/file.h"

namespace forerun::hw {
namespace {

std::optional<Topology> read(const std::string& text, Problems& problems) {
  return read_topology(JsonDocument::parse(text, problems), problems);
}

/// The topology of that name with one piece of its text replaced, which must be there.
std::string changed(const std::string& name, const std::string& from, const std::string& to) {
  std::string text = read_file(topology_path(name), kMaxJsonBytes);
  const std::size_t at = text.find(from);
  REQUIRE_MESSAGE(at != std::string::npos, from);
  return text.replace(at, from.size(), to);
}

bool says(const Problems& problems, const std::string& where, const std::string& what) {
  return std::any_of(problems.list().begin(), problems.list().end(), [&](const Problem& p) {
    return p.where == where && p.what.find(what) != std::string::npos;
  });
}

TEST_SUITE("hw/topology") {
  TEST_CASE("every topology that comes with the program is read, with a source for each number") {
    CHECK(topology_names().size() >= 5);
    for (const std::string& name : topology_names()) {
      Problems problems;
      const std::optional<Topology> t =
          read(read_file(topology_path(name), kMaxJsonBytes), problems);
      REQUIRE_MESSAGE(t.has_value(), problems.text(name));
      CHECK(t->name == name);
      CHECK_FALSE(t->jobs.empty());
      for (const auto& [field, source] : t->source) CHECK_FALSE(source.empty());
    }
  }

  TEST_CASE("wrong values are refused with path, value and rule") {
    struct Wrong {
      std::string from, to, where, what;
    };
    for (const Wrong& w : std::vector<Wrong>{
             {"\"leaf_spine\"", "\"leaf_spin\"", "/kind", "did you mean \"leaf_spine\""},
             {"\"dgx-b200\"", "\"dgx-b20\"", "/network", "did you mean dgx-b200"},
             {"\"spines\": {\"value\": 1", "\"spines\": {\"value\": 0", "/spines/value", "found 0"},
             {"\"spines\"", "\"spine\"", "/spine", "did you mean spines"},
             {"\"domains\": {\"value\": 4", "\"domains\": {\"value\": 7", "/domains_per_leaf",
              "7 domains do not divide into leaves of 4"},
             {"\"pods\": {\"value\": 1", "\"pods\": {\"value\": 2", "/pods",
              "1 leaf units do not divide into 2 pods"},
             {"\"0.24 us\"", "0.24", "/hop/value", "0.24"},
             {"\"all_reduce\"", "\"allreduce\"", "/jobs/0/collective",
              "did you mean \"all_reduce\""},
             {"\"count\": 32", "\"count\": 33", "/jobs/0/count", "rank 32 of 32"},
             {"\"count\": 32", "\"count\": 2, \"groups\": 3", "/jobs/0", ""},
             {"\"jobs\"", "\"failed\": [\"leaf-7\"], \"jobs\"", "/failed",
              "no node or link is named leaf-7, did you mean leaf-0?"},
             {"\"jobs\"", "\"degraded\": [{\"name\": \"leaf-0\", \"keeps\": 2}], \"jobs\"",
              "/degraded/0/keeps", "2"}}) {
      Problems problems;
      const bool read_whole = read(changed("b200-4x8", w.from, w.to), problems).has_value();
      if (w.what.empty()) {  // a job that is right
        CHECK_MESSAGE(read_whole, problems.text(w.to));
        continue;
      }
      INFO(w.to << ": " << problems.text("f"));
      CHECK_FALSE(read_whole);
      CHECK(says(problems, w.where, w.what));
    }
  }

  TEST_CASE("a topology too large to be made is refused before it is") {
    Problems problems;
    std::string text =
        changed("b200-4x8", "\"domains\": {\"value\": 4", "\"domains\": {\"value\": 131072");
    CHECK_FALSE(read(text, problems).has_value());
    CHECK_MESSAGE(says(problems, "", "at most 262144"), problems.text("f"));
  }

  TEST_CASE("runs, strides and groups say which ranks a job has") {
    NetworkJob j;
    j.first = 1;
    j.count = 5;
    j.run = 2;
    j.stride = 8;
    j.group_stride = 2;
    CHECK(places(j, 0) == std::vector<std::int64_t>{1, 2, 9, 10, 17});
    CHECK(places(j, 1) == std::vector<std::int64_t>{3, 4, 11, 12, 19});
  }

  TEST_CASE("ranks that come back to a domain are refused") {
    Problems problems;
    CHECK_FALSE(
        read(changed("b200-4x8", "\"count\": 32", "\"count\": 8, \"run\": 1, \"stride\": 4"),
             problems)
            .has_value() == false);
    const std::string twice =
        changed("b200-4x8", "\"count\": 32", "\"count\": 8, \"run\": 4, \"stride\": 2");
    CHECK_FALSE(read(twice, problems).has_value());
    CHECK_MESSAGE(says(problems, "/jobs/0/stride", "comes twice"), problems.text("f"));
  }
}

}  // namespace
}  // namespace forerun::hw
