#pragma once

/// What a run of the probe is asked for: the words that `forerun probe` hands to forerun-probe, and
/// that the latter takes by itself on a machine where it is alone.

#include <string>
#include <vector>

#include "hw/probe/plan.h"

namespace forerun::hw {

struct ProbeRequest {
  std::string output;  ///< file that is written; empty only with `plan_only`
  Seconds budget = kProbeBudget;
  std::int64_t seed = 1;
  std::vector<ProbeFamily> families;  ///< empty: all
  bool plan_only = false, help = false;
  bool operator==(const ProbeRequest&) const = default;
};

inline constexpr Seconds kLeastBudget{5}, kMostBudget{86400};

/// The family of that name; throws Error with the nearest if there is none.
[[nodiscard]] ProbeFamily probe_family_named(const std::string& name);
/// Throws Error (usage) for a wrong budget or a run without an output.
void check_request(const ProbeRequest&);
/// Throws Error (usage) naming the word and what it should be.
[[nodiscard]] ProbeRequest parse_request(const std::vector<std::string>& words);
/// Words that parse_request() makes the same request of.
[[nodiscard]] std::vector<std::string> request_words(const ProbeRequest&);

}  // namespace forerun::hw
