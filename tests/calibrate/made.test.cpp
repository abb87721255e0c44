/// Measurements made from known machines: what calibration must find is known.

#include <doctest/doctest.h>

#include <algorithm>
#include <cmath>
#include <string>

#include "core/file.h"
#include "core/reader.h"
#include "hw/accelerator.h"
#include "hw/calibrate/calibration.h"
#include "hw/collective.h"
#include "hw/gemm_surface.h"
#include "hw/kernel_time.h"
#include "hw/logs/read_log.h"
#include "hw/probe/measurement_file.h"

using namespace forerun;
using namespace forerun::hw;

namespace {

std::string profile(const std::string& name) {
  return read_file(data_path("hw/profiles/accelerators/" + name + ".json"), kMaxJsonBytes);
}

/// The H100 with products of few rows somewhat slower than its profile says, those of many by half.
Seconds other_machine(const Accelerator& a, const Gemm& g) {
  const double rows = std::log2(static_cast<double>(g.m));
  const double factor = 1.5 - 0.45 / (1 + std::exp(2 * (rows - 11)));
  return a.gemm.at(g.precision)->at(g.m, g.n, g.k).time * factor;
}

Gemm product(std::int64_t m, std::int64_t n, std::int64_t k) { return {.m = m, .n = n, .k = k}; }

ProbePoint point(ProbeFamily family, std::vector<std::int64_t> arguments, Seconds time) {
  const ProbeFamilyFacts& f = facts(family);
  ProbePoint p;
  p.shape = {.family = family,
             .arguments = std::move(arguments),
             .precision = {},
             .pass = f.passes.front(),
             .implementation = f.implementations.front()};
  if (!f.precisions.empty()) p.shape.precision = f.precisions.front();
  p.median = time;
  p.samples = 9;
  return p;
}

}  // namespace

TEST_SUITE("calibrate/made") {
  TEST_CASE("many products correct the surface, also between their sizes, better than a rate") {
    const Accelerator old = load_accelerator("h100-sxm-80gb");
    ToolLog log;
    log.file = "made.csv";
    std::int64_t line = 1;
    for (const std::int64_t m : {256, 512, 1024, 2048, 4096, 8192, 16384}) {
      for (const std::int64_t n : {1024, 2048, 4096, 8192}) {
        for (const std::int64_t k : {1024, 2048, 4096, 8192}) {
          TimedGemm t;
          t.gemm = product(m, n, k);
          t.time = other_machine(old, t.gemm);
          t.place = {log.file, std::to_string(++line)};
          log.gemms.push_back(t);
        }
      }
    }
    REQUIRE(log.gemms.size() >= kFewestToFit);
    Problems problems;
    const Calibration made = calibrate_accelerator(profile(old.name), {log}, problems);
    REQUIRE_MESSAGE(problems.empty(), problems.text("made"));
    REQUIRE(made.families.size() == 1);
    CHECK(made.families[0].did == "surface corrected by 112 products");
    CHECK(made.families[0].left_out().median < 0.05);
    CHECK(made.families[0].left_out().p95 < 0.2);
    CHECK(made.families[0].before().median > 0.08);
    const auto now = read_accelerator(made.profile, problems);
    REQUIRE_MESSAGE(now.has_value(), problems.text("the new profile"));
    CHECK(now->gemm.at(Precision::bf16)->own());
    CHECK(now->evidence.at("gemm.bf16") == Evidence::measured);
    CHECK(now->source.at("gemm.bf16").starts_with("made.csv"));
    for (const Gemm& g :
         {product(768, 3072, 3072), product(12288, 6144, 1536), product(640, 5120, 6144)}) {
      const double error =
          now->gemm.at(Precision::bf16)->at(g.m, g.n, g.k).time / other_machine(old, g) - 1;
      CAPTURE(g.m);
      CHECK(std::abs(error) < 0.08);
    }
    // Other formats are as they were.
    CHECK(now->gemm.at(Precision::fp8)->at(4096, 4096, 4096).time ==
          old.gemm.at(Precision::fp8)->at(4096, 4096, 4096).time);
  }

  TEST_CASE("the probe's file: ramp, copies, tax and the rate of few products") {
    const Accelerator old = load_accelerator("h100-sxm-80gb");
    const Bandwidth reached = old.memory_bandwidth * old.memory_efficiency;
    ProbeMeasurements m;
    m.program = "0.1.0";
    m.when = "2026-03-01T12:00:00Z";
    m.budget = Seconds(60);
    m.elapsed = Seconds(50);
    m.finished = true;
    m.device = {.name = "NVIDIA H100 80GB HBM3",
                .major = 9,
                .minor = 0,
                .count = 8,
                .multiprocessors = 132,
                .memory = Bytes(85e9),
                .l2 = Bytes(5e7),
                .clock_mhz = 1980,
                .memory_clock_mhz = {},
                .power_cap = Watts(700),
                .driver = "13.0",
                .runtime = "13.0",
                .libraries = {}};
    for (const std::int64_t rows : {64, 512, 2048, 8192, 16384, 32768, 65536, 131072}) {
      ProbePoint p = point(ProbeFamily::gelu, {rows, 8192}, Seconds(1));
      p.median = Seconds(3e-6) + traffic(p.shape) / reached;
      m.points.push_back(p);
    }
    m.points.push_back(point(ProbeFamily::copy_device, {1 << 30},
                             Bytes(2.0 * (1 << 30)) / (old.memory_bandwidth * 0.88)));
    ProbePoint tax =
        point(ProbeFamily::beside_all_reduce, {4096, 4096, 4096, 8, 1 << 28}, Seconds(240e-6));
    tax.alone = Seconds(200e-6);
    m.points.push_back(tax);
    for (const std::int64_t size : {2048, 4096, 8192}) {
      m.points.push_back(point(ProbeFamily::gemm, {size, size, size, 0},
                               old.gemm.at(Precision::bf16)->at(size, size, size).time * 1.1));
    }
    m.points.push_back(point(ProbeFamily::launch_stream, {1000}, Seconds(2e-6)));
    m.points.push_back(point(ProbeFamily::all_reduce, {8, 1 << 26}, Seconds(330e-6)));
    Problems problems;
    const auto log = read_log_text(probe_measurements_text(m), "probe.json", problems);
    REQUIRE_MESSAGE(log.has_value(), problems.text("probe.json"));
    const Calibration made = calibrate_accelerator(profile(old.name), {*log}, problems);
    REQUIRE_MESSAGE(problems.empty(), problems.text("probe.json"));
    const auto now = read_accelerator(made.profile, problems);
    REQUIRE_MESSAGE(now.has_value(), problems.text("the new profile"));
    CHECK(now->memory_ramp.in(1.0_us) == doctest::Approx(3).epsilon(0.05));
    CHECK(now->streaming_efficiency == doctest::Approx(0.88).epsilon(0.001));
    CHECK(now->collective_tax == doctest::Approx(0.2).epsilon(0.001));
    const double slower = now->gemm.at(Precision::bf16)->at(4096, 4096, 4096).time /
                          old.gemm.at(Precision::bf16)->at(4096, 4096, 4096).time;
    CHECK(slower == doctest::Approx(1.1).epsilon(0.01));
    // Collectives are a network's.
    REQUIRE(made.unused.size() == 1);
    CHECK(made.unused[0].find("collectives") != std::string::npos);
    const std::string network =
        read_file(data_path("hw/profiles/networks/dgx-h100.json"), kMaxJsonBytes);
    const Calibration links = calibrate_network(network, {*log}, problems);
    REQUIRE_MESSAGE(problems.empty(), problems.text("probe.json"));
    CHECK(links.fields.at(0).field == "collectives");
  }

  TEST_CASE("a roofline is moved to the peak at most, and a bound of the scale is told") {
    const Accelerator old = load_accelerator("mi300x");
    for (const double faster : {2.0, 8.0, 0.01}) {
      ToolLog log;
      log.file = "made.csv";
      for (const std::int64_t size : {1024, 1280, 1536}) {
        TimedGemm t;
        t.gemm = product(size, size, size);
        t.time = old.gemm.at(Precision::bf16)->at(size, size, size).time / faster;
        // No product above the peak, which would be refused.
        t.time = std::max(t.time, flops(Kernel(t.gemm)) / old.peak.at(Precision::bf16));
        t.place = {log.file, std::to_string(size)};
        log.gemms.push_back(t);
      }
      CAPTURE(faster);
      Problems problems;
      const Calibration made = calibrate_accelerator(profile(old.name), {log}, problems);
      REQUIRE_MESSAGE(problems.empty(), problems.text("made"));
      CHECK(read_accelerator(made.profile, problems).has_value());
      CHECK_MESSAGE(problems.empty(), problems.text("the new profile"));
      const std::string bound = faster > 1 ? "(held at the peak)" : "(held at 1 / 4)";
      CHECK_MESSAGE(made.families.at(0).did.find(bound) != std::string::npos, made.families[0].did);
    }
  }

  TEST_CASE("left-out kernels are predicted by the profile that is written") {
    const Accelerator old = load_accelerator("h100-sxm-80gb");
    ToolLog log;
    log.file = "made.json";
    for (const double mib : {1, 4, 16, 64, 256, 1024, 2048, 4096}) {
      TimedKernels t;
      t.family = "gelu";
      const Bytes bytes(mib * 1048576);
      t.kernels.emplace_back(MemoryBound{.read = bytes, .written = bytes});
      // Faster than the profile's efficiency: no ramp can tell that of the large ones.
      t.time = Seconds(5e-6) + traffic(t.kernels[0]) / (old.memory_bandwidth * 0.95);
      t.place = {log.file, std::to_string(log.kernels.size())};
      log.kernels.push_back(t);
    }
    Problems problems;
    const Calibration made = calibrate_accelerator(profile(old.name), {log}, problems);
    const auto now = read_accelerator(made.profile, problems);
    REQUIRE_MESSAGE(now.has_value(), problems.text("the new profile"));
    const CalibratedPoint& last = made.families.at(0).points.back();
    CHECK(last.left_out / kernel_time(log.kernels.back().kernels[0], *now).time ==
          doctest::Approx(1).epsilon(0.01));
  }

  TEST_CASE("from 200 products on, a fifth is left out at a time") {
    const Accelerator old = load_accelerator("h100-sxm-80gb");
    ToolLog log;
    log.file = "made.csv";
    for (std::int64_t i = 1; i <= 200; ++i) {
      TimedGemm t;
      t.gemm = product(1024 + 64 * i, 4096, 4096);
      t.time = old.gemm.at(Precision::bf16)->at(t.gemm.m, t.gemm.n, t.gemm.k).time * 1.1;
      t.place = {log.file, std::to_string(i)};
      log.gemms.push_back(t);
    }
    Problems problems;
    const Calibration made = calibrate_accelerator(profile(old.name), {log}, problems);
    REQUIRE_MESSAGE(problems.empty(), problems.text("made"));
    CHECK(made.families.at(0).left_out_how == "a fifth at a time");
    CHECK(made.families[0].left_out().median < 0.02);
  }
}
