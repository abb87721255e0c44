#include "sim/run/node_pool.h"

#include <doctest/doctest.h>

TEST_SUITE("sim/run/node_pool") {
  using namespace forerun::sim;

  TEST_CASE("spares go first, then nodes are missing, and all come back") {
    NodePool pool(3, 1);
    CHECK(pool.lose(0));
    CHECK(pool.missing() == 0);
    CHECK(pool.replaced() == 1);
    CHECK(pool.lose(10));
    CHECK(pool.lose(20));
    CHECK(pool.missing() == 2);
    // One from 10 to 20, two from 20 to 30.
    CHECK(pool.missing_ticks(30) == 10 + 20);
    pool.come_back(30);
    CHECK(pool.missing() == 1);
    CHECK(pool.missing_ticks(40) == 40);
    pool.come_back(40);
    pool.come_back(50);  // into the spares
    CHECK(pool.missing() == 0);
    CHECK(pool.missing_ticks(100) == 40);
    CHECK(pool.replaced() == 3);
    CHECK(pool.lose(60));
    CHECK(pool.missing() == 0);
  }

  TEST_CASE("more than there are cannot be lost") {
    NodePool pool(2, 0);
    CHECK(pool.lose(0));
    CHECK(pool.lose(0));
    CHECK_FALSE(pool.lose(0));
    CHECK(pool.missing() == 2);
  }
}
