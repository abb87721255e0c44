#include "hw/expert_exchange.h"

#include <algorithm>

#include "core/error.h"

namespace forerun::hw {
namespace {

/// Expected number of domains that a token is sent to.
double domains_reached(const ExpertExchange& x, std::int64_t domains) {
  const double reached = parts_reached(x.experts, x.copies, domains);
  return x.domain_limit > 0 ? std::min(reached, static_cast<double>(x.domain_limit)) : reached;
}

CollectiveTime fused(const ExpertExchange& x, const Group& g, const Network& n) {
  const std::int64_t domains = (g.ranks + g.per_domain - 1) / g.per_domain;
  const double ranks_reached = parts_reached(x.experts, x.copies, g.ranks);
  // Of the domains that a token reaches one in `domains` is its own, on average.
  const double reached = domains_reached(x, domains);
  const double bytes = x.tokens * x.token.base() * x.imbalance;
  // Inside a domain every rank passes on what came for its peers, its own tokens' and others'.
  const Group inside{g.per_domain, g.per_domain, 1};
  CollectiveTime time =
      collective_time(CollectiveKind::all_to_all, Bytes(bytes * ranks_reached), inside, n);
  if (domains > 1) {
    // Written by the network cards themselves, at the rate of a message between two machines.
    const Group across{2, 1, g.per_domain * g.sharing};
    const double others = static_cast<double>(domains - 1) / static_cast<double>(domains);
    const CollectiveTime out =
        collective_time(CollectiveKind::send_receive, Bytes(bytes * reached * others), across, n);
    time.latency = time.latency + out.latency;
    time.time = std::max(time.time, out.time) + std::min(time.latency, out.latency);
  }
  time.algorithm = "fused";
  time.evidence = DurationEvidence::modelled;
  return time;
}

}  // namespace

std::string_view name(ExpertExchangeKind kind) {
  switch (kind) {
    case ExpertExchangeKind::all_to_all:
      return "all_to_all";
    case ExpertExchangeKind::all_gather:
      return "all_gather";
    case ExpertExchangeKind::fused:
      return "fused";
  }
  FORERUN_ASSERT(false, "an expert exchange without a kind");
}

double parts_reached(std::int64_t experts, std::int64_t copies, std::int64_t parts) {
  const std::int64_t each = experts / parts;
  // C(E - e, k) / C(E, k): the product over the k choices of the share that is left elsewhere.
  double missed = 1;
  for (std::int64_t i = 0; i < copies && missed > 0; ++i) {
    missed *=
        std::max(0.0, static_cast<double>(experts - each - i)) / static_cast<double>(experts - i);
  }
  return static_cast<double>(parts) * (1.0 - missed);
}

EquivalentCollective equivalent_collective(const ExpertExchange& x, const Group& g) {
  switch (x.kind) {
    case ExpertExchangeKind::all_to_all:
      return {CollectiveKind::all_to_all, x.tokens * static_cast<double>(x.copies) * x.token};
    case ExpertExchangeKind::all_gather:
      return {x.combine ? CollectiveKind::reduce_scatter : CollectiveKind::all_gather,
              x.tokens * static_cast<double>(g.ranks) * x.token};
    case ExpertExchangeKind::fused: {
      const std::int64_t domains = (g.ranks + g.per_domain - 1) / g.per_domain;
      // Of the ranks, or of the domains, that a token reaches, its own share stays.
      const double reached =
          domains == 1 ? parts_reached(x.experts, x.copies, g.ranks) : domains_reached(x, domains);
      return {CollectiveKind::all_to_all, x.tokens * reached * x.token};
    }
  }
  FORERUN_ASSERT(false, "an expert exchange without a kind");
}

CollectiveTime expert_exchange_time(const ExpertExchange& x, const Group& g, const Network& n) {
  if (g.ranks == 1 || !(x.tokens > 0)) return {};
  switch (x.kind) {
    case ExpertExchangeKind::all_to_all:
      return collective_time(CollectiveKind::all_to_all,
                             x.tokens * static_cast<double>(x.copies) * x.imbalance * x.token, g,
                             n);
    case ExpertExchangeKind::all_gather:
      return collective_time(
          x.combine ? CollectiveKind::reduce_scatter : CollectiveKind::all_gather,
          x.tokens * static_cast<double>(g.ranks) * x.token, g, n);
    case ExpertExchangeKind::fused:
      return fused(x, g, n);
  }
  FORERUN_ASSERT(false, "an expert exchange without a kind");
}

}  // namespace forerun::hw
