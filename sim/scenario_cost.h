#pragma once

/// What a scenario says of money, energy and time limits: its "cost". Everything may be left out.
///
///   "cost": {
///     "start": "2026-12-01", "start_hour": 8,       the local day and hour at which the run begins
///     "deadline": "2027-02-15",                     the day by whose end it must have ended
///     "budget": "5000000 USD",
///     "rent": {"cloud": "aws", "offer": "p5.48xlarge", "kind": "on_demand", "date": "2026-03"},
///     "site": {"place": "usa-virginia", "operator": "google"},
///     "power": {"beside": "310 W"},
///     "people": {"count": 4, "year": "300000 USD"},
///     "storage": {"size": "500 TB", "tb_month": "20 USD"}
///   }
///
/// Machines are rented or bought. Rent is an offer of hw/profiles/clouds (the newest price of its
/// kind that is not after the date, which is the start unless it is said) or stated:
///
///   "rent": {"accelerator_hour": "2.10 USD/h", "at_least_days": 30}
///
/// and a scenario's own "price" is rent at that price. What may be taken back (kind "spot") says
/// how often: the run is simulated with it.
///
///   "rent": {..., "kind": "spot", "preemptions": {"per_1000_node_days": [2, 8], "notice": "2
///   min"}}
///
///   "buy": {"sale": "GB200 NVL72", "covers": "the rack", or "price": "3400000 USD" and
///           "accelerators": 72, "years": 5, "resale": 0.2, "interest": 0.08, "used": 0.9,
///           "network": 0.15, "facility": {"node": "2500000 USD", "years": 14}}
///
/// "years" is over what time the price is written off in equal parts; "charged" in its place is the
/// share of the machines' life that this run pays however long it takes. "used" is the share of
/// their life in which machines have work. "facility" in its other form is what a housed kilowatt
/// costs: {"kw_month": "150 USD"}.
///
/// A number is plain, and then assumed, or says its source (core/stated.h).

#include <chrono>
#include <cstdint>
#include <optional>
#include <string>

#include "core/problem.h"
#include "core/quantity.h"
#include "core/range.h"
#include "core/reader.h"
#include "core/stated.h"
#include "hw/cloud.h"
#include "hw/site.h"

namespace forerun::sim {

struct Scenario;

/// How often rented machines are taken back.
struct Preemptions {
  Range per_1000_node_days;  ///< in 1000 days of a node
  Seconds notice{};          ///< between the notice and the machine's end
  Origin origin;
  bool operator==(const Preemptions&) const = default;
};

struct Rent {
  std::string cloud, offer;  ///< empty: the price is stated
  hw::PriceKind kind = hw::PriceKind::on_demand;
  std::optional<hw::PriceDate> date;  ///< at which the newest price is taken; none: the start
  Stated<DollarRate> accelerator_hour;
  std::optional<hw::PriceDate> of;  ///< the day of the price that was taken
  std::int64_t whole = 1;           ///< accelerators that are rented at once: an instance's
  std::string accelerator;          ///< which; empty: not said
  double at_least_days = 0;         ///< that are paid whether they are used or not
  std::optional<Preemptions> preemptions;
  bool operator==(const Rent&) const = default;
};

/// What houses machines: its price by the node, written off, or by what a kilowatt costs a month.
struct Facility {
  std::optional<Stated<Dollars>> node, kw_month;
  Stated<double> years;
  bool operator==(const Facility&) const = default;
};

struct Purchase {
  std::string sale, covers;  ///< of hw/profiles/clouds; empty: the price is stated
  Stated<Dollars> price;     ///< of one machine
  std::int64_t whole = 1;    ///< accelerators of that machine
  std::string accelerator;   ///< which; empty: not said
  std::optional<Stated<double>> years, charged;
  Stated<double> resale;    ///< share of the price that is left at the end of the years
  Stated<double> interest;  ///< a year, on the capital that is bound
  std::optional<Stated<double>> used;
  std::optional<Stated<double>> network;  ///< price of the network over the machines'
  std::optional<Facility> facility;
  bool operator==(const Purchase&) const = default;
};

/// Where the machines stand. What is stated here goes before what the operator's and the place's
/// files say.
struct SiteChoice {
  std::string place, operated_by;  ///< names of hw/profiles/sites; empty: none
  std::optional<hw::ElectricityPrice> stated_electricity;
  std::optional<hw::GridCarbon> stated_carbon;
  std::optional<Stated<double>> stated_pue;
  // All three, from wherever they came.
  std::optional<hw::ElectricityPrice> electricity;
  std::optional<hw::GridCarbon> carbon;
  std::optional<Stated<double>> pue;
  bool operator==(const SiteChoice&) const = default;
};

struct People {
  Stated<double> count;
  Stated<Dollars> year;  ///< of one of them
  bool operator==(const People&) const = default;
};

struct StoredData {
  Stated<Bytes> size;
  Stated<Dollars> tb_month;  ///< of 10^12 bytes
  bool operator==(const StoredData&) const = default;
};

struct CostSection {
  std::optional<std::chrono::sys_days> start, deadline;
  double start_hour = 0;
  std::optional<Dollars> budget;
  std::optional<Rent> rent;
  std::optional<Purchase> buy;
  SiteChoice site;
  std::optional<Stated<Watts>>
      beside;  ///< what a node draws beside its accelerators, by accelerator
  std::optional<People> people;
  std::optional<StoredData> storage;
  [[nodiscard]] bool empty() const { return *this == CostSection{}; }
  bool operator==(const CostSection&) const = default;
};

[[nodiscard]] CostSection read_cost_section(Reader&);
/// The text that read_cost_section reads back as the same.
[[nodiscard]] std::string cost_section_json(const CostSection&);
/// Rules between the cost and the rest of the scenario.
void check_cost(const Scenario&, Problems&);

/// "2026-12-01".
[[nodiscard]] std::string day_text(std::chrono::sys_days);

}  // namespace forerun::sim
