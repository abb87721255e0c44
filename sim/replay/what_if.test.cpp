#include "sim/replay/what_if.h"

#include <doctest/doctest.h>

#include <algorithm>

#include "sim/replay/stragglers.h"
#include "sim/replay/table_trace.h"
#include "tests/replay/sample.h"

namespace forerun::replay {
namespace {

Job sample() {
  Problems problems;
  std::optional<JobTrace> t = read_table_trace(testing::sample_table(), problems);
  REQUIRE(t);
  std::optional<Job> job = make_table_job(*std::move(t), problems);
  REQUIRE(job);
  return *std::move(job);
}

double microseconds(const Job& job, std::span<const std::int64_t> durations) {
  return mean_step(job, durations).in(1.0_us);
}

TEST_SUITE("sim/replay/what_if") {
  TEST_CASE("the sample's replay is what was measured, without a gap") {
    const Job job = sample();
    CHECK(microseconds(job, job.work.durations) == doctest::Approx(950));
    CHECK(std::ranges::count(job.work.gaps, 0) == std::ssize(job.work.gaps));
    CHECK(job.work.negative_gaps + job.work.negative_transfers == 0);
  }

  TEST_CASE("without transfers, and with faster passes, as dated by hand") {
    const Job job = sample();
    // F0 100, F0 B0 on stage 1 to 400, F1 B1 to 700, B1 on stage 0 to 900.
    CHECK(microseconds(job, without_transfers(job)) == doctest::Approx(930));
    Problems problems;
    const auto twice = faster_durations(job, {"backward-compute", 2}, problems);
    REQUIRE(twice);
    // B0 on stage 1 to 310, F1 B1 to 510, message to 520, B1 on stage 0 to 620.
    CHECK(microseconds(job, *twice) == doctest::Approx(650));
  }

  TEST_CASE("words that name no operation or no factor are told") {
    const Job job = sample();
    Problems problems;
    for (const char* words : {"x", "=2", "gc=", "gc=0", "gc=nan", "gc=-1", "gc=1e9", "gc=2x"}) {
      CHECK_MESSAGE(!parse_faster(words, problems), words);
    }
    CHECK(problems.list().size() == 8);
    CHECK(parse_faster("a=b=1.5", problems)->name == "a=b");
    Problems unknown;
    CHECK(!faster_durations(job, {"backward-computes", 2}, unknown));
    CHECK(unknown.list().front().what ==
          "the trace has no operation \"backward-computes\"; did you mean backward-compute?");
  }

  TEST_CASE("typical: the mean of computing, the median of transfers, by stage or anywhere") {
    Job job = sample();
    const auto of = [&](const char* kind, std::int32_t stage, std::int32_t number) {
      for (std::size_t i = 0; i < job.trace.operations.size(); ++i) {
        const TracedOperation& o = job.trace.operations[i];
        if (job.trace.kinds[static_cast<std::size_t>(o.kind)].name == kind && o.rank == stage &&
            o.sequence == number) {
          return i;
        }
      }
      FAIL("no such operation");
      return std::size_t{0};
    };
    job.work.durations[of("forward-compute", 0, 0)] = 160'000'000;
    const auto stage = typical_durations(job, Alike::on_stage);
    const auto anywhere = typical_durations(job, Alike::anywhere);
    CHECK(stage[of("forward-compute", 0, 1)] == 130'000'000);
    CHECK(stage[of("forward-compute", 1, 1)] == 100'000'000);
    CHECK(anywhere[of("forward-compute", 1, 1)] == 115'000'000);
    job.work.durations[of("forward-recv", 1, 0)] = 40'000'000;
    CHECK(typical_durations(job, Alike::anywhere)[of("forward-recv", 1, 1)] == 25'000'000);
  }

  TEST_CASE("the slow rank, its stage and its operation are named first") {
    Job job = sample();
    for (std::size_t i = 0; i < job.trace.operations.size(); ++i) {
      const TracedOperation& o = job.trace.operations[i];
      const bool backward =
          job.trace.kinds[static_cast<std::size_t>(o.kind)].name == "backward-compute";
      if (o.rank == 1 && backward && o.sequence == 1) job.work.durations[i] *= 2;
    }
    const Stragglers s = find_stragglers(job);
    const auto first = [&](PartKind kind) {
      return *std::ranges::find(s.parts, kind, &JobPart::part);
    };
    CHECK(first(PartKind::stage).index == 1);
    CHECK(first(PartKind::stage).mended < 1);
    CHECK(first(PartKind::stage).slows > 1);
    CHECK(job.trace.kinds[static_cast<std::size_t>(first(PartKind::operation).index)].name ==
          "backward-compute");
    CHECK(find_stragglers(job, 10).ranks_left_out);
  }
}

}  // namespace
}  // namespace forerun::replay
