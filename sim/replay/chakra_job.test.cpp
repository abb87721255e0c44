#include "sim/replay/chakra_job.h"

#include <doctest/doctest.h>

#include "sim/chakra/step_export.h"
#include "sim/chakra/trace_binary.h"
#include "sim/step.h"
#include "tests/replay/small_step.h"

namespace forerun::replay {
namespace {

using chakra::Node;
using chakra::NodeType;

Node node(std::uint64_t id, NodeType type, std::vector<std::uint64_t> waits,
          std::uint64_t micros = 10) {
  Node n;
  n.id = id;
  n.name = type == NodeType::compute ? "work" : "exchange";
  n.type = type;
  n.data_dependencies = std::move(waits);
  n.duration_micros = micros;
  return n;
}

std::optional<Job> job_of(const std::vector<ChakraFile>& files, Problems& problems) {
  std::optional<LinkedTrace> linked = link_chakra(files, problems);
  if (!linked) return std::nullopt;
  return make_linked_job(*std::move(linked), problems);
}

std::string problem_of(const std::vector<Node>& nodes) {
  Problems problems;
  CHECK(!job_of({{"f", 0, {"", {}, nodes}}}, problems));
  REQUIRE(!problems.empty());
  return problems.list().front().where + ": " + problems.list().front().what;
}

TEST_SUITE("sim/replay/chakra_job") {
  TEST_CASE("a simulated step, written and read back, replays to its own time") {
    for (const bool interleaved : {false, true}) {
      const sim::Scenario s = testing::small_step(2, 2, 2, interleaved);
      const sim::StepResult r = sim::simulate_step(s, sim::Detail::kernels);
      std::vector<ChakraFile> files;
      Problems problems;
      static_cast<void>(
          chakra::export_step(s, r.imbalance.lanes, *r.program, *r.execution,
                              [&](std::int64_t rank, const chakra::ExecutionTrace& t) {
                                files.push_back({"r", rank, *chakra::decode(encode(t), problems)});
                              }));
      CHECK(files.size() == 8);
      const auto job = job_of(files, problems);
      REQUIRE_MESSAGE(job, problems.text("traces"));
      CHECK(measured_steps(job->trace) == std::vector<std::int64_t>{r.execution->end});
      const Seconds replayed = mean_step(*job, job->work.durations);
      CHECK(replayed / r.time == doctest::Approx(1.0).epsilon(1e-4));
    }
  }

  TEST_CASE("durations alone are replayed where there are no dates") {
    Problems problems;
    const std::vector<Node> one = {node(1, NodeType::compute, {}, 30),
                                   node(2, NodeType::collective, {1}, 5)};
    const std::vector<Node> other = {node(1, NodeType::compute, {}, 20),
                                     node(2, NodeType::collective, {1}, 5),
                                     node(3, NodeType::compute, {2}, 7)};
    const auto job = job_of({{"a", 0, {"", {}, one}}, {"b", 1, {"", {}, other}}}, problems);
    REQUIRE_MESSAGE(job, problems.text("traces"));
    CHECK(!job->trace.dated);
    CHECK(step_ends(job->trace, job->graph.replay(job->work.durations)) ==
          std::vector<std::int64_t>{42'000'000});
  }

  TEST_CASE("circles, lost dependencies and doubles are named") {
    CHECK(problem_of({node(1, NodeType::compute, {3}), node(2, NodeType::compute, {1}),
                      node(3, NodeType::compute, {2})}) ==
          ": operations wait for each other: work 0 of rank 0 in step 0, for work 2 of rank 0 in "
          "step 0, for work 1 of rank 0 in step 0, for work 0 of rank 0 in step 0");
    CHECK(problem_of({node(1, NodeType::compute, {9})}) ==
          "f: node 1 (work) waits for node 9, which is not there");
    CHECK(problem_of({node(1, NodeType::compute, {}), node(1, NodeType::compute, {})}) ==
          "f: node 1 (work) stands there twice");
    CHECK(problem_of({node(1, NodeType::compute, {}, UINT64_MAX)}).find("more than is meant") !=
          std::string::npos);
    CHECK(problem_of({}) == "f: has no nodes");
    Node send = node(1, NodeType::send, {});
    send.attributes = {{"comm_dst", chakra::Int32{1}}, {"comm_tag", chakra::Int32{4}}};
    Problems problems;
    CHECK(
        !job_of({{"a", 0, {"", {}, {send}}}, {"b", 1, {"", {}, {node(1, NodeType::compute, {})}}}},
                problems));
    CHECK(problems.list().front().what ==
          "exchange 0 of rank 0 in step 0 has no receive on rank 1");
  }
}

}  // namespace
}  // namespace forerun::replay
