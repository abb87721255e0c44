#include <algorithm>
#include <cmath>

#include "models/loss/fit/jet_model.h"
#include "models/loss/fit/models.h"

namespace forerun::models {
namespace {

using As = Unknown::As;

/// x^-power, of a logarithm taken once.
template <class T>
T falling(double log_x, const T& power) {
  using std::exp;
  return exp(-power * log_x);
}

struct LogInput {
  double parameters, tokens;
};

struct PowerFormula {
  static constexpr bool kDecimalLogarithm = false;
  std::array<Unknown, 5> unknowns = {Unknown{"E", As::logarithm, 1e-3, 100, 0.1, 10, true},
                                     Unknown{"A", As::logarithm, 1e-6, 1e12, 1, 1e6, true},
                                     Unknown{"alpha", As::value, 0, 2, 0.05, 1.0},
                                     Unknown{"B", As::logarithm, 1e-6, 1e12, 1, 1e6, true},
                                     Unknown{"beta", As::value, 0, 2, 0.05, 1.0}};
  template <class T>
  T operator()(const std::array<T, 5>& x, const LogInput& at) const {
    return x[0] + x[1] * falling(at.parameters, x[2]) + x[3] * falling(at.tokens, x[4]);
  }
};

struct LogPairInput {
  double parameters, tokens, first, second, share;
  PairLoss loss;
  [[nodiscard]] double alone() const { return share * first + (1 - share) * second; }
  /// How much of the pair's term a mean has: all of it at equal shares.
  [[nodiscard]] double mixed() const { return 4 * share * (1 - share); }
};

constexpr std::array kPairUnknowns = {Unknown{"C", As::logarithm, 1e-4, 100, 0.01, 5, true},
                                      Unknown{"A", As::logarithm, 1e-6, 1e12, 1, 1e6, true},
                                      Unknown{"alpha", As::value, 0, 2, 0.05, 1.0},
                                      Unknown{"B", As::logarithm, 1e-6, 1e12, 1, 1e6, true},
                                      Unknown{"beta", As::value, 0, 2, 0.05, 1.0},
                                      Unknown{"split", As::value, 0, 1, 0.3, 0.7}};

template <class T>
T pair_term(const T* x, const LogPairInput& at) {
  return -x[0] + x[1] * falling(at.parameters, x[2]) + x[3] * falling(at.tokens, x[4]);
}

struct PairMeanFormula {
  static constexpr bool kDecimalLogarithm = false;
  std::array<Unknown, 5> unknowns = {kPairUnknowns[0], kPairUnknowns[1], kPairUnknowns[2],
                                     kPairUnknowns[3], kPairUnknowns[4]};
  template <class T>
  T operator()(const std::array<T, 5>& x, const LogPairInput& at) const {
    return at.alone() + at.mixed() * pair_term(x.data(), at);
  }
};

struct PairSplitFormula {
  static constexpr bool kDecimalLogarithm = false;
  std::array<Unknown, 6> unknowns = kPairUnknowns;
  template <class T>
  T operator()(const std::array<T, 6>& x, const LogPairInput& at) const {
    const T term = pair_term(x.data(), at);
    if (at.loss == PairLoss::first) return at.first + 4 * (1 - at.share) * x[5] * term;
    if (at.loss == PairLoss::second) return at.second + 4 * at.share * (1.0 - x[5]) * term;
    return at.alone() + at.mixed() * term;
  }
};

}  // namespace

std::unique_ptr<Model> power_model(const std::vector<PowerInput>& inputs, std::vector<Term> terms) {
  std::vector<LogInput> logs;
  for (const PowerInput& i : inputs) logs.push_back({std::log(i.parameters), std::log(i.tokens)});
  return std::make_unique<JetModel<5, LogInput, PowerFormula>>(PowerFormula{}, std::move(logs),
                                                               std::move(terms));
}

std::unique_ptr<Model> pair_model(const std::vector<PairInput>& inputs, std::vector<Term> terms) {
  std::vector<LogPairInput> logs;
  for (const PairInput& i : inputs) {
    logs.push_back({std::log(i.parameters), std::log(i.tokens), i.alone_first, i.alone_second,
                    i.share_first, i.loss});
  }
  const bool split =
      std::ranges::any_of(inputs, [](const PairInput& i) { return i.loss != PairLoss::mean; });
  if (split) {
    return std::make_unique<JetModel<6, LogPairInput, PairSplitFormula>>(
        PairSplitFormula{}, std::move(logs), std::move(terms));
  }
  return std::make_unique<JetModel<5, LogPairInput, PairMeanFormula>>(
      PairMeanFormula{}, std::move(logs), std::move(terms));
}

}  // namespace forerun::models
