#include "sim/replay/reschedule.h"

#include <doctest/doctest.h>

#include "core/file.h"
#include "sim/replay/table_trace.h"
#include "tests/replay/sample.h"

namespace forerun::replay {
namespace {

Job job_of(const std::string& table) {
  Problems problems;
  std::optional<JobTrace> t = read_table_trace(table, problems);
  REQUIRE(t);
  std::optional<Job> job = make_table_job(*std::move(t), problems);
  REQUIRE(job);
  return *std::move(job);
}

std::vector<std::int64_t> steps(const Job& job, const char* words) {
  Problems problems;
  const auto choice = parse_schedule(words, problems);
  REQUIRE_MESSAGE(choice, problems.text(words));
  const auto ends = rescheduled_steps(job, *choice, problems);
  REQUIRE_MESSAGE(ends, problems.text(words));
  return *ends;
}

TEST_SUITE("sim/replay/reschedule") {
  TEST_CASE("the traced schedule gives the traced step; GPipe as dated by hand") {
    const Job job = job_of(testing::sample_table());
    CHECK(steps(job, "one_forward_one_backward") == std::vector<std::int64_t>{950'000'000});
    // Stage 1: F 110-210, 220-320, B 320-520, 520-720; stage 0: B 530-730, 740-940.
    CHECK(steps(job, "all_forward_all_backward") == std::vector<std::int64_t>{970'000'000});
    // Weight gradients fill: stage 1 F0 110-210, B0 210-310 (half), then F1, whose gradient is sent
    // before the weights' are made.
    CHECK(steps(job, "zero_bubble_h1").front() < 950'000'000);
  }

  TEST_CASE("a measured job under its own schedule is its replay without gaps") {
    const Job job = job_of(read_file(data_path("tests/replay/st_two_steps.csv"), 1 << 20));
    CHECK(steps(job, "one_forward_one_backward") ==
          step_ends(job.trace, job.graph.replay(job.work.durations)));
    for (const char* better : {"interleaved:2", "zero_bubble_h1"}) {
      CHECK_MESSAGE(
          steps(job, better)[0] < step_ends(job.trace, job.graph.replay(job.work.durations))[0],
          better);
    }
  }

  TEST_CASE("schedules that are unknown, cannot be known or do not fit are refused") {
    Problems problems;
    for (const char* words : {"gpipe", "dualpipe", "interleaved:1", "interleaved:x",
                              "zero_bubble_h1:2", "interleaved:99999999999999999999"}) {
      CHECK_MESSAGE(!parse_schedule(words, problems), words);
    }
    CHECK(problems.list().size() == 6);
    Job job = job_of(testing::sample_table());
    Problems none;
    job.rank_steps.clear();
    CHECK(!rescheduled_steps(job, {}, none));
    CHECK(none.list().front().what.find("does not tell stages") != std::string::npos);
  }
}

}  // namespace
}  // namespace forerun::replay
