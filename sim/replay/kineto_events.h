#pragma once

/// The events of one Kineto file that a replay needs; private to sim/replay.

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "core/problem.h"

namespace forerun::replay {

/// A kernel, copy or fill on the accelerator.
struct DeviceEvent {
  std::string name;
  double begin = 0, duration = 0;  ///< microseconds
  std::int64_t stream = 0, correlation = -1;
  std::string group;       ///< process group; empty: none
  std::string collective;  ///< "allreduce", "send" ...
  std::int64_t source = -1, destination = -1;
};
/// A host call that launches something.
struct Launch {
  std::int64_t correlation = -1;
  double begin = 0;
};
struct StepMark {
  std::int64_t number = 0;
  double begin = 0, end = 0;
};
/// What comes after `correlation` on `stream` waits for what came before `recorded` on `on`.
struct StreamWait {
  std::int64_t correlation = -1, stream = 0, on = 0, recorded = -1;
};

struct KinetoEvents {
  std::optional<std::int64_t> rank;  ///< distributedInfo.rank
  std::vector<DeviceEvent> device;
  std::vector<Launch> launches;
  std::vector<StepMark> steps;
  std::vector<StreamWait> waits;
};

[[nodiscard]] KinetoEvents read_kineto_events(std::string_view text, Problems&);

}  // namespace forerun::replay
