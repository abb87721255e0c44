#include "sim/replay/table_trace.h"

#include <doctest/doctest.h>

#include <string>

#include "core/file.h"
#include "sim/replay/job.h"
#include "tests/replaced.h"
#include "tests/replay/sample.h"

namespace forerun::replay {
namespace {

using testing::sample_table;

std::string problem_of(const std::string& table) {
  Problems problems;
  std::optional<JobTrace> trace = read_table_trace(table, problems);
  if (trace) CHECK(!make_table_job(*std::move(trace), problems));
  REQUIRE(!problems.empty());
  return problems.list().front().where + ": " + problems.list().front().what;
}

TEST_SUITE("sim/replay/table_trace") {
  TEST_CASE("rows become operations, in any order, dated from the first of their step") {
    Problems problems;
    const std::optional<JobTrace> t = read_table_trace(
        "dur_us,optype,step,dp,pp,start\n2.5,optimizer,9,0,0,1000.001\n1,forward-compute,9,0,0,"
        "998\r\n1,forward-compute,4,0,0,-3\n",
        problems);
    REQUIRE_MESSAGE(t, problems.text("table"));
    CHECK(t->steps == std::vector<std::int64_t>{4, 9});
    REQUIRE(t->operations.size() == 3);
    CHECK(t->operations[2].begin == 2'001'000);
    CHECK(t->operations[2].duration == 2'500'000);
    CHECK(measured_steps(*t) == std::vector<std::int64_t>{1'000'000, 4'501'000});
    CHECK(describe(*t, 2) == "optimizer 0 of data 0, stage 0 in step 9");
  }

  TEST_CASE("wrong cells are told by line, with the rule") {
    const std::string good = sample_table();
    CHECK(problem_of(replaced(good, ",200,20,1,", ",200,nan,1,")) ==
          "line 8, dur_us: expected microseconds from 0 to 1000000000000, found \"nan\"");
    CHECK(problem_of(replaced(good, ",200,20,1,", ",200,-20,1,")) ==
          "line 8, dur_us: expected microseconds from 0 to 1000000000000, found \"-20\"");
    CHECK(problem_of(replaced(good, "forward-recv,210", "forward-recieve,210")) ==
          "line 9, optype: unknown operation \"forward-recieve\"; did you mean forward-recv?");
    CHECK(problem_of(replaced(good, "7,0,0,optimizer,920,30,0,-1", "7,0,0,optimizer,92")) ==
          "line 19: expected 8 cells, found 5");
    CHECK(problem_of(replaced(good, "pp_stage", "stage")).starts_with("line 1: unknown column"));
    CHECK(problem_of("step,optype\n").find("column dp_rank is missing") != std::string::npos);
    CHECK(problem_of("step,dp_rank,pp_stage,optype,start_us,dur_us\n") ==
          ": expected rows after the header, found none");
    CHECK(problem_of(replaced(good, "7,0,0,forward", "7,0,1048577,forward"))
              .starts_with("line 2, pp_stage: expected an integer from 0 to"));
    CHECK(problem_of(replaced(good, "7,0,0,forward", "7,900000,0,forward"))
              .find("more than there are rows") != std::string::npos);
  }

  TEST_CASE("times whose sums do not fit are refused") {
    std::string table = "step,dp,pp,optype,start,duration\n";
    for (int i = 0; i < 8; ++i) table += "1,0,0,forward-compute,0,1e12\n";
    CHECK(problem_of(table).find("more than is meant") != std::string::npos);
  }

  TEST_CASE("what does not fit together is named") {
    const std::string good = sample_table();
    CHECK(problem_of(replaced(good, "7,0,1,forward-recv,210,10,1,-1\n", "")) ==
          ": forward-send 1 of data 0, stage 0 in step 7 has no forward-recv on data 0, stage 1");
    CHECK(problem_of(replaced(good, "7,0,0,backward-recv,620,100,1,-1\n", "")) ==
          ": data 0, stage 0 in step 7 has 2 backward-compute but 1 backward-recv");
    CHECK(problem_of(good + "7,0,0,optimizer,990,30,0,-1\n") ==
          ": optimizer 0 of data 0, stage 0 in step 7 stands there twice");
    CHECK(problem_of(good + "7,0,0,forward-recv,0,10,0,-1\n").find("interleaved") !=
          std::string::npos);
    CHECK(problem_of(good + "8,0,0,forward-compute,0,10,0,0\n") ==
          ": step 8 has no operation of data 0, stage 1");
    CHECK(problem_of(good + "7,0,0,optimizer-clip-main-grad,920,1,0,-1\n") ==
          ": optimizer-clip-main-grad 0 of data 0, stage 0 in step 7 is there on 1 of the 2 ranks "
          "that it joins");
  }

  TEST_CASE("a table that is cut off at any byte is read to a smaller job or refused") {
    const std::string good = sample_table();
    for (std::size_t n = 0; n < good.size(); n += 3) {
      Problems problems;
      std::optional<JobTrace> t = read_table_trace(good.substr(0, n), problems);
      const bool job = t && make_table_job(*std::move(t), problems);
      CHECK(job == problems.empty());
    }
  }

  TEST_CASE("two measured steps of a Megatron-LM job, as the rule's authors replay them") {
    Problems problems;
    std::optional<JobTrace> t =
        read_table_trace(read_file(data_path("tests/replay/st_two_steps.csv"), 1 << 20), problems);
    REQUIRE_MESSAGE(t, problems.text("st_two_steps.csv"));
    const std::optional<Job> job = make_table_job(*std::move(t), problems);
    REQUIRE_MESSAGE(job, problems.text("st_two_steps.csv"));
    const auto ends = [&](std::span<const std::int64_t> gaps) {
      return step_ends(job->trace, job->graph.replay(job->work.durations, gaps));
    };
    const std::vector<std::int64_t> bare = ends({}), gapped = ends(job->work.gaps);
    const double expected[] = {2.339666260908416, 2.1029415186894767};
    const double measured[] = {2.3816521167755127, 2.1450374126434326};
    for (std::size_t i = 0; i < 2; ++i) {
      CHECK(static_cast<double>(bare[i]) * 1e-12 == doctest::Approx(expected[i]).epsilon(1e-6));
      CHECK(static_cast<double>(bare[i]) * 1e-12 == doctest::Approx(measured[i]).epsilon(0.021));
      CHECK(static_cast<double>(gapped[i]) * 1e-12 == doctest::Approx(measured[i]).epsilon(1e-4));
    }
  }
}

}  // namespace
}  // namespace forerun::replay
