#pragma once

/// A published measurement as a question that the simulator can be asked, with what was measured
/// beside it. The format of a row, one JSON object a line, is documented in
/// tests/published/README.md.
///
/// A row is somebody's record, not a scenario: what it leaves out is taken from the named model,
/// the framework's preset and sim/published_runs.json, and every such guess is written into
/// Scenario::assumptions. What it states of the software replaces the preset's facts. Keys that are
/// not known are ignored. A row that cannot be simulated comes back with the reason.

#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <variant>

#include "core/quantity.h"
#include "hw/accelerator.h"
#include "models/published_model.h"
#include "sim/framework.h"
#include "sim/published_rules.h"
#include "sim/scenario.h"

namespace forerun::sim {

struct Measured {
  std::optional<Seconds> step_time;
  std::optional<Bytes> memory;      ///< peak allocated
  std::optional<Bytes> after_step;  ///< allocated between steps
  std::optional<Bytes> reserved;    ///< held by the caching allocator at the peak
  bool out_of_memory = false;
};

struct PublishedRow {
  std::string id, group;
  std::string family;      ///< rows that stand or fall together in a fit; empty: not stated
  std::string split;       ///< "fit", "test" or empty
  std::string not_scored;  ///< why its error counts nowhere (a published regression); else empty
  Scenario scenario;
  Measured measured;
};

/// Why a row was not simulated; `id` and `group` as far as they could be read.
struct RefusedRow {
  std::string id, group, reason;
  bool out_of_scope = false;  ///< the model is of a kind that is not simulated at all
  Measured measured;
};

/// Reads rows; what they have in common (zoo, profiles, presets) is loaded once.
class PublishedRowReader {
 public:
  PublishedRowReader() = default;
  [[nodiscard]] std::variant<PublishedRow, RefusedRow> read(std::string_view json_line);

 private:
  const hw::Accelerator* accelerator(const std::string& name, Reader& at);
  const hw::Network& network(const std::string& name);
  const Framework& framework(const std::string& name);
  void read_machine(Reader& row, PublishedRow& out);

  models::PublishedModels models_;
  PublishedRules rules_;
  std::map<std::string, hw::Accelerator> accelerators_;
  std::map<std::string, hw::Network> networks_;
  std::map<std::string, Framework> frameworks_;
};

}  // namespace forerun::sim
