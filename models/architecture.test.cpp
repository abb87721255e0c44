#include "models/architecture.h"

#include <doctest/doctest.h>

namespace forerun::models {

TEST_SUITE("models/architecture") {
  // attention 4096 (2 x 4096 + 2 x 1024) = 41,943,040; feed-forward 3 x 4096 x 14336 = 176,160,768;
  // norms 8192; x 32, + 2 x 128256 x 4096 + 4096.
  TEST_CASE("Llama 3 8B has 8,030,261,248 parameters") {
    CHECK(parameters(load_architecture("llama3-8b")).total() == 8'030'261'248);
  }
}

}  // namespace forerun::models
