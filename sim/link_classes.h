#pragma once

/// Makes few links of many: a link that all flows together cannot fill, or that another is at least
/// as full as whatever moves, changes no share of a max-min fair allocation. Private to sim/.

#include <cstddef>
#include <cstdint>
#include <set>
#include <tuple>
#include <utility>
#include <vector>

#include "core/quantity.h"
#include "hw/network_graph.h"
#include "sim/shared_links.h"

namespace forerun::sim {

/// What the groups of an exchange load, in bytes for a byte of the collective's buffer.
struct LinkPattern {
  std::vector<hw::LinkUse> uses;
  double part = 1;  ///< that one of the simulated ranks which take part brings
  // Of the links of accelerators and NICs, with nothing failed: the most bytes on one, and the most
  // seconds that one needs for them.
  double scale_up_busiest = 0, network_busiest = 0;
  double scale_up_seconds = 0, network_seconds = 0;
};

class LinkClasses {
 public:
  explicit LinkClasses(const hw::NetworkGraph& graph) : graph_(graph) {}
  std::size_t add(LinkPattern pattern);
  /// A flow of a pattern whose collective moves `rate` bytes of its buffer a second when alone.
  [[nodiscard]] SharedFlow flow(std::size_t pattern, Bandwidth rate, double latency_share);
  /// One more that may run at the same time as all others: a stream of a simulated rank.
  void count(std::size_t pattern, std::int64_t rank, std::int64_t stream) {
    users_.emplace(pattern, rank, stream);
  }
  /// Fills capacities, names and patterns.
  void finish(SharedLinks&) const;

 private:
  /// A pattern's part that one flow puts on scale-up links and on the network's.
  struct Scaled {
    std::size_t pattern;
    double scale_up, network;
    auto operator<=>(const Scaled&) const = default;
  };
  struct Kept {
    hw::LinkId link;
    bool scale_up;
    double sum;
    std::vector<std::pair<std::int32_t, double>> loads;  ///< by pattern, over the bandwidth
    [[nodiscard]] bool covers(const Kept& other) const;
  };
  [[nodiscard]] std::vector<Kept> binding() const;

  const hw::NetworkGraph& graph_;
  std::vector<LinkPattern> patterns_;
  std::vector<double> most_rate_;  ///< by pattern
  std::vector<Scaled> scaled_;
  std::set<std::tuple<std::size_t, std::int64_t, std::int64_t>> users_;
};

}  // namespace forerun::sim
