#pragma once

/// Durations in place of those that were measured: what if.

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "core/problem.h"
#include "sim/replay/job.h"

namespace forerun::replay {

/// Which operations are alike, so that one may stand for the other.
enum class Alike : std::uint8_t {
  /// Of one kind on one stage: replicas and steps differ, stages keep what they hold.
  on_stage,
  /// Of one kind, anywhere: stages are balanced too.
  anywhere
};
/// Where no stages are told, operations are alike if they have one kind and one number within the
/// step, whichever the rank and step; then both are the same.

/// Every operation as long as those alike are: the mean of computing, the median of transfers (a
/// few are far off). As StragglerAnalysis takes them.
[[nodiscard]] std::vector<std::int64_t> typical_durations(const Job&, Alike);

/// Transfers take no time; waiting for others stays.
[[nodiscard]] std::vector<std::int64_t> without_transfers(const Job&);

/// "NAME=FACTOR": operations of that kind take 1/FACTOR of their time.
struct Faster {
  std::string name;
  double factor = 1;
};
/// Or nothing, and what is wrong with the words.
[[nodiscard]] std::optional<Faster> parse_faster(std::string_view words, Problems&);
/// Of kernels a part of the name will do: all kinds that contain it. Reports a name that no kind
/// has, with the nearest.
[[nodiscard]] std::optional<std::vector<std::int64_t>> faster_durations(const Job&, const Faster&,
                                                                        Problems&);

}  // namespace forerun::replay
