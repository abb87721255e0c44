#include "hw/roofline.h"

#include <doctest/doctest.h>

#include "core/error.h"
#include "core/file.h"
#include "core/reader.h"
#include "hw/kernel_time.h"

TEST_SUITE("hw/roofline") {
  using namespace forerun;
  using namespace forerun::hw;
  using namespace forerun::literals;

  static const Accelerator& accelerator(const std::string& name) {
    static std::map<std::string, Accelerator> loaded;
    const auto at = loaded.find(name);
    return at != loaded.end() ? at->second
                              : loaded.emplace(name, load_accelerator(name)).first->second;
  }

  static double rate(const Kernel& k, const Accelerator& a) {
    return flops(k) / kernel_time(k, a).time / 1.0_TFLOPps;
  }

  // MI300X: 668.4 TFLOP/s are the most that mamf-finder found. A large product comes near: its
  // ramp costs 175 of 16,384 steps of k, its waves little, its traffic nothing.
  TEST_CASE("a large product reaches what was measured, and none more") {
    const Accelerator& a = accelerator("mi300x");
    const double large = rate(Gemm{16384, 16384, 16384}, a);
    CHECK(large > 0.96 * 668.4);
    CHECK(large <= 668.4);
    CHECK(rate(Gemm{64, 64, 64}, a) < 0.01 * 668.4);
  }

  // 1 x 16384 x 16384 reads 537 MB: at 0.88 x 0.817 x 5300 GB/s 141 us, no operation beside it.
  TEST_CASE("a product of one row takes as long as its matrix from memory") {
    const KernelTime t = kernel_time(Gemm{1, 16384, 16384}, accelerator("mi300x"));
    CHECK(t.time.in(1.0_us) == doctest::Approx(141 + 2.5).epsilon(0.02));
    CHECK(t.compute_bound < 0.2 * t.time);
  }

  TEST_CASE("a roofline is modelled, whatever its rate rests on") {
    const Accelerator& a = accelerator("mi300x");
    CHECK(basis(*a.gemm.at(Precision::bf16)) == SurfaceBasis::roofline);
    CHECK(kernel_time(Gemm{4096, 4096, 4096}, a).evidence == DurationEvidence::modelled);
    const Attention attention{Pass::forward, AttentionKernel::flash2, 1, 4096, 4096, 32, 32, 128};
    CHECK(kernel_time(attention, a).evidence == DurationEvidence::modelled);
    CHECK(basis(*accelerator("h100-pcie-80gb").gemm.at(Precision::bf16)) == SurfaceBasis::relative);
    CHECK(basis(*accelerator("l40s").gemm.at(Precision::bf16)) == SurfaceBasis::tables);
  }

  TEST_CASE("attention reaches its rate at head size 128, less at 64, and backward less") {
    const Accelerator& a = accelerator("mi300x");
    Attention k{Pass::forward, AttentionKernel::flash2, 8, 16384, 16384, 32, 32, 128};
    k.causal = false;
    const double forward = rate(k, a);
    CHECK(forward == doctest::Approx(0.856 * 668.4).epsilon(0.02));
    k.pass = Pass::backward;
    CHECK(rate(k, a) == doctest::Approx(0.85 * forward).epsilon(0.03));
    k.pass = Pass::forward;
    k.head_dim = 64;
    CHECK(rate(k, a) == doctest::Approx(0.66 * forward).epsilon(0.03));
  }

  static std::string mi300x_with(const std::string& from, const std::string& to) {
    std::string text = read_file(data_path("hw/profiles/accelerators/mi300x.json"), kMaxJsonBytes);
    const std::size_t at = text.find(from);
    REQUIRE(at != std::string::npos);
    return text.replace(at, from.size(), to);
  }

  static Problem only_problem(const std::string& profile) {
    Problems problems;
    CHECK_FALSE(read_accelerator(profile, problems));
    REQUIRE(problems.list().size() == 1);
    return problems.list()[0];
  }

  TEST_CASE("a roofline above the peak, of nothing or of no peak is refused") {
    const Problem above = only_problem(mi300x_with("\"668.4 TFLOP/s\"", "\"1400 TFLOP/s\""));
    CHECK(above.where == "/gemm/bf16/roofline");
    CHECK(above.what == "must be above 0 and at most the peak of bf16, 1307 TFLOP/s");
    CHECK(only_problem(mi300x_with("\"668.4 TFLOP/s\"", "\"0 TFLOP/s\"")).where ==
          "/gemm/bf16/roofline");
    CHECK(only_problem(mi300x_with("\"668.4 TFLOP/s\"", "\"668.4\"")).where ==
          "/gemm/bf16/roofline");
    const std::string gemm = "\"gemm\": {\n    \"bf16\"";
    const Problem none = only_problem(mi300x_with(gemm, "\"gemm\": {\n    \"nvfp4\""));
    CHECK(none.where == "/gemm/nvfp4/roofline");
    CHECK(none.what == "the profile has no peak of nvfp4");
  }

  TEST_CASE("an entry is a roofline or a surface, not both") {
    const Problem both = only_problem(
        mi300x_with("\"roofline\": \"668.4 TFLOP/s\"",
                    "\"surface\": \"h100-sxm-80gb\",\n      \"roofline\": \"668.4 TFLOP/s\""));
    CHECK(both.where == "/gemm/bf16/surface");
  }
}
