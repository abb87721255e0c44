#include "sim/replay/graph.h"

#include <doctest/doctest.h>
#include <rapidcheck.h>

#include <algorithm>

#include "sim/program.h"

namespace forerun::replay {
namespace {

using Waits = std::vector<std::pair<std::int32_t, std::int32_t>>;
using Groups = std::vector<std::vector<std::int32_t>>;

TEST_SUITE("sim/replay/graph") {
  TEST_CASE("a member of an exchange ends its own transfer after the last has begun") {
    std::vector<std::int32_t> cycle;
    // 0 -> 1 | 2 -> 3, with 1 and 3 one exchange; 4 after 1.
    const auto g = ReplayGraph::make(5, Waits{{1, 0}, {3, 2}, {4, 1}}, Groups{{1, 3}}, cycle);
    REQUIRE(g);
    const std::vector<std::int64_t> durations = {10, 3, 50, 4, 7}, gaps = {0, 1, 0, 0, 2};
    const Dates d = g->replay(durations, gaps);
    CHECK(d.begin == std::vector<std::int64_t>{0, 11, 0, 50, 55});
    CHECK(d.end == std::vector<std::int64_t>{10, 53, 50, 54, 62});
    CHECK(longest_path(*g, d, 4) == std::vector<std::int32_t>{2, 1, 4});
  }

  TEST_CASE("a circle is found, also through a group") {
    std::vector<std::int32_t> cycle;
    CHECK(!ReplayGraph::make(4, Waits{{0, 2}, {1, 0}, {2, 1}, {3, 0}}, {}, cycle));
    CHECK(cycle.size() == 3);
    // 0 waits for 1; 1 meets 2; 2 waits for 0.
    CHECK(!ReplayGraph::make(3, Waits{{0, 1}, {2, 0}}, Groups{{1, 2}}, cycle));
    std::ranges::sort(cycle);
    CHECK(cycle == std::vector<std::int32_t>{0, 1, 2});
  }

  TEST_CASE("dates are those that the event engine gives the same operations") {
    rc::check([] {
      // Ranks with a compute stream each and rendezvous of all of them here and there.
      const auto ranks = *rc::gen::inRange<std::int32_t>(1, 6);
      const auto rounds = *rc::gen::inRange<std::int32_t>(1, 8);
      sim::Program program;
      program.labels.push_back({"work"});
      program.channels = rounds;
      Waits waits;
      Groups groups(static_cast<std::size_t>(rounds));
      std::vector<std::int64_t> durations;
      for (std::int32_t r = 0; r < ranks; ++r) {
        sim::RankProgram& rank = program.ranks.emplace_back();
        for (std::int32_t k = 0; k < rounds; ++k) {
          for (const bool meets : {false, true}) {
            sim::Operation& o = rank.operations.emplace_back();
            o.duration = *rc::gen::inRange<std::int64_t>(0, 1000);
            o.rendezvous = meets;
            if (meets) o.channel = k;
            const auto id = static_cast<std::int32_t>(durations.size());
            if (rank.operations.size() > 1) waits.emplace_back(id, id - 1);
            if (meets) groups[static_cast<std::size_t>(k)].push_back(id);
            durations.push_back(o.duration);
          }
        }
      }
      std::vector<std::int32_t> cycle;
      const auto g = ReplayGraph::make(durations.size(), waits, groups, cycle);
      RC_ASSERT(g.has_value());
      const Dates d = g->replay(durations);
      const sim::Execution run = sim::execute(program);
      std::size_t i = 0;
      for (const auto& spans : run.spans) {
        for (const sim::Span& s : spans) RC_ASSERT(s.end == d.end[i++]);
      }
    });
  }
}

}  // namespace
}  // namespace forerun::replay
