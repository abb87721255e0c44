#pragma once

/// Who is slow: the step with one part of the job as it was measured and all else typical, and the
/// step with that part alone made typical. A part is a stage, a replica, a rank or a kind of
/// operation. (Lin et al. 2025, arXiv 2505.05713: equations 2 and 4, typical durations over all
/// ranks; theirs is the first of the two numbers.)

#include <cstdint>
#include <string_view>
#include <vector>

#include "core/quantity.h"
#include "sim/replay/job.h"

namespace forerun::replay {

enum class PartKind : std::uint8_t { stage, replica, rank, operation };
[[nodiscard]] std::string_view name(PartKind);

struct JobPart {
  PartKind part = PartKind::rank;
  std::int32_t index = 0;  ///< stage, replica, or index into the trace's ranks or kinds
  /// Step with this part as measured and all else typical, over the typical step.
  double slows = 1;
  /// Step as measured but this part usual, over the step as measured: below 1 if it held it up.
  /// Usual is typical; of a rank or a replica, typical of the same stage, whose work it shares.
  double mended = 1;
  /// Its durations, summed, over the usual ones.
  double longer = 1;
  /// Of a rank: the kind whose excess over the usual is largest there, and by how much it is
  /// longer; -1 where none is.
  std::int32_t kind = -1;
  double kind_longer = 1;
};

struct Stragglers {
  Seconds measured{}, typical{};  ///< mean steps, replayed
  std::vector<JobPart> parts;     ///< by part kind, then what mending gives back, most first
  bool ranks_left_out = false;    ///< too many to replay one by one
};

/// Two replays for each part; ranks one by one only while that is at most `budget` operations.
[[nodiscard]] Stragglers find_stragglers(const Job&, double budget = 4e9);

}  // namespace forerun::replay
