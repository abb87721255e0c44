#include "sim/paired_segment.h"

#include <algorithm>
#include <array>
#include <cstddef>
#include <utility>

namespace forerun::sim {
namespace {

/// A list on its way into another.
struct Source {
  const Segment* segment;
  bool backward;
  std::vector<std::int32_t> went;  ///< where each operation went

  [[nodiscard]] bool left() const { return went.size() < segment->operations.size(); }
  /// Whether the next kernel waits for an exchange.
  [[nodiscard]] bool waits() const {
    const PricedOperation& next = segment->operations[went.size()];
    return next.stream == StreamKind::compute && next.wait >= 0 &&
           segment->operations[static_cast<std::size_t>(next.wait)].stream != StreamKind::compute;
  }
  void take(std::vector<PricedOperation>& into) {
    PricedOperation next = segment->operations[went.size()];
    if (next.wait >= 0) next.wait = went[static_cast<std::size_t>(next.wait)];
    next.of_backward = backward;
    went.push_back(static_cast<std::int32_t>(into.size()));
    into.push_back(next);
  }
  [[nodiscard]] std::int32_t trailing() const {
    return segment->trailing < 0 ? -1 : went[static_cast<std::size_t>(segment->trailing)];
  }
};

}  // namespace

Segment run_together(const Segment& forward, const Segment& backward) {
  std::array<Source, 2> sources = {Source{&backward, true, {}}, Source{&forward, false, {}}};
  Segment both;
  both.operations.reserve(forward.operations.size() + backward.operations.size());
  for (std::size_t turn = 0; sources[0].left() || sources[1].left(); turn = 1 - turn) {
    Source& source = sources[turn];
    // What it has waited for has had the other's turn to end.
    if (source.left()) source.take(both.operations);
    while (source.left() && !source.waits()) source.take(both.operations);
  }
  both.trailing = std::max(sources[0].trailing(), sources[1].trailing());
  both.work = forward.work;
  both.work += backward.work;
  fold(both);
  return both;
}

const Segment& PairedSegments::of(const Segment& forward, const Segment& backward) {
  const auto key = std::pair(&forward, &backward);
  const auto found = known_.find(key);
  if (found != known_.end()) return found->second;
  return known_.emplace(key, run_together(forward, backward)).first->second;
}

const Segment& PairedSegments::alone(const Segment& backward) {
  const auto key = std::pair<const Segment*, const Segment*>(nullptr, &backward);
  const auto found = known_.find(key);
  if (found != known_.end()) return found->second;
  Segment marked = backward;
  for (PricedOperation& o : marked.operations) o.of_backward = true;
  return known_.emplace(key, std::move(marked)).first->second;
}

std::vector<Unit> units_together(const std::vector<Unit>& forward,
                                 const std::vector<Unit>& backward, PairedSegments& known) {
  const auto marked = [&](Unit u) {
    u.segment = &known.alone(*u.segment);
    return u;
  };
  std::vector<Unit> units;
  auto f = forward.begin(), b = backward.begin();
  while (f != forward.end() || b != backward.end()) {
    if (b != backward.end() && (b->ends || f == forward.end())) {
      units.push_back(marked(*b++));
    } else if (b == backward.end() || f->ends) {
      units.push_back(*f++);
    } else {
      units.push_back({&known.of(*f->segment, *b->segment), f->parameters + b->parameters,
                       f->experts + b->experts, false});
      ++f;
      ++b;
    }
  }
  return units;
}

}  // namespace forerun::sim
