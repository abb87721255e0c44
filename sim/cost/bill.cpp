#include "sim/cost/bill.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <utility>

#include "core/random.h"
#include "core/range.h"
#include "sim/cost/hours.h"

namespace forerun::sim {
namespace {

using namespace literals;

constexpr Seconds kYear = 365.25_days;
constexpr Seconds kMonth = kYear / 12.0;

/// Writes the items of one run, each from the time that machines are held or that the run takes.
class Biller {
 public:
  Biller(const Scenario& s, const PowerByUse& power, const Machines& machines, const RunDraw& run,
         const DrawnPrices& prices)
      : s_(s), c_(s.cost), power_(power), machines_(machines), run_(run), prices_(prices) {}

  Bill bill() {
    energy();
    if (s_.price) rent();
    if (c_.buy) purchase(*c_.buy);
    if (c_.people) {
      add("people", prices_.of(c_.people->count, "people") *
                        (prices_.of(c_.people->year, "salary") * (run_.duration / kYear)));
    }
    if (c_.storage) {
      constexpr Bytes kTerabyte(1e12);
      add("storage",
          prices_.of(c_.storage->tb_month, "storage price") *
              (prices_.of(c_.storage->size, "storage") / kTerabyte * (run_.duration / kMonth)));
    }
    return std::move(bill_);
  }

 private:
  void add(const char* name, Dollars amount) { bill_.items.push_back({name, amount}); }

  /// Accelerators that are had for each that the job uses, where `whole` come at once.
  [[nodiscard]] double had(std::int64_t whole) const {
    const auto used = static_cast<double>(s_.accelerators), unit = static_cast<double>(whole);
    return std::ceil(used / unit) * unit / used;
  }

  void energy() {
    const double in_job = run_.duration > Seconds{} ? run_.job_node_time / run_.duration : 0;
    const Seconds computing = run_.computing * in_job;
    const Seconds waiting = std::max(run_.node_time - computing, Seconds{});
    const Watts beside = prices_.of(power_.beside, "beside");
    Joules machines = power_.board_computing * computing + power_.board_waiting * waiting +
                      beside * run_.node_time;
    machines *= machines_.accelerators;
    bill_.energy = machines * (c_.site.pue ? prices_.of(*c_.site.pue, "pue") : 1.0);
    if (!c_.site.carbon) return;
    bill_.carbon_known = true;
    bill_.carbon_kg = bill_.energy.in(1.0_kWh) *
                      mean_over_hours(c_.site.carbon->g_per_kwh, c_.start_hour, run_.duration) *
                      1e-3;
  }

  /// Of the price of one accelerator, on the mean over the pools, in which equally many of all
  /// accelerators are paid as are in the job.
  void rent() {
    const Rent* terms = c_.rent ? &*c_.rent : nullptr;
    const std::int64_t of_stage = s_.accelerators / s_.plan.pipeline;
    DollarRate all{};
    for (std::size_t k = 0; k <= s_.pools.size(); ++k) {
      const DollarRate own =
          terms != nullptr ? prices_.of(terms->accelerator_hour, "rent") : *s_.price;
      all += (k == 0 ? own : *s_.pools[k - 1].price) *
             static_cast<double>(of_stage * stages_of_pool(s_, k));
    }
    Seconds held = run_.node_time;
    if (terms != nullptr) {
      held = std::max(held, (machines_.nodes + machines_.spares) * terms->at_least_days * 1.0_days);
    }
    add("rent", all * held *
                    (machines_.accelerators * had(terms != nullptr ? terms->whole : 1) /
                     static_cast<double>(s_.accelerators)));
  }

  void purchase(const Purchase& buy) {
    // Machines' worth of accelerators, times the time that they are held.
    const double node = machines_.accelerators * had(buy.whole) / static_cast<double>(buy.whole);
    const Seconds held = run_.node_time * node;
    const Dollars price = prices_.of(buy.price, "purchase");
    const double resale = prices_.of(buy.resale, "resale");
    const double network = buy.network ? prices_.of(*buy.network, "network") : 0;
    const double used = buy.used ? prices_.of(*buy.used, "used") : 1;
    const double interest = prices_.of(buy.interest, "interest");
    Dollars off{}, on_capital{};
    if (buy.years) {
      off = price * ((1 - resale) * (held / kYear) / (prices_.of(*buy.years, "years") * used));
      on_capital = price * (interest * (1 + resale) / 2 * (held / kYear) / used);
    } else {
      off = price * ((1 - resale) * prices_.of(*buy.charged, "charged") *
                     (machines_.nodes + machines_.spares) * node);
    }
    add("depreciation", off);
    if (interest > 0) add("interest", on_capital);
    if (buy.network) add("network", (off + on_capital) * network);
    if (buy.facility) facility(*buy.facility, held, interest, used);
    electricity(*c_.site.electricity);
  }

  void facility(const Facility& f, Seconds held, double interest, double used) {
    if (f.node) {
      add("facility",
          prices_.of(*f.node, "facility") *
              ((1 / prices_.of(f.years, "facility years") + interest / 2) * (held / kYear) / used));
      return;
    }
    constexpr Watts kKilowatt(1e3);
    add("facility",
        prices_.of(*f.kw_month, "facility") *
            (power_.most * machines_.accelerators / kKilowatt * (run_.node_time / kMonth) / used));
  }

  void electricity(const hw::ElectricityPrice& e) {
    std::array<double, hw::kHours> by_hour{};
    std::ranges::transform(e.by_hour, by_hour.begin(), [](EnergyPrice p) { return p.base(); });
    if (e.most) by_hour.fill(prices_.between(by_hour.front(), e.most->base(), "electricity"));
    add("electricity",
        EnergyPrice(mean_over_hours(by_hour, c_.start_hour, run_.duration)) * bill_.energy);
  }

  const Scenario& s_;
  const CostSection& c_;
  const PowerByUse& power_;
  const Machines& machines_;
  const RunDraw& run_;
  const DrawnPrices& prices_;
  Bill bill_;
};

}  // namespace

Dollars Bill::total() const {
  Dollars sum{};
  for (const Item& item : items) sum += item.amount;
  return sum;
}

double DrawnPrices::between(double least, double most, std::string_view name) const {
  return Range{least, most}.at(Stream(seed_, fmt::format("cost/{}", name)).uniform(draw_));
}

Machines machines_of(const Scenario& s, const RunForecast& run) {
  Machines m;
  m.nodes = static_cast<double>(run.nodes);
  m.spares = static_cast<double>(run.spares);
  m.accelerators = static_cast<double>(s.accelerators) / m.nodes;
  return m;
}

Bill bill(const Scenario& s, const PowerByUse& power, const Machines& machines, const RunDraw& run,
          const DrawnPrices& prices) {
  return Biller(s, power, machines, run, prices).bill();
}

}  // namespace forerun::sim
