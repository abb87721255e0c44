#include "models/loss/mixture_optimum.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <numeric>

#include "core/error.h"

namespace forerun::models {
namespace {

class Search {
 public:
  Search(const MixtureProblem& problem, const ModalityLosses& loss)
      : problem_(problem),
        loss_(loss),
        total_weight_(std::accumulate(problem.weights.begin(), problem.weights.end(), 0.0)) {
    const std::size_t n = problem.weights.size();
    FORERUN_ASSERT(
        problem.flops > 0 && total_weight_ > 0 && problem.least_share * static_cast<double>(n) < 1,
        fmt::format("{} FLOPs, weights of {}, least share {} of {}", problem.flops, total_weight_,
                    problem.least_share, n));
    shares_.assign(n, 1.0 / static_cast<double>(n));
  }

  /// The best shares at that size, starting from the last ones.
  MixtureOptimum at(double parameters) {
    const double tokens = problem_.flops / (6.0 * parameters);
    double value = weighted(parameters, tokens, shares_);
    double power = 0.75;  // 1 / (1 + beta) solves one power term at once
    for (int i = 0; i < 60 && shares_.size() > 1 && power > 1e-3; ++i) {
      const std::vector<double> next = stepped(parameters, tokens, value, power);
      const double there = weighted(parameters, tokens, next);
      if (there > value) {
        power /= 2;
        continue;
      }
      double moved = 0;
      for (std::size_t k = 0; k < next.size(); ++k) {
        moved = std::max(moved, std::abs(std::log(next[k] / shares_[k])));
      }
      shares_ = next;
      value = there;
      if (moved < problem_.precision / 100) break;
    }
    MixtureOptimum out{parameters, tokens, shares_, loss_(parameters, shares_, of(tokens, shares_)),
                       0};
    out.loss = value;
    return out;
  }

 private:
  static std::vector<double> of(double tokens, const std::vector<double>& shares) {
    std::vector<double> out(shares);
    for (double& t : out) t *= tokens;
    return out;
  }

  [[nodiscard]] double of_tokens(double parameters, std::span<const double> tokens) const {
    const double all = std::accumulate(tokens.begin(), tokens.end(), 0.0);
    std::vector<double> shares(tokens.begin(), tokens.end());
    for (double& s : shares) s /= all;
    const std::vector<double> losses = loss_(parameters, shares, tokens);
    double sum = 0;
    for (std::size_t i = 0; i < losses.size(); ++i) sum += problem_.weights[i] * losses[i];
    return sum / total_weight_;
  }
  [[nodiscard]] double weighted(double parameters, double tokens,
                                const std::vector<double>& shares) const {
    return of_tokens(parameters, of(tokens, shares));
  }

  /// One step of the rule; a modality of which more tokens would raise the loss shrinks to a
  /// quarter.
  [[nodiscard]] std::vector<double> stepped(double parameters, double tokens, double value,
                                            double power) const {
    std::vector<double> here = of(tokens, shares_), gain(shares_.size());
    double largest = 0;
    for (std::size_t i = 0; i < here.size(); ++i) {
      const double was = here[i];
      here[i] = was * (1 + 1e-5);
      gain[i] = (value - of_tokens(parameters, here)) / (here[i] - was);
      here[i] = was;
      largest = std::max(largest, gain[i]);
    }
    std::vector<double> next(shares_);
    if (largest <= 0) return next;
    double mean = 0;
    for (std::size_t i = 0; i < next.size(); ++i) mean += next[i] * std::max(gain[i], 0.0);
    for (std::size_t i = 0; i < next.size(); ++i) {
      const double ratio = mean > 0 ? std::max(gain[i], 0.0) / mean : 0.0;
      next[i] *= std::clamp(std::pow(ratio, power), 0.25, 4.0);
    }
    return bounded(std::move(next));
  }

  /// Scaled to sum 1 with none under the least share.
  [[nodiscard]] std::vector<double> bounded(std::vector<double> shares) const {
    const double least = problem_.least_share;
    std::vector<bool> low(shares.size(), false);
    for (std::size_t round = 0; round < shares.size(); ++round) {
      double free = 1, sum = 0;
      for (std::size_t i = 0; i < shares.size(); ++i) {
        if (low[i]) {
          free -= least;
        } else {
          sum += shares[i];
        }
      }
      bool again = false;
      for (std::size_t i = 0; i < shares.size(); ++i) {
        if (low[i]) continue;
        shares[i] *= free / sum;
        if (shares[i] < least) low[i] = again = true;
      }
      for (std::size_t i = 0; i < shares.size(); ++i) {
        if (low[i]) shares[i] = least;
      }
      if (!again) break;
    }
    return shares;
  }

  const MixtureProblem& problem_;
  const ModalityLosses& loss_;
  double total_weight_;
  std::vector<double> shares_;
};

}  // namespace

MixtureOptimum optimal_mixture(const MixtureProblem& problem, const ModalityLosses& loss) {
  Search search(problem, loss);
  if (problem.parameters) return search.at(*problem.parameters);
  constexpr double kGolden = 0.6180339887498949;
  double low = std::log(problem.from), high = std::log(problem.to);
  double a = high - kGolden * (high - low), b = low + kGolden * (high - low);
  double at_a = search.at(std::exp(a)).loss, at_b = search.at(std::exp(b)).loss;
  while (high - low > problem.precision) {
    if (at_a < at_b) {
      high = b;
      b = a;
      at_b = at_a;
      a = high - kGolden * (high - low);
      at_a = search.at(std::exp(a)).loss;
    } else {
      low = a;
      a = b;
      at_a = at_b;
      b = low + kGolden * (high - low);
      at_b = search.at(std::exp(b)).loss;
    }
  }
  return search.at(std::exp(0.5 * (low + high)));
}

}  // namespace forerun::models
