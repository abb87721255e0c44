#include "hw/traffic.h"

#include <doctest/doctest.h>

#include "core/file.h"

namespace forerun::hw {
namespace {

Topology load(const std::string& name,
              const std::vector<std::pair<std::string, std::string>>& with = {}) {
  Problems problems;
  JsonDocument document = JsonDocument::load(topology_path(name), problems);
  for (const auto& [path, value] : with) document.set(path, value, problems);
  std::optional<Topology> t = read_topology(document, problems);
  REQUIRE_MESSAGE(t.has_value(), problems.text(name));
  return *std::move(t);
}

TEST_SUITE("hw/traffic") {
  // stas00/ml-engineering, network/README.md (744d01e): 22.05 ms on 4 x p6-b200. The efficiency of
  // the NICs is another machine's (96 H100), so the measurement was not used.
  TEST_CASE("an all-reduce of 4 GiB on 4 x 8 B200 takes the 22 ms that were measured") {
    const Traffic t = run_jobs(load("b200-4x8"), 1);
    CHECK(t.jobs[0].alone.in(1.0_ms) == doctest::Approx(22.05).epsilon(0.08));
    CHECK(t.jobs[0].alone / t.jobs[0].analytic == doctest::Approx(1).epsilon(1e-6));
    CHECK(t.jobs[0].beside == t.jobs[0].alone);
  }

  // Both are bound by the same NICs: the longer ends when all bytes are through, the shorter has
  // had half of them until its end.
  TEST_CASE("an all-reduce and an all-to-all on the same accelerators share their NICs") {
    const Traffic t = run_jobs(load("b200-4x8-beside"), 1);
    const Seconds sum = t.jobs[0].alone + t.jobs[1].alone;
    const Seconds longest = std::max(t.jobs[0].beside, t.jobs[1].beside);
    CHECK(longest / sum == doctest::Approx(1).epsilon(0.01));
    CHECK(t.jobs[1].beside / t.jobs[1].alone == doctest::Approx(2).epsilon(0.05));
  }

  // An eighth of each pod, so that the test is quick: 8 pods of 24 racks, 48 groups of one machine
  // a pod. A ring whose every hop leaves its pod has a seventh of the bandwidth; hash collisions
  // cost groups within a pod something too, and the latency does not grow.
  TEST_CASE("Llama 3's 1:7 between pods shows where a group lies across them") {
    const std::string jobs =
        R"([{"name": "within", "collective": "all_reduce", "bytes": "4 GiB", "count": 64, "run": 8,
             "stride": 48, "groups": 6, "group_stride": 8},
            {"name": "across", "collective": "all_reduce", "bytes": "4 GiB", "count": 64, "run": 8,
             "stride": 384, "groups": 48, "group_stride": 8}])";
    const std::vector<std::pair<std::string, std::string>> small = {{"domains.value", "384"},
                                                                    {"jobs", jobs}};
    const Traffic t = run_jobs(load("llama3-roce-24k", small), 1);
    const auto slower = [&](const Traffic& of, std::size_t job) {
      return of.jobs[job].alone / of.jobs[job].analytic;
    };
    CHECK(slower(t, 0) >= 1);
    CHECK(slower(t, 0) < 2);
    CHECK(slower(t, 1) > 6);
    CHECK(slower(t, 1) < 12);
    auto full = small;
    full.emplace_back("core_oversubscription.value", "1");
    CHECK(slower(run_jobs(load("llama3-roce-24k", full), 1), 1) < 2);
  }

  TEST_CASE("the answer is the same twice, and another seed hashes otherwise") {
    const Topology t = load("h100-two-jobs");
    const Traffic a = run_jobs(t, 1), b = run_jobs(t, 1), c = run_jobs(t, 2);
    bool differs = false;
    for (std::size_t i = 0; i < a.jobs.size(); ++i) {
      CHECK(a.jobs[i].beside.base() == b.jobs[i].beside.base());
      differs |= a.jobs[i].beside.base() != c.jobs[i].beside.base();
    }
    CHECK(a.run.events == b.run.events);
    CHECK(differs);
  }

  // Of 400 GB/s the NICs reach 386; seven of eight rails, 338, less than the ring inside a DGX
  // H100 does, which is what bounds eight: the bytes, not the latency, take that much longer.
  TEST_CASE("a failed rail costs the ring what NVLink does not hide") {
    const Topology topology = load("h100-failed-rail");
    const Traffic failed = run_jobs(topology, 1);
    const Traffic whole = run_jobs(load("h100-failed-rail", {{"failed", "[]"}}), 1);
    const Network& n = *topology.network;
    const Bandwidth inside = n.inside->ring, rail = n.network * n.network_efficiency;
    const double longer = std::min(8.0 * rail, inside) / std::min(7.0 * rail, inside);
    CHECK(longer > 1.05);
    CHECK(whole.jobs[0].alone / whole.jobs[0].analytic == doctest::Approx(1).epsilon(1e-6));
    CHECK(failed.jobs[0].filled / whole.jobs[0].filled == doctest::Approx(longer).epsilon(1e-6));
    CHECK((failed.jobs[0].alone - whole.jobs[0].alone) / whole.jobs[0].filled ==
          doctest::Approx(longer - 1).epsilon(1e-6));
  }
}

}  // namespace
}  // namespace forerun::hw
