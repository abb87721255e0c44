#pragma once

/// How much slower than it could be a job of a fleet runs, for all of its run: a distribution over
/// jobs, from hw/profiles/stragglers/NAME.json. A scenario that does not describe what makes its
/// own steps uneven may draw from it ("operations": {"stragglers": ...}); one that does (a mixture,
/// stages that differ) would count that twice.
///
/// Each cause is there in a share of the jobs, and then slows the step by 1 + x, x log-normal with
/// the stated mean and standard deviation of ln x; of several causes the strongest counts:
///
///   S = max over the causes that are there of (1 + x),  1 if none is
///
/// Not modelled: that causes come together, that large jobs are slower, how S moves along a run.

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "core/evidence.h"
#include "core/problem.h"
#include "core/random.h"

namespace forerun::hw {

struct StragglerCause {
  std::string name;
  double share = 1;       ///< of jobs that have it
  double mean = 0;        ///< of x in those
  double log_spread = 0;  ///< standard deviation of ln x
  Evidence evidence = Evidence::assumed;
  std::string source;
  bool operator==(const StragglerCause&) const = default;
};

struct Stragglers {
  std::string name, description;
  std::vector<StragglerCause> causes;
  /// S of the job that draws from `stream` from draw `first` on; takes three draws a cause.
  [[nodiscard]] double slowdown(const Stream&, std::uint64_t first = 0) const;
  bool operator==(const Stragglers&) const = default;
};

/// Wrong input is reported with path and rule.
[[nodiscard]] std::optional<Stragglers> read_stragglers(const std::string& json_text, Problems&);
/// The profile of that name; throws Error naming the nearest if there is none.
[[nodiscard]] Stragglers load_stragglers(const std::string& name);
[[nodiscard]] std::vector<std::string> straggler_names();

}  // namespace forerun::hw
