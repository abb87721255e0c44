#include "sim/cost/cost_forecast.h"

#include <fmt/format.h>

#include <algorithm>
#include <chrono>
#include <map>
#include <utility>

#include "sim/cost/bill.h"

namespace forerun::sim {
namespace {

using namespace literals;
using std::chrono::days;

/// A price that is older than this at the start is told.
constexpr days kOld{365};

/// What an item rests on: the weakest evidence, the source of what matters most to it.
struct Basis {
  Evidence evidence = Evidence::measured;
  std::string source;
};

Basis on(const Origin& main, std::initializer_list<Evidence> others = {}) {
  Basis b{main.evidence, main.source.empty() ? "stated by the scenario" : main.source};
  for (const Evidence e : others) b.evidence = weakest(b.evidence, e);
  return b;
}

Basis rent_basis(const Scenario& s) {
  Basis b = s.cost.rent ? on(s.cost.rent->accelerator_hour.origin)
                        : Basis{Evidence::published, s.price_source};
  const Rent* rent = s.cost.rent ? &*s.cost.rent : nullptr;
  if (rent != nullptr && rent->of) {
    b.source = fmt::format("{} {}, {}, {}: {}", rent->cloud, rent->offer, hw::name(rent->kind),
                           hw::text(*rent->of), b.source);
  }
  for (const Pool& pool : s.pools) {
    b.source += fmt::format("; {}: {}", pool.accelerator.name, pool.price_source);
  }
  return b;
}

Basis purchase_basis(const Purchase& buy) {
  Basis b =
      on(buy.price.origin, {buy.years ? buy.years->origin.evidence : buy.charged->origin.evidence});
  // A machine that is said to be worth nothing at the end, or to have work all the time, is an
  // assumption of ours where nobody said so.
  b.evidence = weakest(b.evidence, buy.resale.origin.evidence);
  if (buy.years) {
    b.evidence = weakest(b.evidence, buy.used ? buy.used->origin.evidence : Evidence::assumed);
  }
  if (!buy.sale.empty()) b.source = fmt::format("{}, {}: {}", buy.sale, buy.covers, b.source);
  return b;
}

/// By the names that bill.cpp gives to items.
std::map<std::string, Basis, std::less<>> bases(const Scenario& s, const PowerByUse& power) {
  const CostSection& c = s.cost;
  std::map<std::string, Basis, std::less<>> of;
  if (s.price) of["rent"] = rent_basis(s);
  if (c.buy) {
    const Basis machine = purchase_basis(*c.buy);
    of["depreciation"] = machine;
    of["interest"] = on(c.buy->interest.origin, {machine.evidence});
    if (c.buy->network) of["network"] = on(c.buy->network->origin, {machine.evidence});
    if (c.buy->facility) {
      const Facility& f = *c.buy->facility;
      of["facility"] =
          f.node ? on(f.node->origin, {f.years.origin.evidence}) : on(f.kw_month->origin);
    }
    of["electricity"] =
        on(c.site.electricity->origin, {c.site.pue->origin.evidence, power.beside.origin.evidence});
  }
  if (c.people) of["people"] = on(c.people->year.origin, {c.people->count.origin.evidence});
  if (c.storage) of["storage"] = on(c.storage->tb_month.origin, {c.storage->size.origin.evidence});
  return of;
}

void say_rent(const Scenario& s, CostForecast& out) {
  out.assumptions.emplace_back(
      "a rented machine is paid by the second that it is held, spares and waiting included; its "
      "electricity is in the rent");
  if (!s.cost.rent) return;
  const Rent& rent = *s.cost.rent;
  const bool committed =
      rent.kind == hw::PriceKind::reserved || rent.kind == hw::PriceKind::capacity_block;
  if (committed && rent.at_least_days <= 0) {
    out.warnings.push_back(fmt::format(
        "what a price of kind {} commits to beyond the run is not in the rent: state at_least_days",
        hw::name(rent.kind)));
  }
  if (!rent.of || !s.cost.start || rent.of->month == 0) return;
  const std::chrono::sys_days of{
      std::chrono::year{rent.of->year} / std::chrono::month{static_cast<unsigned>(rent.of->month)} /
      std::chrono::day{rent.of->day > 0 ? static_cast<unsigned>(rent.of->day) : 1u}};
  if (*s.cost.start - of > kOld) {
    out.warnings.push_back(fmt::format("the rent's newest price is of {}, and the run starts {}",
                                       hw::text(*rent.of), day_text(*s.cost.start)));
  }
}

void say_purchase(const Purchase& buy, CostForecast& out) {
  if (buy.years && !buy.used) {
    out.assumptions.emplace_back("bought machines have work all through the years of write-off");
  }
  if (buy.years && buy.interest == Stated<double>{}) {
    out.assumptions.emplace_back("capital bears no interest");
  }
  if (!buy.network) {
    out.assumptions.push_back(fmt::format("no network but what the machines' price covers{}",
                                          buy.covers.empty() ? "" : " (" + buy.covers + ")"));
  }
  if (!buy.facility) out.assumptions.emplace_back("the building costs nothing beyond its PUE");
}

void say_energy(const Scenario& s, const PowerByUse& power, CostForecast& out) {
  const SiteChoice& site = s.cost.site;
  if (!site.pue) {
    out.assumptions.emplace_back(
        "energy is the machines': no PUE was named, so no cooling is in it");
  }
  out.assumptions.push_back(fmt::format("boards draw {}; beside each, {}", power.board_source,
                                        power.beside.origin.source.empty()
                                            ? "what the scenario states"
                                            : power.beside.origin.source));
  if (site.carbon && !site.carbon->origin.source.empty()) {
    out.assumptions.push_back("carbon is the grid's mean, whatever the season: " +
                              site.carbon->origin.source);
  }
  if (s.pools.size() > 0) {
    out.assumptions.push_back(
        fmt::format("accelerators of all pools draw what a {} does", s.accelerator.name));
  }
}

/// Shares of the draws that meet the limits; cost and time of one draw go together.
void meet_limits(const Scenario& s, const std::vector<RunDraw>& draws,
                 const std::vector<double>& totals, CostForecast& out) {
  const CostSection& c = s.cost;
  std::size_t timely = 0, cheap = 0, both = 0;
  for (std::size_t i = 0; i < draws.size(); ++i) {
    const bool in_time =
        c.deadline && draws[i].finished && draws[i].duration <= time_to_deadline(c);
    const bool in_budget = c.budget && draws[i].finished && totals[i] <= c.budget->base();
    timely += in_time ? 1 : 0;
    cheap += in_budget ? 1 : 0;
    both += in_time && in_budget ? 1 : 0;
  }
  const auto all = static_cast<double>(draws.size());
  if (c.deadline) out.by_deadline = static_cast<double>(timely) / all;
  if (c.budget) out.within_budget = static_cast<double>(cheap) / all;
  if (c.deadline && c.budget) out.both = static_cast<double>(both) / all;
}

}  // namespace

bool cost_is_asked(const Scenario& s) { return s.price || !s.cost.empty(); }

Seconds time_to_deadline(const CostSection& c) {
  const auto whole = static_cast<double>((*c.deadline - *c.start + days{1}).count());
  return whole * 1.0_days - c.start_hour * 1.0_h;
}

CostForecast cost_forecast(const Scenario& s, const StepResult& step, const RunForecast& run) {
  CostForecast out;
  const PowerByUse power = power_by_use(s, step);
  const Machines machines = machines_of(s, run);
  std::vector<std::vector<double>> amounts;
  std::vector<std::string> names;
  std::vector<double> totals, energy, carbon;
  std::size_t unfinished = 0;
  for (std::size_t i = 0; i < run.draws.size(); ++i) {
    const Bill b = bill(s, power, machines, run.draws[i], DrawnPrices(s.seed, i));
    if (i == 0) {
      amounts.resize(b.items.size());
      for (const Bill::Item& item : b.items) names.push_back(item.name);
    }
    for (std::size_t k = 0; k < b.items.size(); ++k) amounts[k].push_back(b.items[k].amount.base());
    totals.push_back(b.total().base());
    energy.push_back(b.energy.in(1.0_kWh));
    if (b.carbon_known) carbon.push_back(b.carbon_kg);
    unfinished += run.draws[i].finished ? 0U : 1U;
  }
  const auto of = bases(s, power);
  out.evidence = weakest(run.evidence, power.beside.origin.evidence);
  for (std::size_t k = 0; k < names.size(); ++k) {
    const Basis& basis = of.at(names[k]);
    out.items.push_back({names[k], spread(amounts[k]), basis.evidence, basis.source});
    out.evidence = weakest(out.evidence, basis.evidence);
  }
  out.total_usd = spread(totals);
  out.energy_kwh = spread(energy);
  if (!carbon.empty()) out.carbon_kg = spread(carbon);
  meet_limits(s, run.draws, totals, out);
  if (s.price) say_rent(s, out);
  if (s.cost.buy) say_purchase(*s.cost.buy, out);
  say_energy(s, power, out);
  if (unfinished > 0) {
    out.warnings.push_back(fmt::format(
        "{} of {} simulated runs did not end: they are counted as late and as over the budget, and "
        "cost what they had cost when they were given up",
        unfinished, run.draws.size()));
  }
  return out;
}

}  // namespace forerun::sim
