#pragma once

/// How often machines and the software on them fail, from hw/profiles/reliability/NAME.json.
///
/// A cause's events are a Poisson process over the machine, its rate a range (published rates of
/// clusters differ by a factor of three) out of which every simulated run draws its own, log-
/// uniformly. At age t of the machine the rate is
///
///   r(t) = r k (t / life)^(k - 1)        per node, whose mean over [0, life] is r
///
/// k = 1: memoryless; k < 1: infant mortality; k > 1: wear-out (Weibull's hazard; what is replaced
/// is as old as what it replaces). Rates are of nodes with `accelerators_per_node` accelerators;
/// other nodes are taken to fail in proportion to theirs.
///
/// Not modelled: how load, heat or the hour move the rate; single bad nodes that fail again and
/// again ("lemons"); links one by one (a cause may speak of links, its event stops the job).

#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "core/evidence.h"
#include "core/problem.h"
#include "core/quantity.h"
#include "core/range.h"
#include "core/reader.h"

namespace forerun::hw {

struct FailureCause {
  std::string name;          ///< "GPU", "software" ...
  Range per_1000_node_days;  ///< at `life`'s mean
  std::int64_t nodes = 1;    ///< that one event takes out; 0: the job dies, its machines live
  double shape = 1;          ///< Weibull's k
  Seconds life{};            ///< over which the rate's mean is meant; read where shape is not 1
  /// Corrupts without a word: noticed with probability `noticed`, after `unnoticed_for`.
  bool silent = false;
  double noticed = 1;
  Range unnoticed_for;  ///< seconds
  /// Told so long before, as spot machines are; 0: not.
  Seconds notice{};
  bool planned = false;  ///< done by the operator: the job saves its state before
  Evidence evidence = Evidence::assumed;
  std::string source;
  bool operator==(const FailureCause&) const = default;
};

/// Nodes that run slowly for a while and take the whole job with them.
struct SlowNodes {
  std::string name;  ///< "computation", "communication"
  Range per_1000_node_days;
  Range slowdown;          ///< of the job: its step over a healthy one's
  Range lasts;             ///< seconds, until it passes or the node is exchanged
  bool exchanged = false;  ///< then the node leaves, as after a failure
  Evidence evidence = Evidence::assumed;
  std::string source;
  bool operator==(const SlowNodes&) const = default;
};

struct Reliability {
  std::string name, description;
  std::int64_t accelerators_per_node = 8;
  std::vector<FailureCause> causes;
  std::vector<SlowNodes> slow;
  bool operator==(const Reliability&) const = default;
};

inline constexpr double kMostPer1000NodeDays = 1e6;

/// The body of a profile: of its file, or stated in a scenario. Calls finish().
[[nodiscard]] Reliability read_reliability_body(Reader&);
[[nodiscard]] std::string reliability_json(const Reliability&);

/// Wrong input is reported with path and rule.
[[nodiscard]] std::optional<Reliability> read_reliability(const std::string& json_text, Problems&);
/// The profile of that name; throws Error naming the nearest if there is none.
[[nodiscard]] Reliability load_reliability(const std::string& name);
[[nodiscard]] std::vector<std::string> reliability_names();

/// Mean time between the events of these causes on so many nodes of the profile's size, at mean
/// rates; of silent ones those that are noticed. Nothing if nothing happens.
[[nodiscard]] std::optional<Seconds> mean_time_between(std::span<const FailureCause>, double nodes);

}  // namespace forerun::hw
