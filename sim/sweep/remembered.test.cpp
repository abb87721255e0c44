#include "sim/sweep/remembered.h"

#include <doctest/doctest.h>

#include <atomic>
#include <stdexcept>
#include <thread>
#include <vector>

namespace forerun::sim {
namespace {

TEST_SUITE("sim/sweep/remembered") {
  TEST_CASE("a value is made once, whoever asks meanwhile waits for it") {
    Remembered<int> values(8);
    std::atomic<int> made = 0;
    std::vector<std::thread> threads;
    std::atomic<int> sum = 0;
    for (int t = 0; t < 8; ++t) {
      threads.emplace_back([&] {
        for (int key = 0; key < 4; ++key) {
          sum += *values.get(std::to_string(key), [&] {
            ++made;
            std::this_thread::yield();
            return key * 10;
          });
        }
      });
    }
    for (std::thread& t : threads) t.join();
    CHECK(made == 4);
    CHECK(sum == 8 * 60);
  }

  TEST_CASE("the oldest are forgotten, and what is held stays good") {
    Remembered<int> values(2);
    int made = 0;
    const auto get = [&](int key) {
      return values.get(std::to_string(key), [&] { return ++made, key; });
    };
    const auto first = get(1);
    (void)get(2);
    (void)get(1);
    CHECK(made == 2);
    (void)get(3);
    CHECK(*first == 1);
    (void)get(1);
    CHECK(made == 4);
  }

  TEST_CASE("what fails fails for all who ask") {
    Remembered<int> values(2);
    const auto fail = [&] {
      return values.get("x", []() -> int { throw std::runtime_error("no"); });
    };
    CHECK_THROWS_WITH((void)fail(), "no");
    CHECK_THROWS_WITH((void)values.get("x", [] { return 1; }), "no");
  }
}

}  // namespace
}  // namespace forerun::sim
