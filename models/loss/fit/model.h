#pragma once

/// What is fitted: a law's formula at the inputs of some runs, its unknown constants, and what the
/// runs measured. The fit sees only this; the formulas are in models.h.

#include <cstddef>
#include <cstdint>
#include <memory>
#include <span>
#include <string_view>
#include <vector>

namespace forerun::models {

/// A constant to be found. As its logarithm where it spans decades; `least` and `most` bound it,
/// `from` and `to` the starts. Formulas are linear in the `linear` ones, whose starts follow from
/// the others'.
struct Unknown {
  std::string_view name;
  enum class As : std::uint8_t { value, logarithm } as = As::value;
  double least = 0, most = 0;
  double from = 0, to = 0;
  bool linear = false;
};

/// One measured loss. Terms of one `block` (a run, or a whole curve) are drawn together by the
/// bootstrap.
struct Term {
  double log_loss = 0;  ///< natural logarithm
  double weight = 1;    ///< its error is taken to be 1 / sqrt(weight) of the others'
  std::size_t block = 0;
};

class Model {
 public:
  virtual ~Model() = default;
  [[nodiscard]] virtual std::span<const Unknown> unknowns() const = 0;
  [[nodiscard]] virtual const std::vector<Term>& terms() const = 0;
  /// What the formula gives for each term: the loss, or its decimal logarithm. With `gradients`,
  /// row by row, their derivatives by the constants.
  virtual void predict(std::span<const double> constants, std::span<double> out,
                       std::vector<double>* gradients) const = 0;
  /// Whether predict() gives decimal logarithms.
  [[nodiscard]] virtual bool decimal_logarithm() const { return false; }

 protected:
  Model() = default;
  Model(const Model&) = default;
  Model& operator=(const Model&) = default;
};

/// Measured less predicted, of the logarithm of the loss, and the derivatives of the predicted
/// logarithm by the fitted variables (constants or their logarithms), row by row. A prediction that
/// is no loss (zero or below) counts as 1e-3 nats, far from any measured one.
struct Residuals {
  std::vector<double> values, jacobian;
};
[[nodiscard]] Residuals residuals(const Model&, std::span<const double> constants, bool jacobian);

/// A constant as the fitted variable, and back.
[[nodiscard]] double variable(const Unknown&, double constant);
[[nodiscard]] double constant(const Unknown&, double variable);

}  // namespace forerun::models
