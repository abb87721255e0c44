#include "sim/critical_path.h"

#include <doctest/doctest.h>

#include "tests/programs.h"

namespace forerun::sim {
namespace {

/// The path, with the check that its links tile the step.
CriticalPath path_of(const Program& p) {
  const Execution e = execute(p);
  const CriticalPath path = critical_path(Causality(p, e));
  CHECK(tiles(path, e.end));
  CHECK(sum(path.ticks) == e.end);
  return path;
}

/// Of a program whose only rank has exposed transfers of one kind.
ExposedTransfer exposed_in(const Program& p) {
  const Execution e = execute(p);
  const std::vector<ExposedTransfer> list = exposed_transfers(Causality(p, e), 0);
  REQUIRE(list.size() == 1);
  return list[0];
}

}  // namespace

TEST_SUITE("sim/critical_path") {
  TEST_CASE("the path runs through what set each date and leaves out what had slack") {
    // compute 0..10, then exchange 10..30 beside compute 10..15, then compute 30..36.
    Program p = empty_program(1);
    p.labels = {{"norm", "", {}}, {"all-reduce", "", {}}, {"small", "", {}}, {"last", "", {}}};
    const auto labelled = [](Operation o, std::int32_t label) {
      o.label = label;
      return o;
    };
    const auto a = add(p, 0, labelled(compute(10), 0));
    const auto b = add(p, 0, labelled(waiting(tensor(20), a), 1));
    add(p, 0, labelled(compute(5), 2));
    add(p, 0, labelled(waiting(compute(6), b), 3));
    const CriticalPath path = path_of(p);
    CHECK(path.links.size() == 3);
    CHECK(of(path.ticks, Category::compute) == 16);
    CHECK(of(path.ticks, Category::tensor_exchange) == 20);
    REQUIRE(path.labels.size() == 3);
    CHECK(path.labels[0].label == 1);
    CHECK(path.labels[0].ticks == 20);
    CHECK(path.labels[1].label == 0);
    CHECK(path.labels[2].label == 3);
  }

  TEST_CASE("a host that is slower than the device is the whole path but for the last kernel") {
    Program p = empty_program(1);
    for (int i = 0; i < 3; ++i) add(p, 0, issued(compute(2), 5));
    const CriticalPath path = path_of(p);
    CHECK(of(path.ticks, Category::host) == 15);
    CHECK(of(path.ticks, Category::compute) == 2);
  }

  TEST_CASE("the path of a pipeline crosses ranks through messages") {
    // GPipe, 2 ranks, 1 micro-batch: f + message + f + b + message + b.
    const PipelineShape s{PipelineSchedule::all_forward_all_backward, 2, 1, 1};
    const CriticalPath path =
        path_of(pipeline_program(s, {.forward = 300, .backward = 700, .message = 50}));
    CHECK(of(path.ticks, Category::compute) == 2000);
    CHECK(of(path.ticks, Category::pipeline_exchange) == 100);
    CHECK(path.links.size() == 6);
  }

  TEST_CASE("time that a tax adds is on the path as part of what it slowed") {
    // Tax 25 % for 50 of 110 ticks; compute alone is the path (see sim/execute).
    Program p = empty_program(1);
    add(p, 0, taxing(tensor(50), 25));
    add(p, 0, compute(100));
    const CriticalPath path = path_of(p);
    CHECK(path.links.size() == 1);
    CHECK(of(path.ticks, Category::compute) == 110);
  }

  TEST_CASE("the path goes through the member of a rendezvous that came last") {
    Program p = empty_program(2, 1);
    for (int r = 0; r < 2; ++r) {
      const auto a = add(p, r, compute(10 + 20 * r));
      const auto b = add(p, r, meeting(waiting(data(7), a), 0));
      add(p, r, waiting(compute(5 - r), b));
    }
    const CriticalPath path = path_of(p);
    REQUIRE(path.links.size() == 3);
    CHECK(path.links[0].place == Place{1, 0});
    CHECK(path.links[1].place == Place{0, 1});
    CHECK(path.links[2].place == Place{0, 2});
  }

  TEST_CASE("an exposed transfer names the bandwidth factor that would hide it") {
    // Gradient exchange 10..50 beside compute 10..30: ends by 30 if twice as fast. Exposed 20.
    Program p = empty_program(1);
    const auto a = add(p, 0, compute(10));
    const auto b = add(p, 0, waiting(data(40), a));
    add(p, 0, compute(20));
    add(p, 0, waiting(compute(5), b));
    const ExposedTransfer x = exposed_in(p);
    CHECK(x.category == Category::data_exchange);
    CHECK(x.count == 1);
    CHECK(x.exposed == 20);
    CHECK(x.never_hidden == 0);
    CHECK(x.bandwidth_factor == doctest::Approx(2.0));
  }

  TEST_CASE("transfers queued one behind another share the factor that hides the last") {
    // Both ready at 0, 30 each: 0..30, 30..60. Compute 0..40: both must take 60 / 40 = 1.5 times
    // less.
    Program p = empty_program(1);
    add(p, 0, data(30));
    const auto b = add(p, 0, data(30));
    add(p, 0, compute(40));
    add(p, 0, waiting(compute(5), b));
    const ExposedTransfer x = exposed_in(p);
    CHECK(x.exposed == 20);
    CHECK(x.bandwidth_factor == doctest::Approx(1.5));
  }

  TEST_CASE("a transfer that is ready only when compute has run out is never hidden") {
    Program p = empty_program(1);
    const auto a = add(p, 0, compute(10));
    const auto b = add(p, 0, waiting(tensor(4), a));
    add(p, 0, waiting(compute(6), b));
    add(p, 0, on(StreamKind::compute, 3, Category::tensor_exchange));  // blocking, on the stream
    const ExposedTransfer x = exposed_in(p);
    CHECK(x.count == 2);
    CHECK(x.exposed == 7);
    CHECK(x.never_hidden == 7);
    CHECK(x.bandwidth_factor == 1.0);
  }
}

}  // namespace forerun::sim
