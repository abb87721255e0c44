#pragma once

/// Why each operation began and ended when it did, read off a finished execution: the one place
/// that attribution and critical path take it from. Equal dates are resolved as execute() does: the
/// stream's previous operation first, then the waits in their order, then the host.

#include <cstdint>
#include <vector>

#include "sim/program.h"

namespace forerun::sim {

/// What set a date.
enum class Setter : std::uint8_t {
  start,      ///< nothing: the step begins
  operation,  ///< the end of an operation of the same rank, `place`
  host,       ///< the host, which had gone on at `time` from the end of `place` (or from the start)
  member,     ///< the last member of a rendezvous, `place`, was ready then
  send,       ///< the end of the matching send, `place`
  itself      ///< its own begin and duration
};

struct Reason {
  Setter setter = Setter::start;
  Place place;
  std::int64_t time = 0;  ///< end of `place`; of a member, when it was ready; of itself, its begin
};

/// Refers to program and execution, which must outlive it. Costs one pass over the program.
class Causality {
 public:
  Causality(const Program&, const Execution&);

  /// When the operation's own stream, waits and host let it begin (a rendezvous may begin later).
  [[nodiscard]] std::int64_t ready(Place) const;
  [[nodiscard]] Reason ready_reason(Place) const;
  /// As ready_reason, or the member of the rendezvous that came last.
  [[nodiscard]] Reason begin_reason(Place) const;
  [[nodiscard]] Reason end_reason(Place) const;
  /// The latest of the operation's waits and issue, without its stream's previous operation.
  [[nodiscard]] std::int64_t ready_but_for_stream(Place) const;
  /// The previous operation on the same stream, if any.
  [[nodiscard]] OperationId previous(Place p) const { return links(p).previous; }

  [[nodiscard]] const Program& program() const { return program_; }
  [[nodiscard]] const Execution& execution() const { return execution_; }
  [[nodiscard]] const Operation& operation(Place p) const {
    return program_.ranks[static_cast<std::size_t>(p.rank)]
        .operations[static_cast<std::size_t>(p.operation)];
  }
  [[nodiscard]] const Span& span(Place p) const {
    return execution_
        .spans[static_cast<std::size_t>(p.rank)][static_cast<std::size_t>(p.operation)];
  }

 private:
  struct Links {
    std::int64_t issue = 0;
    OperationId previous = kNone;  // on the same stream
    OperationId anchor = kNone;    // the host_waits operation from whose end the host went on
  };
  [[nodiscard]] const Links& links(Place p) const {
    return links_[first_[static_cast<std::size_t>(p.rank)] + static_cast<std::size_t>(p.operation)];
  }
  [[nodiscard]] Reason host_reason(Place) const;

  const Program& program_;
  const Execution& execution_;
  std::vector<std::size_t> first_;  // by rank, into links_
  std::vector<Links> links_;
  std::vector<Place> sends_;                 // by channel
  std::vector<std::vector<Place>> members_;  // by channel
};

}  // namespace forerun::sim
