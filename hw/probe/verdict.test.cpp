#include "hw/probe/verdict.h"

#include <doctest/doctest.h>

#include <cmath>
#include <limits>
#include <vector>

namespace forerun::hw {
namespace {

ProbeShape shape(ProbeFamily family, std::optional<Precision> p) {
  ProbeShape s;
  s.family = family;
  s.precision = p;
  return s;
}

TEST_SUITE("hw/probe/verdict") {
  TEST_CASE("one slow sample moves neither median nor spread far") {
    const std::vector<double> samples = {1.0, 1.1, 0.9, 1.0, 50.0};
    const ProbeSummary s = summarise(samples);
    CHECK(s.median.base() == doctest::Approx(1.0));
    CHECK(s.spread.base() == doctest::Approx(0.1));  // quartiles 1.0 and 1.1
  }

  TEST_CASE("errors are relative to the largest value, and what is no number is infinitely wrong") {
    CHECK(largest_error(std::vector{1.0, 2.0}, std::vector{1.0, 2.0}) == 0);
    CHECK(largest_error(std::vector{1.0, 2.1}, std::vector{1.0, 2.0}) == doctest::Approx(0.05));
    CHECK(std::isinf(largest_error(std::vector{1.0}, std::vector{1.0, 2.0})));
    CHECK(std::isinf(largest_error(std::vector{std::nan("")}, std::vector{1.0})));
    CHECK(std::isinf(largest_error(std::vector{1e-9}, std::vector{0.0})));
  }

  TEST_CASE("a result is right within its format's rounding, and a copy only if exact") {
    CHECK(wrong_result(shape(ProbeFamily::gemm, Precision::bf16), 0.01).empty());
    CHECK(!wrong_result(shape(ProbeFamily::gemm, Precision::fp16), 0.01).empty());
    ProbeShape backward = shape(ProbeFamily::attention, Precision::bf16);
    CHECK(!wrong_result(backward, 0.03).empty());
    backward.pass = ProbePass::backward;
    CHECK(wrong_result(backward, 0.03).empty());
    CHECK(wrong_result(shape(ProbeFamily::copy_device, {}), 0).empty());
    CHECK(wrong_result(shape(ProbeFamily::copy_device, {}), 1e-12) ==
          "wrong result: relative error 1e-12, at most 0 is right");
    CHECK(!wrong_result(shape(ProbeFamily::gemm, Precision::bf16), std::nan("")).empty());
  }
}

}  // namespace
}  // namespace forerun::hw
