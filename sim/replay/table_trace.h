#pragma once

/// A table of operations of a pipelined job: comma-separated, one row an operation, with the
/// columns
///
///   step        number of the training step
///   dp_rank     data-parallel rank, from 0 (also `dp`)
///   pp_stage    pipeline stage, from 0 (also `pp`)
///   optype      a name of kPipelineKinds
///   start_us    microseconds, any zero that a step's rows share (also `start`)
///   dur_us      microseconds (also `duration`)
///   seq_id      optional: number among those of its optype, rank and step
///   mb_id       optional: micro-batch, -1 where there is none
///
/// Neither orders anything: operations follow one another by their starts. Two rows of one number
/// are refused.
///
/// Other columns are refused. A row is one of all ranks that share its stage and replica (tensor
/// and context parallelism are inside it).

#include <optional>
#include <string_view>

#include "core/problem.h"
#include "sim/replay/job_trace.h"

namespace forerun::replay {

/// Whether the first line looks like such a table's header.
[[nodiscard]] bool is_table_trace(std::string_view text);

/// Every wrong row is a problem by line (the first 20); so are steps in which a rank is missing,
/// and rows that stand there twice. Operations come back sorted by step, rank, begin, kind.
[[nodiscard]] std::optional<JobTrace> read_table_trace(std::string_view text, Problems&);

}  // namespace forerun::replay
