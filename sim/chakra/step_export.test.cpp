#include "sim/chakra/step_export.h"

#include <doctest/doctest.h>

#include <algorithm>
#include <map>
#include <set>
#include <tuple>

#include "sim/step.h"
#include "tests/replay/small_step.h"

namespace forerun::chakra {
namespace {

struct Exported {
  std::vector<ExecutionTrace> ranks;
  ExportedGroups groups;
  sim::StepResult step;
};

Exported exported(const sim::Scenario& s) {
  Exported e;
  e.step = sim::simulate_step(s, sim::Detail::kernels);
  e.groups = export_step(s, e.step.imbalance.lanes, *e.step.program, *e.step.execution,
                         [&](std::int64_t rank, const ExecutionTrace& t) {
                           CHECK(rank == std::ssize(e.ranks));
                           e.ranks.push_back(t);
                         });
  return e;
}

TEST_SUITE("sim/chakra/step_export") {
  TEST_CASE("four ranks: tensor peers, pipeline messages, groups that all members name") {
    const Exported e = exported(testing::small_step(1, 2, 2));
    REQUIRE(e.ranks.size() == 4);
    std::map<std::tuple<std::int64_t, std::int64_t, std::int64_t>, int> messages;
    std::map<std::string, std::map<std::int64_t, int>> collectives;  // by group and rank
    for (std::int64_t rank = 0; rank < 4; ++rank) {
      std::set<std::uint64_t> ids;
      for (const Node& n : e.ranks[static_cast<std::size_t>(rank)].nodes) {
        for (const std::uint64_t d : n.data_dependencies) CHECK(ids.contains(d));
        CHECK(ids.insert(n.id).second);
        CHECK(n.attribute("is_cpu_op") != nullptr);
        const bool sends = n.type == NodeType::send;
        if (sends || n.type == NodeType::receive) {
          CHECK(n.integer(sends ? "comm_src" : "comm_dst", -1) == rank);
          // 2 sequences of 2,048 tokens of 2,048 in 16 bit; tensor peers send a half each.
          CHECK(n.integer("comm_size", 0) == 2LL * 2048 * 2048 * 2 / 2);
          messages[{n.integer("comm_src", -1), n.integer("comm_dst", -1),
                    n.integer("comm_tag", -1)}] += sends ? 1 : -1;
        } else if (n.type == NodeType::collective) {
          ++collectives[n.text("pg_name")][rank];
          CHECK(n.integer("comm_size", 0) > 0);
        } else {
          CHECK(n.type == NodeType::compute);
        }
      }
    }
    // 4 micro-batches, forward and backward, of 2 tensor peers.
    CHECK(messages.size() == 16);
    for (const auto& [message, balance] : messages) {
      CHECK(balance == 0);
      CHECK(std::abs(std::get<0>(message) - std::get<1>(message)) == 2);
    }
    for (const auto& [name, counts] : collectives) {
      const std::vector<std::int64_t>& members = e.groups.groups.at(std::stoul(name) - 1);
      CHECK(std::ssize(counts) == std::ssize(members));
      for (const std::int64_t m : members) CHECK(counts.at(m) == counts.begin()->second);
    }
    CHECK(collectives.size() == e.groups.groups.size());
    CHECK(e.groups.groups.front() == std::vector<std::int64_t>{0, 1});
    CHECK(e.groups.json().starts_with("{\n  \"1\": ["));
  }

  TEST_CASE("an all-gather's size is a rank's part, a reduce-scatter's the whole") {
    sim::Scenario s = testing::small_step(4, 1, 1);
    s.plan.sharding = sim::ShardingStage::optimizer;
    const Exported e = exported(s);
    std::int64_t gathered = 0, reduced = 0;
    for (const Node& n : e.ranks[0].nodes) {
      const std::int64_t type = n.integer("comm_type", -1), size = n.integer("comm_size", 0);
      if (type == static_cast<std::int64_t>(CollectiveType::all_gather)) gathered += size;
      if (type == static_cast<std::int64_t>(CollectiveType::reduce_scatter)) reduced += size;
      if (type >= 0) CHECK(e.groups.groups.at(std::stoul(n.text("pg_name")) - 1).size() == 4);
    }
    REQUIRE(gathered > 0);
    REQUIRE(reduced > 0);
    const auto& f = s.framework;
    const double ratio = static_cast<double>(f.gradient_exchange_bytes) / 2.0;  // 16-bit weights
    CHECK(static_cast<double>(reduced) / static_cast<double>(gathered) ==
          doctest::Approx(4 * ratio).epsilon(1e-6));
  }

  TEST_CASE("operations of the simulated step come out, work included") {
    const Exported e = exported(testing::small_step(1, 1, 1));
    REQUIRE(e.ranks.size() == 1);
    CHECK(e.ranks[0].nodes.size() == e.step.program->ranks[0].operations.size());
    double flops = 0;
    std::int64_t end = 0;
    for (const Node& n : e.ranks[0].nodes) {
      flops += static_cast<double>(n.integer("num_ops", 0));
      end = std::max(end, n.integer("begin_ps", 0) + n.integer("duration_ps", 0));
    }
    CHECK(end == e.step.execution->end);
    CHECK(flops == doctest::Approx(e.step.flops.base()).epsilon(1e-6));
  }
}

}  // namespace
}  // namespace forerun::chakra
