#include "models/loss/fit/jet_model.h"
#include "models/loss/fit/models.h"

namespace forerun::models {
namespace {

using As = Unknown::As;

/// One term's place on a curve.
struct CurvePlace {
  std::size_t curve, end;
};

struct MultiPowerFormula {
  static constexpr bool kDecimalLogarithm = false;
  std::array<Unknown, 7> unknowns = {Unknown{"L0", As::logarithm, 1e-3, 100, 0.5, 10, true},
                                     Unknown{"A", As::logarithm, 1e-9, 1e6, 1e-3, 1e3, true},
                                     Unknown{"alpha", As::value, 0, 3, 0.1, 1.2},
                                     Unknown{"B", As::logarithm, 1e-6, 1e7, 1, 1e4, true},
                                     Unknown{"C", As::logarithm, 1e-6, 1e6, 0.05, 50},
                                     Unknown{"beta", As::value, 0.01, 5, 0.2, 1.2},
                                     Unknown{"gamma", As::value, 0, 2, 0.1, 1.2}};
  std::vector<CurveInput> curves;
  template <class T>
  T operator()(const std::array<T, 7>& x, const CurvePlace& at) const {
    const MultiPower<T> law{x[0], x[1], x[2], x[3], x[4], x[5], x[6]};
    return scheduled_loss<T>(law, std::span(curves[at.curve].nodes).first(at.end));
  }
};

}  // namespace

std::unique_ptr<Model> multi_power_model(std::vector<CurveInput> curves, std::vector<Term> terms) {
  std::vector<CurvePlace> places;
  for (std::size_t c = 0; c < curves.size(); ++c) {
    for (const std::size_t end : curves[c].ends) places.push_back({c, end});
  }
  MultiPowerFormula formula;
  formula.curves = std::move(curves);
  return std::make_unique<JetModel<7, CurvePlace, MultiPowerFormula>>(
      std::move(formula), std::move(places), std::move(terms));
}

}  // namespace forerun::models
