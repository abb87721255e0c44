#include "sim/scenario_cost.h"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <utility>
#include <vector>

#include "core/error.h"
#include "sim/scenario.h"
#include "sim/scenario_profiles.h"

namespace forerun::sim {
namespace {

using namespace literals;
using std::chrono::sys_days;

constexpr std::int64_t kMostAtOnce = 1 << 20;
constexpr double kMostDays = 36'600;
constexpr double kMostYears = 50, kLeastYears = 0.1;
constexpr double kMostPreemptions = 1e6;
constexpr double kMostPeople = 1e6;
constexpr double kLeastUse = 0.01;

auto number_between(double least, double most) {
  return [least, most](Reader& r, std::string_view key) { return r.number(key, least, most); };
}
Dollars read_dollars(Reader& r, std::string_view key) { return r.dollars(key); }
DollarRate read_dollar_rate(Reader& r, std::string_view key) { return r.dollar_rate(key); }

std::optional<sys_days> read_day(Reader& at, std::string_view key) {
  const std::string written = at.text(key);
  const std::optional<hw::PriceDate> date = hw::price_date(written);
  if (!date || date->day == 0) {
    at.problem(
        key,
        fmt::format("expected a day from 2000 to 2099 like \"2026-03-17\", found \"{}\"", written));
    return std::nullopt;
  }
  return sys_days{std::chrono::year{date->year} /
                  std::chrono::month{static_cast<unsigned>(date->month)} /
                  std::chrono::day{static_cast<unsigned>(date->day)}};
}

void read_times(Reader& at, CostSection& c) {
  if (at.has("start")) c.start = read_day(at, "start");
  if (at.has("start_hour")) {
    c.start_hour = at.number("start_hour", 0, 24);
    if (!at.has("start")) at.problem("start_hour", "given, but no start");
  }
  if (!at.has("deadline")) return;
  c.deadline = read_day(at, "deadline");
  if (!at.has("start")) {
    at.problem("deadline", "needs a start, from which the run is counted");
  } else if (c.start && c.deadline && *c.deadline < *c.start) {
    at.problem("deadline", fmt::format("a deadline in the past: {} is before the start, {}",
                                       day_text(*c.deadline), day_text(*c.start)));
  }
}

Preemptions read_preemptions(Reader at) {
  Preemptions p;
  p.per_1000_node_days = read_range(at, "per_1000_node_days", 0, kMostPreemptions);
  p.notice = read_duration(at, "notice");
  p.origin = read_origin(at);
  at.finish();
  return p;
}

std::string shown(DollarRate rate) { return fmt::format("{:.2f}", rate.in(1.0_usd_per_h)); }

/// "on_demand of 2025-06 at 6.88 USD/h, ..."
std::string shown(const std::vector<hw::HourPrice>& prices) {
  std::vector<std::string> parts;
  for (const hw::HourPrice& p : prices) {
    parts.push_back(fmt::format("{} of {} at {} USD/h", hw::name(p.kind), hw::text(p.date),
                                shown(p.accelerator_hour)));
  }
  return parts.empty() ? "none" : fmt::format("{}", fmt::join(parts, ", "));
}

/// The newest of its kind that is not after `day`, or null.
const hw::HourPrice* newest(const std::vector<hw::HourPrice>& prices, hw::PriceKind kind,
                            const hw::PriceDate& day) {
  const hw::HourPrice* found = nullptr;
  for (const hw::HourPrice& p : prices) {  // by rising date
    if (p.kind == kind && p.date <= day) found = &p;
  }
  return found;
}

/// What the offer of a cloud costs at the date.
void read_offer(Reader& at, Rent& rent, const std::optional<sys_days>& start) {
  rent.cloud = at.text("cloud");
  rent.offer = at.text("offer");
  if (at.has("date")) {
    const std::string written = at.text("date");
    rent.date = hw::price_date(written);
    if (!rent.date) {
      at.problem("date", fmt::format("expected a date from 2000 to 2099 like \"2026-03-17\", "
                                     "\"2026-03\" or \"2026\", found \"{}\"",
                                     written));
      return;
    }
  } else if (!start) {
    at.problem("date", "missing, and so is a start: prices hold at a date");
    return;
  }
  if (!known_name(at, "cloud", rent.cloud, hw::cloud_names(), "cloud")) return;
  const hw::Cloud cloud = hw::load_cloud(rent.cloud);
  std::vector<std::string> names;
  for (const hw::CloudOffer& o : cloud.offers) names.push_back(o.node.name);
  if (!known_name(at, "offer", rent.offer, names, fmt::format("offer of {}", rent.cloud))) return;
  const hw::CloudOffer& offer = *std::ranges::find(
      cloud.offers, rent.offer, [](const hw::CloudOffer& o) { return o.node.name; });
  const hw::PriceDate day = rent.date ? *rent.date : *hw::price_date(day_text(*start));
  const hw::HourPrice* price = newest(offer.prices, rent.kind, day);
  if (price == nullptr) {
    at.problem("offer", fmt::format("no price of kind {} that is not after {}; there are: {}",
                                    hw::name(rent.kind), hw::text(day), shown(offer.prices)));
    return;
  }
  rent.accelerator_hour = {price->accelerator_hour, price->most, {price->evidence, price->source}};
  rent.of = price->date;
  rent.whole = offer.node.accelerators;
  rent.accelerator = offer.node.accelerator;
}

Rent read_rent(Reader at, const std::optional<sys_days>& start) {
  Rent rent;
  if (at.has("kind")) rent.kind = at.choice<hw::PriceKind>("kind", hw::kPriceKinds);
  if (at.has("accelerator_hour")) {
    rent.accelerator_hour = read_stated(at, "accelerator_hour", read_dollar_rate);
    if (at.has("accelerators")) rent.whole = at.integer("accelerators", 1, kMostAtOnce);
    for (const char* other : {"cloud", "offer", "date"}) {
      if (at.has(other)) at.problem(other, "given, and so is accelerator_hour");
    }
  } else if (at.has("cloud") || at.has("offer")) {
    read_offer(at, rent, start);
  } else {
    at.problem("", "needs a cloud and its offer, or an accelerator_hour");
  }
  if (at.has("at_least_days")) rent.at_least_days = at.number("at_least_days", 0, kMostDays);
  if (at.has("preemptions")) {
    rent.preemptions = read_preemptions(at.object("preemptions"));
  } else if (rent.kind == hw::PriceKind::spot) {
    at.problem("preemptions", "missing: what is rented on the spot may be taken back");
  }
  at.finish();
  return rent;
}

/// "the node (270000 USD, 2023-05), ..."
std::string shown(const std::vector<hw::PurchasePrice>& prices) {
  std::vector<std::string> parts;
  for (const hw::PurchasePrice& p : prices) {
    parts.push_back(fmt::format("\"{}\" ({:.0f} USD{})", p.covers, p.price.base(),
                                p.date ? ", " + hw::text(*p.date) : ""));
  }
  return fmt::format("{}", fmt::join(parts, ", "));
}

/// A machine that is for sale, and which of its prices.
void read_sale(Reader& at, Purchase& buy) {
  buy.sale = at.text("sale");
  if (at.has("covers")) buy.covers = at.text("covers");
  const hw::Cloud owned = hw::load_cloud("owned");
  std::vector<std::string> names;
  for (const hw::MachineSale& s : owned.sales) {
    if (!s.node.accelerator.empty()) names.push_back(s.node.name);
  }
  if (!known_name(at, "sale", buy.sale, names, "machine for sale")) return;
  const hw::MachineSale& sale = *std::ranges::find(
      owned.sales, buy.sale, [](const hw::MachineSale& s) { return s.node.name; });
  if (sale.prices.empty()) {
    at.problem("sale", fmt::format("what a {} costs is not known: state a price", buy.sale));
    return;
  }
  std::vector<const hw::PurchasePrice*> fitting;
  for (const hw::PurchasePrice& p : sale.prices) {
    if (buy.covers.empty() || p.covers == buy.covers) fitting.push_back(&p);
  }
  if (fitting.size() != 1) {
    at.problem("covers", fmt::format("{} of {} prices; there are: {}",
                                     fitting.empty() ? "fits none" : "must choose one",
                                     sale.prices.size(), shown(sale.prices)));
    return;
  }
  const hw::PurchasePrice& price = *fitting.front();
  buy.covers = price.covers;
  buy.price = {price.price, price.most, {price.evidence, price.source}};
  buy.whole = sale.node.accelerators;
  buy.accelerator = sale.node.accelerator;
}

Facility read_facility(Reader at) {
  Facility f;
  if (at.has("node") == at.has("kw_month")) {
    at.problem("", at.has("node") ? "needs only one of node, kw_month" : "needs node or kw_month");
  } else if (at.has("node")) {
    f.node = read_stated(at, "node", read_dollars);
    f.years = read_stated(at, "years", number_between(kLeastYears, kMostYears));
  } else {
    f.kw_month = read_stated(at, "kw_month", read_dollars);
  }
  at.finish();
  return f;
}

Purchase read_purchase(Reader at) {
  Purchase buy;
  if (at.has("price")) {
    buy.price = read_stated(at, "price", read_dollars);
    buy.whole = at.integer("accelerators", 1, kMostAtOnce);
    if (at.has("sale")) at.problem("sale", "given, and so is price");
  } else if (at.has("sale")) {
    read_sale(at, buy);
  } else {
    at.problem("", "needs a sale or a price");
  }
  if (at.has("years") == at.has("charged")) {
    at.problem("", at.has("years") ? "needs only one of years, charged" : "needs years or charged");
  }
  if (at.has("years")) {
    buy.years = read_stated(at, "years", number_between(kLeastYears, kMostYears));
  }
  if (at.has("charged")) buy.charged = read_stated(at, "charged", number_between(0, 1));
  if (at.has("resale")) buy.resale = read_stated(at, "resale", number_between(0, 1));
  if (at.has("interest")) buy.interest = read_stated(at, "interest", number_between(0, 1));
  if (at.has("used")) buy.used = read_stated(at, "used", number_between(kLeastUse, 1));
  if (buy.charged) {
    for (const char* by_time : {"interest", "used"}) {
      if (at.has(by_time)) at.problem(by_time, "goes with years, not with a share that is charged");
    }
  }
  if (at.has("network")) buy.network = read_stated(at, "network", number_between(0, 10));
  if (at.has("facility")) buy.facility = read_facility(at.object("facility"));
  at.finish();
  return buy;
}

/// The named site, or nothing, with the nearest name reported.
std::optional<hw::Site> named_site(Reader& at, std::string_view key, const std::string& name) {
  if (!known_name(at, key, name, hw::site_names(), "site")) return std::nullopt;
  return hw::load_site(name);
}

SiteChoice read_site_choice(Reader& top) {
  SiteChoice c;
  const auto take = [&](const std::optional<hw::Site>& site) {
    if (!site) return;
    if (site->electricity) c.electricity = site->electricity;
    if (site->carbon) c.carbon = site->carbon;
    if (site->pue) c.pue = site->pue;
  };
  if (!top.is_object("site")) {
    c.place = top.text("site");
    take(named_site(top, "site", c.place));
    return c;
  }
  Reader at = top.object("site");
  if (at.has("place")) take(named_site(at, "place", c.place = at.text("place")));
  if (at.has("operator")) take(named_site(at, "operator", c.operated_by = at.text("operator")));
  if (at.is_object("electricity")) {
    Reader stated = at.object("electricity");
    c.stated_electricity = hw::read_electricity(stated);
    stated.finish();
  } else if (at.has("electricity")) {
    c.stated_electricity.emplace().by_hour.fill(at.energy_price("electricity"));
  }
  if (at.is_object("carbon")) {
    Reader stated = at.object("carbon");
    c.stated_carbon = hw::read_grid_carbon(stated);
    stated.finish();
  } else if (at.has("carbon")) {
    at.problem("carbon", "expected an object with g_per_kwh or hours");
  }
  if (at.has("pue")) c.stated_pue = hw::read_pue(at, "pue");
  at.finish();
  if (c.stated_electricity) c.electricity = c.stated_electricity;
  if (c.stated_carbon) c.carbon = c.stated_carbon;
  if (c.stated_pue) c.pue = c.stated_pue;
  return c;
}

}  // namespace

std::string day_text(sys_days day) {
  const std::chrono::year_month_day d{day};
  return fmt::format("{}-{:02}-{:02}", static_cast<int>(d.year()), static_cast<unsigned>(d.month()),
                     static_cast<unsigned>(d.day()));
}

CostSection read_cost_section(Reader& at) {
  CostSection c;
  read_times(at, c);
  if (at.has("budget")) {
    c.budget = at.dollars("budget");
    if (!(*c.budget > Dollars{})) at.problem("budget", "must be above 0");
  }
  if (at.has("rent")) c.rent = read_rent(at.object("rent"), c.start);
  if (at.has("buy")) {
    c.buy = read_purchase(at.object("buy"));
    if (at.has("rent")) at.problem("buy", "given, and so is rent");
  }
  if (at.has("site")) c.site = read_site_choice(at);
  if (at.has("power")) {
    Reader power = at.object("power");
    c.beside =
        read_stated(power, "beside", [](Reader& r, std::string_view key) { return r.watts(key); });
    power.finish();
  }
  if (at.has("people")) {
    Reader people = at.object("people");
    c.people = {read_stated(people, "count", number_between(0, kMostPeople)),
                read_stated(people, "year", read_dollars)};
    people.finish();
  }
  if (at.has("storage")) {
    Reader storage = at.object("storage");
    c.storage = {
        read_stated(storage, "size", [](Reader& r, std::string_view key) { return r.bytes(key); }),
        read_stated(storage, "tb_month", read_dollars)};
    storage.finish();
  }
  at.finish();
  return c;
}

void check_cost(const Scenario& s, Problems& problems) {
  const CostSection& c = s.cost;
  const auto other_accelerator = [&](const std::string& machine, const std::string& has,
                                     const char* where) {
    if (has.empty() || has == s.accelerator.name) return;
    problems.add(where,
                 fmt::format("{} has {}, and the cluster {}", machine, has, s.accelerator.name));
  };
  if (c.rent) other_accelerator(c.rent->offer, c.rent->accelerator, "/cost/rent/offer");
  if (c.buy) other_accelerator(c.buy->sale, c.buy->accelerator, "/cost/buy/sale");
  const bool priced = s.price || c.buy;
  if (c.budget && !priced) {
    problems.add("/cost/budget", "needs what machines cost: rent, buy or the scenario's price");
  }
  if (s.training_tokens <= 0) {
    if (c.budget) problems.add("/cost/budget", "needs training_tokens: how long is the run?");
    if (c.deadline) problems.add("/cost/deadline", "needs training_tokens: how long is the run?");
  }
  if (!c.buy) return;
  if (s.price) problems.add("/cost/buy", "given, and so is price: machines are bought or rented");
  if (!s.pools.empty()) {
    problems.add("/cost/buy",
                 "machines of several kinds that are bought are not priced: state "
                 "what their hours cost");
  }
  if (!c.site.electricity) {
    problems.add("/cost/site", "what electricity costs there is not known: state electricity");
  }
  if (!c.site.pue) {
    problems.add("/cost/site", "its PUE is not known: name an operator, or state pue");
  }
}

}  // namespace forerun::sim
