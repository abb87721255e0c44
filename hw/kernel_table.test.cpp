#include "hw/kernel_table.h"

#include <doctest/doctest.h>

#include "hw/attention_surface.h"

TEST_SUITE("hw/kernel_table") {
  using namespace forerun;
  using namespace forerun::hw;

  static std::vector<TableScore> scores(std::string_view csv, const Accelerator& accelerator) {
    Problems problems;
    const auto table = read_kernel_table(csv, problems);
    REQUIRE_MESSAGE(table, problems.text("table"));
    return score(*table, accelerator);
  }

  TEST_CASE("the kind of a table is known by its columns") {
    Problems problems;
    CHECK(read_kernel_table("m,n,k,dtype,latency_us\n1,1,1,bf16,2\n", problems)->kind ==
          TableKind::gemm);
    CHECK(read_kernel_table("op,dtype,gpus,bytes,latency_us\nall_reduce,fp16,8,1024,9\n", problems)
              ->kind == TableKind::nccl);
    CHECK(problems.empty());
    CHECK_FALSE(read_kernel_table("m,n,dtype\n1,1,bf16\n", problems));
    CHECK(problems.list().at(0).where == "line 1");
  }

  TEST_CASE("a row with a time of zero is refused") {
    Problems problems;
    CHECK_FALSE(read_kernel_table("m,n,k,dtype,latency_us\n8,8,8,bf16,0\n", problems));
    CHECK(problems.list().at(0).where == "line 2, latency_us");
  }

  TEST_CASE("each dtype gets its own score and what a profile lacks is named") {
    const auto s = scores(
        "m,n,k,dtype,latency_us\n4096,4096,4096,bf16,500\n4096,4096,4096,fp8,300\n"
        "8192,4096,4096,bf16,1000\n",
        load_accelerator("a100-sxm-80gb"));
    REQUIRE(s.size() == 2);
    CHECK(s[0].dtype == "bf16");
    CHECK(s[0].rows == 2);
    CHECK(s[0].predicted == 2);
    CHECK(s[0].median < 0.3);
    CHECK(s[1].dtype == "fp8");
    CHECK(s[1].predicted == 0);
    CHECK(s[1].note == "a100-sxm-80gb has no products in fp8");
  }

  TEST_CASE("a layer of experts is predicted where its rows are known and named where not") {
    const auto s = scores(
        "tokens,hidden,inter,experts,topk,tp,ep,gated,distribution,dtype,latency_us\n"
        "16384,4096,14336,8,2,1,1,1,balanced,bf16,20000\n"
        "16384,4096,14336,8,2,1,1,1,power_law_1.2,bf16,20000\n",
        load_accelerator("h100-sxm-80gb"));
    REQUIRE(s.size() == 1);
    CHECK(s[0].operation == "moe");
    CHECK(s[0].rows == 2);
    CHECK(s[0].predicted == 1);
    CHECK(s[0].note == "the rows of the most loaded accelerator are not recorded");
  }

  // Of 16,384 tokens and top 2 over 4 ranks 8,192 rows: 8,192 x 6 x 4096 x 14336 = 2.9 TFLOP, a
  // quarter of what one rank with all experts does; the passes over rows are small beside it.
  TEST_CASE("over four expert-parallel ranks each does a quarter") {
    const Accelerator h100 = load_accelerator("h100-sxm-80gb");
    ExpertsRow row{16384, 4096, 14336, 8, 2, 1, 1, true, true, "bf16", Seconds(1)};
    const Seconds whole = *predict(row, h100);
    row.expert = 4;
    CHECK(*predict(row, h100) / whole == doctest::Approx(0.25).epsilon(0.05));
    CHECK(*predict(row, h100) > Seconds(2.9e12 / 989e12));
  }

  // Work of 192 + 128 for 192 + 192 at 0.758 of the rate: 0.8333 / 0.758 = 1.0994.
  TEST_CASE("latent attention runs at three quarters of the rate of one head size") {
    const Accelerator h100 = load_accelerator("h100-sxm-80gb");
    const LatentRow row{1, 4096, 128, 192, 128, true, "bf16", Seconds(1)};
    LatentRow wide = row;
    wide.v_head_dim = 192;
    CHECK(beside(wide, h100) < 0.2 * beside(row, h100));  // nothing is rotated: the ramp remains
    CHECK((*predict(row, h100) - beside(row, h100)) / (*predict(wide, h100) - beside(wide, h100)) ==
          doctest::Approx(1.0994).epsilon(0.02));
  }

  TEST_CASE("sustained rows are predicted slower than the same product's burst") {
    const Accelerator h200 = load_accelerator("h200-sxm");
    const GemmRow row{16384, 12288, 12288, "bf16", Seconds(1), Watts(700)};
    CHECK(*predict_sustained(row, h200) > 1.05 * *predict(row, h200));
    const GemmRow small{512, 512, 512, "bf16", Seconds(1), Watts(150)};
    CHECK(*predict_sustained(small, h200) == *predict(small, h200));
  }

  TEST_CASE("rows of 8-bit products contain the cast of the activation") {
    const Accelerator h100 = load_accelerator("h100-sxm-80gb");
    const GemmRow row{8192, 64, 8192, "fp8", Seconds(1), {}};
    // 67 million elements, of which the product alone reads 67 MB: 22 us at 3 TB/s; the casts move
    // several times that.
    CHECK(*predict(row, h100) > Seconds(100e-6));
  }

  TEST_CASE("every generation's table timed one kernel of its profile") {
    CHECK(tabled_attention(load_accelerator("a100-sxm-80gb")) == AttentionKernel::flash2);
    CHECK(tabled_attention(load_accelerator("h200-sxm")) == AttentionKernel::flash3);
    CHECK(tabled_attention(load_accelerator("gb200")) == AttentionKernel::cudnn);
  }
}
