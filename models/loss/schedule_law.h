#pragma once

/// The loss along a run of any learning-rate schedule: the multi-power law (Luo et al. 2025,
/// arXiv:2503.12811, form "multi_power"):
///
///   L(t) = L0 + A S1(t)^-alpha - B sum_k (eta_k-1 - eta_k) G(eta_k^-gamma S_k(t))
///   G(x) = 1 - (C x + 1)^-beta,   S_k(t) = sum of eta from step k to t,   S1(t) = S_1(t)
///
/// What the learning rate fell, and how long ago in units of itself, is what annealing gave. The
/// sum runs from the first step: the warm-up's rises stand in it with the opposite sign, and
/// without them every loss is too low by the same tenth of a nat or so. Constants belong to the
/// raw learning rate, the batch and the model that they were fitted to.
///
/// One formula for the fit (T a dual number) and for the evaluation (T double), on nodes: between
/// two neighbours the rate changes evenly with the sum of rates, and G is averaged there in closed
/// form at the rate of the middle, so that a smooth schedule needs few nodes. Two nodes one step
/// apart are a jump, with the law's own term.
///
/// Not modelled: batch ramps (steps are alike), weight decay, a peak far from the fit's.

#include <cmath>
#include <cstddef>
#include <span>

namespace forerun::models {

/// The schedule after `step` steps: the rate of that step, and the sum of the rates of all steps so
/// far. The first node of a run is {0, 0, 0}, or with the first step's rate where there is no
/// warm-up.
struct ScheduleNode {
  double step = 0, rate = 0, area = 0;
  bool operator==(const ScheduleNode&) const = default;
};

template <class T>
struct MultiPower {
  T floor{};           ///< L0
  T a{}, alpha{};      ///< of the sum of rates
  T b{}, c{}, beta{};  ///< of annealing: B, C and the power of G
  T gamma{};           ///< how the learning rate scales the time that annealing takes
};

/// The mean of G over S evenly from `near` to `far`, both at the rate whose -gamma power is in
/// `scale` = C rate^-gamma.
template <class T>
[[nodiscard]] T annealing_share(const T& scale, const T& beta, double near, double far) {
  using std::abs, std::exp, std::log1p;
  const T low = scale * near, high = scale * far;
  if (far - near <= 0.02 * (near + far) || abs(high - low) < T(1e-3)) {
    return T(1) - exp(-beta * log1p(0.5 * (low + high)));
  }
  const T power = T(1) - beta;
  // At beta = 1 the integral is a logarithm; a millionth away it is the same to nine digits.
  if (abs(power) < T(1e-6)) return T(1) - (log1p(high) - log1p(low)) / (high - low);
  return T(1) - (exp(power * log1p(high)) - exp(power * log1p(low))) / (power * (high - low));
}

/// What annealing changed by the last node, without the factor -B: the sum of rate changes times
/// G, falls negative. `nodes` are those up to the step asked for, in order.
template <class T>
[[nodiscard]] T annealed(const MultiPower<T>& law, std::span<const ScheduleNode> nodes) {
  using std::exp, std::log;
  T sum(0);
  if (nodes.empty()) return sum;
  const double end = nodes.back().area;
  for (std::size_t i = 1; i < nodes.size(); ++i) {
    const ScheduleNode &from = nodes[i - 1], &to = nodes[i];
    const double change = to.rate - from.rate;
    if (change == 0) continue;
    const bool jump = to.step - from.step <= 1;
    const double rate = jump ? to.rate : 0.5 * (from.rate + to.rate);
    if (rate <= 0) continue;  // no time passes at a rate of zero
    // The law's sum holds each step's own rate too: half a step more than the areas between.
    const double near = end - to.area + (jump ? to.rate : 0.5 * to.rate);
    const double far = jump ? near : end - from.area + 0.5 * from.rate;
    sum += change * annealing_share<T>(law.c * exp(-law.gamma * log(rate)), law.beta, near, far);
  }
  return sum;
}

/// The loss at the last of `nodes`, whose area is above zero.
template <class T>
[[nodiscard]] T scheduled_loss(const MultiPower<T>& law, std::span<const ScheduleNode> nodes) {
  using std::exp, std::log;
  return law.floor + law.a * exp(-law.alpha * log(nodes.back().area)) +
         law.b * annealed<T>(law, nodes);
}

}  // namespace forerun::models
