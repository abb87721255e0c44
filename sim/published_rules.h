#pragma once

/// What a published row leaves out and somebody else stated: which preset its framework's name
/// stands for, on which network it ran, how context parallelism exchanged, at which power cap its
/// boards ran. The rules are data,
/// sim/published_runs.json, each with its source; the first that matches a row decides.

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "core/problem.h"
#include "core/quantity.h"
#include "core/reader.h"
#include "models/layer_operations.h"

namespace forerun::sim {

/// What a row says of itself, as far as rules look at it.
struct RunIdentity {
  std::string framework, accelerator, source;
  double network_gbps = 0;  ///< 0: not stated
};

struct PublishedRule {
  // What must match; empty or zero matches everything.
  std::string framework;
  std::string accelerator;   ///< beginning of the accelerator's name, up to a hyphen
  std::string published_by;  ///< beginning of the source
  double network_gbps = 0;
  // What it decides; empty: nothing.
  std::string preset, network;
  std::optional<models::ContextExchange> context_exchange;
  std::optional<Watts> power_cap;  ///< of a board that its owner runs below what it may draw
  std::string source;
  [[nodiscard]] bool matches(const RunIdentity&) const;
};

class PublishedRules {
 public:
  /// Reads sim/published_runs.json. Throws Error if it is wrong.
  PublishedRules();
  explicit PublishedRules(std::vector<PublishedRule> rules) : rules_(std::move(rules)) {}
  /// The first matching rule that decides `what`, or null.
  [[nodiscard]] const PublishedRule* preset(const RunIdentity&) const;
  [[nodiscard]] const PublishedRule* network(const RunIdentity&) const;
  [[nodiscard]] const PublishedRule* context_exchange(const RunIdentity&) const;
  [[nodiscard]] const PublishedRule* power_cap(const RunIdentity&) const;

 private:
  template <class Decides>
  const PublishedRule* first(const RunIdentity&, Decides decides) const;
  std::vector<PublishedRule> rules_;
};

[[nodiscard]] std::vector<PublishedRule> read_published_rules(Reader&);

}  // namespace forerun::sim
