#pragma once

/// What execute() holds while a program runs: for each rank how far its streams and its host are,
/// for each channel who has come. Made from a program by prepare(), which also checks the program.
/// Private to sim/.
///
/// There is no state per operation beside its span, so that a large program costs one pass over its
/// operations and one over its spans. Whether an operation has ended follows from its stream, which
/// runs in order; what waits for it is one of the other streams' next operations. Until an
/// operation begins, its span holds
///   begin       its issue date, relative to where the host last went on until it is issued,
///   cause       the next operation on its stream,
///   cause_rank  the `host_waits` operation from whose end the host went on.

#include <array>
#include <cstdint>
#include <vector>

#include "sim/program.h"

namespace forerun::sim {

/// Where one stream of a rank is.
struct StreamState {
  OperationId next = kNone;  ///< the first operation that has not begun
  OperationId done = kNone;  ///< the last that has ended
  std::int64_t free = 0;     ///< and when
};

/// What most events touch, the compute stream's state included, is the first cache line.
struct alignas(64) RankState {
  /// What the next operation of a stream is blocked by when it is not an operation.
  static constexpr OperationId kNothing = -1, kHost = -2;

  const Operation* operations = nullptr;
  Span* spans = nullptr;
  OperationId issued = kNone;                   ///< the last whose issue is dated
  std::array<OperationId, kStreams> blocked{};  ///< what each stream's next was seen to wait for
  bool taxed = false;
  std::array<StreamState, kStreams> streams{};
  OperationId size = 0;

  // Under taxes: the compute operation that runs, its remaining work at the time `dated`, and the
  // date before which its host lets it not end.
  OperationId running = kNone;
  std::int64_t work = 0, dated = 0, tax = 0, host_end = 0;

  [[nodiscard]] bool ended(OperationId id) const {
    return streams[static_cast<std::size_t>(operations[id].stream)].done >= id;
  }
};

/// A message or a rendezvous.
struct ChannelState {
  Place send, receive;
  bool sent = false, posted = false;
  std::int32_t first_member = 0, members = 0, arrived = 0;  ///< into ExecutionState::members
};

struct ExecutionState {
  std::vector<std::vector<Span>> spans;
  std::vector<RankState> ranks;
  std::vector<ChannelState> channels;
  std::vector<Place> members;  ///< of rendezvous, by channel
  std::size_t operations = 0;
};

/// Asserts that waits are for earlier operations, durations are not negative, every message has one
/// sender and one receiver and no channel is both a message and a rendezvous.
[[nodiscard]] ExecutionState prepare(const Program&);

/// Time that `work` takes beside taxes of `tax` per cent, rounded up.
[[nodiscard]] constexpr std::int64_t taxed_time(std::int64_t work, std::int64_t tax) {
  return work + work / 100 * tax + ((work % 100) * tax + 99) / 100;
}

/// Work done in `time` beside taxes of `tax` per cent, rounded down.
[[nodiscard]] constexpr std::int64_t work_done(std::int64_t time, std::int64_t tax) {
  const std::int64_t rate = 100 + tax;
  return time / rate * 100 + (time % rate) * 100 / rate;
}

}  // namespace forerun::sim
