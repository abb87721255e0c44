#include "hw/probe/families.h"

#include <doctest/doctest.h>
#include <rapidcheck.h>

#include <numeric>
#include <set>

namespace forerun::hw {
namespace {

TEST_SUITE("hw/probe/families") {
  TEST_CASE("every family has its facts once, in the order of the enumeration") {
    std::set<std::string_view> names;
    int place = 0;
    for (const ProbeFamilyFacts& f : probe_families()) {
      CHECK(static_cast<int>(f.family) == place++);
      CHECK(names.insert(f.name).second);
      CHECK(!f.arguments.empty());
      CHECK(!f.passes.empty());
      CHECK(!f.implementations.empty());
      for (const ProbeArgument& a : f.arguments) CHECK(a.least <= a.most);
    }
    CHECK(place == static_cast<int>(ProbeFamily::beside_all_reduce) + 1);
  }

  TEST_CASE("parts of rows: none negative, their sum exact, falling, even without skew") {
    CHECK(probe_parts(100, 4, 0) == std::vector<std::int64_t>{25, 25, 25, 25});
    // 1.5, 1.1667, 0.8333 and 0.5 of 25 rows, cut at the floors of 37.5, 66.67 and 87.5.
    CHECK(probe_parts(100, 4, 50) == std::vector<std::int64_t>{37, 29, 21, 13});
    rc::check([] {
      const auto rows = *rc::gen::inRange<std::int64_t>(0, 1 << 20);
      const auto parts = *rc::gen::inRange<std::int64_t>(1, 300);
      const auto skew = *rc::gen::inRange<std::int64_t>(0, 101);
      const auto cut = probe_parts(rows, parts, skew);
      RC_ASSERT(std::accumulate(cut.begin(), cut.end(), std::int64_t{0}) == rows);
      for (std::size_t i = 0; i < cut.size(); ++i) {
        RC_ASSERT(cut[i] >= 0);
        if (i > 0) RC_ASSERT(cut[i] <= cut[i - 1] + 1);
      }
    });
  }

  TEST_CASE("operations and bytes of one call, by hand") {
    const ProbeShape gemm{ProbeFamily::gemm,
                          {64, 32, 16, 0},
                          Precision::bf16,
                          ProbePass::weight_gradient,
                          ProbeImplementation::cublas_lt};
    CHECK(flops(gemm).base() == 2.0 * 64 * 32 * 16);
    CHECK(traffic(gemm).base() == 2.0 * (64 * 16 + 32 * 16 + 64 * 32));
    // Four modalities share 128 rows: the same operations, the weights four times.
    const ProbeShape split{ProbeFamily::modality_gemm,
                           {4, 128, 32, 16, 0},
                           Precision::bf16,
                           ProbePass::forward,
                           ProbeImplementation::cublas_lt};
    CHECK(flops(split).base() == 2.0 * 128 * 32 * 16);
    CHECK(traffic(split).base() == 2.0 * (128 * 16 + 4 * 32 * 16 + 128 * 32));
    // Causal: 8 x 9 / 2 pairs, two products of 2 x 4 operations each.
    const ProbeShape attention{ProbeFamily::attention,
                               {1, 8, 8, 2, 2, 4, 1},
                               Precision::bf16,
                               ProbePass::forward,
                               ProbeImplementation::cudnn};
    CHECK(flops(attention).base() == 2 * 36 * 2 * 2 * 4);
    const ProbeShape adam{
        ProbeFamily::adam, {1000}, Precision::fp32, ProbePass::forward, ProbeImplementation::own};
    CHECK(traffic(adam).base() == 28000);
    const ProbeShape host{
        ProbeFamily::copy_to_device, {4096}, {}, ProbePass::forward, ProbeImplementation::runtime};
    CHECK(kernels_of(host).empty());
    CHECK(traffic(host).base() == 4096);
    CHECK(flops(host).base() == 0);
  }

  TEST_CASE("a tax's kernel is the product alone") {
    const ProbeShape tax{ProbeFamily::beside_all_reduce,
                         {64, 32, 16, 8, 4096},
                         Precision::bf16,
                         ProbePass::forward,
                         ProbeImplementation::cublas_lt};
    REQUIRE(kernels_of(tax).size() == 1);
    CHECK(flops(tax).base() == 2.0 * 64 * 32 * 16);
  }
}

}  // namespace
}  // namespace forerun::hw
