#pragma once

/// A small sweep for tests: a model and a machine so small that a point takes a millisecond.

#include <doctest/doctest.h>

#include <string>

#include "sim/sweep/sweep.h"

namespace forerun::sim {

/// Nine points, of which the two with micro-batches of 3 break a rule: 16 is no multiple of 8 x 3.
inline std::string sweep_text() {
  return R"({
  "schema": 1,
  "name": "made",
  "base": "llama3_8b_torchtitan",
  "seed": 5,
  "answer": {"run_draws": 4, "loss_draws": 3},
  "designs": [
    {"name": "grid", "kind": "grid", "axes": [
      {"path": "plan.micro_batch", "values": [1, 2, 3]},
      {"path": "training_tokens", "values": [2e8, 4e8]}]},
    {"name": "drawn", "kind": "latin_hypercube", "points": 3, "axes": [
      {"path": "operations.spares", "from": 0, "to": 4, "integer": true},
      {"path": "training_tokens", "from": 1e8, "to": 1e9, "scale": "log"}]}
  ]
})";
}

inline Sweep made_sweep(const std::string& text = sweep_text()) {
  Problems problems;
  std::optional<Sweep> s = read_sweep(text, problems);
  REQUIRE_MESSAGE(s.has_value(), problems.text("sweep"));
  return *std::move(s);
}

}  // namespace forerun::sim
