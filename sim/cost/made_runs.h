#pragma once

/// What the tests of costs start from.

#include <doctest/doctest.h>

#include <optional>
#include <string>

#include "core/file.h"
#include "sim/cost/bill.h"
#include "sim/scenario.h"

namespace forerun::sim::testing {

/// 64 H100 in 8 nodes, with this cost and no price of its own.
inline Scenario scenario(const std::string& cost, const std::string& power_cap = "") {
  Problems problems;
  JsonDocument document = JsonDocument::parse(
      read_file(data_path("scenarios/llama2_70b_64_h100.json"), kMaxJsonBytes), problems);
  document.set("price", "null", problems);
  document.set("cost", cost, problems);
  if (!power_cap.empty()) document.set("cluster.power_cap", power_cap, problems);
  auto s = read_scenario(document, problems);
  REQUIRE_MESSAGE(s, problems.text("s"));
  return *std::move(s);
}

/// Ten days in which 8 nodes trained for nine and waited for one, beside two spares.
inline RunDraw ten_days() {
  using namespace literals;
  RunDraw d;
  d.duration = 10.0_days;
  d.use[static_cast<std::size_t>(TimeUse::training)] = 9.0_days;
  d.use[static_cast<std::size_t>(TimeUse::restart)] = 1.0_days;
  d.node_time = 100.0_days;
  d.job_node_time = 80.0_days;
  d.computing = 9.0_days;
  return d;
}

inline RunForecast forecast(std::vector<RunDraw> draws) {
  RunForecast f;
  f.nodes = 8;
  f.spares = 2;
  f.evidence = Evidence::derived;
  f.draws = std::move(draws);
  return f;
}

/// One draw of a run that nothing disturbs.
inline RunForecast undisturbed(const Scenario& s, Seconds duration) {
  RunDraw d;
  d.duration = d.computing = duration;
  d.use[static_cast<std::size_t>(TimeUse::training)] = duration;
  RunForecast f = forecast({});
  f.nodes = s.accelerators / s.network.per_node;
  f.spares = 0;
  d.node_time = d.job_node_time = static_cast<double>(f.nodes) * duration;
  f.draws = {d};
  return f;
}

}  // namespace forerun::sim::testing
