#pragma once

/// What one rank does in a step: operations in the order the host issues them, each on a stream, as
/// CUDA would run them. A stream runs its operations one after another in issue order; an operation
/// begins when its stream is free, the host has issued it, and what it waits for has ended.
///
///   begin(o) = max(end of the stream's previous, end of each o.wait, issue(o), arrival of o.receives)
///   end(o)   = max(begin(o) + duration(o), issue(o) + host_rest(o))
///   issue(o) = time at which the host has spent the host costs of all operations before o and o's
///              own host_first; a `host_waits` operation lets the host go on only when it has ended
///
/// An operation may be one kernel or, folded, a whole run of kernels whose host cost is
/// host_first + host_rest. Collectives are one operation on every member; in an unfolded simulation
/// they begin when the last member arrives (`rendezvous`).

#include <array>
#include <cstdint>
#include <string>
#include <vector>

#include "core/evidence.h"
#include "sim/engine.h"

namespace forerun::sim {

enum class StreamKind : std::uint8_t { compute, tensor, data, pipeline_send, pipeline_receive, host_copy };
inline constexpr int kStreams = 6;

/// What an operation is for; idle time is attributed to the category that was waited for.
enum class Category : std::uint8_t {
  compute, recompute, tensor_exchange, context_exchange, data_exchange, pipeline_exchange,
  optimizer, host, bubble, imbalance
};
inline constexpr int kCategories = 10;
[[nodiscard]] std::string_view name(Category);
[[nodiscard]] std::string_view name(StreamKind);

using OperationId = std::int32_t;  ///< index into a rank's program
inline constexpr OperationId kNone = -1;

struct Operation {
  std::int64_t duration = 0;       ///< ticks
  std::int64_t host_first = 0;     ///< host ticks before the device can begin
  std::int64_t host_rest = 0;      ///< host ticks to issue the remaining kernels of a folded run
  std::array<OperationId, 2> wait{kNone, kNone};  ///< earlier operations of this rank on other streams
  std::int32_t label = 0;          ///< into Program::labels
  std::int32_t channel = -1;       ///< of a send, receive or rendezvous: index into the step's channels
  std::int32_t micro_batch = -1;
  StreamKind stream = StreamKind::compute;
  Category category = Category::compute;
  bool sends = false, receives = false, rendezvous = false;
  bool host_waits = false;
  std::uint8_t tax = 0;  ///< per cent by which compute beside this operation is slowed while it runs
};

/// A label says what ran, for traces: name, shape and evidence.
struct Label {
  std::string name;
  std::string shape;
  DurationEvidence evidence = DurationEvidence::modelled;
};

struct RankProgram {
  std::string name;                   ///< "stage 3"
  std::vector<Operation> operations;  ///< in issue order
};

struct Program {
  std::vector<Label> labels;
  std::vector<RankProgram> ranks;
  std::int32_t channels = 0;  ///< point-to-point messages and rendezvous, numbered
};

/// When an operation ran and what it waited for.
struct Span {
  std::int64_t begin = 0, end = 0;
  Category waited_for = Category::compute;  ///< what delayed the begin beyond the stream's previous end
  std::int64_t waited = 0;                  ///< for so long
  std::int32_t cause_rank = -1;             ///< the operation whose end set the begin (critical path)
  OperationId cause = kNone;
};

struct Execution {
  std::vector<std::vector<Span>> spans;  ///< by rank, by operation
  std::int64_t end = 0;
  std::uint64_t events = 0;
};

/// Runs a program by events. Deterministic. Asserts that it ends (a deadlock names who waits for what).
[[nodiscard]] Execution execute(const Program&);

}  // namespace forerun::sim
