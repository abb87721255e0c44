#include "models/expert_operations.h"

#include <algorithm>
#include <cmath>

#include "models/elementwise_operations.h"
#include "models/largest_scores.h"
#include "models/parallel_products.h"

namespace forerun::models {
namespace {

using hw::CollectiveKind;
using hw::Gemm;
using hw::GroupedGemm;
using hw::GroupedPass;

bool wanted(Wanted w, LayerPart p) { return w == nullptr || w->contains(p); }

std::int64_t whole(double rows) { return std::max<std::int64_t>(0, std::llround(rows)); }

/// One set's experts of a layer on this rank.
struct Routed {
  const Layer& l;
  const Experts& e;
  ExpertRows rows;
  double tokens;  ///< that choose
  std::int64_t count;

  [[nodiscard]] double width() const { return l.hidden(); }
  [[nodiscard]] std::int64_t ffn() const { return e.ffn / l.s.expert_tensor; }
  [[nodiscard]] std::int64_t up() const { return (l.a.gated() ? 2 : 1) * ffn(); }
  /// Rows of the products: with expert-tensor parallelism those of all its ranks.
  [[nodiscard]] double product_rows() const {
    return rows.received * static_cast<double>(l.s.expert_tensor);
  }
};

Routed routed(const Layer& l, const WeightSet& set, std::int64_t tokens) {
  return {l, *l.a.experts, expert_rows(l.a, l.s, set, tokens), static_cast<double>(tokens),
          set.experts};
}

/// Kernels that are built while it lives work on `rows` copies of the rank's experts each.
class OnExperts {
 public:
  OnExperts(const Routed& r, double rows) : builder_(r.l.b) { builder_.experts(rows, r.rows.load); }
  ~OnExperts() { builder_.experts(0, 0); }
  OnExperts(const OnExperts&) = delete;
  OnExperts& operator=(const OnExperts&) = delete;

 private:
  OperationBuilder& builder_;
};

bool fused_feed_forward(const Routed& r) {
  return r.l.c.grouped_experts == GroupedExperts::feed_forward;
}

/// A grouped product is one launch, or as many an expert as the library issues: its product and, in
/// blocks of 32, the two reorderings of scales before it.
int grouped_launches(const Routed& r) {
  if (!r.l.c.experts_issued_apart || fused_feed_forward(r)) return 1;
  const bool blocks = r.l.s.precision == PrecisionRecipe::mxfp8;
  return static_cast<int>(r.rows.here) * (blocks ? 3 : 1);
}

/// The same of casts of the experts' inputs and gradients, over the kernels of one cast. With one
/// scale a tensor only the maxima are an expert's own (one of current scaling's three kernels): all
/// are cast and transposed in one launch (Transformer Engine, multi_cast_transpose).
int cast_launches(const Routed& r) {
  if (!r.l.c.experts_issued_apart || fused_feed_forward(r)) return 1;
  const bool tensors = r.l.s.precision == PrecisionRecipe::fp8_current;
  return std::max(1, static_cast<int>(r.rows.here) / (tensors ? 3 : 1));
}

/// The products of all experts of a rank: one kernel, or one an expert.
void products(const Routed& r, std::string_view name, GroupedPass pass, std::int64_t n,
              std::int64_t k) {
  const Layer& l = r.l;
  const bool gradient = pass == GroupedPass::weight_gradient;
  const bool fused = l.c.fused_gradient_accumulation;
  l.b.weight_gradient(gradient);
  if (l.c.grouped_experts != GroupedExperts::none) {
    const OnExperts on(r, r.product_rows());
    GroupedGemm g;
    g.groups = r.rows.here;
    g.rows = r.product_rows();
    g.n = n;
    g.k = k;
    g.precision = l.precision();
    g.pass = pass;
    g.promotes = pass != GroupedPass::forward && is_low_precision(l.s.precision);
    g.accumulates = gradient && fused && l.c.gradient_bytes == 4;
    l.b.kernel(name, g, grouped_launches(r));
  } else {
    const double each = r.product_rows() / static_cast<double>(r.rows.here);
    const OnExperts on(r, each);
    const std::int64_t m = whole(each);
    for (std::int64_t i = 0; i < r.rows.here; ++i) {
      Gemm g{m, n, k, l.precision()};
      if (pass == GroupedPass::input_gradient) g = Gemm{m, k, n, l.precision()};
      if (gradient) {
        g = Gemm{n, k, m, l.precision()};
        g.accumulates = fused && l.c.gradient_bytes == 4;
      }
      g.promotes = pass != GroupedPass::forward && is_low_precision(l.s.precision);
      l.b.kernel(name, g);
    }
  }
  if (gradient && !fused) {
    l.b.plain_pass_of_weights("accumulate gradient", static_cast<double>(r.rows.here * n * k),
                              2.0 + l.c.gradient_bytes, l.c.gradient_bytes);
  }
  l.b.weight_gradient(false);
}

/// Copies to the experts' ranks, or back. `element`: bytes of a value on the way.
void exchange(const Routed& r, std::string_view name, bool combine, double element) {
  const Layer& l = r.l;
  if (l.s.expert == 1) return;
  hw::ExpertExchange x;
  x.kind = l.c.expert_dispatch;
  x.combine = combine;
  x.tokens = r.tokens;
  x.token = Bytes(element * l.hidden());
  x.copies = r.e.top_k;
  x.experts = r.count;
  x.imbalance = l.s.load.exchange;
  x.domain_limit = r.e.node_limit;
  if (l.c.expert_exchange_overlap) {
    l.b.expert_exchange_beside(name, x);
  } else {
    l.b.expert_exchange(name, x);
  }
}

void gather_tensor(const Routed& r, std::string_view name, bool scatter) {
  if (r.l.s.expert_tensor == 1) return;
  const double bytes = 2.0 * r.product_rows() * r.width();
  r.l.b.exchange(name, scatter ? CollectiveKind::reduce_scatter : CollectiveKind::all_gather, bytes,
                 Dimension::expert_tensor);
}

/// Rows moved by index, `read` and `written` of them.
void permute(const Routed& r, std::string_view name, double read, double written) {
  r.l.b.memory(name, r.width(), 2.0 * read, 2.0 * written, 2);
}

bool experts_choose(const Routed& r) { return r.e.routing == Routing::expert_choice; }

/// Copies of tokens, or their gradients, added up at their tokens. A token that experts chose has
/// any number of copies, none too: they are added to zeros by index, by atomic operations
/// (torch.index_add, scatter_add). Of tokens that chose, all have as many, and one pass adds them.
void add_copies(const Routed& r, std::string_view name) {
  if (!experts_choose(r)) {
    permute(r, name, r.rows.routed, r.tokens);
    return;
  }
  r.l.b.memory("zero sums of copies", r.tokens * r.width(), 0, 2);
  r.l.b.kernel(name, hw::Gather{whole(r.rows.routed), Bytes(2.0 * r.width()), hw::Adding::atomics,
                                sixteen_bit(r.l.s.precision)});
}

/// Scores in 32 bit.
void choose(const Routed& r) {
  const double scores = r.tokens * static_cast<double>(r.count);
  if (experts_choose(r)) {
    // Cast, and sigmoid or softmax.
    r.l.b.memory("scores of experts", scores, 2 + 4, 4 + 4, 2);
    largest_scores(r.l.b, r.count, whole(r.tokens),
                   whole(r.rows.routed / static_cast<double>(r.count)));
    return;
  }
  // Cast, softmax or sigmoid, top-k, mask, counts, load balance.
  r.l.b.memory("choose experts", scores, 4 + 4 + 4, 4 + 4 + 1, 8);
}

/// Copies sorted by the local expert that they came for, when there are several.
void sort_by_expert(const Routed& r, std::string_view name) {
  if (r.l.s.expert > 1 && r.rows.here > 1 &&
      r.l.c.expert_dispatch == hw::ExpertExchangeKind::all_to_all) {
    const OnExperts on(r, r.rows.received);
    permute(r, name, r.rows.received, r.rows.received);
  }
}

/// Between the experts' two products, unless they are one with it.
void activation(const Routed& r, bool backward) {
  if (fused_feed_forward(r)) return;
  const OnExperts on(r, r.product_rows());
  const bool gated = r.l.a.gated();
  const double elements = r.product_rows() * static_cast<double>(r.ffn());
  if (!backward) {
    clamp_forward(r.l, elements);
    r.l.b.memory("experts activation", elements, gated ? 4 : 2, 2);
    return;
  }
  r.l.b.memory("experts activation gradient", elements, gated ? 6 : 4, gated ? 4 : 2);
  clamp_backward(r.l, elements);
}

void quantize_rows(const Routed& r, std::string_view name, double width, bool fused) {
  const OnExperts on(r, r.product_rows());
  quantize_input(r.l.b, r.l.s.precision, name, r.product_rows() * width, fused, cast_launches(r));
}

void quantize_gradient_rows(const Routed& r, double width) {
  const OnExperts on(r, r.product_rows());
  quantize_gradient(r.l.b, r.l.s.precision, "quantize expert gradient", r.product_rows() * width,
                    cast_launches(r));
}

/// Biases of the experts' outputs, times the tokens' probabilities: expert by expert a product and
/// a sum, then all copied into one tensor (NVIDIA/Megatron-LM megatron/core/transformer/moe/
/// experts.py, TEGroupedMLP._apply_bias; linear_fc2 skips its own). Fused dispatch hands the
/// probabilities over in 32 bit, and then so are product, sum and copy, which is cast back. The
/// biases before the activation are the product's epilogue, and their gradients too.
void output_bias(const Routed& r, bool backward) {
  if (!r.l.a.linear_bias || fused_feed_forward(r)) return;
  const OnExperts on(r, r.product_rows());
  const bool wide = r.l.c.expert_dispatch == hw::ExpertExchangeKind::fused;
  const double p = wide ? 4 : 2, cast = wide ? 1 : 0;
  const auto experts = static_cast<int>(r.rows.here);
  const double elements = r.product_rows() * r.width();
  if (!backward) {
    r.l.b.memory("add output biases", elements, (2 + p) + p + cast * p, p + p + p + cast * 2,
                 2 * experts + (wide ? 2 : 1));
    return;
  }
  // Cast, and back for the product's own; times probability and summed over rows, times bias and
  // summed over columns; the pieces' gradients copied into one tensor.
  r.l.b.memory("output bias gradient", elements, cast * (2 + p) + 2 * (p + p) + 2,
               cast * (p + 2) + 2 * p + 2, (wide ? 5 : 4) * experts + (wide ? 2 : 1));
}

/// What the fused feed-forward keeps for the backward pass, copied to pages or back: both products'
/// inputs in 8 bit with a scale a block of 32, and what goes into the activation in 16 bit. The
/// copies have a stream of their own; that they cost what they would cost alone is assumed.
void stash(const Routed& r, std::string_view name) {
  if (!fused_feed_forward(r)) return;
  const OnExperts on(r, r.product_rows());
  const double row =
      1.03125 * (r.width() + static_cast<double>(r.ffn())) + 2 * static_cast<double>(r.up());
  r.l.b.memory(name, r.product_rows(), row, row, 3);
}

double dispatched_element(const Layer& l) {
  // Fused dispatch kernels send what the recipe casts; the others 16 bit.
  const bool eight =
      is_low_precision(l.s.precision) && l.c.expert_dispatch == hw::ExpertExchangeKind::fused;
  return eight ? 1.0 : 2.0;
}

/// Shared experts are one dense part of their widths together.
void shared_products(const Layer& l, Extent extent, const WeightSet& set) {
  const Experts& e = *l.a.experts;
  if (e.shared == 0) return;
  const Rows rows = {rows_of(set, l.s, l.s.tokens())};
  OperationBuilder& b = l.b;
  b.part(LayerPart::shared_experts);
  const std::int64_t f = e.shared * e.shared_ffn / l.s.tensor;
  const std::int32_t gathering = gather_input(l);
  forward_product(l, "shared experts up", (l.a.gated() ? 2 : 1) * f, l.a.hidden, rows);
  b.require(gathering);
  b.memory("shared experts activation", sum(rows) * static_cast<double>(f), l.a.gated() ? 4 : 2, 2);
  if (extent == Extent::as_needed) return;
  row_parallel_forward(l, "shared experts down", f, rows);
  b.memory("add shared experts", l.outer() * l.hidden(), 4, 2);
}

}  // namespace

ExpertRows expert_rows(const Architecture& a, const Slice& s, const WeightSet& set,
                       std::int64_t tokens) {
  const Experts& e = *a.experts;
  ExpertRows r;
  r.here = std::max<std::int64_t>(1, set.experts / s.expert);
  r.routed = static_cast<double>(tokens) * static_cast<double>(e.top_k);
  // Every rank of the group sends as many, and gets 1 / expert of all.
  double fair = r.routed;
  double mine = s.load.mine;
  if (e.routing == Routing::expert_choice) mine = 1;
  if (e.capacity_factor > 0) {
    // Padded to capacity, so that loads do not matter.
    fair *= e.capacity_factor;
    mine = 1;
  }
  r.received = fair * mine;
  r.load = mine;
  return r;
}

void experts_forward(const Layer& l, Wanted w, Extent extent, const WeightSet& set,
                     std::int64_t tokens) {
  OperationBuilder& b = l.b;
  const Routed r = routed(l, set, tokens);
  if (wanted(w, LayerPart::router)) {
    b.part(LayerPart::router);
    b.kernel("router", Gemm{tokens, r.count, l.a.hidden, sixteen_bit(l.s.precision)});
    choose(r);
  }
  const bool beside = l.c.shared_expert_overlap && !l.c.expert_exchange_overlap;
  std::int32_t dispatching = -1;
  if (wanted(w, LayerPart::dispatch)) {
    b.part(LayerPart::dispatch);
    permute(r, "permute tokens", r.tokens, r.rows.routed);
    if (beside && l.s.expert > 1 && wanted(w, LayerPart::shared_experts)) {
      exchange(r, "dispatch tokens", false, dispatched_element(l));
      dispatching = b.release();
    } else {
      exchange(r, "dispatch tokens", false, dispatched_element(l));
    }
  }
  if (beside && wanted(w, LayerPart::shared_experts)) {
    shared_products(l, extent, set);
    b.require(dispatching);
  }
  if (wanted(w, LayerPart::dispatch)) {
    b.part(LayerPart::dispatch);
    // The host needs every expert's rows to issue its product.
    if (l.c.expert_count_syncs && r.e.capacity_factor == 0 &&
        r.e.routing == Routing::token_choice) {
      b.host_wait("wait for the experts' rows");
    }
    sort_by_expert(r, "sort tokens by expert");
    gather_tensor(r, "gather tokens of experts", false);
  }
  if (wanted(w, LayerPart::expert_up)) {
    b.part(LayerPart::expert_up);
    quantize_rows(r, "quantize expert input", l.hidden(), false);
    products(r, "experts up", GroupedPass::forward, r.up(), l.a.hidden);
  }
  if (wanted(w, LayerPart::expert_activation)) {
    b.part(LayerPart::expert_activation);
    activation(r, false);
  }
  if (wanted(w, LayerPart::expert_down)) {
    b.part(LayerPart::expert_down);
    if (!fused_feed_forward(r)) {
      quantize_rows(r, "quantize expert activation", static_cast<double>(r.ffn()), true);
    }
    products(r, "experts down", GroupedPass::forward, l.a.hidden, r.ffn());
    output_bias(r, false);
    stash(r, "stash experts' activations");
  }
  if (wanted(w, LayerPart::combine)) {
    b.part(LayerPart::combine);
    gather_tensor(r, "scatter sums of experts", true);
    sort_by_expert(r, "sort outputs by rank");
    exchange(r, "combine outputs", true, 2.0);
    if (extent == Extent::whole) {
      // A sum by index takes what was weighed before it.
      if (experts_choose(r)) b.memory("weigh outputs", r.rows.routed * r.width(), 2, 2);
      add_copies(r, experts_choose(r) ? "add outputs" : "weigh and add outputs");
    }
  }
  if (!beside && wanted(w, LayerPart::shared_experts)) shared_products(l, extent, set);
}

void experts_backward(const Layer& l, const WeightSet& set, std::int64_t tokens) {
  OperationBuilder& b = l.b;
  const Routed r = routed(l, set, tokens);
  if (r.e.shared > 0) {
    b.part(LayerPart::shared_experts);
    const std::int64_t f = r.e.shared * r.e.shared_ffn / l.s.tensor;
    const Rows shared = {rows_of(set, l.s, l.s.tokens())};
    row_parallel_backward(l, "shared experts down input gradient",
                          "shared experts down weight gradient", f, shared);
    b.memory("shared experts activation gradient", sum(shared) * static_cast<double>(f),
             l.a.gated() ? 6 : 4, l.a.gated() ? 4 : 2);
    const std::int64_t up = (l.a.gated() ? 2 : 1) * f;
    column_parallel_backward(
        l, {{"shared experts up input gradient", "shared experts up weight gradient", up}},
        static_cast<double>(up), shared);
  }
  b.part(LayerPart::combine);
  // Gradients of the copies and, where outputs are weighed here, of the weights.
  permute(r, "spread output gradients", r.tokens + r.rows.routed, r.rows.routed);
  exchange(r, "dispatch output gradients", false, 2.0);
  sort_by_expert(r, "sort gradients by expert");
  gather_tensor(r, "gather gradients of experts", false);
  b.part(LayerPart::expert_down);
  stash(r, "restore experts' activations");
  output_bias(r, true);
  quantize_gradient_rows(r, l.hidden());
  products(r, "experts down input gradient", GroupedPass::input_gradient, l.a.hidden, r.ffn());
  products(r, "experts down weight gradient", GroupedPass::weight_gradient, l.a.hidden, r.ffn());
  b.part(LayerPart::expert_activation);
  activation(r, true);
  b.part(LayerPart::expert_up);
  if (!fused_feed_forward(r)) quantize_gradient_rows(r, static_cast<double>(r.up()));
  products(r, "experts up input gradient", GroupedPass::input_gradient, r.up(), l.a.hidden);
  products(r, "experts up weight gradient", GroupedPass::weight_gradient, r.up(), l.a.hidden);
  b.part(LayerPart::dispatch);
  gather_tensor(r, "scatter input gradients of experts", true);
  sort_by_expert(r, "sort input gradients by rank");
  exchange(r, "combine input gradients", true, 2.0);
  add_copies(r, "add input gradients of copies");
  b.part(LayerPart::router);
  b.memory("choose experts gradient", r.tokens * static_cast<double>(r.count), 4 + 4, 4 + 2, 5);
  b.kernel("router input gradient", Gemm{tokens, l.a.hidden, r.count, sixteen_bit(l.s.precision)});
  b.weight_gradient(true);
  b.kernel("router weight gradient", Gemm{r.count, l.a.hidden, tokens, sixteen_bit(l.s.precision)});
  b.weight_gradient(false);
}

}  // namespace forerun::models
