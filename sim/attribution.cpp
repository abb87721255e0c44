#include "sim/attribution.h"

#include <fmt/format.h>

#include <algorithm>
#include <numeric>

#include "core/error.h"

namespace forerun::sim {
namespace {

std::size_t index(Category c) { return static_cast<std::size_t>(c); }

/// Walks back from a date to explain an idle interval of one rank's compute stream.
class Walk {
 public:
  Walk(const Causality& causality, std::int32_t rank, std::vector<Idle>& out)
      : causality_(causality), rank_(rank), out_(out) {}

  /// Explains [from, begin of `place`).
  void to_begin(std::int64_t from, Place place) {
    start(from, causality_.span(place).begin);
    walk(place, Date::begin);
  }
  /// Explains [from, end of `place`).
  void to_end(std::int64_t from, Place place) {
    start(from, causality_.span(place).end);
    walk(place, Date::end);
  }

 private:
  enum class Date : std::uint8_t { begin, end };

  void start(std::int64_t from, std::int64_t to) {
    from_ = from;
    at_ = to;
    first_ = out_.size();
  }

  /// Gives [begin, at_) to a category; at_ moves to `begin`.
  void give(std::int64_t begin, Category category, Place place) {
    begin = std::max(begin, from_);
    if (begin >= at_) return;
    out_.push_back({begin, at_, category, place});
    at_ = begin;
  }

  void walk(Place place, Date date) {
    while (at_ > from_) {
      Reason reason;
      if (date == Date::begin) {
        reason = causality_.begin_reason(place);
        if (reason.setter == Setter::member) {
          give(causality_.ready(place), lateness_of(reason.place), reason.place);
          if (at_ <= from_) break;
          reason = causality_.ready_reason(place);
        }
      } else {
        reason = causality_.end_reason(place);
      }
      switch (reason.setter) {
        case Setter::itself:
          give(reason.time, causality_.operation(place).category, place);
          date = Date::begin;
          break;
        case Setter::operation:
          place = reason.place;
          date = Date::end;
          break;
        case Setter::host:
          give(reason.time, Category::host, reason.place);
          place = reason.place;
          date = Date::end;
          break;
        case Setter::send:
          message(reason.place);
          break;
        case Setter::start:
        case Setter::member:
          FORERUN_ASSERT(false, fmt::format("rank {}: no reason for [{}, {})", rank_, from_, at_));
      }
    }
    std::reverse(out_.begin() + static_cast<std::ptrdiff_t>(first_), out_.end());
  }

  /// What waiting for that member of a rendezvous is.
  [[nodiscard]] Category lateness_of(Place late) const {
    const std::vector<RankProgram>& ranks = causality_.program().ranks;
    const std::int32_t mine = ranks[static_cast<std::size_t>(rank_)].stage;
    const std::int32_t its = ranks[static_cast<std::size_t>(late.rank)].stage;
    return mine >= 0 && its >= 0 && mine != its ? Category::bubble : Category::imbalance;
  }

  /// A message and those before it on the sender's stream; the rest is the sender's own affair.
  void message(Place send) {
    Place late = send;
    while (at_ > from_ && causality_.operation(late).sends) {
      give(causality_.span(late).begin, Category::pipeline_exchange, late);
      const Reason reason = causality_.begin_reason(late);
      if (reason.setter != Setter::operation) break;
      late = reason.place;
    }
    give(from_, Category::bubble, late);
  }

  const Causality& causality_;
  std::int32_t rank_;
  std::vector<Idle>& out_;
  std::int64_t from_ = 0, at_ = 0;
  std::size_t first_ = 0;
};

/// Calls `visit(place)` for the compute stream's operations of a rank in order.
template <class Visit>
void for_each_compute(const Causality& c, std::int32_t rank, Visit&& visit) {
  const auto& operations = c.program().ranks[static_cast<std::size_t>(rank)].operations;
  for (std::size_t i = 0; i < operations.size(); ++i) {
    if (operations[i].stream == StreamKind::compute)
      visit(Place{rank, static_cast<OperationId>(i)});
  }
}

/// The taxing operations of a rank that run beside its compute operations, by stream. Streams run
/// in order, so one cursor a stream finds what overlaps each compute operation in turn.
class Taxes {
 public:
  Taxes(const Causality& c, std::int32_t rank) : causality_(c) {
    const auto& operations = c.program().ranks[static_cast<std::size_t>(rank)].operations;
    for (std::size_t i = 0; i < operations.size(); ++i) {
      const Operation& o = operations[i];
      if (o.tax == 0 || o.stream == StreamKind::compute) continue;
      streams_[static_cast<std::size_t>(o.stream)].push_back({rank, static_cast<OperationId>(i)});
    }
  }

  /// Tax times common time, by category.
  CategoryTicks beside(const Span& s) {
    CategoryTicks weight{};
    for (std::size_t k = 0; k < streams_.size(); ++k) {
      const std::vector<Place>& stream = streams_[k];
      std::size_t& first = cursor_[k];
      while (first < stream.size() && causality_.span(stream[first]).end <= s.begin) ++first;
      for (std::size_t i = first; i < stream.size(); ++i) {
        const Span& other = causality_.span(stream[i]);
        if (other.begin >= s.end) break;
        const Operation& o = causality_.operation(stream[i]);
        const std::int64_t common = std::min(s.end, other.end) - std::max(s.begin, other.begin);
        weight[index(o.category)] += common * o.tax;
      }
    }
    return weight;
  }

 private:
  const Causality& causality_;
  std::array<std::vector<Place>, kStreams> streams_;
  std::array<std::size_t, kStreams> cursor_{};
};

/// Adds `ticks` to `sums` in proportion to `weight`: whole ticks, the remainder to the last.
void share_out(std::int64_t ticks, const CategoryTicks& weight, CategoryTicks& sums) {
  const std::int64_t total = std::accumulate(weight.begin(), weight.end(), std::int64_t{0});
  FORERUN_ASSERT(total > 0, fmt::format("{} ticks slowed by nothing", ticks));
  std::int64_t rest = ticks;
  std::size_t last = 0;
  for (std::size_t k = 0; k < weight.size(); ++k) {
    if (weight[k] == 0) continue;
    const double part = static_cast<double>(weight[k]) / static_cast<double>(total);
    const std::int64_t share =
        std::min(rest, static_cast<std::int64_t>(static_cast<double>(ticks) * part));
    sums[k] += share;
    rest -= share;
    last = k;
  }
  sums[last] += rest;
}

}  // namespace

std::int64_t RankTime::total(Category c) const {
  return busy[index(c)] + slowed[index(c)] + idle[index(c)];
}

std::vector<Idle> idle_intervals(const Causality& c, std::int32_t rank) {
  std::vector<Idle> idle;
  Walk walk(c, rank, idle);
  std::int64_t at = 0;
  for_each_compute(c, rank, [&](Place place) {
    const Span& s = c.span(place);
    if (s.begin > at) walk.to_begin(at, place);
    const std::int64_t worked = s.begin + c.operation(place).duration + s.slowed;
    if (s.end > worked) walk.to_end(worked, place);
    at = s.end;
  });
  // What other streams still do, then nothing.
  const auto& spans = c.execution().spans[static_cast<std::size_t>(rank)];
  Place last;
  for (std::size_t i = 0; i < spans.size(); ++i) {
    if (last.rank == -1 || spans[i].end > c.span(last).end) {
      last = {rank, static_cast<OperationId>(i)};
    }
  }
  if (last.rank != -1 && c.span(last).end > at) {
    walk.to_end(at, last);
    at = c.span(last).end;
  }
  if (c.execution().end > at) idle.push_back({at, c.execution().end, Category::bubble, {}});
  return idle;
}

RankTime attribute(const Causality& c, std::int32_t rank) {
  RankTime time;
  time.end = c.execution().end;
  Taxes taxes(c, rank);
  for_each_compute(c, rank, [&](Place place) {
    const Operation& o = c.operation(place);
    const Span& s = c.span(place);
    time.busy[index(o.category)] += o.duration;
    if (s.slowed > 0) share_out(s.slowed, taxes.beside(s), time.slowed);
  });
  std::int64_t last = 0;
  for (const Span& s : c.execution().spans[static_cast<std::size_t>(rank)]) {
    last = std::max(last, s.end);
  }
  time.drain = time.end - last;
  for (const Idle& i : idle_intervals(c, rank)) time.idle[index(i.category)] += i.end - i.begin;
  return time;
}

}  // namespace forerun::sim
