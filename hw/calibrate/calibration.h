#pragma once

/// A profile made of an older one and of measurements: what `forerun calibrate` answers with.
///
/// Measurements come in families (one kind of kernel, one collective between one number of ranks).
/// For each: what the old profile said, what was changed, and how well the new profile predicts a
/// measurement that it was made without.

#include <string>
#include <vector>

#include "core/evidence.h"
#include "core/problem.h"
#include "core/quantity.h"
#include "hw/error_summary.h"
#include "hw/logs/tool_log.h"

namespace forerun::hw {

/// One measurement and two predictions of it.
struct CalibratedPoint {
  LogPlace place;
  std::string what;  ///< "4096 x 4096 x 8192", "64 MiB"
  Seconds measured{};
  Seconds before{};    ///< by the old profile
  Seconds left_out{};  ///< by what is made of the other measurements
};

struct CalibratedFamily {
  std::string name;          ///< "gemm bf16", "all_reduce, 16 ranks"
  std::string did;           ///< "curve over 32 sizes", "rate x 1.04", "compared only: ..."
  std::string left_out_how;  ///< "one at a time"; empty: nothing was fitted
  std::vector<CalibratedPoint> points;
  [[nodiscard]] ErrorSummary before() const;
  [[nodiscard]] ErrorSummary left_out() const;
};

/// One number, or one table of numbers, of the new profile.
struct CalibratedField {
  std::string field;  ///< "gemm.bf16", "collectives"
  std::string was, now;
  Evidence evidence = Evidence::measured;
  std::string source;  ///< the files
};

struct Calibration {
  std::string profile;  ///< the new profile, JSON text
  std::vector<CalibratedFamily> families;
  std::vector<CalibratedField> fields;
  std::vector<std::string> unused;  ///< measurements that this profile has no place for, and why
};

/// Names of the files that measurements stand in, without their folders, each once.
[[nodiscard]] std::string files_of(const std::vector<LogPlace>& places);

/// "64 MiB", "1,000 B"
[[nodiscard]] std::string size_text(Bytes);

/// A network profile (hw/profiles/networks) with curves of its own for every operation and number
/// of ranks that was measured, and the bandwidth of a copy between two accelerators. Ranks are
/// taken to fill the fewest domains, evenly. Times of one size in several logs: their middle (in
/// the logarithm). Curves are made to rise (hw/fit/isotonic.h). Curves that the profile has of
/// other operations and ranks stay. Problems: what can't be (hw/calibrate/plausible.h), and nothing
/// to use.
[[nodiscard]] Calibration calibrate_network(const std::string& profile,
                                            const std::vector<ToolLog>& logs, Problems&);

/// An accelerator profile (hw/profiles/accelerators): matrix products of each format, from
/// kFewestToFit shapes on by a surface of their own (hw/fit/gemm_fit.h) where that predicts
/// left-out products better, else by the rate of the profile's surface; fused attention by the rate
/// of its surface; copies in device memory. Sustained products are compared with the power model,
/// which they do not change.
[[nodiscard]] Calibration calibrate_accelerator(const std::string& profile,
                                                const std::vector<ToolLog>& logs, Problems&);

inline constexpr std::size_t kFewestToFit = 20;

}  // namespace forerun::hw
