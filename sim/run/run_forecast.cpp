#include "sim/run/run_forecast.h"

#include <fmt/format.h>

#include <algorithm>
#include <atomic>
#include <thread>

#include "core/error.h"
#include "core/statistics.h"
#include "sim/run/run_events.h"
#include "sim/run/young_daly.h"

namespace forerun::sim {
namespace {

template <class Value>
Spread spread_of(const std::vector<RunDraw>& draws, Value value) {
  std::vector<double> values;
  values.reserve(draws.size());
  for (const RunDraw& d : draws) values.push_back(value(d));
  return spread(std::move(values));
}

std::vector<RunDraw> simulated(const RunSetup& setup, std::uint64_t seed, std::int64_t draws,
                               int threads) {
  std::vector<RunDraw> out(static_cast<std::size_t>(draws));
  std::atomic<std::size_t> next{0};
  const auto work = [&] {
    for (std::size_t d = next++; d < out.size(); d = next++) {
      out[d] = simulate_run_in_time(setup, seed, d);
    }
  };
  const auto wanted = threads > 0 ? static_cast<unsigned>(threads)
                                  : std::max(1U, std::thread::hardware_concurrency());
  std::vector<std::thread> others;
  for (unsigned i = 1; i < std::min<std::size_t>(wanted, out.size()); ++i) {
    others.emplace_back(work);
  }
  work();
  for (std::thread& t : others) t.join();
  return out;
}

double total(const RunDraw& d) {
  double sum = 0;
  for (const std::int64_t n : d.interruptions) sum += static_cast<double>(n);
  return sum;
}

/// Of the tier in storage that saves most often, and what Daly makes of its stop.
void intervals(const RunSetup& s, RunForecast& out) {
  const std::optional<Seconds> mean = mean_time_to_loss(s);
  const Seconds step = s.phases.back().step;
  const TierTimes* often = nullptr;
  for (const TierTimes& t : s.tiers) {
    if (t.slow && (often == nullptr || t.every_steps < often->every_steps)) often = &t;
  }
  if (often == nullptr) return;
  out.checkpoint_interval = often->every_steps * step;
  if (!mean) return;
  out.best_interval =
      std::max(daly_interval(std::max(often->blocked, Seconds(1e-3)), *mean), often->behind);
}

}  // namespace

Spread spread(std::vector<double> values) {
  FORERUN_ASSERT(!values.empty(), "a spread of nothing");
  std::ranges::sort(values);
  return {quantile(values, 0.1), quantile(values, 0.5), quantile(values, 0.9), mean(values)};
}

RunForecast run_forecast(const RunSetup& setup, std::uint64_t seed, std::int64_t draws,
                         int threads) {
  FORERUN_ASSERT(draws > 0, "no draws");
  RunForecast out;
  out.draws = simulated(setup, seed, draws, threads);
  out.duration_s = spread_of(out.draws, [](const RunDraw& d) { return d.duration.base(); });
  out.goodput = spread_of(out.draws, [](const RunDraw& d) { return d.goodput(); });
  out.interruptions = spread_of(out.draws, total);
  out.rollbacks =
      spread_of(out.draws, [](const RunDraw& d) { return static_cast<double>(d.rollbacks); });
  out.steps_lost = spread_of(out.draws, [](const RunDraw& d) { return d.steps_lost; });
  out.checkpoints =
      spread_of(out.draws, [](const RunDraw& d) { return static_cast<double>(d.checkpoints); });
  out.nodes_replaced =
      spread_of(out.draws, [](const RunDraw& d) { return static_cast<double>(d.nodes_replaced); });
  for (std::size_t i = 0; i < setup.reliability.causes.size(); ++i) {
    out.causes.push_back(
        {setup.reliability.causes[i].name, spread_of(out.draws, [i](const RunDraw& d) {
           return static_cast<double>(d.interruptions[i]);
         })});
  }
  for (std::size_t i = 0; i < kTimeUses; ++i) {
    out.parts.push_back({static_cast<TimeUse>(i), spread_of(out.draws, [i](const RunDraw& d) {
                           return d.use[i] / d.duration;
                         })});
  }
  out.undisturbed = undisturbed(setup);
  out.nodes = setup.nodes;
  out.spares = setup.spares;
  intervals(setup, out);
  out.given_up = static_cast<double>(std::ranges::count(out.draws, false, &RunDraw::finished)) /
                 static_cast<double>(draws);
  if (out.given_up > 0) {
    out.warnings.push_back(
        fmt::format("{:.0f} % of the simulated runs did not end within twenty times the "
                    "undisturbed one and a month, or within 300,000 events, and were given up "
                    "there: their days and costs are too small",
                    100 * out.given_up));
  }

  out.assumptions = setup.assumptions;
  return out;
}

}  // namespace forerun::sim
