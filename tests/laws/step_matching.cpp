#include "tests/laws/step_matching.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <cmath>
#include <map>

#include "core/error.h"
#include "core/file.h"
#include "hw/csv.h"
#include "hw/fit/minimise.h"
#include "models/mixture/mixture.h"

namespace forerun::laws {
namespace {

/// By rising size.
constexpr std::array kSizes = {"37m", "94m", "443m", "880m", "1.5b", "7b"};
constexpr const char* kLargestFitted = "880m";
/// |log error| up to which a row counts by its square, and beyond by its length (Huber).
constexpr double kFar = 0.1;

double huber(double e) {
  const double size = std::abs(e);
  return size <= kFar ? 0.5 * e * e : kFar * (size - 0.5 * kFar);
}

std::size_t rank(const std::string& size) {
  const auto* const it = std::ranges::find(kSizes, size);
  FORERUN_ASSERT(it != kSizes.end(), fmt::format("size {}", size));
  return static_cast<std::size_t>(it - kSizes.begin());
}

/// The zoo's model of that row; experts of MoE-2x and MoE-3x are MoE-4x's, fewer.
models::Architecture model_of(const Fraction& f) {
  const std::string stem =
      fmt::format("mot-{}-{}", f.setting == "chameleon-speech" ? "speech" : "chameleon", f.size);
  if (f.architecture == "mot") return models::load_architecture(stem);
  if (f.architecture == "hybrid") return models::load_architecture(stem + "-hybrid");
  models::Architecture a = models::load_architecture(stem + "-moe4x");
  a.experts->count = f.architecture[3] - '0';
  return a;
}

std::map<std::string, double> shares_of(const std::string& setting) {
  const models::Mixture mixture = models::load_mixture(setting);
  const std::vector<double> shares = models::mean_shares(mixture);
  std::map<std::string, double> out;
  for (std::size_t i = 0; i < shares.size(); ++i) out[mixture.modalities[i]] = shares[i];
  return out;
}

bool is_experts(const Fraction& f) { return f.architecture.starts_with("moe"); }

/// Same curves, other size.
bool same_series(const Fraction& a, const Fraction& b) {
  return a.setting == b.setting && a.modality == b.modality && a.split == b.split &&
         a.architecture == b.architecture;
}

}  // namespace

std::vector<Fraction> read_fractions() {
  const std::string path = data_path("tests/laws/step_matching.csv");
  Problems problems;
  const hw::Csv csv = hw::Csv::parse(read_file(path, hw::kCsvLimit), problems);
  std::vector<Fraction> out;
  std::map<std::string, models::ParametersInLaw> models_seen;
  std::map<std::string, std::map<std::string, double>> shares;
  for (std::size_t r = 0; r < csv.rows(); ++r) {
    Fraction f;
    f.setting = csv.text(r, 0);
    f.size = csv.text(r, 1);
    f.modality = csv.text(r, 2);
    f.split = csv.text(r, 3);
    f.architecture = csv.text(r, 4);
    f.tokens = csv.number(r, 5, 1, problems);
    f.published = csv.number(r, 6, 1e-3, problems);
    f.figure = csv.text(r, 7);
    const std::string key = fmt::format("{} {} {}", f.setting, f.size, f.architecture);
    if (!models_seen.contains(key)) {
      models_seen[key] = models::parameters_in_law(model_of(f));
    }
    if (!shares.contains(f.setting)) shares[f.setting] = shares_of(f.setting);
    f.input = models::gain_input(models_seen[key], f.modality, shares[f.setting], f.tokens);
    f.fitted = f.modality != "speech" && rank(f.size) <= rank(kLargestFitted) &&
               f.architecture != "hybrid" &&
               !(is_experts(f) && f.split == "validation" && f.modality == "image");
    out.push_back(f);
  }
  if (!problems.empty()) throw Error(ExitCode::wrong, problems.text(path));
  for (Fraction& f : out) {
    std::size_t nearest = 0;
    for (const Fraction& other : out) {
      const bool plain = other.figure.find("18") == std::string::npos;  // not the scaling study
      if (!plain || !same_series(f, other) || rank(other.size) >= rank(f.size)) continue;
      if (f.repeated > 0 && rank(other.size) < nearest) continue;
      nearest = rank(other.size);
      f.repeated = other.published;
    }
  }
  return out;
}

double predicted(const models::ArchitectureGain& g, const Fraction& f) {
  return models::step_fraction(g, f.input, f.split == "validation");
}

models::ArchitectureGain fit_gain(const std::vector<Fraction>& rows,
                                  const std::vector<double>& weights,
                                  const std::optional<models::ArchitectureGain>& near) {
  FORERUN_ASSERT(weights.size() == rows.size(), "a weight for each row");
  const auto of = [](const std::vector<double>& x) {
    return models::ArchitectureGain{
        std::abs(x[0]), x[1], std::abs(x[2]), x[3], std::min(1.0, std::abs(x[4])), std::abs(x[5])};
  };
  const auto loss = [&](const std::vector<double>& x) {
    const models::ArchitectureGain g = of(x);
    double sum = 0;
    for (std::size_t i = 0; i < rows.size(); ++i) {
      const Fraction& f = rows[i];
      if (!f.fitted || weights[i] == 0) continue;
      const bool few = f.architecture == "moe2x" || f.architecture == "moe3x";
      const double e = std::log(predicted(g, f) / f.published);
      sum += weights[i] * (few ? 0.5 : 1.0) * huber(e);
    }
    return sum;
  };
  std::vector<double> best;
  double least = 1e300;
  // From several starts, unless one is given: the search goes along coordinates.
  const std::vector<models::ArchitectureGain> starts =
      near ? std::vector{*near}
           : std::vector<models::ArchitectureGain>{{1.2, 0.1, 0.4, 0.4, 0.05, 0.95},
                                                   {1.2, 0.25, 0.4, 0.4, 0.1, 0.95},
                                                   {1.2, 0.4, 0.4, 0.4, 0.3, 0.95}};
  for (const models::ArchitectureGain& g : starts) {
    const std::vector<double> x =
        hw::minimise({g.kappa, g.mu, g.lambda, g.mu_experts, g.embedding_weight, g.validation},
                     {0.2, 0.1, 0.1, 0.1, 0.05, 0.1}, loss, near ? 120 : 600);
    if (const double l = loss(x); l < least) {
      least = l;
      best = x;
    }
  }
  return of(best);
}

}  // namespace forerun::laws
