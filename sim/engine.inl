#pragma once

#include <algorithm>
#include <string>

#include "sim/engine.h"

namespace forerun::sim {

template <class Event>
void Engine<Event>::at(Tick when, Phase phase, const Event& event) {
  FORERUN_ASSERT(when >= now_,
                 "tick " + std::to_string(count(when)) + ", now " + std::to_string(count(now_)));
  const Entry entry{count(when), (static_cast<std::uint64_t>(phase) << 62) | scheduled_++, event};
  if (hole_) {
    hole_ = false;
    sift_down(entry);
  } else {
    heap_.push_back(entry);
    sift_up(entry);
  }
}

template <class Event>
template <class Handler>
std::uint64_t Engine<Event>::run(Handler&& handle, Tick until) {
  FORERUN_ASSERT(!hole_, "run() inside a handler");
  std::uint64_t ran = 0;
  while (!heap_.empty() && heap_[0].tick <= count(until)) {
    const Event event = heap_[0].event;
    now_ = Tick{heap_[0].tick};
    hole_ = true;
    handle(event);
    ++ran;
    if (hole_) {
      hole_ = false;
      const Entry last = heap_.back();
      heap_.pop_back();
      if (!heap_.empty()) sift_down(last);
    }
  }
  return ran;
}

/// Moves `entry`, for which the last place is free, towards the root.
template <class Event>
void Engine<Event>::sift_up(const Entry& entry) {
  std::size_t at = heap_.size() - 1;
  while (at > 0) {
    const std::size_t parent = (at - 1) / 4;
    if (!before(entry, heap_[parent])) break;
    heap_[at] = heap_[parent];
    at = parent;
  }
  heap_[at] = entry;
}

/// Moves `entry`, for which the root is free, towards the leaves.
template <class Event>
void Engine<Event>::sift_down(const Entry& entry) {
  Entry* const heap = heap_.data();
  const std::size_t size = heap_.size();
  std::size_t at = 0;
  for (std::size_t first = 1; first < size; first = 4 * at + 1) {
    std::size_t least = first;
    if (first + 4 <= size) {
      const std::size_t low = first + (before(heap[first + 1], heap[first]) ? 1 : 0);
      const std::size_t high = first + 2 + (before(heap[first + 3], heap[first + 2]) ? 1 : 0);
      least = before(heap[high], heap[low]) ? high : low;
    } else {
      for (std::size_t child = first + 1; child < size; ++child) {
        if (before(heap[child], heap[least])) least = child;
      }
    }
    if (!before(heap[least], entry)) break;
    heap[at] = heap[least];
    at = least;
  }
  heap[at] = entry;
}

}  // namespace forerun::sim
