#pragma once

/// How a run is operated: what fails and what is done about it. A scenario's "operations". What it
/// leaves out is taken from the defaults here, and `unstated` names it, so that answers can say
/// what they assumed.
///
///   "operations": {
///     "reliability": "meta-rsc",              one of hw/profiles/reliability, or the object itself
///     "checkpoints": [
///       {"name": "memory", "mode": "in_memory", "every_steps": 1, "blocks": "0.04 s", "survives":
///       "node"},
///       {"name": "storage", "mode": "asynchronous", "every": "30 min"}],
///     "storage": {"write": "2 TB/s", "read": "2 TB/s"},
///     "detection": ["10 s", "10 min"], "restart": ["1 min", "10 min"],
///     "spares": 20, "replacement": ["15 min", "12 h"], "when_short": "wait",
///     "evaluation": {"every_steps": 1000, "lasts": "5 min"},
///     "maintenance": {"every": "30 days", "lasts": ["4 h", "8 h"]},
///     "step_time": "6.46 s",                  measured: in place of the simulated one
///     "diurnal": 0.02, "step_jitter": 0.02, "stragglers": "bytedance-jobs",
///     "data": {"read": "100 GB/s", "bytes_per_token": 4,
///              "decode": {"image": 2000}, "stalls": {"per_day": 1, "lasts": ["10 s", "5 min"]}}
///   }
///
/// Ranges are [low, high]; each event draws its own value, a rate its own for each simulated run.

#include <array>
#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include "core/quantity.h"
#include "core/range.h"
#include "core/reader.h"
#include "hw/reliability.h"
#include "hw/stragglers.h"

namespace forerun::sim {

enum class CheckpointMode : std::uint8_t {
  synchronous,   ///< training stands still until the state is written
  asynchronous,  ///< stands still while state is copied to host memory; written behind the training
  in_memory      ///< copied to host memory (of a second node too, if it survives a node's loss)
};
inline constexpr std::array kCheckpointModes = {
    Choice<CheckpointMode>{"synchronous", CheckpointMode::synchronous},
    Choice<CheckpointMode>{"asynchronous", CheckpointMode::asynchronous},
    Choice<CheckpointMode>{"in_memory", CheckpointMode::in_memory}};

/// The worst that a checkpoint outlives.
enum class Survives : std::uint8_t {
  process,  ///< the job's processes
  node,     ///< one node's loss
  all       ///< everything
};
inline constexpr std::array kSurvivals = {Choice<Survives>{"process", Survives::process},
                                          Choice<Survives>{"node", Survives::node},
                                          Choice<Survives>{"all", Survives::all}};

/// A place that checkpoints go to.
struct CheckpointTier {
  std::string name = "storage";
  CheckpointMode mode = CheckpointMode::asynchronous;
  std::optional<Seconds> every;  ///< neither of the two: the optimum (sim/run/young_daly.h)
  std::optional<double> every_steps;
  Seconds blocks{0.5};  ///< beside the copies: serial work while training stands still
  Survives survives = Survives::all;
  bool operator==(const CheckpointTier&) const = default;
};

/// What storage gives to all nodes together, and to one. Zero: no bound of this kind.
struct Storage {
  Bandwidth write{}, read{};
  Bandwidth write_per_node, read_per_node;
  bool operator==(const Storage&) const = default;
};

enum class WhenShort : std::uint8_t {
  wait,   ///< for a machine
  shrink  ///< go on with fewer data-parallel replicas
};
inline constexpr std::array kWhenShort = {Choice<WhenShort>{"wait", WhenShort::wait},
                                          Choice<WhenShort>{"shrink", WhenShort::shrink}};

/// What the data loaders must do. Training waits where they cannot keep up.
struct DataLoading {
  Bandwidth read{};  ///< of the storage, for data; zero: no bound
  double bytes_per_token = 0;
  /// Items (images, seconds of speech ...) of a modality that one node decodes in a second.
  std::map<std::string, double> decode;
  double stalls_per_day = 0;  ///< in which no data come
  Range stall;                ///< seconds
  bool operator==(const DataLoading&) const = default;
};

struct Operations {
  /// What slows a whole run, drawn once for each; its name is that of a profile.
  std::optional<hw::Stragglers> stragglers;
  hw::Reliability reliability;
  std::string reliability_name;  ///< of the profile; empty: stated
  std::vector<CheckpointTier> checkpoints;
  Storage storage;
  std::optional<double>
      bytes_per_parameter;                ///< of a checkpoint; nothing: what the optimiser holds
  Bandwidth host_link;                    ///< of an accelerator to its host's memory
  Range detection, restart, replacement;  ///< seconds
  std::optional<std::int64_t> spares;     ///< nodes; nothing: a hundredth of the job's
  WhenShort when_short = WhenShort::wait;
  struct Evaluation {
    double every_steps = 0;  ///< 0: none
    Seconds lasts{};
    bool operator==(const Evaluation&) const = default;
  };
  Evaluation evaluation;
  struct Maintenance {
    Seconds every{};  ///< 0: none
    Range lasts;      ///< seconds
    bool operator==(const Maintenance&) const = default;
  };
  Maintenance maintenance;
  /// Of the step, at the hottest hour of a day over the coolest, minus 1; a cosine between.
  double diurnal = 0;
  /// Of a full batch, as somebody measured it: stands in place of the simulated one, without a
  /// band.
  std::optional<Seconds> step_time;
  double step_jitter = 0;  ///< standard deviation of a step's time over its mean
  std::optional<DataLoading> data;
  std::vector<std::string> unstated;  ///< fields taken from the defaults
  bool operator==(const Operations&) const = default;
};

/// What stands where a scenario states nothing: all defaults, all unstated.
[[nodiscard]] const Operations& default_operations();
/// Reads a scenario's "operations" and finishes the reader.
[[nodiscard]] Operations read_operations(Reader&);
/// The text that read_operations reads back as the same, fields that were unstated left out.
[[nodiscard]] std::string operations_json(const Operations&);
/// Where an unstated field's default comes from, in a few words with the value.
[[nodiscard]] std::vector<std::string> operations_assumed(const Operations&);

}  // namespace forerun::sim
