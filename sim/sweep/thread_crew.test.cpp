#include "sim/sweep/thread_crew.h"

#include <doctest/doctest.h>

#include <map>
#include <numeric>

#include "sim/sweep/made_sweep.h"

namespace forerun::sim {
namespace {

TEST_SUITE("sim/sweep/thread_crew") {
  TEST_CASE("every point comes once, with its answer, from any number of threads") {
    const Sweep s = made_sweep();
    std::map<std::int64_t, std::string> one;
    for (const int threads : {1, 3, 8}) {
      PointAnswerer answerer(s);
      ThreadCrew crew(answerer, threads);
      std::vector<std::int64_t> points(static_cast<std::size_t>(s.points()));
      std::iota(points.begin(), points.end(), 0);
      crew.give(points);
      std::map<std::int64_t, std::string> got;
      while (!crew.done()) {
        for (const PointResult& r : crew.take()) CHECK(got.emplace(r.point, packed(r)).second);
      }
      CHECK(std::ssize(got) == s.points());
      if (threads == 1) one = got;
      CHECK(got == one);
      // It can be given more.
      crew.give(std::vector<std::int64_t>{2});
      std::vector<PointResult> again;
      while (again.empty()) again = crew.take();
      CHECK(packed(again.front()) == one.at(2));
      CHECK(crew.done());
    }
  }

  TEST_CASE("stopped, it answers what it has begun and nothing more") {
    const Sweep s = made_sweep();
    PointAnswerer answerer(s);
    ThreadCrew crew(answerer, 1);
    crew.give(std::vector<std::int64_t>(200, 1));
    std::vector<PointResult> first;
    while (first.empty()) first = crew.take();
    crew.stop();
    std::size_t after = 0;
    while (!crew.done()) after += crew.take().size();
    CHECK(after < 199);
  }
}

}  // namespace
}  // namespace forerun::sim
