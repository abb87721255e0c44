#include "hw/fit/isotonic.h"

#include <doctest/doctest.h>

#include <algorithm>
#include <numeric>

using namespace forerun::hw;

TEST_CASE("what rises stays, what falls is pooled to its mean") {
  CHECK(isotonic({}).empty());
  CHECK(isotonic({1, 2, 2, 5}) == std::vector<double>{1, 2, 2, 5});
  CHECK(isotonic({1, 4, 2, 5}) == std::vector<double>{1, 3, 3, 5});
  CHECK(isotonic({4, 3, 2}) == std::vector<double>{3, 3, 3});
}

TEST_CASE("the result rises and keeps the sum") {
  std::vector<double> v;
  for (int i = 0; i < 50; ++i) v.push_back((i * 37) % 11 + 0.1 * i);
  const std::vector<double> r = isotonic(v);
  CHECK(std::is_sorted(r.begin(), r.end()));
  CHECK(std::accumulate(r.begin(), r.end(), 0.0) ==
        doctest::Approx(std::accumulate(v.begin(), v.end(), 0.0)));
}
