#include "models/loss/fit/runs.h"

#include <doctest/doctest.h>

#include "models/loss/fit/curve_stage.h"

namespace forerun::models {
namespace {

RunTable table_of(const std::string& text) {
  Problems problems;
  RunTable table;
  read_runs(text, "t", table, problems);
  REQUIRE_MESSAGE(problems.empty(), problems.text("t"));
  return table;
}

std::string problems_of(const std::string& text) {
  Problems problems;
  RunTable table;
  read_runs(text, "t", table, problems);
  CHECK_FALSE(problems.empty());
  return problems.text("p");
}

bool has(const std::string& text, const std::string& part) {
  return text.find(part) != std::string::npos;
}

TEST_SUITE("models/loss/fit/runs") {
  TEST_CASE("a table and lines of JSON of the same runs read as the same") {
    const RunTable csv = table_of(
        "name,parameters,tokens.text,tokens.speech,loss.mean,experts\n"
        "a,1e9,2e10,0,2.5,\nb,1e9,1e10,1e10,2.75,8\n");
    const RunTable json = table_of(
        "{\"name\": \"a\", \"parameters\": 1e9, \"tokens.text\": 2e10, \"loss.mean\": 2.5}\n\n"
        "{\"name\": \"b\", \"parameters\": 1000000000, \"tokens.text\": 1e10, "
        "\"tokens.speech\": 1e10, \"loss.mean\": 2.75, \"experts\": 8}\n");
    REQUIRE(csv.runs.size() == 2);
    REQUIRE(json.runs.size() == 2);
    for (std::size_t i = 0; i < 2; ++i) {
      CHECK(csv.runs[i].name == json.runs[i].name);
      CHECK(csv.runs[i].parameters == json.runs[i].parameters);
      CHECK(csv.runs[i].tokens == json.runs[i].tokens);
      CHECK(csv.runs[i].losses == json.runs[i].losses);
      CHECK(csv.runs[i].experts == json.runs[i].experts);
    }
    CHECK(csv.runs[0].tokens.size() == 1);  // none of speech: not in that run
    CHECK(csv.runs[1].all_tokens() == 2e10);
  }

  TEST_CASE("a curve reads alike from a table and a line, and rows without loss only steer") {
    const RunTable csv = table_of(
        "run,step,learning_rate,loss\nc,0,0,\nc,100,1e-3,\nc,200,1e-3,4.5\nc,300,5e-4,4.25\n");
    const RunTable json = table_of(
        "{\"run\": \"c\", \"step\": [0, 100, 200, 300], \"learning_rate\": [0, 1e-3, 1e-3, 5e-4], "
        "\"loss\": [0, 0, 4.5, 4.25]}\n");
    REQUIRE(csv.curves.size() == 1);
    REQUIRE(json.curves.size() == 1);
    for (std::size_t i = 0; i < 4; ++i) {
      CHECK(csv.curves[0].rows[i].rate == json.curves[0].rows[i].rate);
      CHECK(csv.curves[0].rows[i].loss == json.curves[0].rows[i].loss);
    }
    CHECK_FALSE(csv.curves[0].rows[1].loss);
  }

  TEST_CASE("the nodes' area is the sum of all steps' rates") {
    const RunTable t = table_of(
        "run,step,learning_rate,loss\nc,0,0,\nc,100,1e-3,\nc,200,1e-3,4.5\nc,300,5e-4,4.25\n");
    const auto nodes = schedule_nodes(t.curves.front());
    double sum = 0;
    for (int step = 1; step <= 300; ++step) {
      sum += step <= 100   ? 1e-3 * step / 100
             : step <= 200 ? 1e-3
                           : 1e-3 - 5e-4 * (step - 200) / 100;
    }
    CHECK(nodes.back().step == 300);
    CHECK(nodes.back().area == doctest::Approx(sum).epsilon(1e-12));
    const auto at = row_nodes(t.curves.front(), nodes);
    CHECK(nodes[at[2]].step == 200);
    CHECK(nodes.size() > 50);  // 40 cuts of the warm-up and 20 of the fall
  }

  TEST_CASE("a byte order mark is no part of the first column's name") {
    CHECK(table_of("\xEF\xBB\xBFparameters,tokens,loss\n1e8,1e9,3\n").runs.size() == 1);
  }

  TEST_CASE("what a row must not have is named") {
    CHECK(has(problems_of("parameters,tokens,tokens.text,loss\n1e8,1e9,1e9,3\n"),
              "tokens and tokens.MODALITY both stated"));
    CHECK(has(problems_of("parameters,tokens,loss,weight,standard_error\n1e8,1e9,3,1,1\n"),
              "weight and standard_error both stated"));
    CHECK(has(problems_of("parameters,tokens,loss,standard_error\n1e8,1e9,3,1e-300\n"),
              "a standard error of 1e-300 on a loss of 3: under a millionth"));
    CHECK(has(problems_of("parameters,tokens.a|b,loss\n1e8,1e9,3\n"), "| stands between"));
    CHECK(has(problems_of("parameters,tokens,loss,loss\n1e8,1e9,3,3\n"), "stands there twice"));
    CHECK(has(problems_of("parameters,tokens,loss\n"), "no runs"));
    CHECK(has(problems_of("run,step,learning_rate,loss\na,0,0,\na,10,1,3\na,9,1,3\n"),
              "step 9 follows step 10: steps must rise"));
    CHECK(has(problems_of("run,step,learning_rate,loss\na,0,0,\na,10,1,3\nb,0,0,\na,20,1,3\n"),
              "run a again after another"));
    CHECK(has(problems_of("run,step,learning_rate,loss\na,0,0,5\n"), "nothing was learned yet"));
    CHECK(has(problems_of("run,step,learning_rate,loss\na,0.5,0,\n"), "expected a whole step"));
    CHECK(has(problems_of("{\"run\": \"a\", \"step\": [0, 1], \"learning_rate\": [0]}\n"),
              "lists of one length"));
    CHECK(has(problems_of("{\"parameters\": 1e8\n"), "t: line 1"));
  }
}

}  // namespace
}  // namespace forerun::models
