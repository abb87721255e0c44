#include "hw/probe/device/timing.h"

#include <algorithm>
#include <chrono>
#include <cmath>
#include <numeric>
#include <thread>

#include "core/error.h"
#include "hw/probe/device/kernels.h"

namespace forerun::hw::device {
namespace {

constexpr std::size_t kFlushBytes = std::size_t{512} << 20;  // half written, half read
constexpr double kBatch = 0.02;        // seconds between two events of a sustained run
constexpr double kSettling = 1.0 / 3;  // of a sustained run
constexpr std::chrono::milliseconds kRest{2};

double now() {
  using Clock = std::chrono::steady_clock;
  return std::chrono::duration<double>(Clock::now().time_since_epoch()).count();
}

std::optional<double> mean_of(const std::vector<double>& values) {
  if (values.empty()) return std::nullopt;
  return std::accumulate(values.begin(), values.end(), 0.0) / static_cast<double>(values.size());
}

}  // namespace

Timer::Timer(const Nvml& nvml) : nvml_(nvml), scratch_(kFlushBytes) {
  check(cudaMemsetAsync(scratch_.data(), 0, scratch_.size(), stream_.get()), "cudaMemsetAsync");
  flush(1);
  begin_.record(stream_.get());
  flush(4);
  end_.record(stream_.get());
  flush_seconds_ = CudaEvent::seconds(begin_, end_) / 4;
}

void Timer::flush(std::int64_t times) {
  for (std::int64_t i = 0; i < times; ++i) {
    flush_caches(scratch_.data(), scratch_.size(), stream_.get());
  }
}

/// Seconds that the host takes to enqueue one call.
double Timer::warmed_up(Case& c) {
  double enqueuing = 0;
  for (std::int64_t i = 0; i < kWarmUps; ++i) {
    stream_.synchronise();
    const double start = now();
    c.launch(stream_.get());
    enqueuing = now() - start;
  }
  stream_.synchronise();
  return enqueuing;
}

void Timer::enqueue(Case& c, std::int64_t calls, std::int64_t flushes) {
  flush(flushes);
  begin_.record(stream_.get());
  for (std::int64_t i = 0; i < calls; ++i) c.launch(stream_.get());
  end_.record(stream_.get());
}

/// Waits for what was enqueued; seconds of one part of one call.
double Timer::took(const Case& c, std::int64_t calls) {
  return CudaEvent::seconds(begin_, end_) / static_cast<double>(calls * c.parts());
}

void Timer::read_clock(std::vector<double>& clocks) const {
  if (const auto clock = nvml_.clock_mhz()) clocks.push_back(*clock);
}

Samples Timer::burst(Case& c, const ProbeTiming& t) {
  const double enqueuing = warmed_up(c) * static_cast<double>(t.calls);
  const std::int64_t flushes =
      c.host_bound() ? 0
                     : 1 + static_cast<std::int64_t>(std::ceil(1.5 * enqueuing / flush_seconds_));
  Samples s;
  s.calls = t.calls;
  std::vector<double> clocks;
  for (std::int64_t i = 0; i < t.samples; ++i) {
    std::this_thread::sleep_for(kRest);
    enqueue(c, t.calls, flushes);
    read_clock(clocks);  // while it runs
    s.seconds.push_back(took(c, t.calls));
  }
  s.clock_mhz = mean_of(clocks);
  return s;
}

Samples Timer::sustained(Case& c) {
  (void)warmed_up(c);
  enqueue(c, 1, 0);
  const double one = took(c, 1);
  Samples s;
  s.calls = std::max<std::int64_t>(1, static_cast<std::int64_t>(kBatch / one));
  std::vector<double> clocks, watts;
  const double start = now();
  double passed = 0;
  while (passed < kSustained.base()) {
    enqueue(c, s.calls, 0);
    // Read while it runs.
    const auto clock = nvml_.clock_mhz();
    const auto power = nvml_.power();
    const double one_call = took(c, s.calls);
    passed = now() - start;
    if (passed < kSettling * kSustained.base()) continue;
    s.seconds.push_back(one_call);
    if (clock) clocks.push_back(*clock);
    if (power) watts.push_back(power->base());
  }
  s.clock_mhz = mean_of(clocks);
  if (const auto mean_watts = mean_of(watts)) s.power = Watts(*mean_watts);
  return s;
}

double Timer::one_beside(Case& c, std::int64_t calls, double alone) {
  double length = 4 * alone * static_cast<double>(calls) + 1e-3;
  for (int attempt = 0; attempt < 5; ++attempt, length *= 2) {
    c.start_beside(length);
    enqueue(c, calls, 0);
    const double taxed = took(c, calls);
    const bool outlasted = c.still_beside();
    c.end_beside();
    if (outlasted) return taxed;
  }
  throw Error(ExitCode::wrong, "what should run beside the product ended before it");
}

Samples Timer::beside(Case& c, const ProbeTiming& t) {
  (void)warmed_up(c);
  Samples s;
  s.calls = t.calls;
  std::vector<double> clocks;
  for (std::int64_t i = 0; i < t.samples; ++i) {
    std::this_thread::sleep_for(kRest);
    enqueue(c, t.calls, 0);
    read_clock(clocks);
    s.alone.push_back(took(c, t.calls));
    s.seconds.push_back(one_beside(c, t.calls, s.alone.back()));
  }
  s.clock_mhz = mean_of(clocks);
  return s;
}

}  // namespace forerun::hw::device
