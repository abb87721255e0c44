#pragma once

/// What `forerun replay` answers, as text for people and as JSON for programs.

#include <cstdint>
#include <string>
#include <vector>

#include "core/json_writer.h"
#include "core/quantity.h"
#include "sim/replay/job.h"
#include "sim/replay/stragglers.h"

namespace forerun::cli {

/// A replay with something changed.
struct ReplayAnswer {
  std::string key;                  ///< of the JSON: "no_stragglers"
  std::string what;                 ///< "every operation typical of its kind and stage"
  std::vector<std::int64_t> steps;  ///< picoseconds
};

struct ReplayResult {
  std::string source;
  std::vector<std::int64_t> measured;   ///< empty: the trace has no dates
  std::vector<std::int64_t> with_gaps;  ///< replayed with what the trace shows between operations
  std::vector<std::int64_t> without_gaps;
  std::vector<ReplayAnswer> answers;
  replay::Stragglers stragglers;
  replay::Path path;
  [[nodiscard]] const std::vector<std::int64_t>& baseline(const replay::Job& job) const {
    return job.keeps_gaps ? with_gaps : without_gaps;
  }
};

[[nodiscard]] std::string replay_text(const replay::Job&, const ReplayResult&);
void write_replay(JsonWriter&, const replay::Job&, const ReplayResult&);

}  // namespace forerun::cli
