#pragma once

/// Independent pieces of work on several threads. What piece i makes must depend on i alone.

#include <algorithm>
#include <atomic>
#include <cstddef>
#include <exception>
#include <mutex>
#include <thread>
#include <vector>

namespace forerun::sim {

/// Calls work(thread, i) for every i below `count`; the first exception is thrown again here, when
/// all threads have ended.
template <class Work>
void in_parallel(std::size_t count, int threads, Work&& work) {
  std::atomic<std::size_t> next = 0;
  std::exception_ptr failed;
  std::mutex failing;
  const auto run = [&](std::size_t thread) {
    try {
      for (std::size_t i = next++; i < count; i = next++) work(thread, i);
    } catch (...) {
      const std::lock_guard lock(failing);
      if (!failed) failed = std::current_exception();
      next = count;
    }
  };
  std::vector<std::thread> pool;
  const std::size_t helpers = std::min(count, static_cast<std::size_t>(std::max(1, threads)));
  for (std::size_t t = 1; t < helpers; ++t) pool.emplace_back(run, t);
  run(0);
  for (std::thread& t : pool) t.join();
  if (failed) std::rethrow_exception(failed);
}

}  // namespace forerun::sim
