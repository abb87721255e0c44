#include "core/random.h"

#include <doctest/doctest.h>
#include <rapidcheck.h>

#include <cmath>
#include <set>

namespace forerun {
namespace {

using Block = std::array<std::uint32_t, 4>;

}  // namespace

TEST_SUITE("core/random") {
  TEST_CASE("the generator gives the known answers of its authors") {
    // The three philox4x32 10 lines of kat_vectors in Random123 1.14 (Salmon et al. 2011): counter,
    // key, expected. The last counter and key are digits of pi.
    CHECK(philox({0, 0, 0, 0}, {0, 0}) == Block{0x6627e8d5, 0xe169c58d, 0xbc57ac4c, 0x9b00dbd8});
    CHECK(philox({0xffffffff, 0xffffffff, 0xffffffff, 0xffffffff}, {0xffffffff, 0xffffffff}) ==
          Block{0x408f276d, 0x41c83b0e, 0xa20bc7c6, 0x6d5451fd});
    CHECK(philox({0x243f6a88, 0x85a308d3, 0x13198a2e, 0x03707344}, {0xa4093822, 0x299f31d0}) ==
          Block{0xd16cfe09, 0x94fdcceb, 0x5001e420, 0x24126ea1});
  }

  TEST_CASE("the name's hash is FNV-1a of 64 bits") {
    // Test vectors of the FNV authors (Fowler, Noll, Vo; draft-eastlake-fnv, appendix C).
    CHECK(hash_text("") == 0xcbf29ce484222325u);
    CHECK(hash_text("a") == 0xaf63dc4c8601ec8cu);
    CHECK(hash_text("foobar") == 0x85944171f73967e8u);
  }

  TEST_CASE("a draw is the block at counter (draw, name) under the seed") {
    const Stream stream(0x299f31d0a4093822u, "foobar");
    CHECK(stream.block(0x85a308d3243f6a88u) ==
          philox({0x243f6a88, 0x85a308d3, 0xf73967e8, 0x85944171}, {0xa4093822, 0x299f31d0}));
  }

  TEST_CASE("streams of other names, seeds or draws differ") {
    std::set<Block> blocks;
    for (std::uint64_t seed = 0; seed < 10; ++seed) {
      for (const char* name : {"failures/node/1", "failures/node/2", "mixture"}) {
        for (std::uint64_t draw = 0; draw < 100; ++draw) {
          blocks.insert(Stream(seed, name).block(draw));
        }
      }
    }
    CHECK(blocks.size() == 10u * 3u * 100u);
  }

  TEST_CASE("the distributions have their mean and variance") {
    // 100,000 draws: the mean of a variable of variance v errs by sqrt(v / 1e5), 5 of which allow a
    // one-in-a-million miss; the draws are fixed, so the test can't flicker.
    const Stream stream(7, "moments");
    const int n = 100000;
    double uniform = 0.0;
    double normal = 0.0;
    double normal_squared = 0.0;
    double exponential = 0.0;
    for (int i = 0; i < n; ++i) {
      const auto draw = static_cast<std::uint64_t>(i);
      uniform += stream.uniform(draw) / n;
      const double z = stream.normal(draw);
      normal += z / n;
      normal_squared += z * z / n;
      exponential += stream.exponential(draw) / n;
    }
    CHECK(std::abs(uniform - 0.5) < 5.0 * std::sqrt(1.0 / 12.0 / n));
    CHECK(std::abs(normal) < 5.0 * std::sqrt(1.0 / n));
    CHECK(std::abs(normal_squared - 1.0) < 5.0 * std::sqrt(2.0 / n));
    CHECK(std::abs(exponential - 1.0) < 5.0 * std::sqrt(1.0 / n));
  }

  TEST_CASE("whole numbers below ten come equally often") {
    // 100,000 draws in ten cells: each holds 10,000 +- sqrt(9,000) = 95; chi squared with nine
    // degrees of freedom passes 27.9 once in a thousand.
    const Stream stream(7, "dice");
    std::array<double, 10> count{};
    for (std::uint64_t i = 0; i < 100000; ++i) count.at(stream.below(i, 10)) += 1.0;
    double chi_squared = 0.0;
    for (const double c : count) chi_squared += (c - 10000.0) * (c - 10000.0) / 10000.0;
    CHECK(chi_squared < 27.9);
  }

  TEST_CASE("every draw stays inside its range") {
    CHECK(rc::check("0 < uniform < 1 and below(bound) < bound",
                    [](std::uint64_t seed, std::uint64_t draw) {
                      const Stream stream(seed, "range");
                      const auto bound = *rc::gen::nonZero<std::uint64_t>();
                      RC_ASSERT(stream.uniform(draw) > 0.0);
                      RC_ASSERT(stream.uniform(draw) < 1.0);
                      RC_ASSERT(std::isfinite(stream.normal(draw)));
                      RC_ASSERT(stream.exponential(draw) > 0.0);
                      RC_ASSERT(stream.below(draw, bound) < bound);
                    }));
  }
}

}  // namespace forerun
