#include "hw/probe/measurement_file.h"

#include <doctest/doctest.h>

#include <string>

namespace forerun::hw {
namespace {

ProbePoint point_of(ProbeShape shape) {
  ProbePoint p;
  p.shape = std::move(shape);
  p.median = Seconds(1.8e-4);
  p.spread = Seconds(2e-6);
  p.samples = 21;
  if (facts(p.shape.family).has_alone) p.alone = Seconds(1.5e-4);
  return p;
}

/// Made, of no machine: one point of each family, pass and implementation.
ProbeMeasurements made() {
  ProbeMeasurements m;
  m.program = "0.1.0";
  m.when = "2026-03-01T12:00:00Z";
  m.seed = 7;
  m.budget = Seconds(480);
  m.elapsed = Seconds(12.5);
  m.device = {.name = "made for a test",
              .major = 10,
              .minor = 3,
              .count = 8,
              .multiprocessors = 100,
              .memory = Bytes(64e9),
              .l2 = Bytes(5e7),
              .clock_mhz = 1500,
              .memory_clock_mhz = {},
              .power_cap = Watts(700),
              .driver = "13.0",
              .runtime = "13.0",
              .libraries = {{"cublas_lt", "13.0.2"}, {"cudnn", {}}}};
  for (const ProbeFamilyFacts& f : probe_families()) {
    for (const ProbePass pass : f.passes) {
      for (const ProbeImplementation i : f.implementations) {
        ProbeShape s{.family = f.family,
                     .arguments = {},
                     .precision = {},
                     .pass = pass,
                     .implementation = i};
        for (const ProbeArgument& a : f.arguments) s.arguments.push_back(a.least + 1);
        if (!f.precisions.empty()) s.precision = f.precisions.back();
        m.points.push_back(point_of(s));
      }
    }
  }
  m.points.front().clock_mhz = 1444.5;
  m.points.front().power = Watts(612.25);
  m.points.front().error = 0.0009765625;
  m.left_out.push_back({m.points.back().shape, ProbeMode::sustained, "no libnccl.so.2"});
  return m;
}

std::string replaced(std::string text, const std::string& from, const std::string& to) {
  const std::size_t at = text.find(from);
  REQUIRE_MESSAGE(at != std::string::npos, from);
  return text.replace(at, from.size(), to);
}

std::string refusal(const std::string& text) {
  Problems problems;
  CHECK(!read_probe_measurements(text, problems));
  return problems.text("file");
}

bool has(const std::string& text, const std::string& part) {
  return text.find(part) != std::string::npos;
}

TEST_SUITE("hw/probe/measurement_file") {
  TEST_CASE("what is written reads back equal, with every family, pass and implementation") {
    const ProbeMeasurements m = made();
    Problems problems;
    const auto back = read_probe_measurements(probe_measurements_text(m), problems);
    REQUIRE_MESSAGE(back.has_value(), problems.text("file"));
    CHECK(*back == m);
    CHECK(probe_measurements_text(*back) == probe_measurements_text(m));
  }

  TEST_CASE("wrong values are refused with path, value and rule, all of them at once") {
    const std::string right = probe_measurements_text(made());
    std::string wrong = replaced(right, "\"median_s\": 0.00018", "\"median_s\": -1");
    wrong = replaced(wrong, "\"samples\": 21", "\"samples\": 0");
    wrong = replaced(wrong, "\"family\": \"rms_norm\"", "\"family\": \"rms_nrom\"");
    wrong = replaced(wrong, "\"compute_capability\": \"10.3\"", "\"compute_capability\": \"x\"");
    wrong = replaced(wrong, "2026-03-01T12:00:00Z", "yesterday");
    const std::string said = refusal(wrong);
    CHECK(has(said, "/points/0/median_s: must be from 1e-09 to 86400, found -1"));
    CHECK(has(said, "/points/0/samples: must be from 1 to 1000000000, found 0"));
    CHECK(has(said, "did you mean \"rms_norm\"?"));
    CHECK(has(said, "/device/compute_capability: expected a number such as \"9.0\", found \"x\""));
    CHECK(has(said, "/when: expected a time such as"));
  }

  TEST_CASE("another format, an argument missing or unknown, and a pass that is not its own") {
    const std::string right = probe_measurements_text(made());
    CHECK(has(refusal(replaced(right, "\"forerun-probe\"", "\"other\"")),
              "/format: expected \"forerun-probe\", found \"other\""));
    CHECK(has(refusal(replaced(right, "\"accumulates\": 1", "\"acumulates\": 1")),
              "/points/0/arguments/accumulates: missing"));
    CHECK(has(refusal(replaced(right, "\"pass\": \"forward\"", "\"pass\": \"backward\"")),
              "/points/0/pass: "));
    CHECK(has(refusal(replaced(right, "\"precision\": \"fp8\"", "\"precision\": \"nvfp4\"")),
              "/points/0/precision: "));
  }

  TEST_CASE("a tax needs the time alone, nothing else has one, and no shape comes twice") {
    ProbeMeasurements m = made();
    m.points.front().alone = Seconds(1e-4);
    CHECK(has(refusal(probe_measurements_text(m)),
              "/points/0/alone_s: gemm has no place for the time of the kernel alone"));
    m = made();
    m.points.back().alone.reset();
    CHECK(has(refusal(probe_measurements_text(m)), "beside_all_reduce needs the time of"));
    m = made();
    m.points.push_back(m.points.front());
    CHECK(has(refusal(probe_measurements_text(m)), "a second point of gemm m=2 n=2 k=2"));
  }

  TEST_CASE("text that ends early is refused, wherever it ends") {
    const std::string right = probe_measurements_text(made());
    for (std::size_t n = 0; n + 2 < right.size(); n += 97) {
      Problems problems;
      CHECK_MESSAGE(!read_probe_measurements(right.substr(0, n), problems), n);
      CHECK(!problems.empty());
    }
  }
}

}  // namespace
}  // namespace forerun::hw
