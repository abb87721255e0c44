#pragma once

/// What one rank does in a step: operations in the order the host issues them, each on a stream, as
/// CUDA would run them. A stream runs its operations one after another in issue order; an operation
/// begins when its stream is free, the host has issued it, and what it waits for has ended.
///
///   begin(o) = max(end of the stream's previous, end of each o.wait, issue(o))
///   end(o)   = max(begin(o) + duration(o) + slowed(o), issue(o) + host_rest(o), arrival(o))
///   issue(o) = end of the last `host_waits` operation before o (0 if there is none)
///              + host_first + host_rest of the operations between + own host_first
///
/// Messages. A channel joins one `sends` operation (whose duration is the transfer) to one
/// `receives` operation of another rank. A receive is posted when its stream is free and ends when
/// the matching send has ended: arrival(o). A send does not wait for its receive to be posted
/// (buffers are assumed to be there); blocking point-to-point is `host_waits` on both. Rendezvous.
/// The `rendezvous` operations of one channel, any number of them, are the members of one
/// collective: all begin together when the last is ready, each with its own duration.
/// Tax. While operations with a `tax` run on other streams of a rank, its compute stream advances
/// at 100 / (100 + sum of their taxes) of its speed; slowed(o) is what that adds. Remaining work is
/// rounded up to a tick at each change, so that it never ends early.
/// Links. An exchange whose flow shares links lasts as long as its share of them makes it
/// (sim/shared_links.h); slowed(o) is what that adds.
///
/// An operation may be one kernel or, folded, a whole run of kernels whose host cost is
/// host_first + host_rest.

#include <array>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "core/evidence.h"
#include "sim/engine.h"
#include "sim/shared_links.h"

namespace forerun::sim {

enum class StreamKind : std::uint8_t {
  compute,
  tensor,
  data,
  pipeline_send,
  pipeline_receive,
  host_copy
};
inline constexpr int kStreams = 6;

/// What an operation is for; idle time is attributed to the category that was waited for.
enum class Category : std::uint8_t {
  compute,
  recompute,
  tensor_exchange,
  context_exchange,
  expert_exchange,
  data_exchange,
  pipeline_exchange,
  optimizer,
  host,
  bubble,
  imbalance
};
inline constexpr int kCategories = 11;
[[nodiscard]] std::string_view name(Category);
[[nodiscard]] std::string_view name(StreamKind);

using OperationId = std::int32_t;  ///< index into a rank's program
inline constexpr OperationId kNone = -1;

/// Which operation of a program.
struct Place {
  std::int32_t rank = -1;
  OperationId operation = kNone;
  bool operator==(const Place&) const = default;
};

struct Operation {
  std::int64_t duration = 0;    ///< ticks
  std::int64_t host_first = 0;  ///< host ticks before the device can begin
  std::int64_t host_rest = 0;   ///< host ticks to issue the remaining kernels of a folded run
  std::array<OperationId, 2> wait{kNone, kNone};  ///< earlier operations of this rank
  std::int32_t label = 0;                         ///< into Program::labels
  std::int32_t channel = -1;  ///< of a send, receive or rendezvous: index into the step's channels
  std::int32_t micro_batch = -1;
  StreamKind stream = StreamKind::compute;
  Category category = Category::compute;
  bool sends = false, receives = false, rendezvous = false;  ///< at most one of them
  bool host_waits = false;  ///< the host issues nothing more until this has ended
  std::uint8_t tax = 0;     ///< per cent by which compute beside this operation is slowed
};

/// A label says what ran, for people.
struct Label {
  std::string name;
  std::string shape = {};
  DurationEvidence evidence = DurationEvidence::modelled;
  std::string modality = {};  ///< whose weights it uses; empty: all tokens do
  bool product = false;       ///< of matrices
  /// Of routed experts: copies of tokens that the kernel works on, and how many times the fair
  /// share they are. An exchange of theirs has the load of the group's busiest rank. Else 0.
  double rows = 0, load = 0;
};

struct RankProgram {
  std::string name;                   ///< "stage 3"
  std::vector<Operation> operations;  ///< in issue order
  /// Of its lane: waiting for a late rank of another stage is the pipeline's affair. -1: not told.
  std::int32_t stage = -1;
};

struct Program {
  std::vector<Label> labels;
  std::vector<RankProgram> ranks;
  std::int32_t channels = 0;  ///< point-to-point messages and rendezvous, numbered
  SharedLinks links;          ///< empty: no exchange slows another
};

/// When an operation ran and what it waited for.
struct Span {
  std::int64_t begin = 0, end = 0;
  std::int64_t waited = 0;  ///< from the end of the stream's previous operation to `begin`
  std::int64_t slowed = 0;  ///< ticks that taxes, or other traffic, added to the duration
  /// The operation whose end set `begin` (for the critical path). When the host set it: the
  /// `host_waits` operation from whose end the host went on. When the last member of a rendezvous
  /// did: what that member waited for. kNone when nothing did but the start of the step.
  std::int32_t cause_rank = -1;
  OperationId cause = kNone;
  /// What `waited` was for, when it is not zero: the category of the operation that ended last; of
  /// a receive, `bubble` if its sender had not begun when this stream ran dry, else
  /// `pipeline_exchange`; `host`; or `imbalance` when other members of a rendezvous came later.
  Category waited_for = Category::compute;
  bool operator==(const Span&) const = default;
};

struct Execution {
  std::vector<std::vector<Span>> spans;  ///< by rank, by operation
  std::int64_t end = 0;
  std::uint64_t events = 0;
};

/// Runs a program by events: each operation's end is one, and each change of date under a tax.
/// Deterministic; the spans do not depend on the order of ranks. Asserts that the program is well
/// formed (waits are for earlier operations, channels have both ends) and that it ends: a deadlock
/// names who waits for what.
[[nodiscard]] Execution execute(const Program&);

}  // namespace forerun::sim
