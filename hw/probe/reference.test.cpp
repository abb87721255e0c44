// What kernels are checked against is itself checked: backward passes against differences of the
// forward ones, and values that can be worked out by hand.

#include "hw/probe/reference.h"

#include <doctest/doctest.h>

#include <algorithm>
#include <cmath>
#include <functional>

#include "core/random.h"

namespace forerun::hw {
namespace {

std::vector<double> drawn(std::size_t count, const char* name) {
  const Stream stream(1, name);
  std::vector<double> values;
  for (std::size_t i = 0; i < count; ++i) values.push_back(stream.normal(i));
  return values;
}

RowInputs inputs(ProbeFamily family, ProbePass pass, std::vector<std::int64_t> arguments,
                 std::size_t in, std::size_t out) {
  RowInputs r;
  r.shape.family = family;
  r.shape.arguments = std::move(arguments);
  r.shape.pass = pass;
  r.x = drawn(in, "x");
  r.up = drawn(out, "up");
  r.weight = drawn(in, "weight");
  r.bias = drawn(in, "bias");
  r.target = 3;
  return r;
}

/// d (up . f(x)) / d x by central differences.
std::vector<double> differences(const std::vector<double>& x, const std::vector<double>& up,
                                const std::function<std::vector<double>(std::vector<double>)>& f) {
  constexpr double kStep = 1e-5;
  std::vector<double> result;
  for (std::size_t i = 0; i < x.size(); ++i) {
    double slope = 0;
    for (const double sign : {1.0, -1.0}) {
      std::vector<double> moved = x;
      moved[i] += sign * kStep;
      const std::vector<double> y = f(moved);
      for (std::size_t j = 0; j < y.size(); ++j) slope += sign * up[j] * y[j] / (2 * kStep);
    }
    result.push_back(slope);
  }
  return result;
}

void check_equal(const std::vector<double>& a, const std::vector<double>& b) {
  REQUIRE(a.size() == b.size());
  for (std::size_t i = 0; i < a.size(); ++i) {
    CHECK(a[i] == doctest::Approx(b[i]).epsilon(1e-6).scale(1));
  }
}

TEST_SUITE("hw/probe/reference") {
  TEST_CASE("backward passes of rows are the slopes of their forward passes") {
    struct Family {
      ProbeFamily family;
      std::size_t in, out;
    };
    for (const Family& f :
         {Family{ProbeFamily::rms_norm, 8, 8}, Family{ProbeFamily::layer_norm, 8, 8},
          Family{ProbeFamily::swiglu, 8, 4}, Family{ProbeFamily::gelu, 8, 8},
          Family{ProbeFamily::cross_entropy, 8, 1}}) {
      RowInputs r = inputs(f.family, ProbePass::backward, {1, 8}, f.in, f.out);
      if (f.family == ProbeFamily::cross_entropy) r.up = {1};
      const std::vector<double> slopes = differences(r.x, r.up, [&](std::vector<double> x) {
        RowInputs moved = r;
        moved.shape.pass = ProbePass::forward;
        moved.x = std::move(x);
        return row_reference(moved);
      });
      CAPTURE(name(f.family));
      check_equal(row_reference(r), slopes);
    }
  }

  TEST_CASE("forward passes by hand") {
    RowInputs r = inputs(ProbeFamily::rms_norm, ProbePass::forward, {1, 2}, 2, 2);
    r.x = {3, 4};
    r.weight = {1, 2};
    // Root of the mean square: sqrt(12.5).
    check_equal(row_reference(r), {3 / std::sqrt(12.5), 8 / std::sqrt(12.5)});
    r.shape.family = ProbeFamily::cross_entropy;
    r.x = {0, 0, 0, 0};
    check_equal(row_reference(r), {std::log(4.0)});
    r.shape.family = ProbeFamily::rotary;
    r.shape.arguments = {1, 1, 2};
    r.x = {1, 0};
    r.row = 2;
    check_equal(row_reference(r), {std::cos(2.0), std::sin(2.0)});
  }

  TEST_CASE("attention: gradients of query, keys and values are the slopes of its result") {
    const std::size_t d = 4, keys = 5;
    const std::vector<double> q = drawn(d, "q"), k = drawn(d * keys, "k"), v = drawn(d * keys, "v"),
                              up = drawn(d, "up");
    const double scale = 0.5;
    check_equal(attention_query_gradient(q, k, v, up, scale),
                differences(q, up, [&](const std::vector<double>& x) {
                  return attention_reference(x, k, v, scale).out;
                }));
    const auto dk = differences(k, up, [&](const std::vector<double>& x) {
      return attention_reference(q, x, v, scale).out;
    });
    const auto dv = differences(v, up, [&](const std::vector<double>& x) {
      return attention_reference(q, k, x, scale).out;
    });
    const AttentionReference forward = attention_reference(q, k, v, scale);
    for (std::size_t i = 0; i < keys; ++i) {
      KeyGradient sum{std::vector<double>(d), std::vector<double>(d)};
      const auto at = [&](const std::vector<double>& all) {
        return std::span(all).subspan(i * d, d);
      };
      add_key_gradient(sum, q, at(k), at(v), forward.out, up, forward.log_sum, scale);
      check_equal(sum.key, {at(dk).begin(), at(dk).end()});
      check_equal(sum.value, {at(dv).begin(), at(dv).end()});
    }
  }

  TEST_CASE("Adam's first step moves by the learning rate against the gradient's sign") {
    const AdamRates rates{0.01, 0.9, 0.95, 0, 0, 0.1, 0.05};
    CHECK(adam_reference({1, 0, 0}, 5, rates).master == doctest::Approx(0.99));
    CHECK(adam_reference({1, 0, 0}, -0.2, rates).master == doctest::Approx(1.01));
    AdamRates decaying = rates;
    decaying.decay = 0.5;
    CHECK(adam_reference({1, 0, 0}, 5, decaying).master == doctest::Approx(0.985));
  }
}

}  // namespace
}  // namespace forerun::hw
