#include "sim/replay/job_trace.h"

#include <fmt/format.h>

#include <algorithm>

namespace forerun::replay {

std::vector<std::int64_t> measured_steps(const JobTrace& trace) {
  std::vector<std::int64_t> ends(trace.steps.size(), 0);
  for (const TracedOperation& o : trace.operations) {
    std::int64_t& end = ends[static_cast<std::size_t>(o.step)];
    end = std::max(end, o.end());
  }
  return ends;
}

std::string describe(const JobTrace& trace, std::int32_t operation) {
  const TracedOperation& o = trace.operations[static_cast<std::size_t>(operation)];
  return fmt::format("{} {} of {} in step {}", trace.kinds[static_cast<std::size_t>(o.kind)].name,
                     o.sequence, trace.ranks[static_cast<std::size_t>(o.rank)].name,
                     trace.steps[static_cast<std::size_t>(o.step)]);
}

std::string describe_cycle(const JobTrace& trace, const std::vector<std::int32_t>& cycle) {
  constexpr std::size_t kMostShown = 8;
  std::string out;
  for (std::size_t i = 0; i < std::min(cycle.size(), kMostShown); ++i) {
    out += fmt::format("{}{}", i == 0 ? "" : ", for ", describe(trace, cycle[i]));
  }
  if (cycle.size() > kMostShown) out += fmt::format(", and {} more", cycle.size() - kMostShown);
  return out + fmt::format(", for {}", describe(trace, cycle.front()));
}

}  // namespace forerun::replay
