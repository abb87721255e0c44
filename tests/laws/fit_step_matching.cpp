/// Fits models/laws/step_matching.json and prints what each published fraction is predicted as.
///
///   fit_step_matching [--write]
///
/// --write replaces the law's file and tests/laws/step_matching.md.

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <cstdio>
#include <map>
#include <string_view>

#include "core/error.h"
#include "core/file.h"
#include "core/random.h"
#include "core/statistics.h"
#include "core/table.h"
#include "tests/laws/step_matching.h"

namespace {

using namespace forerun;
using models::ArchitectureGain;

constexpr int kResamples = 200;

std::vector<double> values(const ArchitectureGain& g) {
  return {g.kappa, g.mu, g.lambda, g.mu_experts, g.embedding_weight, g.validation};
}
const std::vector<std::string> kNames = {
    "kappa", "mu", "lambda", "mu_experts", "embedding_weight", "validation"};

/// Rows of one panel of a figure move together: a resample draws series, not rows.
std::vector<double> resample(const std::vector<laws::Fraction>& rows, std::uint64_t draw) {
  std::map<std::string, std::size_t> series;
  for (const laws::Fraction& f : rows) {
    series.emplace(f.setting + f.size + f.modality + f.architecture, series.size());
  }
  const Stream stream(1, fmt::format("step matching/resample/{}", draw));
  std::vector<double> of_series(series.size(), 0.0);
  for (std::uint64_t i = 0; i < series.size(); ++i) of_series[stream.below(i, series.size())] += 1;
  std::vector<double> weights;
  for (const laws::Fraction& f : rows) {
    weights.push_back(of_series[series[f.setting + f.size + f.modality + f.architecture]]);
  }
  return weights;
}

models::Law law_of(const ArchitectureGain& g, const std::vector<std::vector<double>>& draws) {
  models::Law law;
  law.name = law.form = "step_matching";
  law.what =
      "How much sooner towers of their own and experts bring each modality to the dense model's "
      "loss";
  const std::string source =
      "tests/laws/fit_step_matching, fitted to fractions of steps of text and image at 37M to 880M "
      "in Liang et al. 2024, Mixture-of-Transformers, arXiv:2411.04996v2, figures 6, 9, 18, 24, 25";
  for (std::size_t i = 0; i < kNames.size(); ++i) {
    std::vector<double> column;
    for (const auto& row : draws) column.push_back(row[i]);
    const double v = values(g)[i];
    const double low = std::min(v - 1e-9, quantile(column, 0.05));
    const double high = std::max(v + 1e-9, quantile(column, 0.95));
    law.constants[kNames[i]] = {v,   Evidence::fitted, source, models::Spread::interval_90, low,
                                high};
  }
  law.joints.push_back({kNames, draws, source + ": resamples of its panels"});
  law.domain["tokens a parameter"] = {140, 6900};
  law.domain["parameters"] = {37e6, 1.5e9};
  law.domain_source = "Liang et al. 2024, arXiv:2411.04996v2, tables 1 and 3: 63B to 1T tokens";
  law.caveats = {
      "architecture gains rest on one paper's fractions of steps, of next-token training on "
      "Chameleon's data; a modality that was not fitted takes the common constants, and speech at "
      "443M and 880M is then predicted a third too fast"};
  return law;
}

std::string table_of(const ArchitectureGain& g, const std::vector<laws::Fraction>& rows) {
  std::string out =
      "| setting | size | modality | split | architecture | tokens | published | predicted | error "
      "| "
      "next smaller size | |\n|---|---|---|---|---|---:|---:|---:|---:|---:|---|\n";
  std::vector<double> fitted, tested, repeated, beside, largest, largest_repeated;
  for (const laws::Fraction& f : rows) {
    const double p = laws::predicted(g, f);
    const double error = p / f.published - 1;
    const bool few = f.architecture == "moe2x" || f.architecture == "moe3x";
    const bool test = !f.fitted && (f.modality == "speech" || f.size == "1.5b" || f.size == "7b" ||
                                    f.architecture == "hybrid");
    out += fmt::format(
        "| {} | {} | {} | {} | {} | {:.3g}B | {:.3f} | {:.3f} | {:+.1f} % | {} | {} |\n", f.setting,
        f.size, f.modality, f.split, f.architecture, f.tokens / 1e9, f.published, p, 100 * error,
        f.repeated > 0 ? fmt::format("{:+.1f} %", 100 * (f.repeated / f.published - 1)) : "",
        f.fitted ? "fitted" : "");
    if (few) continue;
    if (f.fitted) fitted.push_back(std::abs(error));
    if (!test) continue;
    tested.push_back(std::abs(error));
    if (f.repeated > 0) {
      repeated.push_back(std::abs(f.repeated / f.published - 1));
      beside.push_back(std::abs(error));
    }
    if (f.size == "1.5b" && f.setting == "chameleon") {
      largest.push_back(std::abs(error));
      largest_repeated.push_back(std::abs(f.repeated / f.published - 1));
    }
  }
  out += fmt::format(
      "\nMoT and MoE-4x, mean error: fitted rows {}; rows not fitted {} of {}; of those with a "
      "smaller size {} where repeating that size is {} off; Chameleon at 1.5B {} against {}.\n",
      show_percent(mean(fitted)), show_percent(mean(tested)), tested.size(),
      show_percent(mean(beside)), show_percent(mean(repeated)), show_percent(mean(largest)),
      show_percent(mean(largest_repeated)));
  return out;
}

}  // namespace

int main(int argc, char** argv) {
  const bool write = argc > 1 && std::string_view(argv[1]) == "--write";
  try {
    const std::vector<laws::Fraction> rows = laws::read_fractions();
    const ArchitectureGain g = laws::fit_gain(rows, std::vector<double>(rows.size(), 1.0));
    std::vector<std::vector<double>> draws;
    for (int i = 0; i < kResamples; ++i) {
      draws.push_back(
          values(laws::fit_gain(rows, resample(rows, static_cast<std::uint64_t>(i)), g)));
    }
    const models::Law law = law_of(g, draws);
    for (const auto& [name, c] : law.constants) {
      fmt::print("{:<18} {:8.4f}  {:8.4f} to {:8.4f}\n", name, c.value, c.low, c.high);
    }
    const std::string table = table_of(g, rows);
    fmt::print("\n{}", table);
    if (write) {
      write_file(data_path("models/laws") + "/step_matching.json", models::law_json(law));
      write_file(
          data_path("tests/laws") + "/step_matching.md",
          "# Fractions of the dense model's steps, published and predicted\n\nWritten by "
          "tests/laws/fit_step_matching --write; the model is models/loss/architecture_gain.h.\n"
          "The last column but one is the error of repeating the next smaller size.\n\n" +
              table);
    }
  } catch (const Error& e) {
    fmt::print(stderr, "error: {}\n", e.what());
    return 1;
  }
  return 0;
}
