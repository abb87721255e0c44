#pragma once

/// Whole curves as a stage: the schedule's nodes and some of the measured losses of each.

#include "models/loss/fit/models.h"
#include "models/loss/fit/stages.h"

namespace forerun::models {

/// The schedule of a curve: its rows, and between rows the rate linear in steps, cut where it moves
/// by more than a fortieth of its peak.
[[nodiscard]] std::vector<ScheduleNode> schedule_nodes(const Curve&);
/// The node of each of the curve's rows.
[[nodiscard]] std::vector<std::size_t> row_nodes(const Curve&, const std::vector<ScheduleNode>&);

/// At most kMostCurveTerms losses of each curve, evenly along it: neighbours tell the same.
[[nodiscard]] Stage curve_stage(const std::vector<Curve>&, Problems&);

}  // namespace forerun::models
