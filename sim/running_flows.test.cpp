#include "sim/running_flows.h"

#include <doctest/doctest.h>

#include "sim/contention.h"
#include "sim/program.h"
#include "tests/programs.h"

namespace forerun::sim {
namespace {

/// One link of `capacity`, which flows of the given own rates load with every byte.
SharedLinks one_link(double capacity, const std::vector<double>& rates, double latency_share = 0) {
  SharedLinks links;
  links.capacity = {capacity};
  links.names = {"wire"};
  links.patterns = {{{0, 1.0}}};
  for (const double rate : rates) links.flows.push_back({0, rate, latency_share});
  return links;
}

/// A rank for each flow, which computes for `begins` and then exchanges for `lasts` ticks.
Program exchanges(SharedLinks links, const std::vector<std::int64_t>& begins,
                  const std::vector<std::int64_t>& lasts) {
  Program p = empty_program(static_cast<std::int64_t>(begins.size()));
  for (std::size_t i = 0; i < begins.size(); ++i) {
    const auto rank = static_cast<std::int64_t>(i);
    add(p, rank, compute(begins[i]));
    add(p, rank, waiting(data(lasts[i]), 0));
    links.of.push_back({-1, static_cast<std::int32_t>(i)});
  }
  p.links = std::move(links);
  return p;
}

}  // namespace

TEST_SUITE("sim/running_flows") {
  TEST_CASE("alone an exchange takes its duration, whatever the link could carry") {
    for (const double capacity : {50.0, 51.0, 5e9}) {
      const Execution e = execute(exchanges(one_link(capacity, {50}), {0}, {1'000'003}));
      CHECK(e.spans[0][1].end == 1'000'003);
      CHECK(e.spans[0][1].slowed == 0);
    }
    // A link of half its rate: twice as long, but for the tenth that is latency.
    const Execution slow = execute(exchanges(one_link(25, {50}, 0.1), {0}, {1000}));
    CHECK(slow.spans[0][1].end == 1900);
    CHECK(slow.spans[0][1].slowed == 900);
  }

  TEST_CASE("two that meet share the link while both are there") {
    // The second comes when the first has done 600 of 1000, and has 200 to do: at half pace both
    // until 1000, then the first's last 200 alone.
    const Program p = exchanges(one_link(50, {50, 50}), {0, 600}, {1000, 200});
    const Execution e = execute(p);
    CHECK(e.spans[1][1].begin == 600);
    CHECK(e.spans[1][1].end == 1000);
    CHECK(e.spans[0][1].end == 1200);
    CHECK(e.end == 1200);
    const Contention c = contention(p, e, 0);
    REQUIRE(c.exchanges.size() == 1);
    CHECK(c.exchanges[0].slowed == 1);
    CHECK(c.exchanges[0].alone.base() == doctest::Approx(1000e-12));
    CHECK(c.exchanges[0].took.base() == doctest::Approx(1200e-12));
    REQUIRE(c.links.size() == 1);
    CHECK(c.links[0].share == doctest::Approx(1));
  }

  TEST_CASE("what a slow flow leaves is another's") {
    // 10 of 50 is the most that the first can: the second gets 40, four fifths of its pace.
    const Execution e = execute(exchanges(one_link(50, {10, 50}), {0, 0}, {1000, 800}));
    CHECK(e.spans[0][1].end == 1000);
    CHECK(e.spans[1][1].end == 1000);
  }

  TEST_CASE("other jobs' flows never end") {
    SharedLinks links = one_link(50, {50, 50});
    links.background = {1};
    const Execution e = execute(exchanges(links, {0}, {1000}));
    CHECK(e.spans[0][1].end == 2000);
  }

  TEST_CASE("taxes last as long as the exchange does") {
    Program p = empty_program(1);
    add(p, 0, taxing(data(1000), 50));
    add(p, 0, compute(3000));
    p.links = one_link(25, {50});
    p.links.of = {{0, -1}};
    const Execution e = execute(p);
    CHECK(e.spans[0][0].end == 2000);
    // 2000 at two thirds of the pace, then the 1666 or 1667 that are left.
    CHECK(e.spans[0][1].end == doctest::Approx(3667).epsilon(0.001));
  }

  TEST_CASE("a message arrives when its last byte has") {
    Program p = empty_program(3, 1);
    add(p, 0, send(0, 1000));
    add(p, 1, receive(0));
    add(p, 1, waiting(compute(10), 0));
    add(p, 2, data(5000));
    p.links = one_link(50, {50, 50});
    p.links.of = {{0}, {-1, -1}, {1}};
    const Execution e = execute(p);
    CHECK(e.spans[0][0].end == 2000);
    CHECK(e.spans[1][0].end == 2000);
    CHECK(e.spans[1][1].end == 2010);
    CHECK(e.spans[2][0].end == 6000);
  }
}

}  // namespace forerun::sim
