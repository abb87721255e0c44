#pragma once

/// What a run can fall back to: the states that its tiers hold.
///
/// Of storage all are kept if `keep_all`, else the newest: older ones are needed where corruption
/// is noticed late or a loss rolls back. Of memory it is the last copy that is where it must be,
/// reckoned from the pace: copies are too many to be listed.

#include <cstddef>
#include <cstdint>
#include <optional>
#include <vector>

#include "sim/run/run_setup.h"
#include "sim/run/segment.h"

namespace forerun::sim {

/// Ticks of steps that count, by what they were spent on.
struct Counted {
  std::int64_t training = 0, slowdown = 0, starved = 0;
  [[nodiscard]] std::int64_t sum() const { return training + slowdown + starved; }
};

/// The state of the training at a step.
struct Saved {
  double step = 0;
  Counted counted;
};

class SavedStates {
 public:
  /// `tiers` must outlive it.
  SavedStates(const std::vector<TierTimes>& tiers, bool keep_all);

  /// A state is safe in a tier of storage.
  void keep(std::size_t tier, const Saved&);
  /// It is being written there, and safe when written() is told of that write's number.
  std::uint32_t begin_writing(std::size_t tier, const Saved&);
  /// Whether it was that write, still under way: then it is safe now.
  bool written(std::size_t tier, std::uint32_t write);
  [[nodiscard]] bool writing(std::size_t tier) const { return places_[tier].writing; }
  /// States that came to be safe in storage.
  [[nodiscard]] std::int64_t kept() const { return kept_; }
  /// Of a segment's checkpoints, those before the last, which need no place of their own.
  void count(std::int64_t more) { kept_ += more; }
  [[nodiscard]] bool keeps_all() const { return keep_all_; }

  struct FallBack {
    Saved state;
    double load = 0;  ///< seconds to read it
  };
  /// The newest state at or before step `not_after` on a tier that survives `at_least`; the run's
  /// beginning if there is none. `now`, `pace`: where the training stands. What is newer is gone,
  /// writes under way too.
  FallBack fall_back(double not_after, Survives at_least, const Saved& now, const Pace& pace);

 private:
  struct Place {
    std::vector<Saved> states;  // of memory: what the job came back to, if it was there
    bool writing = false;
    Saved pending;
    std::uint32_t write = 0;
  };
  [[nodiscard]] std::optional<Saved> in_memory(std::size_t tier, const Saved& now,
                                               const Pace&) const;

  const std::vector<TierTimes>& tiers_;
  std::vector<Place> places_;
  bool keep_all_;
  std::int64_t kept_ = 0;
  double copied_from_ = 0;  // step since which copies in memory are made
};

}  // namespace forerun::sim
