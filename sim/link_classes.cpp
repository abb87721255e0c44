#include "sim/link_classes.h"

#include <algorithm>
#include <map>

namespace forerun::sim {
namespace {

/// A link that is filled to the last bit by all together never slows them; loads that are the same
/// but for rounding are the same.
constexpr double kFull = 1 + 1e-9;

}  // namespace

std::size_t LinkClasses::add(LinkPattern pattern) {
  patterns_.push_back(std::move(pattern));
  most_rate_.push_back(0);
  return patterns_.size() - 1;
}

SharedFlow LinkClasses::flow(std::size_t pattern, Bandwidth rate, double latency_share) {
  const LinkPattern& p = patterns_[pattern];
  const double bytes = rate.base();
  most_rate_[pattern] = std::max(most_rate_[pattern], bytes);
  const double busiest = p.network_busiest > 0 ? p.network_busiest : p.scale_up_busiest;
  if (busiest <= 0) return {-1, bytes, latency_share};
  const Scaled scaled{pattern, std::min(1.0, 1.0 / (p.scale_up_seconds * bytes)) / busiest,
                      std::min(1.0, 1.0 / (p.network_seconds * bytes)) / busiest};
  const auto known = std::ranges::find(scaled_, scaled);
  const auto index = static_cast<std::int32_t>(known - scaled_.begin());
  if (known == scaled_.end()) scaled_.push_back(scaled);
  return {index, bytes * busiest, latency_share};
}

/// Of links that all patterns together may fill, those that no other is always fuller than.
std::vector<LinkClasses::Kept> LinkClasses::binding() const {
  std::map<hw::LinkId, std::vector<std::pair<std::int32_t, double>>> loads;
  for (std::size_t p = 0; p < patterns_.size(); ++p) {
    for (const hw::LinkUse& u : patterns_[p].uses) {
      loads[u.link].emplace_back(static_cast<std::int32_t>(p), u.share);
    }
  }
  std::vector<double> together(patterns_.size());  // bytes a second of all that use a pattern
  for (const auto& [pattern, rank, stream] : users_) {
    together[pattern] += most_rate_[pattern] * patterns_[pattern].part;
  }
  std::vector<Kept> candidates;
  for (auto& [link, of_link] : loads) {
    Kept k{link, graph_.link(link).scale_up, 0, std::move(of_link)};
    double most = 0;
    for (auto& [p, load] : k.loads) {
      most += load * together[static_cast<std::size_t>(p)];
      load /= graph_.link(link).bandwidth.base();
      k.sum += load;
    }
    if (most > graph_.link(link).bandwidth.base() * kFull) candidates.push_back(std::move(k));
  }
  std::ranges::stable_sort(candidates, std::ranges::greater{}, &Kept::sum);
  std::vector<Kept> kept;
  std::vector<std::vector<std::size_t>> on(patterns_.size());  // kept links by pattern
  for (Kept& k : candidates) {
    const auto& rivals = on[static_cast<std::size_t>(k.loads.front().first)];
    if (std::ranges::any_of(rivals, [&](std::size_t i) { return kept[i].covers(k); })) continue;
    for (const auto& [p, load] : k.loads) on[static_cast<std::size_t>(p)].push_back(kept.size());
    kept.push_back(std::move(k));
  }
  std::ranges::sort(kept, {}, &Kept::link);
  return kept;
}

/// Whether this link is at least as full as the other whatever moves.
bool LinkClasses::Kept::covers(const Kept& other) const {
  if (scale_up != other.scale_up) return false;
  std::size_t at = 0;
  for (const auto& [p, load] : other.loads) {
    while (at < loads.size() && loads[at].first < p) ++at;
    if (at == loads.size() || loads[at].first != p || load > loads[at].second * kFull) return false;
  }
  return true;
}

void LinkClasses::finish(SharedLinks& links) const {
  struct Load {
    std::int32_t link;
    bool scale_up;
    double bytes;
  };
  std::vector<std::vector<Load>> on(patterns_.size());
  for (const Kept& k : binding()) {
    const auto index = static_cast<std::int32_t>(links.capacity.size());
    const double capacity = graph_.link(k.link).bandwidth.base();
    links.capacity.push_back(capacity);
    links.names.push_back(graph_.link_name(k.link));
    for (const auto& [p, load] : k.loads) {
      on[static_cast<std::size_t>(p)].push_back({index, k.scale_up, load * capacity});
    }
  }
  for (const Scaled& s : scaled_) {
    std::vector<hw::LinkUse>& uses = links.patterns.emplace_back();
    for (const Load& l : on[s.pattern]) {
      const double scale = l.scale_up ? s.scale_up : s.network;
      uses.push_back({l.link, l.bytes * patterns_[s.pattern].part * scale});
    }
  }
  const auto alone = [&](std::int32_t flow) {
    const std::int32_t p = flow < 0 ? -1 : links.flows[static_cast<std::size_t>(flow)].pattern;
    return p < 0 || links.patterns[static_cast<std::size_t>(p)].empty();
  };
  for (std::vector<std::int32_t>& of_rank : links.of) {
    for (std::int32_t& flow : of_rank) {
      if (alone(flow)) flow = -1;
    }
  }
  std::erase_if(links.background, alone);
}

}  // namespace forerun::sim
