// A scenario's "cost" as the text that read_cost_section reads back.

#include <fmt/format.h>

#include "core/json_writer.h"
#include "core/unit_number.h"
#include "sim/scenario_cost.h"

namespace forerun::sim {
namespace {

using namespace literals;

void put(JsonWriter& json, double number) { json.value(number); }
void put(JsonWriter& json, Dollars sum) { json.value(fmt::format("{} USD", sum.base())); }
void put(JsonWriter& json, Watts power) { json.value(fmt::format("{} W", power.base())); }
void put(JsonWriter& json, Bytes size) { json.value(fmt::format("{} B", size.base())); }
void put(JsonWriter& json, DollarRate rate) {
  json.value(fmt::format("{} USD/h", number_in_unit(rate.base(), (1.0_usd_per_h).base())));
}

void write_origin(JsonWriter& json, const Origin& origin) {
  if (origin.source.empty()) return;
  json.key("evidence").value(name(origin.evidence)).key("source").value(origin.source);
}

template <class T>
void write(JsonWriter& json, std::string_view key, const Stated<T>& stated) {
  json.key(key);
  if (!stated.most && stated.origin.source.empty()) {
    put(json, stated.value);
    return;
  }
  json.begin_object().key("value");
  put(json, stated.value);
  if (stated.most) {
    json.key("most");
    put(json, *stated.most);
  }
  write_origin(json, stated.origin);
  json.end_object();
}

template <class T>
void write(JsonWriter& json, std::string_view key, const std::optional<Stated<T>>& stated) {
  if (stated) write(json, key, *stated);
}

void write_rent(JsonWriter& json, const Rent& rent) {
  json.key("rent").begin_object();
  if (rent.cloud.empty()) {
    write(json, "accelerator_hour", rent.accelerator_hour);
    json.key("accelerators").value(rent.whole);
  } else {
    json.key("cloud").value(rent.cloud).key("offer").value(rent.offer);
    if (rent.date) json.key("date").value(hw::text(*rent.date));
  }
  json.key("kind").value(hw::name(rent.kind));
  if (rent.at_least_days > 0) json.key("at_least_days").value(rent.at_least_days);
  if (rent.preemptions) {
    const Preemptions& p = *rent.preemptions;
    json.key("preemptions").begin_object().key("per_1000_node_days");
    json.begin_array().value(p.per_1000_node_days.low).value(p.per_1000_node_days.high).end_array();
    json.key("notice").value(fmt::format("{} s", p.notice.base()));
    write_origin(json, p.origin);
    json.end_object();
  }
  json.end_object();
}

void write_purchase(JsonWriter& json, const Purchase& buy) {
  json.key("buy").begin_object();
  if (buy.sale.empty()) {
    write(json, "price", buy.price);
    json.key("accelerators").value(buy.whole);
  } else {
    json.key("sale").value(buy.sale).key("covers").value(buy.covers);
  }
  write(json, "years", buy.years);
  write(json, "charged", buy.charged);
  if (buy.resale != Stated<double>{}) write(json, "resale", buy.resale);
  if (buy.interest != Stated<double>{}) write(json, "interest", buy.interest);
  write(json, "used", buy.used);
  write(json, "network", buy.network);
  if (buy.facility) {
    json.key("facility").begin_object();
    write(json, "node", buy.facility->node);
    if (buy.facility->node) write(json, "years", buy.facility->years);
    write(json, "kw_month", buy.facility->kw_month);
    json.end_object();
  }
  json.end_object();
}

void write_site(JsonWriter& json, const SiteChoice& site) {
  if (site == SiteChoice{}) return;
  json.key("site").begin_object();
  if (!site.place.empty()) json.key("place").value(site.place);
  if (!site.operated_by.empty()) json.key("operator").value(site.operated_by);
  if (site.stated_electricity) {
    hw::write_electricity(json.key("electricity"), *site.stated_electricity);
  }
  if (site.stated_carbon) hw::write_grid_carbon(json.key("carbon"), *site.stated_carbon);
  if (site.stated_pue) write(json, "pue", *site.stated_pue);
  json.end_object();
}

}  // namespace

std::string cost_section_json(const CostSection& c) {
  JsonWriter json;
  json.begin_object();
  if (c.start) json.key("start").value(day_text(*c.start));
  if (c.start_hour > 0) json.key("start_hour").value(c.start_hour);
  if (c.deadline) json.key("deadline").value(day_text(*c.deadline));
  if (c.budget) {
    json.key("budget");
    put(json, *c.budget);
  }
  if (c.rent) write_rent(json, *c.rent);
  if (c.buy) write_purchase(json, *c.buy);
  write_site(json, c.site);
  if (c.beside) {
    json.key("power").begin_object();
    write(json, "beside", *c.beside);
    json.end_object();
  }
  if (c.people) {
    json.key("people").begin_object();
    write(json, "count", c.people->count);
    write(json, "year", c.people->year);
    json.end_object();
  }
  if (c.storage) {
    json.key("storage").begin_object();
    write(json, "size", c.storage->size);
    write(json, "tb_month", c.storage->tb_month);
    json.end_object();
  }
  json.end_object();
  return json.text();
}

}  // namespace forerun::sim
