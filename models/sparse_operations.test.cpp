// What layers with experts, towers, latent attention, depth routing and thoughts ask of the
// hardware, counted by hand.

#include <doctest/doctest.h>

#include <string>

#include "models/layer_operations.h"
#include "models/layers.h"
#include "models/parameters.h"

namespace forerun::models {
namespace {

struct Sums {
  double products = 0;  ///< FLOPs of matrix products, grouped ones too
  double attention = 0;
  int gathers = 0, scatters = 0, waits = 0, exchanges = 0;
};

Sums sums(const OperationList& list) {
  Sums s;
  for (const LayerOperation& o : list.operations) {
    const std::string name(o.name);
    if (std::holds_alternative<HostWait>(o.work)) ++s.waits;
    if (std::holds_alternative<hw::ExpertExchange>(o.work)) ++s.exchanges;
    const auto* k = std::get_if<hw::Kernel>(&o.work);
    if (k == nullptr) continue;
    const bool product =
        std::holds_alternative<hw::Gemm>(*k) || std::holds_alternative<hw::GroupedGemm>(*k);
    if (product) s.products += hw::flops(*k).base();
    if (std::holds_alternative<hw::Attention>(*k)) s.attention += hw::flops(*k).base();
    if (name.starts_with("gather ")) ++s.gathers;
    if (name.starts_with("scatter ")) ++s.scatters;
  }
  return s;
}

/// Rows that atomic operations add.
std::int64_t added_rows(const OperationList& list) {
  std::int64_t rows = 0;
  for (const LayerOperation& o : list.operations) {
    const auto* k = std::get_if<hw::Kernel>(&o.work);
    const auto* g = k == nullptr ? nullptr : std::get_if<hw::Gather>(k);
    if (g != nullptr && g->adding == hw::Adding::atomics) rows += g->rows;
  }
  return rows;
}

int launches(const OperationList& list, std::string_view name) {
  int sum = 0;
  for (const LayerOperation& o : list.operations) sum += o.name == name ? o.launches : 0;
  return sum;
}

/// Bytes of kernels bound by memory.
double passes(const OperationList& list) {
  double sum = 0;
  for (const LayerOperation& o : list.operations) {
    const auto* k = std::get_if<hw::Kernel>(&o.work);
    if (k != nullptr && std::holds_alternative<hw::MemoryBound>(*k)) sum += hw::traffic(*k).base();
  }
  return sum;
}

/// h 1024, 16 heads of 64, 4 key/value heads, gated ffn 2816.
Architecture block() {
  Architecture a;
  a.layers = 1;
  a.hidden = 1024;
  a.heads = 16;
  a.kv_heads = 4;
  a.head_dim = 64;
  a.ffn = 2816;
  a.vocab = 1000;
  a.activation = Activation::swiglu;
  a.norm = Norm::rms_norm;
  return a;
}

Slice slice(std::int64_t text = 0, std::int64_t image = 0) {
  Slice s;
  s.micro_batch = 1;
  s.sequence = 4096;
  if (text + image > 0) s.modalities = {{"text", text}, {"image", image}};
  return s;
}

Experts eight() {
  Experts e;
  e.count = 8;
  e.top_k = 2;
  e.ffn = 512;
  return e;
}

constexpr double kTokens = 4096;
// Query 1024 x 1024, keys and values 1024 x 256 each, output 1024 x 1024.
constexpr double kAttention = 1024.0 * (1024 + 256 + 256 + 1024);
constexpr double kFeedForward = 3.0 * 1024 * 2816;

}  // namespace

TEST_SUITE("models/sparse operations") {
  TEST_CASE("experts do the products of top_k copies, of the router and of shared experts") {
    Architecture a = block();
    a.experts = eight();
    a.experts->shared = 1;
    a.experts->shared_ffn = 768;
    const double routed = 2 * 3.0 * 1024 * 512, shared = 3.0 * 1024 * 768, router = 1024.0 * 8;
    const double forward = 2 * kTokens * (kAttention + routed + shared + router);
    CHECK(sums(layer_forward(a, slice(), {})).products == doctest::Approx(forward));
    CHECK(sums(layer_backward(a, slice(), {}, {}, false)).products == doctest::Approx(2 * forward));
    // One product an expert does the same.
    KernelChoices apart;
    apart.grouped_experts = GroupedExperts::none;
    CHECK(sums(layer_forward(a, slice(), apart)).products == doctest::Approx(forward));
  }

  TEST_CASE("tokens are dispatched and combined once each way, and only over several ranks") {
    Architecture a = block();
    a.experts = eight();
    CHECK(sums(layer_forward(a, slice(), {})).exchanges == 0);
    Slice s = slice();
    s.expert = 4;
    CHECK(sums(layer_forward(a, s, {})).exchanges == 2);
    CHECK(sums(layer_backward(a, s, {}, {}, false)).exchanges == 2);
    CHECK(sums(layer_backward(a, s, {}, {}, true)).exchanges == 4);  // recompute sends again
  }

  // gpt-oss on Megatron-Core, of R = 2 x 4096 rows: gate and up clamped (8 + 8 bytes an activated
  // element forward, 12 + 8 backward), output biases in 16 bit (6 + 6 and 10 + 6 bytes an element
  // of the hidden state).
  TEST_CASE("clamps and biases of experts are passes of their own, in the bytes counted by hand") {
    Architecture a = block();
    a.experts = eight();
    const double rows = 2 * kTokens, activated = rows * 512, hidden = rows * 1024;
    const double forward = passes(layer_forward(a, slice(), {}));
    const double backward = passes(layer_backward(a, slice(), {}, {}, false));
    Architecture clamped = a;
    clamped.clamped_activation = true;
    CHECK(passes(layer_forward(clamped, slice(), {})) - forward == doctest::Approx(16 * activated));
    CHECK(passes(layer_backward(clamped, slice(), {}, {}, false)) - backward ==
          doctest::Approx(20 * activated));
    Architecture biased = a;
    biased.linear_bias = true;
    const auto of_experts = [](const OperationList& list) {
      double sum = 0;
      for (const LayerOperation& o : list.operations) {
        const auto* k = std::get_if<hw::Kernel>(&o.work);
        if (k != nullptr && std::string(o.name).find("output bias") != std::string::npos) {
          sum += hw::traffic(*k).base();
        }
      }
      return sum;
    };
    CHECK(of_experts(layer_forward(biased, slice(), {})) == doctest::Approx(12 * hidden));
    CHECK(of_experts(layer_backward(biased, slice(), {}, {}, false)) ==
          doctest::Approx(16 * hidden));
  }

  // Chain of 13 + 11 bytes an element of queries and keys, (1024 + 256) x 4096 of them, for 2 + 2.
  TEST_CASE("a factor on cosines and sines unfuses the rotary embedding") {
    Architecture a = block();
    const double fused = passes(layer_forward(a, slice(), {}));
    a.scaled_rotary = true;
    CHECK(passes(layer_forward(a, slice(), {})) - fused ==
          doctest::Approx(20.0 * (1024 + 256) * kTokens));
  }

  // Of R rows: forward the activation (4 + 2 bytes an activated element) and its cast (2 + 2.0625)
  // go, backward the activation's
  // gradient (6 + 4) and its cast (twice as wide); each way (1.03125 (1024 + 512) + 4 x 512) bytes
  // a row are read and written.
  TEST_CASE("a fused feed-forward of experts has no activation passes and stashes what it keeps") {
    Architecture a = block();
    a.experts = eight();
    Slice s = slice();
    s.precision = PrecisionRecipe::mxfp8;
    KernelChoices fused;
    fused.grouped_experts = GroupedExperts::feed_forward;
    const double rows = 2 * kTokens, activated = rows * 512;
    const double stash = 2 * rows * (1.03125 * (1024 + 512) + 4 * 512);
    CHECK(passes(layer_forward(a, s, {})) - passes(layer_forward(a, s, fused)) ==
          doctest::Approx((6 + 4.0625) * activated - stash));
    CHECK(passes(layer_backward(a, s, {}, {}, false)) -
              passes(layer_backward(a, s, fused, {}, false)) ==
          doctest::Approx((10 + 2 * 4.0625) * activated - stash));
    CHECK(sums(layer_forward(a, s, fused)).products ==
          doctest::Approx(sums(layer_forward(a, s, {})).products));
  }

  TEST_CASE("experts that choose sort scores by kernels of their own and add copies by atomics") {
    Architecture a = block();
    a.experts = eight();
    CHECK(added_rows(layer_forward(a, slice(), {})) == 0);
    CHECK(launches(layer_forward(a, slice(), {}), "choose experts") == 8);
    CHECK(launches(layer_forward(a, slice(), {}), "select largest scores") == 0);
    a.experts->routing = Routing::expert_choice;
    // Two copies a token, added up after the experts and, as gradients, before them.
    CHECK(added_rows(layer_forward(a, slice(), {})) == 2 * 4096);
    CHECK(added_rows(layer_backward(a, slice(), {}, {}, false)) == 2 * 4096);
    CHECK(added_rows(layer_backward(a, slice(), {}, {}, true)) == 2 * 2 * 4096);
    CHECK(launches(layer_forward(a, slice(), {}), "choose experts") == 0);
    // 4,096 tokens are a short row: one block an expert selects its 1,024 and one sorts them.
    // 32,768 are a long one, of which 8,192 are sorted by radix, first by score and then by row.
    CHECK(launches(layer_forward(a, slice(), {}), "select largest scores") == 1);
    CHECK(launches(layer_forward(a, slice(), {}), "sort largest scores") == 1);
    Slice more = slice();
    more.micro_batch = 8;
    CHECK(launches(layer_forward(a, more, {}), "select largest scores") == 16);
    CHECK(launches(layer_forward(a, more, {}), "sort largest scores") == 17);
    // Copies on their way to other ranks are chosen from this rank's tokens alone.
    Slice ranks = slice();
    ranks.expert = 4;
    CHECK(added_rows(layer_forward(a, ranks, {})) == 2 * 4096);
    CHECK(sums(layer_forward(a, ranks, {})).exchanges == 2);
  }

  TEST_CASE("recompute that ends early leaves out what only makes the layer's output") {
    KernelChoices early;
    early.recompute_ends_early = true;
    const auto redone = [](const Architecture& a, const KernelChoices& c) {
      return sums(layer_backward(a, slice(), c, {}, true)).products -
             sums(layer_backward(a, slice(), c, {}, false)).products;
    };
    Architecture a = block();
    const double down = 2 * kTokens * 1024 * 2816;
    CHECK(redone(a, {}) == doctest::Approx(2 * kTokens * (kAttention + kFeedForward)));
    CHECK(redone(a, early) == doctest::Approx(redone(a, {}) - down));
    // The sum of the residual goes too, and nothing else.
    const auto moved = [&](const KernelChoices& c) {
      return passes(layer_backward(a, slice(), c, {}, true));
    };
    CHECK(moved({}) - moved(early) == doctest::Approx(6 * kTokens * 1024));
    // A norm after the product, a gate on it or its dropout read it in the backward pass.
    for (const NormOrder order : {NormOrder::after, NormOrder::both}) {
      Architecture normed = a;
      normed.norm_order = order;
      CHECK(redone(normed, early) == redone(normed, {}));
    }
    Architecture gated = a;
    gated.modulation = 6;
    CHECK(redone(gated, early) == redone(gated, {}));
    KernelChoices dropped = early;
    dropped.dropout = true;
    CHECK(redone(a, dropped) == doctest::Approx(redone(a, {})));
    Architecture routed = a;
    routed.depth_routing = DepthRouting{1, 0.25};
    CHECK(redone(routed, early) == redone(routed, {}));
    // Weights of outputs have gradients, so experts' products are all redone; their sum is not.
    Architecture sparse = a;
    sparse.experts = eight();
    sparse.experts->routing = Routing::expert_choice;
    CHECK(redone(sparse, early) == redone(sparse, {}));
    CHECK(added_rows(layer_backward(sparse, slice(), early, {}, true)) == 2 * 4096);
    // Shared experts' last product only makes the output, beside the dispatch too.
    sparse.experts->shared = 1;
    sparse.experts->shared_ffn = 768;
    KernelChoices beside = early;
    beside.shared_expert_overlap = true;
    Slice ranks = slice();
    ranks.expert = 4;
    for (const KernelChoices& c : {early, beside}) {
      KernelChoices whole = c;
      whole.recompute_ends_early = false;
      CHECK(sums(layer_backward(sparse, ranks, whole, {}, true)).products -
                sums(layer_backward(sparse, ranks, c, {}, true)).products ==
            doctest::Approx(2 * kTokens * 1024 * 768));
    }
    // In a parallel block attention's last product too; and its part of an exchange over tensor
    // ranks.
    Architecture parallel = a;
    parallel.parallel_block = true;
    CHECK(redone(parallel, early) ==
          doctest::Approx(redone(parallel, {}) - down - 2 * kTokens * 1024 * 1024));
    Slice two = slice();
    two.tensor = 2;
    const auto collectives = [&](const KernelChoices& c) {
      int sum = 0;
      const OperationList list = layer_backward(a, two, c, {}, true);
      for (const LayerOperation& o : list.operations)
        sum += std::holds_alternative<Exchange>(o.work);
      return sum;
    };
    CHECK(collectives({}) - collectives(early) == 1);
    // Of eight bits the product's input is cast all the same: its gradient reads the cast.
    Slice eight_bits = slice();
    eight_bits.precision = PrecisionRecipe::mxfp8;
    CHECK(launches(layer_backward(a, eight_bits, early, {}, true), "quantize activation") ==
          launches(layer_backward(a, eight_bits, {}, {}, true), "quantize activation"));
    // Towers are not put back together.
    Architecture towers = a;
    towers.towers.list = {{{"text"}}, {{"image"}}};
    const auto scatters = [&](const KernelChoices& c) {
      return sums(layer_backward(towers, slice(3000, 1096), c, {}, true)).scatters;
    };
    CHECK(scatters({}) - scatters(early) == 2);
  }

  // Queries of 1,024 values a token, keys and values of 256.
  TEST_CASE("norms of heads copy what one product made and join its gradients") {
    Architecture a = block();
    a.qk_norm = true;
    KernelChoices apart;
    apart.separate_projections = true;
    KernelChoices generated;
    generated.generated_elementwise = true;
    const double copied = 4 * kTokens * (1024 + 256), joined = 4 * kTokens * (1024 + 256 + 256);
    const auto forward = [&](const KernelChoices& c) {
      return passes(layer_forward(a, slice(), c));
    };
    const auto backward = [&](const KernelChoices& c) {
      return passes(layer_backward(a, slice(), c, {}, false));
    };
    CHECK(forward({}) - forward(generated) == doctest::Approx(copied));
    CHECK(backward({}) - backward(generated) == doctest::Approx(joined));
    const double projected = forward(apart), gradients = backward(apart);
    a.qk_norm = false;
    CHECK(projected - forward(apart) == doctest::Approx(4 * kTokens * (1024 + 256)));
    CHECK(gradients - backward(apart) == doctest::Approx(10 * kTokens * (1024 + 256)));
    // Of towers too, whose norms come before they are joined.
    a.qk_norm = true;
    a.towers.list = {{{"text"}}, {{"image"}}};
    CHECK(launches(layer_forward(a, slice(3000, 1096), {}), "copy queries and keys") == 2);
    CHECK(launches(layer_forward(a, slice(3000, 1096), apart), "copy queries and keys") == 0);
  }

  // 64 experts' worth of capacity_factor 1.25: a quarter more rows than chosen copies.
  TEST_CASE("a capacity pads the experts' rows, and a load of 1.5 makes half as many again") {
    Architecture a = block();
    a.experts = eight();
    const double without = sums(layer_forward(a, slice(), {})).products;
    const double routed = 2 * kTokens * 2 * 3.0 * 1024 * 512;
    a.experts->capacity_factor = 1.25;
    CHECK(sums(layer_forward(a, slice(), {})).products == doctest::Approx(without + 0.25 * routed));
    a.experts->capacity_factor = 0;
    Slice s = slice();
    s.load.mine = 1.5;
    CHECK(sums(layer_forward(a, s, {})).products == doctest::Approx(without + 0.5 * routed));
  }

  TEST_CASE("towers do the dense model's products, however the tokens are shared") {
    const double dense = sums(layer_forward(block(), slice(), {})).products;
    CHECK(dense == doctest::Approx(2 * kTokens * (kAttention + kFeedForward)));
    Architecture a = block();
    a.towers.list = {{{"text"}}, {{"image"}}};
    for (const std::int64_t text : {1, 1000, 2048, 4095}) {
      CHECK(sums(layer_forward(a, slice(text, 4096 - text), {})).products ==
            doctest::Approx(dense));
      CHECK(sums(layer_backward(a, slice(text, 4096 - text), {}, {}, false)).products ==
            doctest::Approx(2 * dense));
    }
    KernelChoices grouped;
    grouped.grouped_modalities = true;
    CHECK(sums(layer_forward(a, slice(1000, 3096), grouped)).products == doctest::Approx(dense));
  }

  // facebookresearch/Mixture-of-Transformers: x, attention result and feed-forward input gathered;
  // queries, keys, values, attention output and feed-forward output scattered, for each modality.
  TEST_CASE("a layer of towers gathers three times and scatters five times a modality") {
    Architecture a = block();
    a.towers.list = {{{"text"}}, {{"image"}}};
    const Sums s = sums(layer_forward(a, slice(2048, 2048), {}));
    CHECK(s.gathers == 3 * 2);
    CHECK(s.scatters == 5 * 2);
    CHECK(s.waits == 0);
    KernelChoices masks;
    masks.modality_mask_syncs = true;
    CHECK(sums(layer_forward(a, slice(2048, 2048), masks)).waits == (3 + 5) * 2);
    // A modality that is absent is not gathered.
    CHECK(sums(layer_forward(a, slice(4096, 0), {})).gathers == 3);
  }

  TEST_CASE("a tower with experts beside a dense tower does its own tokens' products") {
    Architecture a = block();
    a.towers.list = {{{"text"}}, {{"image"}}};
    a.experts = eight();
    a.experts->top_k = 1;
    a.experts->ffn = 2816;
    a.experts->groups = {{{"text"}, 8}};
    const double router = 2 * 1024.0 * 1024 * 8;  // of 1,024 tokens of text
    CHECK(sums(layer_forward(a, slice(1024, 3072), {})).products ==
          doctest::Approx(2 * kTokens * (kAttention + kFeedForward) + router));
  }

  // q 1024 -> 96 -> 16 x 48, kv 1024 -> 64 + 16, 64 -> 16 x (32 + 40), out 16 x 40 -> 1024.
  TEST_CASE("latent attention does its projections' products and attends with two head sizes") {
    Architecture a = block();
    a.kv_heads = 16;
    a.latent_attention = LatentAttention{96, 64, 32, 16, 40};
    const double matrices = 1024.0 * 96 + 96 * 16 * 48 + 1024 * 80 + 64 * 16 * 72 + 16 * 40 * 1024;
    CHECK(static_cast<double>(layer_parameters(a).attention) == matrices);
    const Sums s = sums(layer_forward(a, slice(), {}));
    CHECK(s.products == doctest::Approx(2 * kTokens * (matrices + kFeedForward)));
    CHECK(s.attention == doctest::Approx(2 * 16 * (4096.0 * 4097 / 2) * (48 + 40)));
  }

  TEST_CASE("a window of w keys leaves w (w + 1) / 2 + (S - w) w pairs") {
    Architecture a = block();
    a.window = AttentionWindow{};
    a.window->tokens = 128;
    CHECK(sums(layer_forward(a, slice(), {})).attention ==
          doctest::Approx(4 * 16 * 64 * (128.0 * 129 / 2 + (4096 - 128) * 128.0)));
  }

  TEST_CASE("a depth-routed layer does a quarter of its products, and its router all tokens") {
    Architecture a = block();
    a.depth_routing = DepthRouting{1, 0.25};
    const Sums s = sums(layer_forward(a, slice(), {}));
    CHECK(s.products ==
          doctest::Approx(2 * (kTokens / 4) * (kAttention + kFeedForward) + 2 * kTokens * 1024));
    CHECK(s.attention == doctest::Approx(4 * 16 * 64 * (1024.0 * 1025 / 2)));
    // Backward twice the layer's products, and the router's two.
    const double backward = sums(layer_backward(a, slice(), {}, {}, false)).products;
    CHECK(backward == doctest::Approx(2 * s.products));
  }

  // Beside what a layer of 1,024 tokens moves: forward the scores of 4,096 tokens, in and out in 32
  // bit by the sigmoid and by the block that selects, one sort of 1,024 (scores and 64-bit
  // indices), ten of their indices, the picked rows in and out, all tokens copied, and, by a kernel
  // of its own kind, the picked rows added. Backward the picked rows' gradients (8 B), zeros for
  // all (2 B), the rows added to them likewise, and two sums of gradients of all (2 x 6 B).
  TEST_CASE("a depth-routed layer copies all tokens, and sums three gradients of its input") {
    Architecture a = block();
    Slice quarter = slice();
    quarter.sequence = 1024;
    const double forward = passes(layer_forward(a, quarter, {}));
    const double backward = passes(layer_backward(a, quarter, {}, {}, false));
    const double redone = passes(layer_backward(a, quarter, {}, {}, true));
    a.depth_routing = DepthRouting{1, 0.25};
    const double all = kTokens * 1024;
    const double choice = (1 + 1) * kTokens * 8 + kTokens / 4 * (24 + 10 * 16) + all / 4 * 4;
    CHECK(passes(layer_forward(a, slice(), {})) - forward == doctest::Approx(choice + all * 4));
    CHECK(added_rows(layer_forward(a, slice(), {})) == 1024);
    CHECK(added_rows(layer_backward(a, slice(), {}, {}, false)) == 1024);
    const double gradients = all / 4 * 8 + all * (2 + 2 * 6);
    CHECK(passes(layer_backward(a, slice(), {}, {}, false)) - backward ==
          doctest::Approx(gradients));
    // What full recompute repeats is the choice too.
    CHECK(passes(layer_backward(a, slice(), {}, {}, true)) - redone ==
          doctest::Approx(gradients + choice));
  }

  // Three passes: keys of one, two and three sequences, all of them computed but for the first.
  TEST_CASE("thoughts repeat a layer over growing keys") {
    Architecture a = block();
    a.thoughts = Thoughts{2, 2, 1};
    const Sums s = sums(layer_forward(a, slice(), {}));
    CHECK(s.products == doctest::Approx(3 * 2 * kTokens * (kAttention + kFeedForward)));
    const double all = 4.0 * 16 * 64 * 4096 * 4096;
    CHECK(s.attention == doctest::Approx(all * (4097.0 / 8192 + 2 + 3)));
  }
}

}  // namespace forerun::models
