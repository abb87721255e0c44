#include "sim/cost/hours.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <numeric>

#include "core/error.h"

namespace forerun::sim {

using namespace literals;

double mean_over_hours(const std::array<double, hw::kHours>& by_hour, double start_hour,
                       Seconds duration) {
  FORERUN_ASSERT(start_hour >= 0 && duration >= Seconds{},
                 fmt::format("hour {}, {} s", start_hour, duration.base()));
  constexpr auto kDay = static_cast<double>(hw::kHours);
  const double whole = std::accumulate(by_hour.begin(), by_hour.end(), 0.0);
  if (std::ranges::all_of(by_hour, [&](double v) { return v == by_hour.front(); })) {
    return by_hour.front();  // to the last bit
  }
  // From midnight to `hour`, at most a day later.
  const auto until = [&](double hour) {
    const double full = std::floor(hour);
    const auto hours = static_cast<std::size_t>(full);
    const double sum =
        std::accumulate(by_hour.begin(), by_hour.begin() + static_cast<std::ptrdiff_t>(hours), 0.0);
    return hours == hw::kHours ? sum : sum + (hour - full) * by_hour[hours];
  };
  const double start = std::fmod(start_hour, kDay), length = duration.in(1.0_h);
  if (!(length > 0)) return by_hour[static_cast<std::size_t>(start)];
  const double days = std::floor((start + length) / kDay);
  const double rest = std::clamp(start + length - days * kDay, 0.0, kDay);
  return (days * whole + until(rest) - until(start)) / length;
}

}  // namespace forerun::sim
