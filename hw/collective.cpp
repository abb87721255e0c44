#include "hw/collective.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>

#include "core/error.h"

namespace forerun::hw {
namespace {

// Everything below is plain numbers in seconds and bytes: this function is called for every
// collective of every candidate plan.
struct Candidate {
  double latency = 0, time = 0;
  std::string_view algorithm;
};

Candidate cheaper(const Candidate& a, const Candidate& b) { return b.time < a.time ? b : a; }

double log2_of(std::int64_t n) { return std::log2(static_cast<double>(n)); }

/// NCCL's tuning model inside one domain (tuning.cc): T = start + steps x hop + bytes on the bus /
/// bus bandwidth, the cheaper of the low-latency and the Simple protocol, and of NVLS for
/// all-reduce. An all-to-all has no ring: every pair at once.
Candidate modelled_inside(CollectiveKind kind, double bytes, std::int64_t ranks, const ScaleUp& s) {
  const double bus = bus_factor(kind, ranks) * bytes;
  if (kind == CollectiveKind::send_receive) {
    const double latency = (s.start + s.hop).base();
    return {latency, latency + bytes / s.pair.base(), "p2p"};
  }
  if (kind == CollectiveKind::all_to_all) {
    const double latency = (s.start + s.hop).base();
    return {latency, latency + bus / s.all_to_all.base(), "p2p"};
  }
  const double steps =
      static_cast<double>(ranks - 1) * (kind == CollectiveKind::all_reduce ? 2.0 : 1.0);
  const double quick = s.start.base() + steps * s.hop.base();
  Candidate best{quick, quick + bus / s.low_latency.base(), "ring"};
  const double bulk = s.start.base() + steps * s.bulk_hop.base();
  best = cheaper(best, {bulk, bulk + bus / s.ring.base(), "ring"});
  if (kind == CollectiveKind::all_reduce) {
    const double depth = s.start.base() + 2.0 * std::ceil(log2_of(ranks)) * s.hop.base();
    // A tree moves every byte up and down once more than its leaves: NCCL rates it at half the
    // low-latency ring's bandwidth.
    best = cheaper(best, {depth, depth + bytes / (0.25 * s.low_latency.base()), "tree"});
    if (s.nvls.base() > 0 && ranks > 4) {
      const double latency = s.nvls_latency.base();
      best = cheaper(best, {latency, latency + bus / s.nvls.base(), "nvls"});
    }
  }
  return best;
}

/// A curve's time at any size, with `model` of bytes for what it does not cover. Below its sizes:
/// the model times the residual at the smallest. Above: the time at the largest plus what the model
/// adds (scaled by the residual where the model is slower than the measurement), because what a
/// large message loses is a fixed time, not a share.
template <class Model>
double extended(const Curve& curve, double log_size, Model model) {
  if (curve.covers(log_size)) return std::exp2(curve.log_time(log_size));
  const double end = std::clamp(log_size, curve.smallest(), curve.largest());
  const double measured = std::exp2(curve.log_time(end));
  const double at_end = model(std::exp2(end));
  const double here = model(std::exp2(log_size));
  if (log_size < end) return measured * here / at_end;
  return measured + (here - at_end) * std::min(1.0, measured / at_end);
}

double extended(const Curve& curve, CollectiveKind kind, double log_size, const ScaleUp& s) {
  return extended(curve, log_size, [&](double bytes) {
    return modelled_inside(kind, bytes, curve.ranks(), s).time;
  });
}

/// A group of more (or fewer) ranks than any curve: the nearest curve at the size that puts as many
/// bytes on each link, and the further steps, at the pace of the low-latency protocol or of the
/// Simple one, whichever is cheaper. Rises with size because each part does.
double beyond_ranks(const Curve& nearest, CollectiveKind kind, double bytes, std::int64_t ranks,
                    const ScaleUp& s) {
  const double bus = bus_factor(kind, ranks) * bytes;
  const double same = bus / bus_factor(kind, nearest.ranks());
  const double steps = static_cast<double>(std::max<std::int64_t>(ranks - nearest.ranks(), 0)) *
                       (kind == CollectiveKind::all_reduce ? 2.0 : 1.0);
  const double further =
      std::min(steps * s.bulk_hop.base(), steps * s.hop.base() + bus / s.low_latency.base());
  return extended(nearest, kind, std::log2(same), s) + further;
}

/// Measured curves where there are some; between rank counts linear in log time over log ranks.
CollectiveTime inside_domain(CollectiveKind kind, double bytes, std::int64_t ranks,
                             const ScaleUp& s) {
  const auto& curves = s.curves[static_cast<std::size_t>(kind)];
  const Candidate model = modelled_inside(kind, bytes, ranks, s);
  const auto result = [&](double time, std::string_view algorithm, DurationEvidence evidence) {
    return CollectiveTime{Seconds(time), Seconds(std::min(model.latency, time)), algorithm,
                          evidence};
  };
  if (curves.empty()) return result(model.time, model.algorithm, DurationEvidence::modelled);
  const double log_size = std::log2(bytes);
  const auto above = std::find_if(curves.begin(), curves.end(),
                                  [&](const Curve& c) { return c.ranks() >= ranks; });
  if (above != curves.end() && above->ranks() == ranks) {
    return result(extended(*above, kind, log_size, s), "table", above->evidence(log_size));
  }
  if (above == curves.begin() || above == curves.end()) {
    const Curve& nearest = above == curves.end() ? curves.back() : *above;
    return result(beyond_ranks(nearest, kind, bytes, ranks, s), model.algorithm,
                  DurationEvidence::extrapolated);
  }
  const Curve& below = *(above - 1);
  const double share = (log2_of(ranks) - log2_of(below.ranks())) /
                       (log2_of(above->ranks()) - log2_of(below.ranks()));
  const double fewer = extended(below, kind, log_size, s);
  const double more = extended(*above, kind, log_size, s);
  const bool covered = below.covers(log_size) && above->covers(log_size);
  return result(fewer * std::pow(more / fewer, share), "table",
                covered ? DurationEvidence::interpolated : DurationEvidence::extrapolated);
}

/// Bandwidth with which one group leaves one domain: its share of the domain's NICs, no more than
/// `nics` NICs, nor its own ranks' NICs, carry.
double leaving(const Group& g, const Network& n, double domains, double nics) {
  const double pool = static_cast<double>(n.domain) * n.network.base();
  const double share = pool / static_cast<double>(g.sharing);
  const double own = std::min(static_cast<double>(g.per_domain), nics) * n.nic.base();
  double kept = n.in_job_efficiency;
  if (n.degradation_per_doubling > 0 && domains > 2) {
    kept *= std::pow(1.0 - n.degradation_per_doubling, std::log2(domains) - 1.0);
  }
  return std::min(share, own) * kept;
}

// NCCL rates a Simple ring across nodes as slower by this factor while its chunks are small
// (tuning.cc, "ring plateau"); the steps inside a node take it here, the profile's ring_latency has
// it.
constexpr double kRingPlateau = 1.4;
// Share of a short buffer that a tree level holds back before it passes anything on: fitted to the
// H100 scan of GTC24 S62129 (0.37) and to three EFA logs (0.56 to 1.2).
constexpr double kHeldShare = 0.5;

// A tree moves up and down what a ring moves once around, and NCCL rates a low-latency tree of
// about a MiB at half of that again (tuning.cc, tree correction factors 0.4 to 0.7).
constexpr double kLowLatencyTree = 0.25;

/// Over D domains of d ranks each (n = D d); W = leaving() x efficiency:
///   low latency  start + 2(d-1) hop + 2 log2(D) network + S / (min(W / 3.8, limit) / 4)
///   ring         start + 2(D-1) ring + 2 D (d-1) 1.4 bulk hop + 2 (n-1)/n S / min(W, inside ring)
///   tree         start + inside + 2 log2(D) (level + min(fill, S/2) / W) + max(T / W, inside),
///                T = 2 S, or S between two domains, which exchange halves directly
///   SHARP        start + inside + 2 level + max(S / W, inside)
/// Inside a domain a tree or SHARP reduces in the switch (NVLS) or along a chain.
Candidate all_reduce_across(double bytes, const Group& g, const Network& n, std::int64_t domains) {
  const ScaleUp& s = *n.inside;
  const double D = static_cast<double>(domains);
  const double d = static_cast<double>(g.per_domain);
  const double raw = leaving(g, n, D, n.group_nics > 0 ? static_cast<double>(n.group_nics) : d);
  const double W = raw * n.network_efficiency;
  const double start = (s.start + n.collective_latency).base();
  const double bus = bus_factor(CollectiveKind::all_reduce, g.ranks) * bytes;
  const bool alone = g.per_domain == 1;

  const double around = start + 2.0 * (D - 1.0) * n.ring_latency.base() +
                        2.0 * D * (d - 1.0) * kRingPlateau * s.bulk_hop.base();
  const double ring = alone ? W : std::min(W, s.ring.base());
  Candidate best{around, around + bus / ring, "ring"};

  const bool in_switch = n.nvls && s.nvls.base() > 0;
  const double chain =
      alone ? 0.0 : (in_switch ? s.nvls_latency.base() : 2.0 * (d - 1.0) * s.bulk_hop.base());
  const double inside = alone ? 0.0 : bus / (in_switch ? s.nvls.base() : 0.85 * s.ring.base());
  const double depth = 2.0 * std::ceil(std::log2(D));
  if (n.tree_efficiency > 0) {
    const double quick = start + 2.0 * (d - 1.0) * s.hop.base() + depth * n.network_latency.base();
    const double limit = std::min(W / 3.8, n.low_latency.base());
    best = cheaper(best, {quick, quick + bytes / (kLowLatencyTree * limit), "tree"});
    const double up = raw * n.tree_efficiency;
    const double deep = start + chain + depth * n.tree_latency.base();
    const double held = depth * std::min(n.fill.base(), kHeldShare * bytes) / up;
    const double traffic = domains == 2 ? bytes : 2.0 * bytes;
    best = cheaper(best, {deep, deep + held + std::max(traffic / up, inside),
                          in_switch && !alone ? "nvls-tree" : "tree"});
  }
  if (n.sharp) {
    const double latency = start + chain + 2.0 * n.tree_latency.base();
    best = cheaper(best, {latency, latency + std::max(bytes / W, inside), "sharp"});
  }
  return best;
}

/// All-gather, reduce-scatter and broadcast: one ring over the NICs and NVLink, low-latency or
/// Simple. NCCL's logarithmic algorithm (PAT, one rank a node, since 2.23) is not modelled.
Candidate half_across(CollectiveKind kind, double bytes, const Group& g, const Network& n,
                      std::int64_t domains) {
  const ScaleUp& s = *n.inside;
  const double D = static_cast<double>(domains);
  const double d = static_cast<double>(g.per_domain);
  const double W = leaving(g, n, D, d) * n.network_efficiency;
  const double start = (s.start + n.collective_latency).base();
  const double bus = bus_factor(kind, g.ranks) * bytes;
  const double around =
      start + (D - 1.0) * n.ring_latency.base() + D * (d - 1.0) * s.bulk_hop.base();
  const double ring = g.per_domain == 1 ? W : std::min(W, s.ring.base());
  const Candidate simple{around, around + bus / ring, "ring"};
  const double quick = start + (D - 1.0) * n.network_latency.base() + D * (d - 1.0) * s.hop.base();
  const double limit = std::min(0.5 * W, n.low_latency.base());
  return cheaper(simple, {quick, quick + bus / limit, "ring"});
}

/// Each rank's NIC carries what its peers outside the domain get, (n - d)/n of the buffer, NVLink
/// the rest at the same time; messages leave one by one.
Candidate all_to_all_across(double bytes, const Group& g, const Network& n, std::int64_t domains) {
  const double ranks = static_cast<double>(g.ranks), d = static_cast<double>(g.per_domain);
  const double W = leaving(g, n, static_cast<double>(domains), d) * n.all_to_all_efficiency;
  const double out = d * bytes * (ranks - d) / ranks / W;
  const double in = bytes * (d - 1.0) / ranks / n.inside->all_to_all.base();
  const double latency = (n.inside->start + n.collective_latency + n.network_latency).base() +
                         (ranks - d) * n.message_gap.base();
  return {latency, latency + std::max(out, in), "p2p"};
}

/// One rank to one rank of another domain.
Candidate pair_across(double bytes, const Group& g, const Network& n) {
  const double latency = n.ring_latency.base();
  const double W = leaving(g, n, 2.0, 1.0) * n.network_efficiency;
  return {latency, latency + bytes / W, "p2p"};
}

Candidate modelled_across(CollectiveKind kind, double bytes, const Group& g, const Network& n) {
  const std::int64_t domains = (g.ranks + g.per_domain - 1) / g.per_domain;
  switch (kind) {
    case CollectiveKind::all_reduce:
      return all_reduce_across(bytes, g, n, domains);
    case CollectiveKind::all_to_all:
      return all_to_all_across(bytes, g, n, domains);
    case CollectiveKind::send_receive:
      return pair_across(bytes, g, n);
    default:
      return half_across(kind, bytes, g, n, domains);
  }
}

/// The measured curve of this kind, as many ranks a domain and the nearest number of ranks.
const Curve* nearest_measured(CollectiveKind kind, const Group& g, const Network& n) {
  const Curve* nearest = nullptr;
  const auto distance = [&](const Curve& c) {
    return std::abs(log2_of(c.ranks()) - log2_of(g.ranks));
  };
  for (const MeasuredCurve& m : n.measured) {
    if (m.kind != kind || m.per_domain != g.per_domain || m.curve.ranks() == m.per_domain) continue;
    if (nearest == nullptr || distance(m.curve) < distance(*nearest)) nearest = &m.curve;
  }
  return nearest;
}

/// Across domains a curve is interpolated in the ratio of measured to modelled time, so that sizes
/// far apart (an excerpt of a log) keep the model's shape between them.
template <class Model>
double interpolated(const Curve& curve, double log_size, Model model) {
  if (!curve.covers(log_size)) return extended(curve, log_size, model);
  const auto [below, above] = curve.around(log_size);
  const auto ratio = [&](double at) {
    return curve.log_time(at) - std::log2(model(std::exp2(at)));
  };
  const double share = above > below ? (log_size - below) / (above - below) : 0.0;
  const double here = ratio(below) + share * (ratio(above) - ratio(below));
  return model(std::exp2(log_size)) * std::exp2(here);
}

/// Across domains: the model, corrected by what was measured where something was.
CollectiveTime across_domains(CollectiveKind kind, double bytes, const Group& g, const Network& n) {
  const Candidate model = modelled_across(kind, bytes, g, n);
  const Curve* curve = nearest_measured(kind, g, n);
  if (curve == nullptr) {
    return {Seconds(model.time), Seconds(model.latency), model.algorithm,
            DurationEvidence::modelled};
  }
  const Group alike{curve->ranks(), g.per_domain, 1};
  const auto modelled = [&](double b) { return modelled_across(kind, b, alike, n).time; };
  const double log_size = std::log2(bytes);
  const double measured = interpolated(*curve, log_size, modelled);
  if (g == alike) {
    return {Seconds(measured), Seconds(std::min(model.latency, measured)), "table",
            curve->evidence(log_size)};
  }
  const double ratio = measured / modelled(bytes);
  return {Seconds(model.time * ratio), Seconds(model.latency * ratio), model.algorithm,
          DurationEvidence::modelled};
}

}  // namespace

CollectiveTime collective_time(CollectiveKind kind, Bytes bytes, const Group& g, const Network& n) {
  FORERUN_ASSERT(
      g.ranks >= 1 && g.per_domain >= 1 && g.per_domain <= g.ranks && g.sharing >= 1,
      fmt::format("group of {} ranks, {} a domain, {} sharing", g.ranks, g.per_domain, g.sharing));
  FORERUN_ASSERT(n.inside != nullptr, n.name);
  if (g.ranks == 1 || bytes.base() <= 0) return {};
  if (g.per_domain == g.ranks) return inside_domain(kind, bytes.base(), g.ranks, *n.inside);
  return across_domains(kind, bytes.base(), g, n);
}

Bandwidth bus_bandwidth(CollectiveKind kind, Bytes bytes, std::int64_t ranks, Seconds time) {
  return bytes * bus_factor(kind, ranks) / time;
}

}  // namespace forerun::hw
