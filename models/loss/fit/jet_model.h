#pragma once

/// A model whose formula is a template over the number type, so that ceres' dual numbers give its
/// derivatives. For the .cpp files of formulas only: it costs the compile time of Eigen.

#include <ceres/jet.h>

#include <array>
#include <utility>

#include "core/error.h"
#include "models/loss/fit/model.h"

namespace forerun::models {

/// Formula: a `std::array<Unknown, N> unknowns`, a `bool kDecimalLogarithm`, and
/// `template <class T> T operator()(const std::array<T, N>&, const Input&) const`.
template <std::size_t N, class Input, class Formula>
class JetModel final : public Model {
 public:
  JetModel(Formula formula, std::vector<Input> inputs, std::vector<Term> terms)
      : formula_(std::move(formula)), inputs_(std::move(inputs)), terms_(std::move(terms)) {
    FORERUN_ASSERT(inputs_.size() == terms_.size(), "a term is of one input");
  }
  std::span<const Unknown> unknowns() const override { return formula_.unknowns; }
  const std::vector<Term>& terms() const override { return terms_; }
  bool decimal_logarithm() const override { return Formula::kDecimalLogarithm; }
  void predict(std::span<const double> constants, std::span<double> out,
               std::vector<double>* gradients) const override {
    if (gradients == nullptr) {
      std::array<double, N> x;
      std::copy_n(constants.begin(), N, x.begin());
      for (std::size_t i = 0; i < inputs_.size(); ++i) out[i] = formula_(x, inputs_[i]);
      return;
    }
    using Jet = ceres::Jet<double, static_cast<int>(N)>;
    std::array<Jet, N> x;
    for (std::size_t k = 0; k < N; ++k) x[k] = Jet(constants[k], static_cast<int>(k));
    gradients->resize(inputs_.size() * N);
    for (std::size_t i = 0; i < inputs_.size(); ++i) {
      const Jet y = formula_(x, inputs_[i]);
      out[i] = y.a;
      for (std::size_t k = 0; k < N; ++k) {
        (*gradients)[i * N + k] = y.v[static_cast<Eigen::Index>(k)];
      }
    }
  }

 private:
  Formula formula_;
  std::vector<Input> inputs_;
  std::vector<Term> terms_;
};

}  // namespace forerun::models
