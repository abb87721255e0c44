#include "hw/fit/minimise.h"

#include <algorithm>
#include <cmath>
#include <utility>

namespace forerun::hw {

std::vector<double> minimise(std::vector<double> at, std::vector<double> steps, const Loss& loss,
                             int rounds) {
  constexpr double kLonger = 1.3, kShorter = 0.5, kLeastStep = 1e-4;
  double best = loss(at);
  for (int round = 0; round < rounds; ++round) {
    for (std::size_t i = 0; i < at.size(); ++i) {
      if (steps[i] == 0) continue;
      bool better = false;
      for (const double step : {steps[i], -steps[i]}) {
        std::vector<double> there = at;
        there[i] += step;
        const double l = loss(there);
        if (l < best) {
          best = l;
          at = std::move(there);
          better = true;
          break;
        }
      }
      steps[i] = std::max(kLeastStep, steps[i] * (better ? kLonger : kShorter));
    }
  }
  return at;
}

double robust(double e, double far) {
  e = std::abs(e);
  return e <= far ? e : far + (e - far) / 5;
}

}  // namespace forerun::hw
