#pragma once

/// One reader for each tool: the text of a file that looks like its log, to measurements. Mistakes
/// are added to the problems as "FILE:LINE" or "FILE:/POINTER", and then the result is not to be
/// used. hw/logs/read_log.h chooses among them.

#include <string>
#include <string_view>

#include "core/problem.h"
#include "hw/logs/tool_log.h"

namespace forerun::hw {

/// Old format (error column, no root) and new (#wrong, root), with launcher prefixes and lines of
/// NCCL between the rows. A row that is cut off, a second table in one file and a run that ended
/// before the size its header announces are refused.
[[nodiscard]] ToolLog read_nccl_tests_text(std::string_view text, const std::string& file,
                                           Problems&);
/// Version 3 of the -J file.
[[nodiscard]] ToolLog read_nccl_tests_json(std::string_view text, const std::string& file,
                                           Problems&);
/// Tests of one copy at a time become the median over the matrix; those of several at once, of both
/// directions and of latency are noted, as are tests that did not run. The sum is checked.
[[nodiscard]] ToolLog read_nvbandwidth_text(std::string_view text, const std::string& file,
                                            Problems&);
[[nodiscard]] ToolLog read_nvbandwidth_json(std::string_view text, const std::string& file,
                                            Problems&);
/// Version 2: mean, median and max over shapes (of one shape the median is taken). Version 3: the
/// rows of the grid (median), of the burst maximum and of the sustained one.
[[nodiscard]] ToolLog read_mamf_finder(std::string_view text, const std::string& file, Problems&);
/// The fastest kernel of each shape and format. Runtime in ms; its GB/s are GiB/s; its FLOPs are
/// 2 m n k + 2 m n, checked.
[[nodiscard]] ToolLog read_cutlass_csv(std::string_view text, const std::string& file, Problems&);
/// Products (aten::mm, addmm, bmm) and fused attention with recorded shapes: the median over their
/// calls of the time of the kernels they launched. NCCL kernels with their sizes: the shortest of
/// the calls, because a call waits for the last rank. Copies in and between devices: the fastest.
[[nodiscard]] ToolLog read_kineto(std::string_view text, const std::string& file, Problems&);
/// Forward products by cublasLt, burst and sustained, attention, collectives, copies, taxes; all
/// other kernels that the simulator prices. Products of gradients, whose operands lie otherwise,
/// and launches, of which profiles have no field, are counted in the notes.
[[nodiscard]] ToolLog read_probe(std::string_view text, const std::string& file, Problems&);

}  // namespace forerun::hw
