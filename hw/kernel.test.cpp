#include "hw/kernel.h"

#include <doctest/doctest.h>

TEST_SUITE("hw/kernel") {
  using namespace forerun;
  using namespace forerun::hw;

  TEST_CASE("a product does two operations for each of m n k and moves every operand once") {
    const Kernel k = Gemm{.m = 3, .n = 5, .k = 7, .batch = 2};
    CHECK(flops(k).base() == 2.0 * 3 * 5 * 7 * 2);
    // bf16: 2 bytes of A (21), B (35) and C (15), twice.
    CHECK(traffic(k).base() == 2.0 * 2 * (21 + 35 + 15));
  }

  TEST_CASE("a product that accumulates reads and writes C in 32 bit") {
    Gemm g{.m = 3, .n = 5, .k = 7};
    g.accumulates = true;
    CHECK(traffic(g).base() == 2.0 * (21 + 35) + 8.0 * 15);
  }

  TEST_CASE("block scales are counted with the elements of a product's input") {
    CHECK(bytes_per_element(Precision::mxfp8) == 1.03125);
    CHECK(bytes_per_element(Precision::nvfp4) == 0.5625);
    CHECK(bytes_per_element(Precision::fp8_block) == 1.03125);
  }

  TEST_CASE("causal attention computes exactly the pairs of a query and the keys up to it") {
    Attention a{.batch = 1, .queries = 4, .keys = 4, .heads = 1, .kv_heads = 1, .head_dim = 1};
    // 1 + 2 + 3 + 4 pairs of 16.
    CHECK(flops(a).base() == 4.0 * 10);
    a.causal = false;
    CHECK(flops(a).base() == 4.0 * 16);
    a.causal = true;
    a.queries = 2;  // the last two rows: 3 + 4
    CHECK(flops(a).base() == 4.0 * 7);
    a.queries = 6;  // two queries before the first key see nothing
    CHECK(flops(a).base() == 4.0 * 10);
  }

  TEST_CASE("the backward pass of attention does two and a half times the operations") {
    Attention a{.batch = 2, .queries = 128, .keys = 128, .heads = 8, .kv_heads = 2, .head_dim = 64};
    const Flops forward = flops(a);
    a.pass = Pass::backward;
    CHECK(flops(a) / forward == doctest::Approx(2.5));
  }

  TEST_CASE("adding rows moves the table's rows twice and picking them once") {
    const Gather pick{.rows = 10, .row = Bytes(64)};
    Gather add = pick;
    add.adding = Adding::sorted;
    CHECK(traffic(pick).base() == 2 * 640.0);
    CHECK(traffic(add).base() == 3 * 640.0);
    CHECK(flops(add).base() == 0.0);
  }
}
