#include "hw/probe/device/session.h"

#include <cuda_runtime_api.h>
#include <fmt/chrono.h>
#include <fmt/format.h>

#include <atomic>
#include <chrono>
#include <cstdio>
#include <ctime>
#include <optional>

#include "core/error.h"
#include "core/file.h"
#include "core/table.h"
#include "hw/probe/device/case.h"
#include "hw/probe/device/timing.h"
#include "hw/probe/verdict.h"

namespace forerun::hw::device {
namespace {

std::atomic<bool> stopping{false};
static_assert(std::atomic<bool>::is_always_lock_free, "a signal handler sets it");

using Clock = std::chrono::steady_clock;

class Session {
 public:
  Session(const ProbeRequest& request, const Nvml& nvml)
      : request_(request),
        context_(static_cast<std::uint64_t>(request.seed)),
        timer_(nvml),
        pace_(request.budget) {
    file_.program = FORERUN_VERSION;
    file_.when = fmt::format("{:%Y-%m-%dT%H:%M:%SZ}", fmt::gmtime(std::time(nullptr)));
    file_.seed = request.seed;
    file_.budget = request.budget;
    file_.device = device_facts(nvml);
  }

  void run() {
    ProbePlan plan = plan_probe(probe_machine(file_.device), request_.budget, request_.families);
    file_.left_out = std::move(plan.left_out);
    Seconds left = plan.estimate;
    for (std::size_t i = 0; i < plan.points.size(); ++i) {
      const ProbePlanned& p = plan.points[i];
      if (i > 0 && (p.round != plan.points[i - 1].round ||
                    p.shape.family != plan.points[i - 1].shape.family)) {
        write(false);
      }
      progress(i, plan.points.size(), p, left);
      point(p);
      left -= p.timing.estimate;
    }
    write(!stopping);
    fmt::print(stderr, "\n{} points, {} left out, in {}: {}\n", file_.points.size(),
               file_.left_out.size(), show(elapsed()), request_.output);
  }

 private:
  [[nodiscard]] Seconds elapsed() const {
    return Seconds(std::chrono::duration<double>(Clock::now() - start_).count());
  }

  void write(bool finished) {
    file_.finished = finished;
    file_.elapsed = elapsed();
    write_file(request_.output, probe_measurements_text(file_));
  }

  void progress(std::size_t i, std::size_t count, const ProbePlanned& p, Seconds left) const {
    fmt::print(stderr, "\r{}/{}  about {} left  {:<24}", i + 1, count,
               show(pace_.left(elapsed(), left)), name(p.shape.family));
  }

  void leave_out(const ProbePlanned& p, std::string reason) {
    file_.left_out.push_back({p.shape, p.mode, std::move(reason)});
  }

  void point(const ProbePlanned& p) {
    if (stopping) return leave_out(p, "stopped");
    if (!pace_.fits(elapsed(), p.timing.estimate)) return leave_out(p, "over the time budget");
    const Seconds before = elapsed();
    try {
      measure(p);
      pace_.took(p.timing.estimate, elapsed() - before);
    } catch (const Error& e) {
      leave_out(p, e.what());
      require_life(p);
    }
  }

  void measure(const ProbePlanned& p) {
    const std::unique_ptr<Case> c = make_case(p.shape, context_);
    const std::optional<double> error = c->error(timer_.stream());
    if (error) {
      const std::string wrong = wrong_result(p.shape, *error);
      if (!wrong.empty()) return leave_out(p, wrong);
    }
    const bool taxed = facts(p.shape.family).has_alone;
    const Samples s = taxed                            ? timer_.beside(*c, p.timing)
                      : p.mode == ProbeMode::sustained ? timer_.sustained(*c)
                                                       : timer_.burst(*c, p.timing);
    const ProbeSummary summary = summarise(s.seconds);
    ProbePoint point{.shape = p.shape,
                     .mode = p.mode,
                     .median = summary.median,
                     .spread = summary.spread,
                     .samples = static_cast<std::int64_t>(s.seconds.size()),
                     .calls = s.calls,
                     .clock_mhz = s.clock_mhz,
                     .power = s.power,
                     .error = error,
                     .alone = {}};
    if (taxed) point.alone = summarise(s.alone).median;
    file_.points.push_back(std::move(point));
  }

  /// A wrong call is forgotten; a device that a kernel has broken answers nothing any more.
  void require_life(const ProbePlanned& p) {
    (void)cudaGetLastError();
    const cudaError_t result = cudaDeviceSynchronize();
    if (result == cudaSuccess) return;
    write(false);
    throw Error(ExitCode::wrong,
                fmt::format("the device stopped answering at {}: {}", text(p.shape),
                            cudaGetErrorString(result)),
                fmt::format("{} has what was measured before", request_.output));
  }

  ProbeRequest request_;
  Clock::time_point start_ = Clock::now();
  Context context_;
  Timer timer_;
  ProbePace pace_;
  ProbeMeasurements file_;
};

}  // namespace

void stop_probe() { stopping = true; }

void run_probe(const ProbeRequest& request) {
  require_accelerator();
  check(cudaSetDevice(0), "cudaSetDevice");
  const Nvml nvml(bus_id());
  if (!nvml.missing().empty()) {
    fmt::print(stderr, "no clocks and power: {}\n", nvml.missing());
  }
  Session(request, nvml).run();
}

}  // namespace forerun::hw::device
