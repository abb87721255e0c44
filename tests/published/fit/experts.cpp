#include "experts.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <map>
#include <utility>

#include "core/error.h"
#include "parallel.h"
#include "sim/step.h"

namespace forerun::published {
namespace {

constexpr double kPrior = 0.01;   // that one standard deviation costs
constexpr double kEnough = 1e-4;  // a round that gains less is the last
constexpr double kNarrow = 0.01;  // of a logarithm
constexpr int kMostRounds = 20;

class Search {
 public:
  Search(const std::vector<sim::PublishedRow>& rows, int threads)
      : rows_(rows), threads_(threads), values_(expert_start()), best_(cost(values_)) {}

  ExpertValues run() {
    for (int round = 0; round < kMostRounds; ++round) {
      const double before = best_;
      for (std::size_t i = 0; i < values_.size(); ++i) line(i);
      if (before - best_ < kEnough) break;
    }
    return values_;
  }

 private:
  [[nodiscard]] double cost(const ExpertValues& v) const {
    std::map<std::string, std::pair<double, double>> groups;  // sum, rows
    const std::vector<double> errors = log_errors(rows_, v, threads_);
    for (std::size_t i = 0; i < errors.size(); ++i) {
      auto& [sum, count] = groups[rows_[i].group];
      sum += std::abs(errors[i]);
      count += 1;
    }
    double total = 0;
    for (const auto& [group, s] : groups) {
      total += s.first / s.second / static_cast<double>(groups.size());
    }
    for (std::size_t i = 0; i < v.size(); ++i) {
      const double z = std::log(v[i] / kExpertConstants[i].start) / kExpertConstants[i].spread;
      total += kPrior * z * z;
    }
    return total;
  }

  /// The best of constant `i` between its bounds, if it is better than what is.
  void line(std::size_t i) {
    constexpr double kGolden = 0.6180339887498949;
    double low = std::log(kExpertConstants[i].least), high = std::log(kExpertConstants[i].most);
    const auto with = [&](double x) {
      ExpertValues moved = values_;
      moved[i] = std::exp(x);
      return moved;
    };
    double a = high - kGolden * (high - low), b = low + kGolden * (high - low);
    double at_a = cost(with(a)), at_b = cost(with(b));
    while (high - low > kNarrow) {
      if (at_a < at_b) {
        high = b;
        b = std::exchange(a, high - kGolden * (high - low));
        at_b = std::exchange(at_a, cost(with(a)));
      } else {
        low = a;
        a = std::exchange(b, low + kGolden * (high - low));
        at_a = std::exchange(at_b, cost(with(b)));
      }
    }
    const ExpertValues found = with(0.5 * (low + high));
    if (const double c = cost(found); c < best_) {
      best_ = c;
      values_ = found;
    }
  }

  const std::vector<sim::PublishedRow>& rows_;
  int threads_;
  ExpertValues values_;
  double best_;
};

}  // namespace

ExpertValues expert_start() {
  ExpertValues v{};
  for (std::size_t i = 0; i < v.size(); ++i) v[i] = kExpertConstants[i].start;
  return v;
}

bool has_experts(const sim::PublishedRow& row) { return row.scenario.model.experts.has_value(); }

std::vector<double> log_errors(std::vector<sim::PublishedRow> rows, const ExpertValues& v,
                               int threads) {
  std::vector<double> errors(rows.size());
  in_parallel(rows.size(), threads, [&](std::size_t i) {
    sim::Framework& f = rows[i].scenario.framework;
    FORERUN_ASSERT(std::ranges::find(kExpertPresets, f.name) != kExpertPresets.end(), f.name);
    f.expert_launch = v[0] * 1.0_us;
    f.expert_traffic = v[1];
    f.grouped_rate = v[2];
    errors[i] = std::log(sim::step_time(rows[i].scenario) / *rows[i].measured.step_time);
  });
  return errors;
}

ExpertValues fit_experts(const std::vector<sim::PublishedRow>& rows, int threads) {
  ExpertValues v = Search(rows, threads).run();
  for (double& value : v) value = std::stod(fmt::format("{:.3g}", value));
  return v;
}

std::string expert_text(std::size_t constant, double value) {
  const std::string number = fmt::format("{:.3g}", value), unit = kExpertConstants[constant].unit;
  return unit.empty() ? number : fmt::format("\"{}{}\"", number, unit);
}

}  // namespace forerun::published
