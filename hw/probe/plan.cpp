#include "hw/probe/plan.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>

#include "core/table.h"

namespace forerun::hw {
namespace {

constexpr double kComputeShare = 0.6;   // of the dense peak, assumed for estimates
constexpr double kMemoryShare = 0.7;    // of the memory bandwidth, likewise
constexpr Seconds kCallOverhead{5e-6};  // launch and tail of one call
constexpr Seconds kSetUp{0.03};         // allocation, random fill, choice of algorithm
constexpr Seconds kChoice{0.01};        // of the algorithm of each further product
constexpr Seconds kBusy{4e-4};          // a sample lasts at least this long, or events are coarse
constexpr Seconds kMostBurst{0.6};      // all samples of a point
constexpr double kUsableMemory = 0.85;
constexpr double kFlushBytes = 512e6;  // written and read between samples: more than any cache

bool on_link(ProbeFamily f) {
  return f == ProbeFamily::all_reduce || f == ProbeFamily::all_gather ||
         f == ProbeFamily::reduce_scatter || f == ProbeFamily::all_to_all;
}

Bandwidth bandwidth_of(const ProbeShape& s, const ProbeMachine& m) {
  if (s.family == ProbeFamily::copy_to_device || s.family == ProbeFamily::copy_from_device) {
    return m.host_bandwidth;
  }
  return on_link(s.family) ? m.link_bandwidth : m.memory_bandwidth;
}

double rate_factor(const ProbeShape& s) {
  if (s.precision == Precision::fp8) return 2;
  return s.precision == Precision::tf32 ? 0.5 : 1;
}

Seconds call_estimate(const ProbeShape& s, const ProbeMachine& m) {
  Seconds t = flops(s) / (m.rate16 * (kComputeShare * rate_factor(s)));
  t += traffic(s) / (bandwidth_of(s, m) * kMemoryShare);
  t += kCallOverhead;
  if (s.family == ProbeFamily::launch_stream || s.family == ProbeFamily::launch_graph) {
    return kCallOverhead * static_cast<double>(s.argument("kernels"));
  }
  // One after another: a product of each expert.
  if (s.implementation == ProbeImplementation::cublas_lt_streams) {
    t += kCallOverhead * static_cast<double>(s.argument("groups"));
  }
  return t;
}

/// Products of different sizes, each of which has its algorithm chosen.
std::int64_t choices(const ProbeShape& s) {
  const bool grouped = s.implementation == ProbeImplementation::cublas_lt_streams;
  if (!grouped && s.family != ProbeFamily::modality_gemm) return 1;
  if (s.argument("skew_percent") == 0) return 1;
  return s.argument(s.family == ProbeFamily::grouped_gemm ? "groups" : "modalities");
}

/// Filling operands and computing sampled entries of the result in double precision.
Seconds check_estimate(const ProbeShape& s) {
  const Seconds choosing = kChoice * static_cast<double>(choices(s) - 1);
  return probe_footprint(s) / Bandwidth(30e9) + kSetUp + choosing;
}

std::string too_large(const ProbeShape& s, const ProbeMachine& m) {
  return fmt::format("needs {} of {}", show(probe_footprint(s)), show(m.memory));
}

std::string obstacle(const ProbeCandidate& c, const ProbeMachine& m) {
  if (c.shape.precision == Precision::fp8 && !m.has_fp8) return "no 8-bit products on this machine";
  if (probe_footprint(c.shape) > m.memory * kUsableMemory) return too_large(c.shape, m);
  return {};
}

}  // namespace

ProbeMachine probe_machine(const ProbeDevice& d) {
  const double operations = d.major == 8 && d.minor == 0 ? 2048
                            : d.major == 9               ? 4096
                            : d.major == 10              ? 8192
                                                         : 1024;
  const double clock = d.clock_mhz.value_or(1500) * 1e6;
  ProbeMachine m;
  m.name = d.name;
  m.rate16 = FlopRate(operations * clock * d.multiprocessors);
  m.has_fp8 = d.major >= 9 || (d.major == 8 && d.minor == 9);
  // What memories of these generations reach; others are taken as slow, which only plans less.
  m.memory_bandwidth = Bandwidth(d.major == 10                  ? 7e12
                                 : d.major == 9                 ? 3e12
                                 : d.major == 8 && d.minor == 0 ? 1.5e12
                                                                : 5e11);
  m.host_bandwidth = Bandwidth(2e10);
  m.link_bandwidth = Bandwidth(1e11);
  m.memory = d.memory;
  m.count = d.count;
  return m;
}

ProbeMachine probe_example_machine() {
  // NVIDIA's data sheet of the H100 SXM: 989.4 TFLOP/s dense in bf16, 3.35 TB/s, 80 GB.
  ProbeMachine m;
  m.name = "one H100 SXM as published";
  m.rate16 = FlopRate(989.4e12);
  m.memory_bandwidth = Bandwidth(3.35e12);
  m.host_bandwidth = Bandwidth(2e10);
  m.link_bandwidth = Bandwidth(1e11);
  m.memory = Bytes(80e9);
  return m;
}

Bytes probe_footprint(const ProbeShape& s) {
  double bytes = traffic(s).base();
  if (s.family == ProbeFamily::embedding) {
    bytes += 2.0 * static_cast<double>(s.argument("vocabulary") * s.argument("width"));
  }
  if (facts(s.family).has_alone) bytes += 2.0 * static_cast<double>(s.argument("bytes"));
  if (on_link(s.family)) bytes *= 2;
  // Results are held twice where 32 bit are checked against what 16 bit keep.
  return Bytes(1.5 * bytes + kFlushBytes);
}

ProbeTiming probe_timing(const ProbeShape& s, ProbeMode mode, const ProbeMachine& m) {
  ProbeTiming t;
  const Seconds call = call_estimate(s, m);
  if (mode == ProbeMode::sustained) {
    t.samples = kMostSamples;
    t.estimate = kSustained + check_estimate(s);
    return t;
  }
  // With cold caches a call is a sample of its own; only what is too short for events is repeated.
  const bool launches =
      s.family == ProbeFamily::launch_stream || s.family == ProbeFamily::launch_graph;
  const bool taxed = facts(s.family).has_alone;
  const bool repeated = on_link(s.family) && call < kBusy;
  t.calls = taxed ? kTaxCalls : repeated ? static_cast<std::int64_t>(std::ceil(kBusy / call)) : 1;
  const Seconds flush = launches ? Seconds(0) : Bytes(kFlushBytes) / m.memory_bandwidth;
  const Seconds calls = call * static_cast<double>(t.calls);
  // A tax is warm; what runs beside it is to last four times as long and 1 ms more.
  const Seconds sample = taxed ? calls * 5.0 + Seconds(1e-3) : calls + flush;
  t.samples =
      std::clamp(static_cast<std::int64_t>(kMostBurst / sample), kLeastSamples, kMostSamples);
  t.estimate = sample * static_cast<double>(kWarmUps + t.samples) + check_estimate(s);
  return t;
}

ProbePlan plan_probe(const ProbeMachine& m, Seconds budget, const std::vector<ProbeFamily>& only) {
  ProbePlan plan;
  for (const ProbeCandidate& c : probe_grid(m.count)) {
    if (!only.empty() && std::find(only.begin(), only.end(), c.shape.family) == only.end()) {
      continue;
    }
    std::string reason = obstacle(c, m);
    const ProbeTiming timing = probe_timing(c.shape, c.mode, m);
    if (reason.empty() && plan.estimate + timing.estimate > budget) reason = "over the time budget";
    if (!reason.empty()) {
      plan.left_out.push_back({c.shape, c.mode, std::move(reason)});
      continue;
    }
    plan.estimate += timing.estimate;
    plan.points.push_back({c.shape, c.mode, c.round, timing});
  }
  return plan;
}

void ProbePace::took(Seconds estimate, Seconds actual) {
  estimated_ += estimate;
  actual_ += actual;
}

double ProbePace::ratio() const { return estimated_ > Seconds(0) ? actual_ / estimated_ : 1.0; }

bool ProbePace::fits(Seconds elapsed, Seconds estimate) const {
  return elapsed + estimate * ratio() <= budget_;
}

Seconds ProbePace::left(Seconds elapsed, Seconds estimate) const {
  return std::max(Seconds(0), std::min(estimate * ratio(), budget_ - elapsed));
}

}  // namespace forerun::hw
