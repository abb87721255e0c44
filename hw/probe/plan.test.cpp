#include "hw/probe/plan.h"

#include <doctest/doctest.h>
#include <rapidcheck.h>

#include <algorithm>
#include <set>

namespace forerun::hw {
namespace {

ProbeMachine machine(int count = 1) {
  ProbeMachine m = probe_example_machine();
  m.count = count;
  return m;
}

std::set<ProbeFamily> families(const ProbePlan& plan) {
  std::set<ProbeFamily> all;
  for (const ProbePlanned& p : plan.points) all.insert(p.shape.family);
  return all;
}

TEST_SUITE("hw/probe/plan") {
  TEST_CASE("every candidate obeys its family's facts and none comes twice") {
    std::set<std::pair<ProbeShape, ProbeMode>> seen;
    int round = 0;
    for (const ProbeCandidate& c : probe_grid(8)) {
      const ProbeFamilyFacts& f = facts(c.shape.family);
      REQUIRE(c.shape.arguments.size() == f.arguments.size());
      for (std::size_t i = 0; i < f.arguments.size(); ++i) {
        CHECK(c.shape.arguments[i] >= f.arguments[i].least);
        CHECK(c.shape.arguments[i] <= f.arguments[i].most);
      }
      CHECK(c.shape.precision.has_value() == !f.precisions.empty());
      CHECK(std::count(f.passes.begin(), f.passes.end(), c.shape.pass) == 1);
      CHECK(std::count(f.implementations.begin(), f.implementations.end(),
                       c.shape.implementation) == 1);
      CHECK(seen.emplace(c.shape, c.mode).second);
      CHECK(c.round >= round);
      round = c.round;
    }
  }

  TEST_CASE("the default budget covers every family; exchanges need two accelerators") {
    const std::set<ProbeFamily> one = families(plan_probe(machine(), kProbeBudget));
    const std::set<ProbeFamily> eight = families(plan_probe(machine(8), kProbeBudget));
    CHECK(eight.size() == probe_families().size());
    CHECK(one.size() == probe_families().size() - 5);
    CHECK(!one.contains(ProbeFamily::all_reduce));
    CHECK(!one.contains(ProbeFamily::beside_all_reduce));
  }

  TEST_CASE("a plan keeps its budget, and a larger one keeps what a smaller one had first") {
    rc::check([] {
      const Seconds budget(*rc::gen::inRange(1, 2000));
      const ProbePlan plan = plan_probe(machine(*rc::gen::inRange(1, 9)), budget);
      RC_ASSERT(plan.estimate <= budget);
      Seconds sum(0);
      for (const ProbePlanned& p : plan.points) {
        RC_ASSERT(p.timing.estimate > Seconds(0));
        RC_ASSERT(p.timing.samples >= kLeastSamples);
        RC_ASSERT(p.timing.samples <= kMostSamples);
        sum += p.timing.estimate;
      }
      RC_ASSERT(sum == plan.estimate);
    });
    const ProbePlan small = plan_probe(machine(), Seconds(30));
    const ProbePlan large = plan_probe(machine(), Seconds(3000));
    REQUIRE(!small.points.empty());
    CHECK(small.points.front().shape == large.points.front().shape);
    CHECK(large.points.size() > small.points.size());
  }

  TEST_CASE("what a machine can't hold or has no format for is left out with the reason") {
    ProbeDevice a100{.name = "A100",
                     .major = 8,
                     .minor = 0,
                     .multiprocessors = 108,
                     .memory = Bytes(2e9),
                     .l2 = Bytes(4e7),
                     .clock_mhz = 1410,
                     .memory_clock_mhz = {},
                     .power_cap = {},
                     .driver = {},
                     .runtime = {},
                     .libraries = {}};
    const ProbeMachine m = probe_machine(a100);
    CHECK(m.rate16.base() == doctest::Approx(312e12).epsilon(0.01));
    const ProbePlan plan = plan_probe(m, Seconds(1e5));
    std::set<std::string> reasons;
    for (const ProbeLeftOut& l : plan.left_out) reasons.insert(l.reason.substr(0, 6));
    CHECK(reasons == std::set<std::string>{"needs ", "no 8-b"});
    for (const ProbePlanned& p : plan.points) {
      CHECK(p.shape.precision != Precision::fp8);
      CHECK(probe_footprint(p.shape) <= m.memory);
    }
  }

  TEST_CASE("only the families asked for") {
    const ProbePlan plan = plan_probe(machine(), Seconds(1e5), {ProbeFamily::adam});
    CHECK(families(plan) == std::set<ProbeFamily>{ProbeFamily::adam});
  }

  TEST_CASE("pace: a machine half as fast as thought fits half as much") {
    ProbePace pace(Seconds(10));
    CHECK(pace.ratio() == 1);
    CHECK(pace.fits(Seconds(8), Seconds(2)));
    pace.took(Seconds(1), Seconds(2));
    CHECK(pace.ratio() == 2);
    CHECK(!pace.fits(Seconds(8), Seconds(2)));
    CHECK(pace.fits(Seconds(8), Seconds(1)));
    CHECK(pace.left(Seconds(2), Seconds(3)) == Seconds(6));
    CHECK(pace.left(Seconds(8), Seconds(3)) == Seconds(2));
    CHECK(pace.left(Seconds(12), Seconds(3)) == Seconds(0));
  }
}

}  // namespace
}  // namespace forerun::hw
