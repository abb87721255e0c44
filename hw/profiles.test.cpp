/// Every accelerator of hw/profiles prices every kernel that it has, within its own limits.

#include <doctest/doctest.h>
#include <rapidcheck.h>

#include <cmath>

#include "core/error.h"
#include "hw/accelerator.h"
#include "hw/attention_surface.h"
#include "hw/collective.h"
#include "hw/kernel_time.h"
#include "hw/roofline.h"

TEST_SUITE("hw/profiles") {
  using namespace forerun;
  using namespace forerun::hw;
  using namespace forerun::literals;

  static std::vector<Accelerator> all() {
    std::vector<Accelerator> out;
    for (const std::string& name : accelerator_names()) out.push_back(load_accelerator(name));
    return out;
  }

  /// Takes time, and no less than its operations take at `peak` and its bytes at the published
  /// bandwidth.
  static void check_limits(const Kernel& k, const Accelerator& a, FlopRate peak) {
    const KernelTime t = kernel_time(k, a);
    CHECK(std::isfinite(t.time.base()));
    CHECK(t.time > Seconds(0));
    CHECK(t.compute_bound >= Seconds(0));
    CHECK(t.compute_bound <= t.time);
    CHECK(flops(k) / t.time <= peak);
  }

  static FlopRate peak_of(const Accelerator& a, Precision p) {
    const auto found = a.peak.find(p == Precision::fp8_block ? Precision::fp8 : p);
    // What has no peak of its own runs no faster than 16-bit products.
    return found == a.peak.end() ? matrix_peak(a) : found->second;
  }

  TEST_CASE("every product of every format stays under its peak") {
    for (const Accelerator& a : all()) {
      CAPTURE(a.name);
      CHECK_FALSE(a.gemm.empty());
      for (const auto& entry : a.gemm) {
        const Precision p = entry.first;
        CAPTURE(name(p));
        const FlopRate peak = peak_of(a, p);
        for (const Gemm& g : {Gemm{1, 1, 1, p}, Gemm{64, 64, 65536, p}, Gemm{4096, 4096, 4096, p},
                              Gemm{16384, 16384, 16384, p}, Gemm{1, 16384, 16384, p},
                              Gemm{512, 128, 4096, p, 64}}) {
          check_limits(g, a, peak);
        }
        GroupedGemm grouped{8, 16384, 4096, 4096, p};
        for (const GroupedPass pass :
             {GroupedPass::forward, GroupedPass::input_gradient, GroupedPass::weight_gradient}) {
          grouped.pass = pass;
          check_limits(grouped, a, peak);
        }
        // A product as low as one row is bound by memory: of which no more is had than published,
        // but for caches that hold it between the calls that the tables repeat.
        const Gemm row{1, 16384, 16384, p};
        if (basis(*entry.second) == SurfaceBasis::roofline) {
          CHECK(traffic(row) / kernel_time(row, a).time < a.memory_bandwidth);
        }
      }
    }
  }

  TEST_CASE("every attention kernel, head size and pass stays under the 16-bit peak") {
    for (const Accelerator& a : all()) {
      CAPTURE(a.name);
      for (const auto& entry : a.attention) {
        CAPTURE(name(entry.first));
        for (const std::int64_t head : {32, 64, 96, 128, 192, 256}) {
          for (const Pass pass : {Pass::forward, Pass::backward}) {
            Attention k{pass, entry.first, 2, 8192, 8192, 32, 8, head};
            check_limits(k, a, matrix_peak(a));
            k.causal = false;
            check_limits(k, a, matrix_peak(a));
            k.queries = 1;
            check_limits(k, a, matrix_peak(a));
            k.queries = 8192;
            k.causal = true;
            k.window = 1024;
            check_limits(k, a, matrix_peak(a));
          }
        }
      }
    }
  }

  TEST_CASE("nothing moves more than the published memory bandwidth") {
    const std::vector<Accelerator> accelerators = all();
    CHECK(rc::check([&] {
      const Accelerator& a = *rc::gen::elementOf(accelerators);
      const Bytes read(*rc::gen::inRange(0, 1 << 30)), written(*rc::gen::inRange(1, 1 << 30));
      MemoryBound pass{read, written};
      pass.plain = *rc::gen::arbitrary<bool>();
      const Seconds t = kernel_time(pass, a).time;
      RC_ASSERT(t > Seconds(0));
      RC_ASSERT((read + written) / t < a.memory_bandwidth);
      const Gather gather{*rc::gen::inRange<std::int64_t>(1, 100000), Bytes(8192),
                          *rc::gen::element(Adding::none, Adding::sorted, Adding::atomics)};
      RC_ASSERT(traffic(gather) / kernel_time(gather, a).time < a.memory_bandwidth);
    }));
  }

  TEST_CASE("what has no table of its own is modelled") {
    for (const Accelerator& a : all()) {
      CAPTURE(a.name);
      for (const auto& [precision, surface] : a.gemm) {
        if (basis(*surface) == SurfaceBasis::tables) continue;
        CHECK(kernel_time(Gemm{4096, 4096, 4096, precision}, a).evidence ==
              DurationEvidence::modelled);
      }
    }
  }

  TEST_CASE("every accelerator has scale-up links, and a usual network that is of them") {
    for (const Accelerator& a : all()) {
      CAPTURE(a.name);
      const std::string links = scale_up_of(a.name);
      const ScaleUp inside = load_scale_up(links);
      const Network usual = load_network(inside.usual_network);
      CHECK(usual.scale_up_profile == links);
      CHECK(inside.ring <= inside.link);
      CHECK(inside.pair <= inside.link);
      CHECK(inside.all_to_all <= inside.link);
      const Group group{std::min<std::int64_t>(8, usual.domain),
                        std::min<std::int64_t>(8, usual.domain), 1};
      for (const CollectiveKind kind :
           {CollectiveKind::all_reduce, CollectiveKind::all_gather, CollectiveKind::all_to_all}) {
        const CollectiveTime t = collective_time(kind, 1.0_GiB, group, usual);
        CHECK(std::isfinite(t.time.base()));
        // In-switch reduction moves more than the links by the count of nccl-tests.
        if (inside.nvls.base() > 0) continue;
        CHECK(bus_bandwidth(kind, 1.0_GiB, group.ranks, t.time) <= inside.link);
      }
    }
  }
}
