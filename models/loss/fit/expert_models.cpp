#include <cmath>

#include "models/loss/fit/jet_model.h"
#include "models/loss/fit/models.h"

namespace forerun::models {
namespace {

using As = Unknown::As;

/// Apart, so that 1 / E_start - 1 / E_max stays above zero.
constexpr Unknown kFirst{"E_start", As::logarithm, 1, 20, 1.05, 8};
constexpr Unknown kLast{"E_max", As::logarithm, 21, 1e5, 30, 2000};

/// The saturated number of experts, which is E_start for a dense model and nears E_max.
template <class T>
T saturated(double experts, const T& first, const T& last) {
  const T free = experts - 1.0 + 1.0 / (1.0 / first - 1.0 / last);
  return 1.0 / (1.0 / free + 1.0 / last);
}

struct Routed {
  static constexpr bool kDecimalLogarithm = true;
  std::array<Unknown, 6> unknowns = {Unknown{"a", As::value, -2, 0, -0.3, 0, true},
                                     Unknown{"b", As::value, -2, 2, -0.5, 0.5, true},
                                     Unknown{"c", As::value, -1, 1, -0.1, 0.1, true},
                                     Unknown{"d", As::value, -10, 10, 0, 3, true},
                                     kFirst,
                                     kLast};
  template <class T>
  T operator()(const std::array<T, 6>& x, const ExpertInput& at) const {
    using std::log10;
    const T experts = log10(saturated(at.experts, x[4], x[5]));
    return x[0] * at.parameters + x[1] * experts + x[2] * at.parameters * experts + x[3];
  }
};

struct JointMoe {
  static constexpr bool kDecimalLogarithm = false;
  std::array<Unknown, 11> unknowns = {Unknown{"a", As::logarithm, 1e-6, 1e12, 1, 1e6, true},
                                      Unknown{"alpha", As::value, -2, 0, -0.6, -0.05},
                                      Unknown{"delta", As::value, -5, 5, -0.6, 0.2},
                                      Unknown{"gamma", As::value, -1, 1, -0.05, 0.05},
                                      Unknown{"b", As::logarithm, 1e-6, 1e12, 1, 1e6, true},
                                      Unknown{"beta", As::value, -2, 0, -0.6, -0.05},
                                      Unknown{"omega", As::value, -5, 5, -0.3, 1.0},
                                      Unknown{"zeta", As::value, -1, 1, -0.05, 0.05},
                                      kFirst,
                                      kLast,
                                      Unknown{"c", As::logarithm, 1e-3, 100, 0.1, 5, true}};
  template <class T>
  T operator()(const std::array<T, 11>& x, const ExpertInput& at) const {
    using std::exp, std::log;
    const T e = log(saturated(at.experts, x[8], x[9]));
    return x[0] * exp(x[2] * e + (x[1] + x[3] * e) * at.parameters) +
           x[4] * exp(x[6] * e + (x[5] + x[7] * e) * at.tokens) + x[10];
  }
};

}  // namespace

std::unique_ptr<Model> routed_model(std::vector<ExpertInput> inputs, std::vector<Term> terms) {
  for (ExpertInput& i : inputs) i.parameters = std::log10(i.parameters);
  return std::make_unique<JetModel<6, ExpertInput, Routed>>(Routed{}, std::move(inputs),
                                                            std::move(terms));
}

std::unique_ptr<Model> joint_moe_model(std::vector<ExpertInput> inputs, std::vector<Term> terms) {
  for (ExpertInput& i : inputs) {
    i.parameters = std::log(i.parameters);
    i.tokens = std::log(i.tokens);
  }
  return std::make_unique<JetModel<11, ExpertInput, JointMoe>>(JointMoe{}, std::move(inputs),
                                                               std::move(terms));
}

}  // namespace forerun::models
