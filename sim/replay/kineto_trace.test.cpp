#include "sim/replay/kineto_trace.h"

#include <doctest/doctest.h>
#include <fmt/format.h>

#include "tests/replaced.h"

namespace forerun::replay {
namespace {

/// A rank that computes for `work` us on stream 7 and reduces over both ranks on stream 20. Dates
/// are shifted by `clock`.
std::string rank_file(int rank, double work, double end, double clock) {
  const double t = 1000 + clock;
  return fmt::format(
      R"({{"schemaVersion": 1, "distributedInfo": {{"backend": "nccl", "rank": {}, "world_size": 2}},
"traceEvents": [
{{"ph": "X", "cat": "user_annotation", "name": "ProfilerStep#3", "pid": 1, "tid": 1, "ts": {}, "dur": 100}},
{{"ph": "X", "cat": "cuda_runtime", "name": "cudaLaunchKernel", "ts": {}, "dur": 2, "args": {{"correlation": 11}}}},
{{"ph": "X", "cat": "cuda_runtime", "name": "cudaLaunchKernel", "ts": {}, "dur": 2, "args": {{"correlation": 12}}}},
{{"ph": "i", "name": "marker", "ts": 3}},
{{"ph": "X", "cat": "kernel", "name": "gemm", "ts": {}, "dur": {}, "args": {{"stream": 7, "correlation": 11}}}},
{{"ph": "X", "cat": "kernel", "name": "ncclDevKernel_AllReduce", "ts": {}, "dur": {}, "args": {{"stream": 20,
  "correlation": 12, "Collective name": "allreduce", "Process Group Name": "0"}}}},
{{"ph": "X", "cat": "kernel", "name": "late", "ts": {}, "dur": 5, "args": {{"stream": 7, "correlation": 99}}}}
]}})",
      rank, t, t + 1, t + 4, t + 10, work, t + 12 + work, end - 12 - work, t + 500);
}

std::optional<Job> job_of(const std::vector<TraceFile>& files, Problems& problems) {
  std::optional<LinkedTrace> linked = read_kineto_traces(files, problems);
  if (!linked) return std::nullopt;
  return make_linked_job(*std::move(linked), problems);
}

std::string problem_of(const std::vector<TraceFile>& files) {
  Problems problems;
  CHECK(!job_of(files, problems));
  REQUIRE(!problems.empty());
  return problems.list().front().where + ": " + problems.list().front().what;
}

TEST_SUITE("sim/replay/kineto_trace") {
  TEST_CASE("waiting is taken out of collectives, clocks are aligned, late kernels left out") {
    // Computing ends at 110 and 180, so the all-reduce, which ends at 200 us, moves from 182 on.
    // The second clock is 300 us ahead.
    Problems problems;
    const auto job =
        job_of({{"a", rank_file(0, 100, 200, 0)}, {"b", rank_file(1, 170, 200, 300)}}, problems);
    REQUIRE_MESSAGE(job, problems.text("traces"));
    CHECK(job->trace.steps == std::vector<std::int64_t>{3});
    REQUIRE(job->trace.operations.size() == 4);
    // From the first kernel, at 1010.
    CHECK(measured_steps(job->trace) == std::vector<std::int64_t>{190'000'000});
    CHECK(job->graph.groups() == 1);
    for (std::size_t i = 0; i < 4; ++i) {
      const TracedOperation& o = job->trace.operations[i];
      const bool exchange = job->trace.kinds[static_cast<std::size_t>(o.kind)].exchange;
      CHECK(job->work.durations[i] == (exchange      ? 18'000'000
                                       : o.rank == 0 ? 100'000'000
                                                     : 170'000'000));
      // 2 us after the kernel: inferred to have waited for it.
      CHECK(job->work.gaps[i] == (exchange ? 2'000'000 : 0));
    }
    CHECK(step_ends(job->trace, job->graph.replay(job->work.durations, job->gaps())) ==
          measured_steps(job->trace));
    CHECK(job->trace.notes.size() == 3);
  }

  TEST_CASE("Stream Wait Events say what waits, in place of dates") {
    const std::string wait =
        R"({"ph": "X", "cat": "cuda_sync", "name": "Stream Wait Event", "ts": 1003, "dur": 1, "args":
           {"stream": 20, "correlation": 11, "wait_on_stream": 7,
            "wait_on_cuda_event_record_corr_id": 12}}, {"ph": "i",)";
    const std::string text = replaced(rank_file(0, 100, 200, 0), R"({"ph": "i",)", wait);
    Problems problems;
    const auto job = job_of({{"a", text}}, problems);
    REQUIRE_MESSAGE(job, problems.text("a"));
    CHECK(job->work.gaps == std::vector<std::int64_t>{0, 2'000'000});
  }

  TEST_CASE("what is wrong is told by event, by rank and by group") {
    const std::string good = rank_file(0, 100, 200, 0);
    CHECK(problem_of({{"a", good}, {"b", good}}) == "b: is of rank 0, as a is");
    CHECK(problem_of({{"a", replaced(good, R"("dur": 100,)", R"("dur": -1,)")}}) ==
          "a: traceEvents/4/dur: must be from 0 to 1000000000000, found -1");
    CHECK(problem_of({{"a", replaced(good, R"("dur": 100,)", R"("dur": "NaN",)")}}) ==
          "a: traceEvents/4/dur: expected a number, found \"NaN\"");
    CHECK(problem_of({{"a", R"({"traceEvents": [{"ph": "i"}]})"}}) ==
          "a: has no kernel: was the accelerator profiled (ProfilerActivity.CUDA)?");
    CHECK(problem_of({{"a", good.substr(0, good.size() / 2)}}).find("is it whole?") !=
          std::string::npos);
    const std::string more = R"({"ph": "X", "cat": "kernel", "name": "ncclDevKernel_AllReduce",
        "ts": 1300, "dur": 5, "args": {"stream": 20, "correlation": 12, "Collective name":
        "allreduce", "Process Group Name": "0"}}, {"ph": "i",)";
    CHECK(problem_of(
              {{"a", replaced(good, R"({"ph": "i",)", more)}, {"b", rank_file(1, 170, 200, 0)}}) ==
          ": group 0: ncclDevKernel_AllReduce 1 of rank 0 in step 3 is not on rank 1, which has 1 "
          "collectives of that group in step 3");
  }

  TEST_CASE("messages meet by source and destination; one without a partner is named") {
    const auto message = [](int rank, const char* direction, const char* peer, double begin,
                            double end) {
      return fmt::format(
          R"({{"distributedInfo": {{"rank": {}}}, "traceEvents": [{{"ph": "X", "cat": "kernel",
          "name": "ncclDevKernel_SendRecv", "ts": {}, "dur": {}, "args": {{"stream": 9,
          "Collective name": "{}", "{}": {}, "Process Group Name": "p"}}}}]}})",
          rank, begin, end - begin, direction, peer, 1 - rank);
    };
    const TraceFile send{"s", message(0, "send", "Dst Rank", 10, 60)};
    const TraceFile receive{"r", message(1, "recv", "Src Rank", 50, 60)};
    Problems problems;
    const auto job = job_of({send, receive}, problems);
    REQUIRE_MESSAGE(job, problems.text("traces"));
    CHECK(job->work.durations == std::vector<std::int64_t>{10'000'000, 10'000'000});
    const TraceFile other{"r", replaced(receive.text, "SendRecv", "Other")};
    CHECK(problem_of(
              {send,
               {"r", replaced(other.text, "\"recv\", \"Src Rank\"", "\"send\", \"Dst Rank\"")}}) ==
          ": ncclDevKernel_SendRecv 0 of rank 0 in step 0 has no receive on rank 1");
  }
}

}  // namespace
}  // namespace forerun::replay
