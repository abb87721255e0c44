#pragma once

/// Setups for tests of the run in time: a machine of 100 nodes, a step of 10 s, nothing that fails.

#include <string>

#include "sim/run/run_setup.h"

namespace forerun::sim {

inline RunSetup made_setup(double steps = 10000) {
  RunSetup s;
  s.steps = steps;
  s.phases = {{0, Seconds(10), 1e6, {}}};
  s.tiers = {{"storage", 360, Seconds(60), {}, Seconds(40), Survives::all, true}};
  s.nodes = 100;
  s.spares = 1000;
  s.replicas = 50;
  s.micro_batches = 8;
  s.stages = 4;
  s.reference_nodes = 100;
  s.detection = {0, 0};
  s.restart = {260, 260};
  s.replacement = {3600, 3600};
  s.longest = Seconds(3650.0 * 86400);
  return s;
}

/// Once in `mean` on average, over all nodes.
inline hw::FailureCause made_cause(const std::string& name, Seconds mean, std::int64_t nodes = 1) {
  hw::FailureCause c;
  c.name = name;
  const double rate = 1000.0 * 86400.0 / mean.base() / 100;
  c.per_1000_node_days = {rate, rate};
  c.nodes = nodes;
  c.source = "made";
  return c;
}

}  // namespace forerun::sim
