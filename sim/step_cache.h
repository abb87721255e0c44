#pragma once

/// What the steps of one scenario under many parallel plans have in common, made once: times of
/// kernels and collectives, a layer's and the ends' priced lists, the clock that the power cap
/// leaves, what a layer keeps. For searches. An answer from here is, bit for bit, the one without
/// (sim/step_cache.test.cpp).
///
/// It serves questions whose micro-batches are all alike, on accelerators of one kind, without a
/// network graph; others are answered as without it. Not for several threads at once: each has its
/// own.

#include <cstddef>
#include <cstdint>
#include <map>
#include <memory>
#include <unordered_map>
#include <vector>

#include "sim/known_times.h"
#include "sim/layout.h"
#include "sim/parts.h"
#include "sim/scenario.h"
#include "sim/variation.h"

namespace forerun::sim {

class StepCache {
 public:
  /// Of this scenario and those that differ from it in nothing but the plan; it must outlive this.
  explicit StepCache(const Scenario& scenario) : times_(scenario.accelerator, scenario.network) {}

  [[nodiscard]] static bool serves(const Scenario& scenario, const Variation& variation) {
    return variation.uniform() && scenario.pools.empty() && !scenario.topology;
  }

  struct Priced {
    double clock = 1;                                 ///< of the burst clock
    std::shared_ptr<const std::vector<Parts>> parts;  ///< at that clock: of the one composition
  };
  [[nodiscard]] const Priced& priced(const Scenario&, const Layout&, const Variation&);
  [[nodiscard]] KnownTimes& times() { return times_; }

 private:
  using Key = std::vector<std::int64_t>;
  struct Hash {
    [[nodiscard]] std::size_t operator()(const Key& key) const {
      std::uint64_t hash = 0xcbf29ce484222325u;
      for (const std::int64_t word : key) {
        hash = (hash ^ static_cast<std::uint64_t>(word)) * 0x100000001b3u;
        hash ^= hash >> 29;
      }
      return hash;
    }
  };
  /// All of a plan that a list's kernels and exchanges depend on.
  static void add_slice(const Scenario&, const Layout&, Key&);

  KnownTimes times_;
  std::unordered_map<Key, std::shared_ptr<const std::vector<Parts>>, Hash> at_burst_;
  std::unordered_map<Key, Priced, Hash> by_stages_;
  std::unordered_map<Key, std::shared_ptr<const std::vector<Parts>>, Hash> at_clock_;
};

}  // namespace forerun::sim
