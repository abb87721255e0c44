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

  // 24,576 accelerators. A ring whose every hop leaves its pod has a seventh of the bandwidth, but
  // for the hash, which leaves some links more than their share.
  TEST_CASE("Llama 3's 1:7 between pods shows where a group lies across them") {
    const Traffic t = run_jobs(load("llama3-roce-24k"), 1);
    const auto slower = [&](std::size_t job) { return t.jobs[job].alone / t.jobs[job].analytic; };
    CHECK(slower(0) < 1.5);
    CHECK(slower(1) > 7);
    CHECK(slower(1) < 14);
    const Traffic full =
        run_jobs(load("llama3-roce-24k", {{"core_oversubscription.value", "1"}}), 1);
    CHECK(full.jobs[1].alone / full.jobs[1].analytic < 2);
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

  // Seven of eight rails carry the rings: 8/7. What was sent to the eighth's accelerators has to
  // find another way.
  TEST_CASE("a failed rail costs the ring a seventh") {
    const Traffic t = run_jobs(load("h100-failed-rail"), 1);
    CHECK(t.jobs[0].alone / t.jobs[0].analytic == doctest::Approx(8.0 / 7).epsilon(0.01));
  }
}

}  // namespace
}  // namespace forerun::hw
