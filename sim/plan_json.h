#pragma once

/// Plans as JSON: the object "plan" of a scenario file. Degrees of parallelism that are left out
/// are 1; micro_batch, global_batch, sequence and precision must be stated.

#include <string>
#include <string_view>
#include <vector>

#include "core/reader.h"
#include "models/layer_operations.h"
#include "sim/plan.h"

namespace forerun::sim {

/// Reads the fields and their own ranges; sim/scenario.h has the rules across them. Calls finish().
[[nodiscard]] Plan read_plan(Reader&);
/// The object that read_plan reads back as an equal plan; everything is written out.
[[nodiscard]] std::string plan_json(const Plan&);
/// "tensor 8, pipeline 16 (interleaved, 8 virtual stages), data 128 ..." for people.
[[nodiscard]] std::string plan_text(const Plan&);

/// {"mode": "selective", "parts": ["core_attention"]}; calls finish().
[[nodiscard]] Recompute read_recompute(Reader&);
/// The object that it reads back as an equal value.
[[nodiscard]] std::string recompute_json(const Recompute&);
/// By their names in a plan; nothing, reported at `key`, for one that there is not.
[[nodiscard]] std::vector<PipelineSchedule> read_schedules(Reader&, std::string_view key);
[[nodiscard]] std::vector<ShardingStage> read_shardings(Reader&, std::string_view key);

[[nodiscard]] std::string_view name(PipelineSchedule);
[[nodiscard]] std::string_view name(ShardingStage);
[[nodiscard]] std::string_view name(RecomputeMode);
[[nodiscard]] std::string_view part_name(models::LayerPart);
[[nodiscard]] std::string_view exchange_name(models::ContextExchange);

}  // namespace forerun::sim
