#pragma once

/// A law's constants from runs: each stage by many starts, then all again for every draw of a
/// bootstrap over runs, warm-started, so that what is uncertain of a uni-modal law is uncertain in
/// its pairs too.
///
/// The bootstrap is Rubin's (1981): a draw weighs each run (a whole curve) by an exponential
/// number, in place of taking it 0, 1, 2 ... times. With few runs no draw loses all that pin a
/// constant. Draws stand off the fit by sqrt(n / (n - p)) more than they fell, n terms and p
/// constants: residuals are too small by that. Intervals hold the middle 90 % of draws. The answer
/// is the same for any number of threads.

#include <cstdint>
#include <string>
#include <vector>

#include "core/statistics.h"
#include "models/loss/fit/minimise.h"
#include "models/loss/fit/stages.h"

namespace forerun::models {

struct FitOptions {
  std::string form = "power";
  std::string loss;     ///< the validation set, where runs have several
  double delta = 1e-3;  ///< of the Huber loss, in log loss
  std::int64_t bootstrap = 1000;
  std::uint64_t seed = 0;
  int threads = 1;
  Search search;  ///< its seed is `seed`
};

struct StageFit {
  std::string what;
  std::vector<Unknown> unknowns;
  std::vector<std::string> names;  ///< "speech|text.C"
  std::vector<double> constants;
  std::vector<Interval> intervals;  ///< middle 90 % of the draws
  std::vector<double> residuals;    ///< measured less fitted log loss
  std::vector<double> measured;     ///< losses, nats
  double scatter = 0;               ///< standard deviation of the residuals, n - p in the root
  double agreeing = 0;              ///< share of the starts that came here
  bool converged = false;
};

struct Fit {
  std::string form;
  std::vector<StageFit> stages;
  ConstantValues values;
  double scatter = 0;  ///< of all stages
  Interval scatter_interval;
  std::vector<std::string> names;          ///< of the draws' columns
  std::vector<std::vector<double>> draws;  ///< a row each
};

[[nodiscard]] Fit fit_stages(const Stages&, const FitOptions&);

}  // namespace forerun::models
