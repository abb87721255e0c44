#pragma once

/// The same work under another pipeline schedule of sim/schedule.h: the passes of every stage and
/// micro-batch as long as they were measured, in another order, with the messages that order needs;
/// what comes before and after the passes stays.
///
/// Assumed, where the trace cannot know: interleaving cuts a stage's pass into equal parts, one a
/// chunk, and each chunk's message is as large as a stage's; zero-bubble splits a backward pass
/// into halves for activations and weights; a message from the last stage to the first takes what
/// those of its direction take on the mean. Activation memory is not looked at.

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "core/problem.h"
#include "core/quantity.h"
#include "sim/replay/job.h"
#include "sim/schedule.h"

namespace forerun::replay {

struct ScheduleChoice {
  sim::PipelineSchedule schedule = sim::PipelineSchedule::one_forward_one_backward;
  std::int64_t virtual_stages = 1;
};

/// "interleaved:4", "zero_bubble_h1"; reports an unknown name with the nearest, and DualPipe, whose
/// ranks hold two stages each.
[[nodiscard]] std::optional<ScheduleChoice> parse_schedule(std::string_view words, Problems&);
[[nodiscard]] std::string schedule_text(const ScheduleChoice&);

/// The length of each step, without gaps. Reports a job of which no stages or passes are told, and
/// the rule that its size breaks.
[[nodiscard]] std::optional<std::vector<std::int64_t>> rescheduled_steps(const Job&,
                                                                         const ScheduleChoice&,
                                                                         Problems&);

}  // namespace forerun::replay
