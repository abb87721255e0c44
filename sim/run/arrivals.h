#pragma once

/// When things happen to a run: events of one kind as a Poisson process, whose rate may change with
/// the machine's age (hw/reliability.h has the equation).

#include <cstdint>
#include <optional>
#include <string>

#include "core/quantity.h"
#include "core/random.h"
#include "core/range.h"

namespace forerun::sim {

/// A named stream that hands out its draws in order.
class Draws {
 public:
  Draws(std::uint64_t seed, const std::string& name) : stream_(seed, name) {}
  double uniform() { return stream_.uniform(next_++); }
  double normal() { return stream_.normal(next_++); }
  double exponential() { return stream_.exponential(next_++); }

 private:
  Stream stream_;
  std::uint64_t next_ = 0;
};

class Arrivals {
 public:
  /// Of `nodes` together; the run's own rate is drawn out of the range, once. Shape and life:
  /// Weibull's; shape 1 has no life.
  Arrivals(std::uint64_t seed, const std::string& name, Range per_1000_node_days, double nodes,
           double shape, Seconds life);
  /// Seconds of the next event after `now`, at or after it; nothing if none ever comes.
  std::optional<double> after(double now);
  /// A draw for what the event is like.
  double uniform() { return draws_.uniform(); }

 private:
  Draws draws_;
  double rate_ = 0, shape_ = 1, life_ = 1;
};

}  // namespace forerun::sim
