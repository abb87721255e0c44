#pragma once

/// How a case is timed.
///
/// burst: warm-ups; then for each sample a flush (more than any cache holds is written, then as
/// much else is read, so that no dirty lines are left for the calls to write back), an event, the
/// calls, an event; the clock is read while it runs. While the flush runs, the host enqueues what
/// follows, so that the host's own time does not lie between the events; where enqueuing takes
/// longer than one flush, several run. Between samples the device rests, so that no power cap acts.
/// sustained: calls back to back for `kSustained`, in batches of about 20 ms between events; the
/// first third settles clock and temperature and is dropped; clock and power are read in each
/// batch. beside: the same product alone and while other work runs on a second stream; samples that
/// the other work did not outlast are taken again with more of it; the clock is read while it runs
/// alone.

#include <optional>
#include <vector>

#include "hw/probe/device/case.h"
#include "hw/probe/device/nvml.h"
#include "hw/probe/device/runtime.h"
#include "hw/probe/plan.h"

namespace forerun::hw::device {

/// Seconds of one call, or of one part where a call has several.
struct Samples {
  std::vector<double> seconds, alone;  ///< `alone`: of a tax
  std::int64_t calls = 1;
  std::optional<double> clock_mhz;
  std::optional<Watts> power;
};

class Timer {
 public:
  explicit Timer(const Nvml&);
  [[nodiscard]] Samples burst(Case&, const ProbeTiming&);
  [[nodiscard]] Samples sustained(Case&);
  [[nodiscard]] Samples beside(Case&, const ProbeTiming&);
  [[nodiscard]] cudaStream_t stream() const { return stream_.get(); }

 private:
  [[nodiscard]] double warmed_up(Case&);
  void flush(std::int64_t times);
  void enqueue(Case&, std::int64_t calls, std::int64_t flushes);
  [[nodiscard]] double took(const Case&, std::int64_t calls);
  void read_clock(std::vector<double>& clocks) const;
  [[nodiscard]] double one_beside(Case&, std::int64_t calls, double alone);

  const Nvml& nvml_;
  CudaStream stream_;
  CudaEvent begin_, end_;
  Buffer scratch_;
  double flush_seconds_ = 0;
};

}  // namespace forerun::hw::device
