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
    return {latency, latency + bus / s.pair.base(), "p2p"};
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

/// Measured curves where there are some; between rank counts linear in log time over log ranks;
/// beyond them the model times the nearest count's residual.
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
  // The residual of the measured curve against the model, held at the curve's ends.
  const auto residual = [&](const Curve& c) {
    const double at = std::clamp(log_size, c.smallest(), c.largest());
    const double modelled = modelled_inside(kind, std::exp2(at), c.ranks(), s).time;
    return c.log_time(at) - std::log2(modelled);
  };
  if (above != curves.end() && above->ranks() == ranks && above->covers(log_size)) {
    return result(std::exp2(above->log_time(log_size)), "table", above->evidence(log_size));
  }
  if (above == curves.begin() || above == curves.end()) {
    const Curve& nearest = above == curves.end() ? curves.back() : *above;
    const bool same = nearest.ranks() == ranks;
    return result(model.time * std::exp2(residual(nearest)), same ? "table" : model.algorithm,
                  DurationEvidence::extrapolated);
  }
  const Curve& below = *(above - 1);
  const double share = (log2_of(ranks) - log2_of(below.ranks())) /
                       (log2_of(above->ranks()) - log2_of(below.ranks()));
  const double mixed = (1.0 - share) * residual(below) + share * residual(*above);
  const bool covered = below.covers(log_size) && above->covers(log_size);
  return result(model.time * std::exp2(mixed), model.algorithm,
                covered ? DurationEvidence::interpolated : DurationEvidence::extrapolated);
}

/// Bandwidth with which one group leaves one domain: its share of the domain's NICs, no more than
/// its own ranks' NICs can carry.
double leaving(const Group& g, const Network& n, double domains) {
  const double pool = static_cast<double>(n.domain) * n.network.base();
  const double share = pool / static_cast<double>(g.sharing);
  double own = static_cast<double>(g.per_domain) * n.nic.base();
  if (n.group_nics > 0) own = std::min(own, static_cast<double>(n.group_nics) * n.nic.base());
  const double scale = std::max(0.0, std::log2(domains) - 1.0);
  const double kept = std::pow(1.0 - n.degradation_per_doubling, scale);
  return std::min(share, own) * n.network_efficiency * n.in_job_efficiency * kept;
}

/// Over D domains of d ranks each (n = D d), W = leaving():
///   ring       start + 2(D-1) bulk + 2 D (d-1) hop + 2 (n-1)/n S / min(W, ring)
///   tree       start + 2 log2(D) h + fill + max(2 S / W (S / W for two domains), inside)
///   sharp      start + 2 h + max(S / W, inside)
/// h is the low-latency hop with a quarter of the bandwidth, or the bulk hop with all of it; fill =
/// 2 log2(D) min(fill, S) / W, the pipeline's filling. Inside a domain a tree reduces in the switch
/// (NVLS) or along a chain.
Candidate all_reduce_across(double bytes, const Group& g, const Network& n, std::int64_t domains) {
  const ScaleUp& s = *n.inside;
  const double D = static_cast<double>(domains), d = static_cast<double>(g.per_domain);
  const double W = leaving(g, n, D);
  const double start = (s.start + n.collective_latency).base();
  const double bus = bus_factor(CollectiveKind::all_reduce, g.ranks) * bytes;
  const double ring = g.per_domain > 1 ? std::min(W, s.ring.base()) : W;
  const double around =
      start + 2.0 * (D - 1.0) * n.bulk_latency.base() + 2.0 * D * (d - 1.0) * s.bulk_hop.base();
  Candidate best{around, around + bus / ring, "ring"};

  const bool in_switch = n.nvls && g.per_domain > 1 && s.nvls.base() > 0;
  const double inside =
      g.per_domain > 1 ? bus / (in_switch ? s.nvls.base() : 0.85 * s.ring.base()) : 0;
  const std::string_view tree = in_switch ? "nvls-tree" : "tree";
  const double depth = 2.0 * std::ceil(std::log2(D));
  const double traffic = domains == 2 ? bytes : 2.0 * bytes;
  const double held = depth * std::min(n.fill.base(), bytes) / W;
  const double chain =
      g.per_domain > 1 ? (in_switch ? s.nvls_latency.base() : 2.0 * (d - 1.0) * s.bulk_hop.base())
                       : 0;
  const double deep = start + chain + depth * n.bulk_latency.base();
  best = cheaper(best, {deep, deep + held + std::max(traffic / W, inside), tree});
  const double quick = start + 2.0 * (d - 1.0) * s.hop.base() + depth * n.network_latency.base();
  best = cheaper(best, {quick, quick + 4.0 * std::max(traffic / W, bus / s.ring.base()), "tree"});
  if (n.sharp) {
    const double latency = start + chain + 2.0 * n.bulk_latency.base();
    best = cheaper(best, {latency, latency + std::max(bytes / W, inside), "sharp"});
  }
  return best;
}

/// All-gather and reduce-scatter: a ring (over the NICs and NVLink at once) or, with one rank a
/// domain, NCCL's logarithmic algorithm (PAT) for small buffers. Broadcast: a pipelined ring.
Candidate half_across(CollectiveKind kind, double bytes, const Group& g, const Network& n,
                      std::int64_t domains) {
  const ScaleUp& s = *n.inside;
  const double D = static_cast<double>(domains), d = static_cast<double>(g.per_domain);
  const double W = leaving(g, n, D);
  const double start = (s.start + n.collective_latency).base();
  const double bus = bus_factor(kind, g.ranks) * bytes;
  const double ring = g.per_domain > 1 ? std::min(W, s.ring.base()) : W;
  const double around =
      start + (D - 1.0) * n.bulk_latency.base() + D * (d - 1.0) * s.bulk_hop.base();
  Candidate best{around, around + bus / ring, "ring"};
  const double quick = start + (D - 1.0) * n.network_latency.base() + D * (d - 1.0) * s.hop.base();
  return cheaper(best, {quick, quick + 2.0 * bus / ring, "ring"});
}

/// Each rank's NIC carries what its peers outside the domain get, (n - d)/n of the buffer, NVLink
/// the rest at the same time; messages leave one by one.
Candidate all_to_all_across(double bytes, const Group& g, const Network& n, std::int64_t domains) {
  const double ranks = static_cast<double>(g.ranks), d = static_cast<double>(g.per_domain);
  const double W = leaving(g, n, static_cast<double>(domains));
  const double out = d * bytes * (ranks - d) / ranks / W;
  const double in = bytes * (d - 1.0) / ranks / n.inside->pair.base();
  const double latency = (n.inside->start + n.collective_latency + n.network_latency).base() +
                         (ranks - d) * n.message_gap.base();
  return {latency, latency + std::max(out, in), "p2p"};
}

}  // namespace

CollectiveTime collective_time(CollectiveKind kind, Bytes bytes, const Group& g, const Network& n) {
  FORERUN_ASSERT(
      g.ranks >= 1 && g.per_domain >= 1 && g.per_domain <= g.ranks && g.sharing >= 1,
      fmt::format("group of {} ranks, {} a domain, {} sharing", g.ranks, g.per_domain, g.sharing));
  FORERUN_ASSERT(n.inside != nullptr, n.name);
  if (g.ranks == 1 || bytes.base() <= 0) return {};
  if (g.per_domain == g.ranks) return inside_domain(kind, bytes.base(), g.ranks, *n.inside);
  const std::int64_t domains = (g.ranks + g.per_domain - 1) / g.per_domain;
  Candidate best;
  switch (kind) {
    case CollectiveKind::all_reduce:
      best = all_reduce_across(bytes.base(), g, n, domains);
      break;
    case CollectiveKind::all_to_all:
      best = all_to_all_across(bytes.base(), g, n, domains);
      break;
    case CollectiveKind::send_receive: {
      const double latency = n.bulk_latency.base();
      best = {latency, latency + bytes.base() / leaving(g, n, 2.0), "p2p"};
      break;
    }
    default:
      best = half_across(kind, bytes.base(), g, n, domains);
      break;
  }
  return {Seconds(best.time), Seconds(best.latency), best.algorithm, DurationEvidence::modelled};
}

Bandwidth bus_bandwidth(CollectiveKind kind, Bytes bytes, std::int64_t ranks, Seconds time) {
  return bytes * bus_factor(kind, ranks) / time;
}

}  // namespace forerun::hw
