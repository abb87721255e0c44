/// Predictions for layers of experts and latent attention as tables timed them (experts.csv,
/// latent_attention.csv, see README.md beside them). No constant is fitted to layers of experts, so
/// every row of theirs is one that no fit saw; of latent attention one rate for all accelerators is
/// fitted to the tables of A100, H100 and H200, and no fit saw those of B200 and GB200. The bars
/// hold the median error as it stands, by kind and accelerator.

#include <doctest/doctest.h>
#include <fmt/format.h>

#include <cmath>
#include <map>
#include <string>
#include <vector>

#include "core/file.h"
#include "hw/csv.h"
#include "hw/error_summary.h"
#include "hw/kernel_table.h"

namespace {

using namespace forerun;
using namespace forerun::hw;

/// Errors by accelerator, rows of a table whose first column is the accelerator. `predicted` over
/// measured, of row i.
template <class Predict>
std::map<std::string, std::vector<double>> errors(const std::string& file, Predict&& predict_row) {
  Problems problems;
  const Csv csv = Csv::parse(read_file(data_path("tests/kernels/" + file), kCsvLimit), problems);
  std::map<std::string, Accelerator> loaded;
  std::map<std::string, std::vector<double>> out;
  for (std::size_t i = 0; i < csv.rows(); ++i) {
    const auto integer = [&](std::size_t column) { return csv.integer(i, column, 0, problems); };
    const std::string& name = csv.text(i, 0);
    const auto a = loaded.try_emplace(name, load_accelerator(name)).first;
    predict_row(csv, i, integer, a->second, out, problems);
  }
  REQUIRE_MESSAGE(problems.empty(), problems.text(file));
  return out;
}

double geometric_bias(const std::vector<double>& errors) {
  double sum = 0;
  for (const double e : errors) sum += std::log1p(e);
  return std::exp(sum / static_cast<double>(errors.size())) - 1;
}

void hold(const std::string& what, const std::map<std::string, std::vector<double>>& by_machine,
          const std::map<std::string, double>& bars) {
  for (const auto& [machine, list] : by_machine) {
    const ErrorSummary s = summary(list);
    MESSAGE(fmt::format("{} {}: {} rows, median {:.1f} %, p95 {:.1f} %, bias {:+.1f} %", what,
                        machine, s.count, 100 * s.median, 100 * s.p95, 100 * geometric_bias(list)));
    CAPTURE(machine);
    CHECK(s.median <= bars.at(machine));
  }
}

}  // namespace

TEST_SUITE("tests/kernels, layers") {
  TEST_CASE("layers of experts that no fit saw are predicted within the bars") {
    const auto by_machine = errors("experts.csv", [](const Csv& csv, std::size_t i, auto integer,
                                                     const Accelerator& a, auto& out, Problems& p) {
      const Seconds measured(csv.number(i, 11, 1e-6, p) * 1e-6);
      const ExpertsRow row{integer(1),      integer(2),      integer(3),
                           integer(4),      integer(5),      integer(6),
                           integer(7),      integer(8) != 0, csv.text(i, 9) == "balanced",
                           csv.text(i, 10), measured};
      const auto predicted = predict(row, a);
      REQUIRE(predicted);
      out[csv.text(i, 0) + " " + row.dtype].push_back(*predicted / measured - 1);
    });
    // The A100's table timed a Triton kernel, which takes three times what cuBLAS's products do.
    hold("experts", by_machine,
         {{"a100-sxm-80gb bf16", 0.70},
          {"h100-sxm-80gb bf16", 0.12},
          {"h200-sxm bf16", 0.10},
          {"b200-sxm bf16", 0.14},
          {"gb200 bf16", 0.14},
          {"h100-sxm-80gb fp8", 0.11},
          {"h200-sxm fp8", 0.11},
          {"b200-sxm fp8", 0.20},
          {"gb200 fp8", 0.16}});
  }

  TEST_CASE("latent attention is predicted from attention with one head size") {
    const auto by_machine =
        errors("latent_attention.csv", [](const Csv& csv, std::size_t i, auto integer,
                                          const Accelerator& a, auto& out, Problems& p) {
          const Seconds measured(csv.number(i, 8, 1e-6, p) * 1e-6);
          const auto predicted =
              predict(LatentRow{integer(1), integer(2), integer(3), integer(4), integer(5),
                                integer(6) != 0, csv.text(i, 7), measured},
                      a);
          REQUIRE(predicted);
          out[csv.text(i, 0)].push_back(*predicted / measured - 1);
        });
    hold("latent attention", by_machine,
         {{"a100-sxm-80gb", 0.04},
          {"h100-sxm-80gb", 0.07},
          {"h200-sxm", 0.07},
          {"b200-sxm", 0.12},
          {"gb200", 0.13}});
  }
}
