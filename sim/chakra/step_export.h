#pragma once

/// A simulated step as Chakra execution traces, one a rank, as ASTRA-sim 2 reads them.
///
/// Every accelerator has a trace: what was folded is written out (sim/layout.h has the order of the
/// ranks). Nodes carry
///
///   COMP_NODE       is_cpu_op false, num_ops (FLOPs), duration_micros, tensor_size (bytes read and
///                   written; memory-bound kernels are told apart to 0.1 MB)
///   COMM_COLL_NODE  comm_type, comm_size, pg_name (a key of the groups' file)
///   COMM_SEND_NODE  comm_size, comm_src, comm_dst, comm_tag; COMM_RECV_NODE the same
///
/// and all of them begin_ps and duration_ps, the dates of forerun's own simulation. `comm_size` is
/// what a rank puts in: the buffer of an all-reduce, the whole input of a reduce-scatter or an
/// all-to-all, the own part of an all-gather. A ring exchange is a send to the next and a receive
/// from the rank before. Dependencies are data_deps: the operation before on the same stream, what
/// the operation waits for, and the last operation that the host had waited for.
///
/// Not in the traces: what the host takes to issue kernels (it is in the dates), the tax of an
/// exchange on kernels beside it, which rank of an expert group has more rows than its peers.

#include <cstdint>
#include <functional>
#include <string>
#include <vector>

#include "sim/chakra/execution_trace.h"
#include "sim/program.h"
#include "sim/scenario.h"

namespace forerun::chakra {

/// Nodes of all ranks together that are written.
inline constexpr double kMostNodes = 2e7;

struct ExportedGroups {
  std::vector<std::vector<std::int64_t>> groups;  ///< the k-th has pg_name k + 1
  std::int64_t ranks = 0, nodes = 0;
  /// ASTRA-sim's --comm-group-configuration: {"1": [0, 1], ...}.
  [[nodiscard]] std::string json() const;
};

/// Calls `sink` with the trace of each rank, in order. The program must come from simulate_step
/// with Detail::kernels. Throws Error for more than kMostNodes.
[[nodiscard]] ExportedGroups export_step(
    const sim::Scenario&, std::int64_t lanes, const sim::Program&, const sim::Execution&,
    const std::function<void(std::int64_t rank, const ExecutionTrace&)>& sink);

}  // namespace forerun::chakra
