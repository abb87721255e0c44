#pragma once

/// Points answered by threads of this process, by oneTBB.

#include <atomic>
#include <cstdint>
#include <exception>
#include <memory>
#include <span>
#include <vector>

#include "sim/sweep/crew.h"

namespace forerun::sim {

class ThreadCrew : public Crew {
 public:
  /// Nothing to do yet. `threads`: at least 1.
  ThreadCrew(PointAnswerer&, int threads);
  /// Waits for the points that are being answered.
  ~ThreadCrew() override;
  ThreadCrew(const ThreadCrew&) = delete;
  ThreadCrew& operator=(const ThreadCrew&) = delete;

  /// Points to be answered, after those before.
  void give(std::span<const std::int64_t> points);
  [[nodiscard]] std::vector<PointResult> take() override;
  void stop() override;
  [[nodiscard]] bool done() const override { return pending_ == 0; }
  /// How many were given and not taken.
  [[nodiscard]] std::int64_t pending() const { return pending_; }

 private:
  struct Parts;
  std::unique_ptr<Parts> parts_;
  std::int64_t pending_ = 0;
};

}  // namespace forerun::sim
