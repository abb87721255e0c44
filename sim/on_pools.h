#pragma once

/// A scenario as each of its pools of accelerators sees it. Private to sim/.

#include <cstddef>
#include <deque>
#include <set>

#include "sim/layout.h"
#include "sim/scenario.h"

namespace forerun::sim {

/// Scenarios in which every stage is on one pool's accelerators and network, with their layouts; of
/// a cluster of one kind the scenario itself, not copied. What is given must outlive it.
class OnPools {
 public:
  OnPools(const Scenario& scenario, const Layout& layout) : scenario_(scenario), layout_(layout) {
    for (std::size_t k = 0; k <= scenario.pools.size() && !scenario.pools.empty(); ++k) {
      scenarios_.push_back(all_on_pool(scenario, k));
      layouts_.push_back(make_layout(scenarios_.back()));
      place_apart(layouts_.back(), scenarios_.back());
    }
  }
  [[nodiscard]] std::size_t size() const { return scenario_.pools.size() + 1; }
  [[nodiscard]] const Scenario& scenario(std::size_t pool) const {
    return scenarios_.empty() ? scenario_ : scenarios_[pool];
  }
  [[nodiscard]] const Layout& layout(std::size_t pool) const {
    return layouts_.empty() ? layout_ : layouts_[pool];
  }

 private:
  /// The stages that share a tied embedding, where they are not of one pool.
  void place_apart(Layout& layout, const Scenario& own) const {
    if (layout.embedding.ranks == 1) return;
    std::set<std::size_t> pools;
    for (std::int64_t r = 0; r < own.plan.pipeline; ++r) {
      if (layout.holds_embedding(r) || layout.holds_head(r)) pools.insert(pool_of(scenario_, r));
    }
    if (pools.size() < 2) return;
    layout.embedding.per_domain = 1;
    layout.embedding.sharing = used_domain(own);
  }

  const Scenario& scenario_;
  const Layout& layout_;
  std::deque<Scenario> scenarios_;  // in place: pricers keep references
  std::deque<Layout> layouts_;
};

}  // namespace forerun::sim
