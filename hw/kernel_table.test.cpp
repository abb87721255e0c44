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

  TEST_CASE("latent attention and mixtures of experts are counted as not yet modelled") {
    const auto s = scores(
        "batch,seq_len,heads,qk_head_dim,v_head_dim,causal,dtype,latency_us\n"
        "1,1024,16,192,128,1,bf16,50\n",
        load_accelerator("h100-sxm-80gb"));
    REQUIRE(s.size() == 1);
    CHECK(s[0].operation == "mla");
    CHECK(s[0].rows == 1);
    CHECK(s[0].note == "not yet modelled");
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
