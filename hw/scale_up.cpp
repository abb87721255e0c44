#include "hw/scale_up.h"

#include <algorithm>
#include <cmath>

#include "core/error.h"

namespace forerun::hw {

std::string_view name(CollectiveKind kind) {
  switch (kind) {
    case CollectiveKind::all_reduce:
      return "all_reduce";
    case CollectiveKind::all_gather:
      return "all_gather";
    case CollectiveKind::reduce_scatter:
      return "reduce_scatter";
    case CollectiveKind::all_to_all:
      return "all_to_all";
    case CollectiveKind::broadcast:
      return "broadcast";
    case CollectiveKind::send_receive:
      return "send_receive";
  }
  return {};
}

std::optional<CollectiveKind> collective_named(std::string_view text) {
  if (text == "alltoall") return CollectiveKind::all_to_all;
  for (std::size_t i = 0; i < kCollectiveKinds; ++i) {
    const auto kind = static_cast<CollectiveKind>(i);
    if (name(kind) == text) return kind;
  }
  return std::nullopt;
}

Curve::Curve(std::int64_t ranks, const std::vector<Bytes>& sizes, const std::vector<Seconds>& times)
    : ranks_(ranks) {
  FORERUN_ASSERT(!sizes.empty() && sizes.size() == times.size(), std::to_string(sizes.size()));
  for (std::size_t i = 0; i < sizes.size(); ++i) {
    log_size_.push_back(std::log2(sizes[i].base()));
    log_time_.push_back(std::log2(times[i].base()));
  }
}

double Curve::log_time(double log_size) const {
  if (log_size <= log_size_.front()) return log_time_.front();
  if (log_size >= log_size_.back()) return log_time_.back() + (log_size - log_size_.back());
  const auto after = static_cast<std::size_t>(
      std::upper_bound(log_size_.begin(), log_size_.end(), log_size) - log_size_.begin());
  const double span = log_size_[after] - log_size_[after - 1];
  const double share = (log_size - log_size_[after - 1]) / span;
  return log_time_[after - 1] + share * (log_time_[after] - log_time_[after - 1]);
}

std::pair<double, double> Curve::around(double log_size) const {
  const auto from = std::lower_bound(log_size_.begin(), log_size_.end(), log_size);
  if (from == log_size_.begin() || *from == log_size) return {*from, *from};
  return {*(from - 1), *from};
}

DurationEvidence Curve::evidence(double log_size) const {
  if (!covers(log_size)) return DurationEvidence::extrapolated;
  return std::binary_search(log_size_.begin(), log_size_.end(), log_size)
             ? DurationEvidence::measured
             : DurationEvidence::interpolated;
}

}  // namespace forerun::hw
