#include "tests/laws/made_pairs.h"

#include <fmt/format.h>

#include <cmath>

#include "core/error.h"
#include "core/random.h"
#include "models/loss/fit/fit.h"

namespace forerun::models {

ConstantValues made_law() {
  return {{"text.E", 1.6},
          {"text.A", 25},
          {"text.alpha", 0.18},
          {"text.B", 120},
          {"text.beta", 0.22},
          {"speech.E", 2.0},
          {"speech.A", 150},
          {"speech.alpha", 0.31},
          {"speech.B", 160},
          {"speech.beta", 0.24},
          {"speech|text.C", 0.5},
          {"speech|text.A", 20},
          {"speech|text.alpha", 0.2},
          {"speech|text.B", 1000},
          {"speech|text.beta", 0.35}};
}

RunTable made_runs(const ConstantValues& law, double noise, std::uint64_t seed) {
  const Stream stream(seed, "made/noise");
  std::uint64_t draw = 0;
  RunTable table;
  const auto term = [&](const std::string& of, double n, double d) {
    return law.at(of + ".A") / std::pow(n, law.at(of + ".alpha")) +
           law.at(of + ".B") / std::pow(d, law.at(of + ".beta"));
  };
  const auto alone = [&](const std::string& of, double n, double d) {
    return law.at(of + ".E") + term(of, n, d);
  };
  const auto noisy = [&](double loss) { return loss * std::exp(noise * stream.normal(draw++)); };
  for (const double n : {8e6, 125e6, 350e6, 760e6, 1.3e9, 2.7e9, 6.7e9}) {
    for (const double d : {1e9, 3e9, 10e9, 30e9, 100e9, 300e9}) {
      for (const std::string of : {"speech", "text"}) {
        Run run;
        run.name = fmt::format("{} {:g} {:g}", of, n, d);
        run.parameters = n;
        run.tokens[of] = d;
        run.losses[of] = noisy(alone(of, n, d));
        table.runs.push_back(run);
      }
      Run run;
      run.name = fmt::format("both {:g} {:g}", n, d);
      run.parameters = n;
      run.tokens = {{"speech", d / 2}, {"text", d / 2}};
      const double mean = 0.5 * (alone("speech", n, d / 2) + alone("text", n, d / 2));
      run.losses["mean"] = noisy(mean - law.at("speech|text.C") + term("speech|text", n, d));
      table.runs.push_back(run);
    }
  }
  return table;
}

double Coverage::inside() const {
  double sum = 0;
  for (const auto& [name, count] : held) sum += count;
  return sum / static_cast<double>(held.size()) / repetitions;
}

std::string Coverage::text() const {
  std::string out = fmt::format("inside 90 % intervals, of {}:", repetitions);
  for (const auto& [name, count] : held) out += fmt::format(" {} {}", name, count);
  return out + fmt::format("; {:.3f} of all", inside());
}

Coverage pair_coverage(int repetitions, std::int64_t bootstrap, std::uint64_t seed) {
  Coverage c;
  c.repetitions = repetitions;
  const ConstantValues truth = made_law();
  for (int r = 0; r < repetitions; ++r) {
    Problems problems;
    FitOptions o;
    o.form = "interaction";
    o.bootstrap = bootstrap;
    o.seed = seed + static_cast<std::uint64_t>(r);
    o.threads = 2;
    o.search.screened = 300;
    o.search.tried = 6;
    const RunTable runs = made_runs(truth, 0.01, o.seed);
    const Stages stages = stages_of(o.form, "", runs, problems);
    FORERUN_ASSERT(problems.empty(), problems.text("made"));
    const Fit fit = fit_stages(stages, o);
    for (const StageFit& stage : fit.stages) {
      for (std::size_t k = 0; k < stage.names.size(); ++k) {
        const double value = truth.at(stage.names[k]);
        const Interval& i = stage.intervals[k];
        c.held[stage.names[k]] += value >= i.low && value <= i.high ? 1 : 0;
      }
    }
  }
  return c;
}

}  // namespace forerun::models
