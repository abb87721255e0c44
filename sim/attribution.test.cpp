#include "sim/attribution.h"

#include <doctest/doctest.h>

#include "tests/programs.h"

namespace forerun::sim {
namespace {

RankTime time_of(const Program& p, std::int32_t rank = 0) {
  const Execution e = execute(p);
  const Causality c(p, e);
  const RankTime time = attribute(c, rank);
  CHECK(time.end == e.end);
  CHECK(sum(time.busy) + sum(time.slowed) + sum(time.idle) == time.end);
  return time;
}

}  // namespace

TEST_SUITE("sim/attribution") {
  TEST_CASE("waiting for an exchange is exposed exchange for as long as the exchange ran") {
    // compute 0..10, exchange 10..14, compute 14..20.
    Program p = empty_program(1);
    const auto a = add(p, 0, compute(10));
    const auto b = add(p, 0, waiting(tensor(4), a));
    add(p, 0, waiting(compute(6), b));
    const RankTime t = time_of(p);
    CHECK(of(t.busy, Category::compute) == 16);
    CHECK(of(t.idle, Category::tensor_exchange) == 4);
    CHECK(t.total(Category::tensor_exchange) == 4);
    CHECK(t.drain == 0);
  }

  TEST_CASE("an exchange that the host issued late is host time first, exchange then") {
    // Host: compute issued at 0, exchange at 15, compute at 15. 10..15 host, 15..19 exchange.
    Program p = empty_program(1);
    add(p, 0, compute(10));
    const auto b = add(p, 0, issued(tensor(4), 15));
    add(p, 0, waiting(compute(6), b));
    const RankTime t = time_of(p);
    CHECK(of(t.idle, Category::host) == 5);
    CHECK(of(t.idle, Category::tensor_exchange) == 4);
  }

  TEST_CASE("what the host itself waited for is not blamed on the host") {
    // compute 0..10; exchange 10..30 that the host waits for; then 3 of host before compute at 33.
    Program p = empty_program(1);
    const auto a = add(p, 0, compute(10));
    add(p, 0, awaited(waiting(data(20), a)));
    add(p, 0, issued(on(StreamKind::compute, 7, Category::optimizer), 3));
    const RankTime t = time_of(p);
    CHECK(of(t.idle, Category::data_exchange) == 20);
    CHECK(of(t.idle, Category::host) == 3);
    CHECK(of(t.busy, Category::optimizer) == 7);
    CHECK(t.end == 40);
  }

  TEST_CASE("a folded run that its host bounds is host time after its own work") {
    Program p = empty_program(1);
    add(p, 0, issued(compute(10), 0, 25));
    const RankTime t = time_of(p);
    CHECK(of(t.busy, Category::compute) == 10);
    CHECK(of(t.idle, Category::host) == 15);
  }

  TEST_CASE("a message is exchange while it travels, also behind another, and bubble before") {
    // Rank 0: compute 0..50, sends 50..60 and 60..70. Rank 1 waits for the second: 50 bubble, 20
    // exchange.
    Program p = empty_program(2, 2);
    const auto work = add(p, 0, compute(50));
    add(p, 0, waiting(send(0, 10), work));
    add(p, 0, waiting(send(1, 10), work));
    add(p, 1, receive(0));
    const auto second = add(p, 1, receive(1));
    add(p, 1, waiting(compute(5), second));
    const RankTime t = time_of(p, 1);
    CHECK(of(t.idle, Category::bubble) == 50);
    CHECK(of(t.idle, Category::pipeline_exchange) == 20);
    CHECK(t.drain == 0);
    // Rank 0 is done with its sends at 70; 70..75 it only waits for the end. Its own sends are
    // exchange.
    const RankTime first = time_of(p, 0);
    CHECK(first.drain == 5);
    CHECK(of(first.idle, Category::bubble) == 5);
    CHECK(of(first.idle, Category::pipeline_exchange) == 20);
  }

  TEST_CASE("a member of a rendezvous that came early is imbalanced until the last is ready") {
    // Ready at 10 and 30; exchange 30..37.
    Program p = empty_program(2, 1);
    for (int r = 0; r < 2; ++r) {
      const auto a = add(p, r, compute(10 + 20 * r));
      const auto b = add(p, r, meeting(waiting(data(7), a), 0));
      add(p, r, waiting(compute(1), b));
    }
    const RankTime early = time_of(p, 0);
    CHECK(of(early.idle, Category::imbalance) == 20);
    CHECK(of(early.idle, Category::data_exchange) == 7);
    const RankTime late = time_of(p, 1);
    CHECK(of(late.idle, Category::imbalance) == 0);
    CHECK(of(late.idle, Category::data_exchange) == 7);
  }

  TEST_CASE("slowed compute is shared between the exchanges beside it by tax and common time") {
    // 25 % from each for 0..30, 25 % of the tensor exchange for 30..50: weights 30 and 50 of 14
    // ticks.
    Program p = empty_program(1);
    add(p, 0, taxing(tensor(50), 25));
    add(p, 0, taxing(data(30), 25));
    add(p, 0, compute(100));
    const RankTime time = time_of(p);
    CHECK(of(time.slowed, Category::tensor_exchange) == 8);
    CHECK(of(time.slowed, Category::data_exchange) == 6);
    CHECK(time.end == 114);
  }

  TEST_CASE("in an ideal 1F1B pipeline every rank is idle for (p - 1) (f + b), all of it bubble") {
    const PipelineShape s{PipelineSchedule::one_forward_one_backward, 4, 1, 8};
    const Program p = pipeline_program(s, {.forward = 300, .backward = 700});
    for (std::int32_t r = 0; r < 4; ++r) {
      const RankTime t = time_of(p, r);
      CHECK(of(t.busy, Category::compute) == 8 * 1000);
      CHECK(of(t.idle, Category::bubble) == 3 * 1000);
      // Rank r sends its last gradient on to r others below it, each of which takes b.
      CHECK(t.drain == r * 700);
    }
  }

  TEST_CASE("idle intervals tile exactly what the compute stream leaves") {
    const PipelineShape s{PipelineSchedule::interleaved, 4, 2, 8};
    const Program p = pipeline_program(
        s,
        {.forward = 300, .backward = 700, .layers = 2, .exchange = 40, .message = 25, .host = 3});
    const Execution e = execute(p);
    const Causality c(p, e);
    for (std::int32_t r = 0; r < 4; ++r) {
      std::int64_t at = 0;
      auto idle = idle_intervals(c, r);
      auto next = idle.begin();
      for (std::size_t i = 0; i < p.ranks[static_cast<std::size_t>(r)].operations.size(); ++i) {
        const Place place{r, static_cast<OperationId>(i)};
        if (c.operation(place).stream != StreamKind::compute) continue;
        while (at < c.span(place).begin) {
          CHECK(next->begin == at);
          at = next++->end;
        }
        CHECK(at == c.span(place).begin);
        at = c.span(place).end;
      }
    }
  }
}

}  // namespace forerun::sim
