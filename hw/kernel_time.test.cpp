#include "hw/kernel_time.h"

#include <doctest/doctest.h>
#include <rapidcheck.h>

#include "core/error.h"
#include "hw/gemm_surface.h"

TEST_SUITE("hw/kernel_time") {
  using namespace forerun;
  using namespace forerun::hw;
  using namespace forerun::literals;

  static const Accelerator& accelerator(const std::string& name) {
    static std::map<std::string, Accelerator> loaded;
    if (!loaded.contains(name)) loaded.emplace(name, load_accelerator(name));
    return loaded.at(name);
  }

  static double tflops(const Kernel& k, const std::string& name) {
    return flops(k) / kernel_time(k, accelerator(name)).time / 1.0_TFLOPps;
  }

  TEST_CASE("a streaming kernel takes its ramp and its bytes over the sustained bandwidth") {
    const Accelerator& a = accelerator("h100-sxm-80gb");
    const KernelTime t = kernel_time(MemoryBound{3.0_GB, 1.0_GB}, a);
    CHECK(t.time.base() ==
          doctest::Approx(a.memory_ramp.base() + 4e9 / (a.memory_efficiency * 3350e9)));
    CHECK(t.compute_bound == Seconds(0));
    CHECK(t.evidence == DurationEvidence::modelled);
    CHECK(kernel_time(MemoryBound{}, a).time == a.memory_ramp);
  }

  TEST_CASE("a plain pass streams as fast as a copy") {
    const Accelerator& a = accelerator("a100-sxm-80gb");
    CHECK(kernel_time(MemoryBound{3.0_GB, 1.0_GB, true}, a).time.base() ==
          doctest::Approx(a.memory_ramp.base() + 4e9 / (a.streaming_efficiency * 2039e9)));
    CHECK(a.streaming_efficiency > a.memory_efficiency);
  }

  TEST_CASE("bf16 atomics bind where compare and swap makes them, memory elsewhere") {
    // 8,192 rows of 1,024 values took 132.2 us (PaddlePaddle/Paddle pull request 48056).
    const Gather sum{8192, Bytes(2 * 1024), Adding::atomics};
    const Accelerator& a = accelerator("a100-sxm-80gb");
    CHECK((kernel_time(sum, a).time - a.memory_ramp).in(1.0_us) ==
          doctest::Approx(132.2).epsilon(1e-3));
    Gather sorted = sum;
    sorted.adding = Adding::sorted;
    CHECK(kernel_time(sorted, a).time < 0.5 * kernel_time(sum, a).time);
    Gather half = sum;
    half.precision = Precision::fp16;
    CHECK(kernel_time(half, a).time == kernel_time(sorted, a).time);
    const Accelerator& h = accelerator("h100-sxm-80gb");
    CHECK(kernel_time(sum, h).time == kernel_time(sorted, h).time);
    // What one block does takes its time on any machine.
    MemoryBound block{Bytes(1e4), Bytes(1e4)};
    block.serial = 60.0_us;
    CHECK(kernel_time(block, h).time == h.memory_ramp + 60.0_us);
  }

  TEST_CASE("a large product on an H100 runs where published peaks of matrix products lie") {
    // 794.5 TFLOP/s is the most that mamf-finder found in bf16, 720 a long run (hardware facts).
    const double rate = tflops(Gemm{8192, 8192, 8192}, "h100-sxm-80gb");
    CHECK(rate > 720);
    CHECK(rate < 830);
  }

  TEST_CASE("fp16 on the A100 is published 5.5 % faster than bf16 and marked as modelled") {
    const Gemm bf16{8192, 8192, 8192};
    Gemm fp16 = bf16;
    fp16.precision = Precision::fp16;
    const Accelerator& a = accelerator("a100-sxm-80gb");
    CHECK(kernel_time(bf16, a).time / kernel_time(fp16, a).time ==
          doctest::Approx(1.055).epsilon(0.01));
    CHECK(kernel_time(fp16, a).evidence == DurationEvidence::modelled);
    CHECK(kernel_time(bf16, a).evidence == DurationEvidence::interpolated);
  }

  TEST_CASE("evidence falls from interpolated to extrapolated to modelled") {
    const Accelerator& a = accelerator("h100-sxm-80gb");
    CHECK(kernel_time(Gemm{100000, 8192, 8192}, a).evidence == DurationEvidence::extrapolated);
    CHECK(kernel_time(Gemm{1024, 8192, 8192}, accelerator("b300-sxm")).evidence ==
          DurationEvidence::modelled);
    Attention attention{.kernel = AttentionKernel::flash3,
                        .batch = 1,
                        .queries = 4096,
                        .keys = 4096,
                        .heads = 32,
                        .kv_heads = 8,
                        .head_dim = 128};
    CHECK(kernel_time(attention, a).evidence == DurationEvidence::interpolated);
    attention.pass = Pass::backward;
    CHECK(kernel_time(attention, a).evidence == DurationEvidence::modelled);
  }

  TEST_CASE("attention on the H100 reproduces published charts of FlashAttention-2 and -3") {
    // hidden 2048, 16,384 tokens, causal, head size 128, length 8192 (hw/fit/attention_charts.csv):
    // FlashAttention-2 333 forward, 308 both passes together, FlashAttention-3 602 forward.
    Attention a{.kernel = AttentionKernel::flash2,
                .batch = 2,
                .queries = 8192,
                .keys = 8192,
                .heads = 16,
                .kv_heads = 16,
                .head_dim = 128};
    CHECK(tflops(a, "h100-sxm-80gb") == doctest::Approx(333).epsilon(0.04));
    Attention back = a;
    back.pass = Pass::backward;
    const Accelerator& h100 = accelerator("h100-sxm-80gb");
    const Seconds both = kernel_time(a, h100).time + kernel_time(back, h100).time;
    CHECK((flops(a) + flops(back)) / both / 1.0_TFLOPps == doctest::Approx(308).epsilon(0.05));
    a.kernel = AttentionKernel::flash3;
    CHECK(tflops(a, "h100-sxm-80gb") == doctest::Approx(602).epsilon(0.10));  // a later version
  }

  TEST_CASE("accumulating into 32 bit costs part of the traffic of C") {
    Gemm g{4096, 4096, 8192};
    const Accelerator& a = accelerator("h100-sxm-80gb");
    const Seconds plain = kernel_time(g, a).time;
    g.accumulates = true;
    // Three quarters of 6 bytes more an element at the sustained share of 3.35 TB/s.
    CHECK((kernel_time(g, a).time - plain).base() ==
          doctest::Approx(0.75 * 6 * 4096 * 4096 / (a.memory_efficiency * 3350e9)));
  }

  TEST_CASE("promoting 8-bit partial sums costs rate on Hopper and nothing on Blackwell") {
    Gemm g{8192, 8192, 8192, Precision::fp8};
    const auto ratio = [&](const char* name) {
      g.promotes = false;
      const Seconds fast = kernel_time(g, accelerator(name)).time;
      g.promotes = true;
      return kernel_time(g, accelerator(name)).time / fast;
    };
    // 1 / 0.87 of the part that computes, which is nearly all of a product this large.
    CHECK(ratio("h100-sxm-80gb") == doctest::Approx(1 / 0.87).epsilon(0.02));
    CHECK(ratio("b200-sxm") == 1);
  }

  TEST_CASE(
      "a table's long products met the cap of the board that was measured, short ones did not") {
    const Accelerator& a = accelerator("gb200");
    const auto clock_in_table = [&](std::int64_t n) {
      const Gemm g{n, n, n};
      const KernelTime table = kernel_time(g, a);
      return at_burst_clock(table, g, a.power).compute_bound / table.compute_bound;
    };
    // 0.1 ms, then 90 ms at 1,480 TFLOP/s, where 222 W idle and 0.873 pJ an operation make 1,514 W
    // at the burst clock: (978 / 1,292)^(1/3) = 0.91 of it keeps the board at its 1,200 W.
    CHECK(clock_in_table(4096) > 0.97);
    CHECK(clock_in_table(40960) == doctest::Approx(0.91).epsilon(0.03));
    // An A100's products stay below its cap, or nearly.
    const Gemm g{8192, 8192, 8192};
    const Accelerator& ampere = accelerator("a100-sxm-80gb");
    const KernelTime table = kernel_time(g, ampere);
    CHECK(at_burst_clock(table, g, ampere.power).time / table.time > 0.97);
  }

  TEST_CASE("at a lower clock only the compute-bound part of a kernel stretches") {
    const KernelTime t{10.0_us, 6.0_us, DurationEvidence::modelled};
    CHECK(at_clock(t, 1).base() == doctest::Approx(10e-6));
    CHECK(at_clock(t, 0.5).base() == doctest::Approx(4e-6 + 12e-6));
  }

  TEST_CASE("what a profile has not is an error that names it") {
    CHECK_THROWS_WITH_AS(
        (void)kernel_time(Gemm{8, 8, 8, Precision::fp8}, accelerator("a100-sxm-80gb")),
        "a100-sxm-80gb has no matrix products in fp8", Error);
    CHECK_THROWS_WITH_AS((void)kernel_time(Attention{.kernel = AttentionKernel::flash3,
                                                     .batch = 1,
                                                     .queries = 8,
                                                     .keys = 8,
                                                     .heads = 1,
                                                     .kv_heads = 1,
                                                     .head_dim = 64},
                                           accelerator("a100-sxm-80gb")),
                         "a100-sxm-80gb has no attention kernel flash3", Error);
  }

  TEST_CASE("an empty kernel takes no time") {
    CHECK(kernel_time(Gemm{0, 4096, 4096}, accelerator("h100-sxm-80gb")).time == Seconds(0));
  }

  /// bf16, or fp16 of cores that have no bf16.
  static Precision sixteen_bit(const Accelerator& a) {
    return a.peak.contains(Precision::bf16) ? Precision::bf16 : Precision::fp16;
  }

  TEST_CASE(
      "twice the rows take longer, and more rows are faster by no more than the noise of tables") {
    // Libraries pick another kernel for m + 1 than for m, so measured times do fall by a little
    // where m rises; the smoothed surface allows a twentieth.
    const std::vector<std::string> names = accelerator_names();
    CHECK(rc::check([&] {
      const Accelerator& a = accelerator(*rc::gen::elementOf(names));
      const auto m = *rc::gen::inRange<std::int64_t>(512, 32768);
      const auto more = m + *rc::gen::inRange<std::int64_t>(1, 4096);
      const auto n = *rc::gen::inRange<std::int64_t>(16, 512) * 64;
      const auto k = *rc::gen::inRange<std::int64_t>(16, 512) * 64;
      const Precision format = sixteen_bit(a);
      const Seconds t = kernel_time(Gemm{m, n, k, format}, a).time;
      RC_ASSERT(kernel_time(Gemm{2 * m, n, k, format}, a).time > 1.1 * t);
      RC_ASSERT(kernel_time(Gemm{more, n, k, format}, a).time > 0.95 * t);
    }));
  }

  TEST_CASE("no product is faster than the peak rate and the memory bandwidth allow") {
    const std::vector<std::string> names = accelerator_names();
    CHECK(rc::check([&] {
      const Accelerator& a = accelerator(*rc::gen::elementOf(names));
      const Gemm g{*rc::gen::inRange<std::int64_t>(1, 65536),
                   *rc::gen::inRange<std::int64_t>(1, 1024) * 64,
                   *rc::gen::inRange<std::int64_t>(1, 1024) * 64, sixteen_bit(a)};
      RC_ASSERT(flops(g) / kernel_time(g, a).time < matrix_peak(a));
    }));
  }
}
