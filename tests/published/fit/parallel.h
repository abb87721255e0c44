#pragma once

/// Runs independent pieces of work on threads.

#include <algorithm>
#include <atomic>
#include <cstddef>
#include <thread>
#include <vector>

namespace forerun::published {

/// Calls work(0) ... work(count - 1), begun in that order, on at most `threads` threads.
template <class Work>
void in_parallel(std::size_t count, int threads, const Work& work) {
  std::atomic<std::size_t> next = 0;
  const auto take = [&] {
    for (std::size_t i = next++; i < count; i = next++) work(i);
  };
  std::vector<std::thread> pool;
  const auto useful = std::min<std::size_t>(static_cast<std::size_t>(threads), count);
  for (std::size_t t = 1; t < useful; ++t) pool.emplace_back(take);
  take();
  for (std::thread& t : pool) t.join();
}

}  // namespace forerun::published
