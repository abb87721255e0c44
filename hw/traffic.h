#pragma once

/// Jobs on a topology: how long each takes alone, as the analytic model has it, and beside the
/// others.

#include <cstdint>
#include <string>
#include <vector>

#include "hw/topology.h"

namespace forerun::hw {

struct JobTime {
  Seconds analytic{};  ///< hw/collective.h with the same algorithm, no contention; zero on a torus
  Seconds alone{};     ///< all its groups at once, nothing else, on this graph
  Seconds beside{};    ///< with all other jobs
  Bandwidth bus{};     ///< of one rank, beside the others, as nccl-tests counts it
  Bandwidth bus_alone{};
  std::string fullest;  ///< the link that its bytes alone fill longest
  Seconds filled{};     ///< for how long
};

struct Traffic {
  std::vector<JobTime> jobs;
  FlowRun run;  ///< all jobs together
};

/// What the analytic model says of one group of a job, with the job's algorithm; zero on a torus.
[[nodiscard]] CollectiveTime analytic_time(const Topology&, const NetworkJob&);
/// The collectives of one job, group by group, with the latency of the analytic model.
[[nodiscard]] std::vector<FlowCollective> collectives_of(const Topology&, const NetworkJob&,
                                                         std::uint64_t tag);
[[nodiscard]] Traffic run_jobs(const Topology&, std::uint64_t seed);

}  // namespace forerun::hw
