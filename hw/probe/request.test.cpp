#include "hw/probe/request.h"

#include <doctest/doctest.h>

#include <string>
#include <vector>

#include "core/error.h"

namespace forerun::hw {
namespace {

using Words = std::vector<std::string>;

std::string refusal(const Words& words) {
  try {
    (void)parse_request(words);
  } catch (const Error& e) {
    CHECK(e.code() == ExitCode::usage);
    return std::string(e.what()) + "; " + e.hint();
  }
  return {};
}

TEST_SUITE("hw/probe/request") {
  TEST_CASE("words make a request and a request makes the words") {
    ProbeRequest r;
    r.output = "x.json";
    r.budget = Seconds(60.5);
    r.seed = 3;
    r.families = {ProbeFamily::adam, ProbeFamily::gemm};
    CHECK(parse_request(request_words(r)) == r);
    CHECK(parse_request({"-o", "x"}).budget == kProbeBudget);
    r.plan_only = true;
    CHECK(parse_request(request_words(r)) == r);
  }

  TEST_CASE("wrong words are refused with the rule, and a misspelt one with the nearest") {
    CHECK(refusal({}) ==
          "no file to write the measurements to; -o FILE, or --plan to see what would be measured");
    CHECK(refusal({"-o"}) == "-o needs a value; ");
    CHECK(refusal({"--plan", "--budget", "4"}) ==
          "--budget: must be from 5 to 86400 seconds, found 4; ");
    CHECK(refusal({"--plan", "--budget", "nan"}).starts_with("--budget: must be from"));
    CHECK(refusal({"--plan", "--budget", "8min"}) == "--budget: expected a number, found 8min; ");
    CHECK(refusal({"--plan", "--seed", "-1"}) == "--seed: must be at least 0, found -1; ");
    CHECK(refusal({"--plan", "--seed", "1.5"}) == "--seed: expected a number, found 1.5; ");
    CHECK(refusal({"--plan", "--family", "atention"}) ==
          "the probe has no family \"atention\"; did you mean attention?");
    CHECK(refusal({"--buget", "60"}) ==
          "forerun-probe has no flag --buget; did you mean --budget?");
  }
}

}  // namespace
}  // namespace forerun::hw
