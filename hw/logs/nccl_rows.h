#pragma once

/// What nccl-tests' text and JSON have in common: rows, checked against their own arithmetic.
///
///   algorithm bandwidth = size / time,  bus bandwidth = algorithm bandwidth x factor(ranks)
///
/// (hw/scale_up.h: bus_factor). The printed columns must agree within their rounding, which finds
/// times in another unit and edited numbers; the factor tells the number of ranks where it depends
/// on it, and rows that tell different numbers are two runs. Captions are not trusted: the number
/// of ranks comes from the arithmetic, and a list of ranks that says otherwise is noted.

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "core/problem.h"
#include "hw/logs/tool_log.h"

namespace forerun::hw {

inline constexpr std::int64_t kMostRanks = 1 << 20;

/// One number as printed and what rounding may have taken of it.
struct PrintedNumber {
  double value = 0, half = 0;
};

/// Out of place or in place.
struct NcclSide {
  PrintedNumber microseconds, algorithm, bus;  ///< bandwidths in GB/s
  double wrong = 0;                            ///< values that the check found wrong
};

struct NcclRow {
  std::string where;
  std::int64_t bytes = 0, count = 0;
  std::string type;
  bool reduces = false;  ///< the row names a reduction
  bool rooted = false;   ///< the row names a root rank
  NcclSide out_of_place;
  std::optional<NcclSide> in_place;
};

struct NcclRun {
  std::string file;
  std::vector<NcclRow> rows;
  std::optional<CollectiveKind> told;  ///< by the log: the program's name
  std::int64_t listed_ranks = 0;       ///< highest rank of the list of devices, plus one; 0: none
  bool other_program = false;          ///< a test of nccl-tests that is none of CollectiveKind
};

/// The collective that a program's or a file's name tells: "all_reduce_perf", "allreduce",
/// "p5_alltoall.log".
[[nodiscard]] std::optional<CollectiveKind> collective_told(std::string_view text);

/// The rows' measurements: the out-of-place time, or the in-place one where that of a first call
/// without warm-up is far longer. Rows of no bytes are left out. Notes what was left out.
[[nodiscard]] std::vector<TimedCollective> collectives_of(const NcclRun&, ToolLog& log, Problems&);

}  // namespace forerun::hw
