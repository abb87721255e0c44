#pragma once

/// What a run of the probe will time within its budget, before it runs: every candidate with an
/// estimate of how long timing it takes, most valuable first. Estimates are a plain roofline at
/// assumed shares of the machine's rates; they order and fill a budget and are never results.
///
///   call      = operations / (0.6 rate) + bytes / (0.7 bandwidth) + 5 us
///   sample    = calls call + flush
///   sample    = 5 calls call + 1 ms, of a tax: alone, then beside
///   burst     = set-up + (kWarmUps + samples) sample
///   sustained = set-up + kSustained
///
/// Samples are fewer where they are long. Set-up has the choice of algorithms and the check.
///
/// As the run goes, `ProbePace` corrects the estimates by what earlier shapes took.

#include <string>
#include <vector>

#include "hw/probe/measurement_file.h"
#include "hw/probe/shape_grid.h"

namespace forerun::hw {

inline constexpr Seconds kProbeBudget{480};  ///< unless asked otherwise
inline constexpr Seconds kSustained{3};      ///< a sustained point runs this long
inline constexpr std::int64_t kWarmUps = 3;  ///< calls before the first sample
inline constexpr std::int64_t kMostSamples = 21;
inline constexpr std::int64_t kLeastSamples = 5;
/// Of a sample of a tax, so that what runs beside the product is in full swing.
inline constexpr std::int64_t kTaxCalls = 10;

/// What the estimates need of a machine.
struct ProbeMachine {
  std::string name;
  FlopRate rate16{};  ///< dense, 16 bit; 8 bit twice, tf32 half
  bool has_fp8 = true;
  Bandwidth memory_bandwidth{}, host_bandwidth{}, link_bandwidth{};
  Bytes memory{};
  int count = 1;
};

/// Rates by compute capability, clock and multiprocessors, as published for data-centre parts;
/// 1,024 operations a clock and multiprocessor for others.
[[nodiscard]] ProbeMachine probe_machine(const ProbeDevice&);
/// An H100 SXM as published: what a plan is shown for where there is no accelerator.
[[nodiscard]] ProbeMachine probe_example_machine();

/// How one point is timed.
struct ProbeTiming {
  std::int64_t samples = 0, calls = 1;  ///< of burst; calls of a sample follow each other
  Seconds estimate{};                   ///< of the whole point, set-up and check included
};
[[nodiscard]] ProbeTiming probe_timing(const ProbeShape&, ProbeMode, const ProbeMachine&);

struct ProbePlanned {
  ProbeShape shape;
  ProbeMode mode = ProbeMode::burst;
  int round = 0;
  ProbeTiming timing;
};

struct ProbePlan {
  std::vector<ProbePlanned> points;  ///< in the order in which they run
  std::vector<ProbeLeftOut> left_out;
  Seconds estimate{};
};

/// Candidates in order while the estimates' sum stays within the budget; one that does not fit is
/// left out, and cheaper ones after it may still come. Left out too is what the machine can't hold
/// or has no number format for. `only`: families, empty for all.
[[nodiscard]] ProbePlan plan_probe(const ProbeMachine&, Seconds budget,
                                   const std::vector<ProbeFamily>& only = {});

/// Device memory that a shape's operands need.
[[nodiscard]] Bytes probe_footprint(const ProbeShape&);

/// What a run knows of its own speed.
class ProbePace {
 public:
  explicit ProbePace(Seconds budget) : budget_(budget) {}
  void took(Seconds estimate, Seconds actual);
  /// Real over estimated time of what was timed so far, 1 before anything was.
  [[nodiscard]] double ratio() const;
  /// Whether a point of that estimate ends within the budget if it starts after `elapsed`.
  [[nodiscard]] bool fits(Seconds elapsed, Seconds estimate) const;
  /// Time that `estimate` of work will take at this pace, no more than is left of the budget.
  [[nodiscard]] Seconds left(Seconds elapsed, Seconds estimate) const;

 private:
  Seconds budget_, estimated_{}, actual_{};
};

}  // namespace forerun::hw
