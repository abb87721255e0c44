#pragma once

/// Operations and what they wait for, dated without an event queue: the trace has fixed in which
/// order each stream ran, so a date is the longest path to it.
///
///   begin(o) = max over o's waits of end(w) + gap(o)            (a step begins at zero)
///   end(o)   = begin(o) + duration(o)                           (alone)
///   end(o)   = max over o's group of begin(m) + duration(o)     (member of an exchange)
///
/// A group's members (send and receive, the ranks of a collective) have begun before any of it
/// moves, so an exchange's duration here is its transfer: waiting for others is in the dates. The
/// rule is that of ByteDance-Seed/StragglerAnalysis (Lin et al. 2025, arXiv 2505.05713, section 3)
/// and of a rendezvous in sim/program.h; here an operation may wait for any number of others.

#include <cstdint>
#include <optional>
#include <span>
#include <utility>
#include <vector>

namespace forerun::replay {

struct Dates {
  std::vector<std::int64_t> begin, end;
};

class ReplayGraph {
 public:
  /// `waits`: (operation, what it waits for), any order; a pair may stand there twice. `groups`
  /// have no operation in common. Returns nothing if they go around in a circle, which `cycle` then
  /// holds: each waits for the next, or is in one group with it, the last for the first.
  [[nodiscard]] static std::optional<ReplayGraph> make(
      std::size_t operations, std::vector<std::pair<std::int32_t, std::int32_t>> waits,
      const std::vector<std::vector<std::int32_t>>& groups, std::vector<std::int32_t>& cycle);

  [[nodiscard]] std::size_t size() const { return group_.size(); }
  [[nodiscard]] std::span<const std::int32_t> waits(std::int32_t operation) const;
  /// -1: none.
  [[nodiscard]] std::int32_t group(std::int32_t operation) const {
    return group_[static_cast<std::size_t>(operation)];
  }
  [[nodiscard]] std::size_t groups() const { return first_member_.size() - 1; }
  [[nodiscard]] std::span<const std::int32_t> members(std::int32_t group) const;

  /// Durations and gaps by operation, none negative; an empty `gaps` is all zero.
  [[nodiscard]] Dates replay(std::span<const std::int64_t> durations,
                             std::span<const std::int64_t> gaps = {}) const;

 private:
  [[nodiscard]] bool put_in_order();
  [[nodiscard]] std::vector<std::int32_t> find_cycle() const;

  std::vector<std::int32_t> first_wait_, waits_;      // by operation
  std::vector<std::int32_t> group_;                   // by operation
  std::vector<std::int32_t> first_member_, members_;  // by group
  std::vector<std::int32_t> order_;                   // members of a group stand together
};

/// The operations that set the end of `last`, from the first to it: each link waits for the one
/// before it; a member of an exchange stands for the one that began last.
[[nodiscard]] std::vector<std::int32_t> longest_path(const ReplayGraph&, const Dates&,
                                                     std::int32_t last);

}  // namespace forerun::replay
