/// Events a second in the hold model (Jones 1986): a queue of n entries, of which the earliest is
/// taken and put back later by a random time, so that n stays. The engine is held against bare
/// queues of (time, payload), which keep no order among equal times and do nothing else. Goal:
/// Engine at least half of the bare implicit 4-ary heap at 1,000 and 10,000 entries.

#include "sim/engine.h"

#include <benchmark/benchmark.h>

#include <cmath>
#include <cstdint>
#include <functional>
#include <queue>
#include <vector>

#include "core/random.h"

namespace forerun::sim {
namespace {

struct Pair {
  std::int64_t time;
  std::int64_t payload;
  bool operator>(const Pair& o) const { return time > o.time; }
};

/// Exponential times with a mean of a million ticks.
std::vector<std::int64_t> random_times() {
  const Stream random(1, "tests/bench/engine");
  std::vector<std::int64_t> times(1u << 14);
  for (std::size_t i = 0; i < times.size(); ++i) {
    times[i] = 1 + std::llround(1e6 * random.exponential(i));
  }
  return times;
}

/// The textbook heap: push at the end and ascend, pop the root and let the last one descend.
class BareHeap {
 public:
  void push(Pair p) {
    std::size_t at = heap_.size();
    heap_.push_back(p);
    while (at > 0 && heap_[(at - 1) / 4].time > p.time) {
      heap_[at] = heap_[(at - 1) / 4];
      at = (at - 1) / 4;
    }
    heap_[at] = p;
  }
  Pair pop() {
    const Pair top = heap_[0], last = heap_.back();
    heap_.pop_back();
    const std::size_t size = heap_.size();
    std::size_t at = 0;
    for (std::size_t first = 1; first < size; first = 4 * at + 1) {
      std::size_t least = first;
      const std::size_t end = first + 4 < size ? first + 4 : size;
      for (std::size_t c = first + 1; c < end; ++c) {
        if (heap_[c].time < heap_[least].time) least = c;
      }
      if (heap_[least].time >= last.time) break;
      heap_[at] = heap_[least];
      at = least;
    }
    if (size > 0) heap_[at] = last;
    return top;
  }

 private:
  std::vector<Pair> heap_;
};

class StandardQueue {
 public:
  void push(Pair p) { queue_.push(p); }
  Pair pop() {
    const Pair top = queue_.top();
    queue_.pop();
    return top;
  }

 private:
  std::priority_queue<Pair, std::vector<Pair>, std::greater<>> queue_;
};

template <class Queue>
void hold(benchmark::State& state) {
  const std::vector<std::int64_t> times = random_times();
  Queue queue;
  std::size_t draw = 0;
  for (std::int64_t i = 0; i < state.range(0); ++i) {
    queue.push({times[draw++ % times.size()], i});
  }
  for (auto _ : state) {
    for (int i = 0; i < 1000; ++i) {
      const Pair p = queue.pop();
      queue.push({p.time + times[draw++ % times.size()], p.payload});
    }
  }
  state.SetItemsProcessed(state.iterations() * 1000);
}

void hold_engine(benchmark::State& state) {
  struct Event {
    std::int64_t payload;
  };
  const std::vector<std::int64_t> times = random_times();
  Engine<Event> engine;
  std::size_t draw = 0;
  for (std::int64_t i = 0; i < state.range(0); ++i) {
    engine.at(Tick{times[draw++ % times.size()]}, Phase::finish, {i});
  }
  // The engine stops by time, not by count: steps of the mean time that a thousand events take.
  const std::int64_t step = 1'000'000'000 / state.range(0);
  std::uint64_t ran = 0;
  std::int64_t until = 0;
  for (auto _ : state) {
    until += step;
    ran += engine.run(
        [&](Event e) {
          engine.at(Tick{count(engine.now()) + times[draw++ % times.size()]}, Phase::finish, e);
        },
        Tick{until});
  }
  state.SetItemsProcessed(static_cast<std::int64_t>(ran));
}

BENCHMARK(hold<StandardQueue>)->Name("hold/std_priority_queue")->Arg(1000)->Arg(10000);
BENCHMARK(hold<BareHeap>)->Name("hold/bare_4ary_heap")->Arg(1000)->Arg(10000);
BENCHMARK(hold_engine)->Name("hold/engine")->Arg(1000)->Arg(10000);

}  // namespace
}  // namespace forerun::sim
