/// Predictions for measured kernels that no fit saw (held_out.csv, see README.md beside it): the
/// median error stays under the project's bars, per accelerator with room for a small sample.

#include <doctest/doctest.h>
#include <fmt/format.h>

#include <map>
#include <string>
#include <vector>

#include "core/file.h"
#include "hw/csv.h"
#include "hw/error_summary.h"
#include "hw/gemm_surface.h"
#include "hw/kernel_table.h"
#include "hw/roofline.h"

namespace {

using namespace forerun;
using namespace forerun::hw;

struct Held {
  std::string accelerator, operation, dtype;
  double error = 0;
};

std::vector<Held> predictions() {
  Problems problems;
  const Csv csv =
      Csv::parse(read_file(data_path("tests/kernels/held_out.csv"), kCsvLimit), problems);
  const auto integer = [&](std::size_t row, std::size_t column) {
    return csv.integer(row, column, 1, problems);
  };
  std::map<std::string, Accelerator> loaded;
  std::vector<Held> out;
  for (std::size_t i = 0; i < csv.rows(); ++i) {
    Held h{csv.text(i, 0), csv.text(i, 1), csv.text(i, 2), 0};
    const auto a = loaded.try_emplace(h.accelerator, load_accelerator(h.accelerator)).first;
    const Seconds measured(csv.number(i, 12, 1e-6, problems) * 1e-6);
    std::optional<Seconds> predicted;
    if (h.operation == "gemm") {
      predicted = predict(
          GemmRow{integer(i, 4), integer(i, 5), integer(i, 6), h.dtype, measured, {}}, a->second);
    } else {
      predicted = predict(AttentionRow{integer(i, 7), integer(i, 8), integer(i, 9), integer(i, 10),
                                       integer(i, 11), true, h.dtype, measured},
                          a->second);
    }
    REQUIRE(predicted);
    h.error = *predicted / measured - 1;
    out.push_back(std::move(h));
  }
  REQUIRE_MESSAGE(problems.empty(), problems.text("held_out.csv"));
  return out;
}

}  // namespace

TEST_SUITE("tests/kernels") {
  // What an accelerator without tables gets (hw/roofline.h), of those that have them: their best
  // rate and nothing else of their own. The L40S, whose cache feeds its products, is the known
  // exception.
  TEST_CASE("a roofline prices products that no fit saw within a tenth, but for the L40S") {
    std::map<std::string, std::vector<double>> errors;
    Problems problems;
    const Csv csv =
        Csv::parse(read_file(data_path("tests/kernels/held_out.csv"), kCsvLimit), problems);
    for (std::size_t i = 0; i < csv.rows(); ++i) {
      if (csv.text(i, 1) != "gemm" || csv.text(i, 2) != "bf16" || csv.text(i, 0) == "l40s")
        continue;
      const Accelerator a = load_accelerator(csv.text(i, 0));
      const GemmFit& fit = a.gemm.at(Precision::bf16)->fit();
      const GemmSurface roofline(gemm_roofline(fit.peak, fit.peak * fit.ceiling, a),
                                 {fit.peak, a.memory_bandwidth, a.multiprocessors, 2, 2}, false);
      const Seconds measured(csv.number(i, 12, 1e-6, problems) * 1e-6);
      const auto size = [&](std::size_t column) { return csv.integer(i, column, 1, problems); };
      errors[a.name].push_back(roofline.at(size(4), size(5), size(6)).time / measured - 1);
    }
    REQUIRE(errors.size() == 5);
    for (const auto& [name, list] : errors) {
      const ErrorSummary s = summary(list);
      MESSAGE(fmt::format("{}: {} rows, median {:.1f} %", name, s.count, 100 * s.median));
      CHECK(s.median <= 0.1);
    }
  }

  TEST_CASE("kernels that no fit saw are predicted within the bars") {
    std::map<std::string, std::vector<double>> all, each;
    for (const Held& h : predictions()) {
      all[h.operation + " " + h.dtype].push_back(h.error);
      each[h.operation + " " + h.dtype + " " + h.accelerator].push_back(h.error);
    }
    const std::map<std::string, double> bars = {
        {"gemm bf16", 0.04}, {"gemm fp8", 0.04}, {"attention bf16", 0.03}};
    for (const auto& [kind, errors] : all) {
      const ErrorSummary s = summary(errors);
      MESSAGE(fmt::format("{}: {} rows, median {:.2f} %, p95 {:.1f} %", kind, s.count,
                          100 * s.median, 100 * s.p95));
      CHECK(s.median <= bars.at(kind));
    }
    for (const auto& [kind, errors] : each) {
      CAPTURE(kind);
      CHECK(summary(errors).median <= 0.06);
    }
  }
}
