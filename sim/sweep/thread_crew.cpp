#include "sim/sweep/thread_crew.h"

#include <oneapi/tbb/global_control.h>
#include <oneapi/tbb/task_arena.h>

#include <chrono>
#include <condition_variable>
#include <deque>
#include <mutex>
#include <utility>

namespace forerun::sim {
namespace {

constexpr std::chrono::milliseconds kMoment(50);

}  // namespace

struct ThreadCrew::Parts {
  Parts(PointAnswerer& a, int threads)
      : answerer(a),
        // One more than works: the thread that gives and takes is counted too.
        control(tbb::global_control::max_allowed_parallelism,
                static_cast<std::size_t>(threads) + 1),
        arena(threads, 0),
        most(threads) {}

  /// Answers points until there are none; started while fewer than `most` run.
  void work() {
    std::unique_lock lock(mutex);
    while (!waiting.empty() && !broken) {
      const std::int64_t point = waiting.front();
      waiting.pop_front();
      lock.unlock();
      try {
        PointResult result = answerer.answer(point);
        lock.lock();
        results.push_back(std::move(result));
      } catch (...) {
        lock.lock();
        broken = std::current_exception();
      }
      came.notify_all();
    }
    --running;
    came.notify_all();
  }

  PointAnswerer& answerer;
  tbb::global_control control;
  tbb::task_arena arena;
  std::mutex mutex;
  std::condition_variable came;
  std::deque<std::int64_t> waiting;
  std::vector<PointResult> results;
  std::exception_ptr broken;
  int most, running = 0;
};

ThreadCrew::ThreadCrew(PointAnswerer& answerer, int threads)
    : parts_(std::make_unique<Parts>(answerer, threads)) {}

ThreadCrew::~ThreadCrew() {
  std::unique_lock lock(parts_->mutex);
  parts_->waiting.clear();
  parts_->came.wait(lock, [&] { return parts_->running == 0; });
}

void ThreadCrew::give(std::span<const std::int64_t> points) {
  const std::lock_guard lock(parts_->mutex);
  parts_->waiting.insert(parts_->waiting.end(), points.begin(), points.end());
  pending_ += std::ssize(points);
  const auto wanted =
      std::min<std::size_t>(static_cast<std::size_t>(parts_->most), parts_->waiting.size());
  while (parts_->running < static_cast<int>(wanted)) {
    ++parts_->running;
    parts_->arena.enqueue([parts = parts_.get()] { parts->work(); });
  }
}

std::vector<PointResult> ThreadCrew::take() {
  std::unique_lock lock(parts_->mutex);
  parts_->came.wait_for(lock, kMoment, [&] { return !parts_->results.empty() || parts_->broken; });
  std::vector<PointResult> out = std::exchange(parts_->results, {});
  if (out.empty() && parts_->broken) {
    pending_ = 0;
    std::rethrow_exception(std::exchange(parts_->broken, nullptr));
  }
  pending_ -= std::ssize(out);
  return out;
}

void ThreadCrew::stop() {
  const std::lock_guard lock(parts_->mutex);
  pending_ -= std::ssize(parts_->waiting);
  parts_->waiting.clear();
}

}  // namespace forerun::sim
