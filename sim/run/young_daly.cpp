#include "sim/run/young_daly.h"

#include <algorithm>
#include <cmath>

namespace forerun::sim {

Seconds young_interval(Seconds blocked, Seconds mean) {
  return Seconds(std::sqrt(2 * blocked.base() * mean.base()));
}

Seconds daly_interval(Seconds blocked, Seconds mean) {
  if (blocked >= 2.0 * mean) return mean;
  const double x = std::sqrt(blocked / (2.0 * mean));
  return young_interval(blocked, mean) * (1 + x / 3 + x * x / 9) - blocked;
}

Seconds daly_duration(Seconds work, Seconds interval, Seconds blocked, Seconds restart,
                      Seconds mean) {
  return mean *
         (std::exp(restart / mean) * std::expm1((interval + blocked) / mean) * (work / interval));
}

double first_order_goodput(Seconds interval, Seconds blocked, Seconds restart, Seconds mean) {
  const double lost = (restart + interval / 2.0) / mean;
  return std::clamp(1 - lost, 0.0, 1.0) / (1 + blocked / interval);
}

}  // namespace forerun::sim
