#pragma once

/// What the operations of a pipelined job wait for. Of one rank (a stage of a replica) in one step:
///
/// - passes (forward- and backward-compute) one after another, in the order of their starts;
/// - a receive for the pass before its own of the same direction (it is posted then), and for the
///   receive before it; its pass for it. A send for its pass and the send before it. The k-th
///   message of a direction is the k-th pass's. The first gradient's receive also waits for the
///   forward pass two before the first backward one, as Megatron-LM posts it after the warm-up;
/// - the first forward pass for the last params-all-gather; gathers and reductions of gradients one
///   after another;
/// - after the last pass: gc, layernorm, embedding, grads-reduce-scatter (or, where the gradients
///   are reduced beside the backward passes, separate-grads-all-reduce), clip, optimizer in a row.
///
/// Groups: send and receive; gathers and reductions over the replicas; the embedding's gradients
/// over first and last stage; clip over all ranks.
///
/// One chunk of the model a stage: the tables do not say which chunk a pass was of, so interleaved
/// jobs are refused.

#include <cstdint>
#include <optional>
#include <vector>

#include "core/problem.h"
#include "sim/replay/graph.h"
#include "sim/replay/job_trace.h"

namespace forerun::replay {

/// One pass of a rank and the messages around it; -1: none.
struct PassInOrder {
  std::int32_t operation = -1, receive = -1, send = -1;
  bool forward = true;
};

/// The operations of one rank in one step.
struct RankStep {
  std::vector<PassInOrder> passes;                ///< in the order in which they run
  std::vector<std::int32_t> gathers, reductions;  ///< params-all-gather, grads-reduce-scatter
  std::int32_t gc = -1, layernorm = -1, embedding = -1, separate = -1, clip = -1, optimizer = -1;
};

/// By step, then rank, as the trace has them. Reports ranks whose passes and messages do not fit
/// together, messages without a partner named.
[[nodiscard]] std::optional<std::vector<RankStep>> rank_steps(const JobTrace&, Problems&);

/// The message that a pass sends and who receives it: indices of two operations.
struct Message {
  std::int32_t send = -1, receive = -1;
};
/// Sends and receives of neighbouring stages, the k-th with the k-th.
[[nodiscard]] std::vector<Message> match_messages(const JobTrace&, const std::vector<RankStep>&);

/// `operations` of them in all; `stages` ranks a replica. Reports a cycle by name.
[[nodiscard]] std::optional<ReplayGraph> make_pipeline_graph(const JobTrace&,
                                                             const std::vector<RankStep>&,
                                                             const std::vector<Message>&,
                                                             Problems&);

}  // namespace forerun::replay
