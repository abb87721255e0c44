#pragma once

/// What one simulated run costs.
///
///   rent          accelerators held x price x time, spares and waiting included, by the second;
///                 at least `at_least_days` for each
///   depreciation  price (1 - resale) / (years x used) x time held;
///                 or price (1 - resale) x charged for each machine, however long the run takes
///   interest      interest x price (1 + resale) / 2 / used x time held: on the capital that is
///                 bound in the mean of years of equal write-offs
///   network       its share of the price, written off and borne as the machines
///   facility      its price by the machine, written off over its own years, and interest on half
///                 of it; or what a kilowatt of the machines' most power costs a month
///   electricity   energy x mean price over the hours of the run; of bought machines only, as rent
///                 has it inside
///   people        count x a year's price x time of the run
///   storage       size x a month's price x time of the run
///
///   energy = PUE x (computing x board's mean of the step + else x board's idle + all x beside)
///
/// by time of nodes held. Machines are had whole: of a machine that the job fills in part, all of
/// it is paid. Energy of a run is taken as even over its hours where prices and intensities differ
/// by the hour (the exact integral of the step function is then taken: sim/cost/hours.h).
///
/// Not modelled: started hours that are paid whole, discounts, taxes, traffic, transport,
/// insurance, support contracts, repair of owned machines (a replaced node is one that is held),
/// embodied carbon, the power of switches and storage, seasons.

#include <cstdint>

#include "core/stated.h"
#include "sim/cost/cost_forecast.h"
#include "sim/cost/power_by_use.h"
#include "sim/run/run_draw.h"
#include "sim/scenario.h"

namespace forerun::sim {

/// Of the job.
struct Machines {
  double nodes = 1, spares = 0;
  double accelerators = 8;  ///< in one node
};
[[nodiscard]] Machines machines_of(const Scenario&, const RunForecast&);

/// What is known within a range only, drawn log-uniformly: a value that is the same all through
/// draw `i` of a run, from the named stream "cost/NAME".
class DrawnPrices {
 public:
  DrawnPrices(std::uint64_t seed, std::uint64_t draw) : seed_(seed), draw_(draw) {}
  template <class T>
  [[nodiscard]] T of(const Stated<T>& stated, std::string_view name) const {
    if (!stated.most) return stated.value;
    if constexpr (std::is_same_v<T, double>) {
      return between(stated.value, *stated.most, name);
    } else {
      return T(between(stated.value.base(), stated.most->base(), name));
    }
  }
  [[nodiscard]] double between(double least, double most, std::string_view name) const;

 private:
  std::uint64_t seed_, draw_;
};

[[nodiscard]] Bill bill(const Scenario&, const PowerByUse&, const Machines&, const RunDraw&,
                        const DrawnPrices&);

}  // namespace forerun::sim
