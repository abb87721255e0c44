#include "sim/price.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>

#include "hw/expert_exchange.h"
#include "hw/kernel_time.h"

namespace forerun::sim {
namespace {

template <class... F>
struct Overloaded : F... {
  using F::operator()...;
};

Exchanged exchanged(hw::CollectiveKind kind, Bytes bytes, const PlacedGroup& group) {
  return {kind, bytes, group.ranks, group.stride, group.mirrored};
}

}  // namespace

Work& Work::operator+=(const Work& o) {
  flops += o.flops;
  weighted_flops += o.weighted_flops;
  traffic += o.traffic;
  busy += o.busy;
  compute_bound += o.compute_bound;
  for (std::size_t i = 0; i < by_evidence.size(); ++i) by_evidence[i] += o.by_evidence[i];
  return *this;
}

hw::PowerWindow Work::window(Seconds time) const {
  return {weighted_flops, traffic, compute_bound, time - compute_bound};
}

std::string shape_text(const hw::Kernel& kernel) {
  return std::visit(
      Overloaded{[](const hw::Gemm& g) {
                   std::string s =
                       fmt::format("{} x {} x {} {}", g.m, g.n, g.k, hw::name(g.precision));
                   if (g.batch > 1) s += fmt::format(", batch {}", g.batch);
                   return s;
                 },
                 [](const hw::Attention& a) {
                   std::string s = fmt::format("batch {}, {} x {}, {}/{} heads of {}{}", a.batch,
                                               a.queries, a.keys, a.heads, a.kv_heads, a.head_dim,
                                               a.causal ? ", causal" : "");
                   if (a.v_head_dim > 0) s += fmt::format(", values of {}", a.v_head_dim);
                   if (a.window > 0) s += fmt::format(", window {}", a.window);
                   if (a.pairs_share != 1) s += fmt::format(", {:.3f} of the pairs", a.pairs_share);
                   return s;
                 },
                 [](const hw::MemoryBound& m) {
                   return fmt::format("{:.1f} MB in, {:.1f} MB out", m.read.in(Bytes(1e6)),
                                      m.written.in(Bytes(1e6)));
                 },
                 [](const hw::GroupedGemm& g) {
                   return fmt::format("{} of {:.0f} x {} x {} {}", g.groups,
                                      g.rows / static_cast<double>(g.groups), g.n, g.k,
                                      hw::name(g.precision));
                 },
                 [](const hw::Gather& g) {
                   return fmt::format("{} rows of {:.0f} B", g.rows, g.row.base());
                 }},
      kernel);
}

Pricer::Pricer(const Scenario& scenario, const Layout& layout, double clock,
               std::vector<Label>* labels, KnownTimes* known)
    : scenario_(scenario), layout_(layout), clock_(clock), labels_(labels), known_(known) {
  const Framework& f = scenario.framework;
  // Whole-iteration graphs issue a node in tens of nanoseconds; partial graphs a share of kernels.
  launch_ = f.cuda_graphs ? 0 : count(to_ticks(f.launch * (1.0 - f.graphed_share)));
  expert_launch_ = f.cuda_graphs ? 0 : count(to_ticks(f.expert_launch));
}

std::int32_t Pricer::label(Label l) {
  const double bytes = l.exchanged ? l.exchanged->bytes.base() : 0.0;
  const std::int64_t stride = l.exchanged ? l.exchanged->stride : 0;
  const auto [it, inserted] = label_index_.try_emplace({l.name, l.shape, l.load, bytes, stride},
                                                       static_cast<std::int32_t>(labels_->size()));
  if (inserted) labels_->push_back(std::move(l));
  return it->second;
}

std::int32_t Pricer::named(std::string_view name, std::size_t units) {
  if (labels_ == nullptr) return 0;
  const auto found = named_.find({name, units});
  if (found != named_.end()) return found->second;
  const std::int32_t id =
      label({.name = std::string(name), .shape = units == 0 ? "" : fmt::format("{} units", units)});
  named_.emplace(std::pair(name, units), id);
  return id;
}

/// A memory-bound kernel of a pass with what the framework moves besides.
hw::Kernel Pricer::with_unlisted_traffic(const hw::Kernel& kernel, models::LayerPart part) const {
  const auto* m = std::get_if<hw::MemoryBound>(&kernel);
  const Framework& f = scenario_.framework;
  const bool of_experts = part >= models::LayerPart::router;
  const double factor = f.elementwise_traffic * (of_experts ? f.expert_traffic : 1.0);
  if (m == nullptr || factor == 1.0) return kernel;
  hw::MemoryBound more = *m;
  more.read = m->read * factor;
  more.written = m->written * factor;
  return more;
}

PricedOperation Pricer::price_kernel(std::string_view name, const hw::Kernel& kernel, int launches,
                                     Category category, Work& work, const Owner& owner) {
  PricedOperation p;
  p.category = category;
  check_length(static_cast<double>(launch_) * launches);
  p.host = launch_ * launches;
  const hw::Accelerator& accelerator = scenario_.accelerator;
  hw::KernelTime t = known_ != nullptr ? known_->kernel(kernel)
                                       : hw::at_burst_clock(hw::kernel_time(kernel, accelerator),
                                                            kernel, accelerator.power);
  if (std::holds_alternative<hw::GroupedGemm>(kernel)) {
    const Seconds more = t.compute_bound * (1.0 / scenario_.framework.grouped_rate - 1.0);
    t.time += more;
    t.compute_bound += more;
  }
  const Seconds time = hw::at_clock(t, clock_ * scenario_.accelerator.in_job_rate);
  p.ticks = count(to_ticks(time));
  if (labels_ != nullptr) {
    p.label = label({.name = owner.modality.empty() ? std::string(name)
                                                    : fmt::format("{}, {}", name, owner.modality),
                     .shape = shape_text(kernel),
                     .evidence = t.evidence,
                     .modality = std::string(owner.modality),
                     .product = std::holds_alternative<hw::Gemm>(kernel) ||
                                std::holds_alternative<hw::GroupedGemm>(kernel),
                     .rows = owner.rows,
                     .load = owner.load,
                     .flops = hw::flops(kernel),
                     .traffic = hw::traffic(kernel)});
  }
  const Flops done = hw::flops(kernel);
  work.flops += done;
  work.weighted_flops += done * hw::energy_weight(kernel);
  work.traffic += hw::traffic(kernel);
  work.busy += time;
  work.compute_bound += t.compute_bound / scenario_.accelerator.in_job_rate;
  work.by_evidence[static_cast<std::size_t>(t.evidence)] += time;
  return p;
}

PricedOperation Pricer::price(const models::LayerOperation& o, const models::OperationList& list,
                              Work& work) {
  PricedOperation p;
  if (const auto* kernel = std::get_if<hw::Kernel>(&o.work)) {
    const std::string_view set =
        o.set >= 0 ? list.sets[static_cast<std::size_t>(o.set)] : std::string_view();
    p = price_kernel(o.name, o.of_weights ? *kernel : with_unlisted_traffic(*kernel, o.part),
                     o.launches, o.recomputed ? Category::recompute : Category::compute, work,
                     {set, o.rows, o.load});
  } else if (const auto* exchange = std::get_if<models::Exchange>(&o.work)) {
    p = price_exchange(o, *exchange);
  } else if (const auto* experts = std::get_if<hw::ExpertExchange>(&o.work)) {
    p = price_expert_exchange(o, *experts);
  } else {
    p.category = Category::host;
    // A graph of the whole step has no host to wait.
    if (!scenario_.framework.cuda_graphs) {
      p.ticks = count(to_ticks(scenario_.framework.host_sync));
      p.host_waits = true;
    }
    if (labels_ != nullptr) p.label = named(o.name, 0);
  }
  if (o.part >= models::LayerPart::router && std::holds_alternative<hw::Kernel>(o.work)) {
    check_length(static_cast<double>(expert_launch_) * o.launches);
    p.host = expert_launch_ * o.launches;
  }
  if (in_graph(o.part)) p.host = 0;
  p.wait = o.wait;
  return p;
}

bool Pricer::in_graph(models::LayerPart part) const {
  using enum models::LayerPart;
  switch (part) {
    case attention_norm:
    case qkv:
    case query:
    case key:
    case value:
    case latent_up:
    case rotary:
    case core_attention:
    case attention_output:
      return scenario_.framework.graphed_attention;
    case router:
      return scenario_.framework.graphed_router;
    default:
      return false;
  }
}

PricedOperation Pricer::price_exchange(const models::LayerOperation& o, const models::Exchange& e) {
  const bool context = e.dimension == models::Dimension::context;
  const PlacedGroup& group = context                                     ? layout_.context
                             : e.dimension == models::Dimension::tensor  ? layout_.tensor
                             : e.dimension == models::Dimension::encoder ? layout_.encoder
                                                                         : layout_.expert_tensor;
  PricedOperation c = collective(o.name, e.kind, e.bytes, group, StreamKind::tensor,
                                 context ? Category::context_exchange : Category::tensor_exchange);
  c.ticks = static_cast<std::int64_t>(static_cast<double>(c.ticks) * e.share);
  if (scenario_.accelerators > scenario_.network.domain) {
    c.host += count(to_ticks(scenario_.network.exchange_host * static_cast<double>(group.ranks)));
  }
  return c;
}

PricedOperation Pricer::price_expert_exchange(const models::LayerOperation& o,
                                              const hw::ExpertExchange& x) {
  const hw::CollectiveTime t = hw::expert_exchange_time(x, layout_.expert, scenario_.network);
  const bool by_nccl = x.kind != hw::ExpertExchangeKind::fused;
  const hw::EquivalentCollective load = hw::equivalent_collective(x, layout_.expert);
  PricedOperation p = exchange_of(t, load.kind, load.bytes, layout_.expert, StreamKind::tensor,
                                  Category::expert_exchange, by_nccl);
  if (labels_ != nullptr) {
    p.label = label({.name = std::string(o.name),
                     .shape = fmt::format("{} {:.0f} tokens of {:.1f} kB, {} ranks, {} a domain",
                                          hw::name(x.kind), x.tokens, x.token.in(Bytes(1e3)),
                                          layout_.expert.ranks, layout_.expert.per_domain),
                     .evidence = t.evidence,
                     .load = x.imbalance,
                     .exchanged = exchanged(load.kind, load.bytes, layout_.expert)});
  }
  return p;
}

std::int32_t Pricer::exchange_index(const hw::CollectiveTime& time, hw::CollectiveKind kind,
                                    Bytes bytes, const PlacedGroup& group, double kept) {
  const bool on_links = scenario_.topology != nullptr && group.ranks > 1 && group.stride > 0;
  if (!on_links || bytes.base() <= 0 || time.time <= time.latency) return -1;
  const bool tree = time.algorithm == "tree" || time.algorithm == "nvls-tree";
  const PricedExchange e{group, kind, tree ? hw::FlowAlgorithm::tree : hw::FlowAlgorithm::ring,
                         bytes / ((time.time - time.latency) / kept), time.latency / time.time};
  const auto [at, inserted] =
      exchange_index_.try_emplace(e, static_cast<std::int32_t>(exchanges_.size()));
  if (inserted) exchanges_.push_back(e);
  return at->second;
}

PricedOperation Pricer::exchange_of(const hw::CollectiveTime& time, hw::CollectiveKind kind,
                                    Bytes bytes, const PlacedGroup& group, StreamKind stream,
                                    Category category, bool by_nccl) {
  PricedOperation p;
  p.stream = stream;
  p.category = category;
  p.host = launch_;
  const bool inside = group.per_domain == group.ranks;
  const double kept = inside ? scenario_.accelerator.scale_up_in_job : 1.0;
  p.ticks = group.ranks > 1 ? count(to_ticks(time.time / kept)) : 0;
  p.exchange = exchange_index(time, kind, bytes, group, kept);
  const double share = inside || !by_nccl ? 1.0 : scenario_.network.network_tax;
  p.tax =
      static_cast<std::uint8_t>(std::lround(100.0 * share * scenario_.accelerator.collective_tax));
  return p;
}

PricedOperation Pricer::collective(std::string_view name, hw::CollectiveKind kind, Bytes bytes,
                                   const PlacedGroup& group, StreamKind stream, Category category) {
  const CollectiveKey key{name, kind, bytes, group, stream, category};
  const auto found = collectives_.find(key);
  if (found != collectives_.end()) return found->second;
  return collectives_.emplace(key, price_collective(key)).first->second;
}

PricedOperation Pricer::price_collective(const CollectiveKey& key) {
  const auto& [name, kind, bytes, group, stream, category] = key;
  const hw::CollectiveTime t = known_ != nullptr
                                   ? known_->collective(kind, bytes, group)
                                   : hw::collective_time(kind, bytes, group, scenario_.network);
  PricedOperation p = exchange_of(t, kind, bytes, group, stream, category, true);
  if (labels_ == nullptr) return p;
  p.label =
      label({.name = std::string(name),
             .shape = fmt::format("{} {:.1f} MB, {} ranks, {} a domain, {}", hw::name(kind),
                                  bytes.in(Bytes(1e6)), group.ranks, group.per_domain, t.algorithm),
             .evidence = t.evidence,
             .exchanged = exchanged(kind, bytes, group)});
  return p;
}

PricedOperation Pricer::memory_pass(const char* name, Bytes read, Bytes written, int launches,
                                    Category category, Work* work, bool plain) {
  Work unused;
  return price_kernel(name, hw::MemoryBound{read, written, plain}, launches, category,
                      work != nullptr ? *work : unused, {});
}

namespace {

/// A list `times` in a row on one rank; without `host` it costs the host nothing.
Program alone(const std::vector<PricedOperation>& list, std::int64_t times, bool host) {
  Program program;
  RankProgram& rank = program.ranks.emplace_back();
  rank.operations.reserve(list.size() * static_cast<std::size_t>(times));
  for (std::int64_t t = 0; t < times; ++t) {
    const auto first = static_cast<OperationId>(rank.operations.size());
    for (const PricedOperation& p : list) {
      Operation& o = rank.operations.emplace_back();
      o.duration = p.ticks;
      if (p.wait >= 0) o.wait[0] = first + p.wait;
      o.stream = p.stream;
      o.category = p.category;
      o.tax = p.tax;
      if (!host) continue;
      o.host_first = p.host;
      o.host_waits = p.host_waits;
    }
  }
  return program;
}

}  // namespace

Segment Pricer::segment(const models::OperationList& list) {
  Segment s;
  s.trailing = list.trailing;
  s.operations.reserve(list.operations.size());
  for (const models::LayerOperation& o : list.operations)
    s.operations.push_back(price(o, list, s.work));
  fold(s);
  return s;
}

void fold(Segment& s) {
  double length = 0;
  for (const PricedOperation& p : s.operations) {
    length += static_cast<double>(p.ticks) + static_cast<double>(p.host);
    check_length(2 * length);
    s.host += p.host;
    s.waits |= p.host_waits;
  }
  if (!s.operations.empty()) s.first_host = s.operations.front().host;
  const Execution run = execute(alone(s.operations, 1, false));
  s.ticks = run.end;

  // Each tick of the compute stream: the kernel that runs, or the exchange that the next waits for.
  std::int64_t cursor = 0;
  Category trailing = Category::tensor_exchange;
  for (std::size_t i = 0; i < s.operations.size(); ++i) {
    const PricedOperation& p = s.operations[i];
    const Span& span = run.spans[0][i];
    if (p.stream != StreamKind::compute) {
      trailing = p.category;
      continue;
    }
    if (span.begin > cursor) {
      const Category c =
          p.wait >= 0 ? s.operations[static_cast<std::size_t>(p.wait)].category : trailing;
      s.breakdown[static_cast<std::size_t>(c)] += span.begin - cursor;
    }
    s.breakdown[static_cast<std::size_t>(p.category)] += span.end - span.begin;
    cursor = span.end;
  }
  if (run.end > cursor) s.breakdown[static_cast<std::size_t>(trailing)] += run.end - cursor;
  if (s.waits) {
    // The host cannot run ahead of such a list: what a second one takes after the first.
    const std::int64_t once = execute(alone(s.operations, 1, true)).end;
    const std::int64_t each = execute(alone(s.operations, 2, true)).end - once;
    s.breakdown[static_cast<std::size_t>(Category::host)] += std::max(each, s.ticks) - s.ticks;
    s.ticks = std::max(each, s.ticks);
    s.host = s.first_host = 0;
  }
}

}  // namespace forerun::sim
