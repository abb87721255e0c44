#include "sim/run/arrivals.h"

#include <cmath>

namespace forerun::sim {

using namespace literals;

Arrivals::Arrivals(std::uint64_t seed, const std::string& name, Range per_1000_node_days,
                   double nodes, double shape, Seconds life)
    : draws_(seed, name), shape_(shape), life_(life.base()) {
  rate_ = per_1000_node_days.at(draws_.uniform()) / 1000 / (1.0_days).base() * nodes;
}

std::optional<double> Arrivals::after(double now) {
  if (!(rate_ > 0)) return std::nullopt;
  const double e = draws_.exponential();
  if (shape_ == 1) return now + e / rate_;
  // The integral of the hazard up to the event is that up to now and an exponential more.
  const double sofar = std::pow(now / life_, shape_);
  return life_ * std::pow(sofar + e / (rate_ * life_), 1 / shape_);
}

}  // namespace forerun::sim
