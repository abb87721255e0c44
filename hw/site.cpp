#include "hw/site.h"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <numeric>

#include "core/error.h"
#include "core/file.h"
#include "core/unit_number.h"

namespace forerun::hw {

namespace {

using namespace literals;

constexpr std::string_view kFolder = "hw/profiles/sites";
/// Ten times what coal emits: above it nothing is meant.
constexpr double kMostCarbon = 10'000;
constexpr double kMostPue = 10;

/// Which of the ways to write a value by the hour an object uses; reported if it is none or two.
bool one_way(Reader& at, std::initializer_list<std::string_view> ways) {
  const auto given = std::ranges::count_if(ways, [&](std::string_view way) { return at.has(way); });
  if (given == 1) return true;
  at.problem("", fmt::format("needs {} of {}", given == 0 ? "one" : "only one",
                             fmt::join(ways.begin(), ways.end(), ", ")));
  return false;
}

template <class T>
bool all_alike(const std::array<T, kHours>& hours) {
  return std::ranges::all_of(hours, [&](const T& hour) { return hour == hours.front(); });
}

/// A list of 24 as hours; reported if there are more or fewer.
template <class T>
std::array<T, kHours> day_of(Reader& at, const std::vector<T>& values) {
  std::array<T, kHours> hours{};
  if (values.size() != kHours) {
    at.problem("hours",
               fmt::format("must be 24, one for each hour of the day, found {}", values.size()));
    return hours;
  }
  std::ranges::copy(values, hours.begin());
  return hours;
}

void read_date(Reader& at, std::optional<PriceDate>& date) {
  if (!at.has("date")) return;
  const std::string written = at.text("date");
  date = price_date(written);
  if (!date) {
    at.problem("date", fmt::format("expected a date from 2000 to 2099 like \"2026-03-17\", "
                                   "\"2026-03\" or \"2026\", found \"{}\"",
                                   written));
  }
}

void read_peak(Reader& at, ElectricityPrice& e) {
  const EnergyPrice peak = at.energy_price("peak"), off_peak = at.energy_price("off_peak");
  const auto from = static_cast<std::size_t>(at.integer("peak_from", 0, kHours - 1));
  const auto to = static_cast<std::size_t>(at.integer("peak_to", 0, kHours));
  if (from == to) at.problem("peak_to", "is peak_from: there would be no peak");
  e.by_hour.fill(off_peak);
  const std::size_t length = 1 + (to + kHours - from - 1) % kHours;  // through midnight if need be
  for (std::size_t h = 0; h < length; ++h) e.by_hour[(from + h) % kHours] = peak;
}

void sourced(Reader& at, const Origin& origin) {
  if (origin.source.empty()) at.problem("source", "missing");
}

void write_origin(JsonWriter& json, const std::optional<PriceDate>& date, const Origin& origin) {
  if (date) json.key("date").value(text(*date));
  if (!origin.source.empty()) {
    json.key("evidence").value(name(origin.evidence)).key("source").value(origin.source);
  }
}

std::string price_text(EnergyPrice price) {
  return fmt::format("{} USD/kWh", number_in_unit(price.base(), (1.0_usd_per_kWh).base()));
}

}  // namespace

EnergyPrice ElectricityPrice::mean() const {
  return std::accumulate(by_hour.begin(), by_hour.end(), EnergyPrice{}) /
         static_cast<double>(kHours);
}

double GridCarbon::mean() const {
  return std::accumulate(g_per_kwh.begin(), g_per_kwh.end(), 0.0) / static_cast<double>(kHours);
}

ElectricityPrice read_electricity(Reader& at) {
  ElectricityPrice e;
  if (one_way(at, {"price", "peak", "hours"})) {
    if (at.has("price")) {
      e.by_hour.fill(at.energy_price("price"));
      if (at.has("most")) {
        e.most = at.energy_price("most");
        if (!(e.by_hour.front() < *e.most)) {
          at.problem("most", "must be above the lower end of the range");
        }
      }
    } else if (at.has("peak")) {
      read_peak(at, e);
    } else {
      e.by_hour = day_of(at, at.energy_prices("hours"));
    }
  }
  read_date(at, e.date);
  e.origin = read_origin(at);
  return e;
}

GridCarbon read_grid_carbon(Reader& at) {
  GridCarbon c;
  if (one_way(at, {"g_per_kwh", "hours"})) {
    if (at.has("g_per_kwh")) {
      c.g_per_kwh.fill(at.number("g_per_kwh", 0, kMostCarbon));
    } else {
      c.g_per_kwh = day_of(at, at.numbers("hours", 0, kMostCarbon));
    }
  }
  read_date(at, c.date);
  c.origin = read_origin(at);
  return c;
}

Stated<double> read_pue(Reader& at, std::string_view key) {
  return read_stated(
      at, key, [](Reader& r, std::string_view field) { return r.number(field, 1, kMostPue); });
}

void write_electricity(JsonWriter& json, const ElectricityPrice& e) {
  json.begin_object();
  if (all_alike(e.by_hour)) {
    json.key("price").value(price_text(e.by_hour.front()));
    if (e.most) json.key("most").value(price_text(*e.most));
  } else {
    json.key("hours").begin_array();
    for (const EnergyPrice price : e.by_hour) json.value(price_text(price));
    json.end_array();
  }
  write_origin(json, e.date, e.origin);
  json.end_object();
}

void write_grid_carbon(JsonWriter& json, const GridCarbon& c) {
  json.begin_object();
  if (all_alike(c.g_per_kwh)) {
    json.key("g_per_kwh").value(c.g_per_kwh.front());
  } else {
    json.key("hours").begin_array();
    for (const double grams : c.g_per_kwh) json.value(grams);
    json.end_array();
  }
  write_origin(json, c.date, c.origin);
  json.end_object();
}

std::optional<Site> read_site(const std::string& json_text, Problems& problems) {
  const std::size_t before = problems.list().size();
  const JsonDocument document = JsonDocument::parse(json_text, problems);
  Reader top = document.root(problems);
  Site s;
  (void)top.integer("schema", 1, 1);
  s.name = top.text("name");
  s.where = top.text("where");
  if (top.has("electricity")) {
    Reader at = top.object("electricity");
    s.electricity = read_electricity(at);
    sourced(at, s.electricity->origin);
    at.finish();
  }
  if (top.has("carbon")) {
    Reader at = top.object("carbon");
    s.carbon = read_grid_carbon(at);
    sourced(at, s.carbon->origin);
    at.finish();
  }
  if (top.has("pue")) {
    s.pue = read_pue(top, "pue");
    if (s.pue->origin.source.empty()) top.problem("pue", "names no source");
  }
  if (!s.electricity && !s.carbon && !s.pue && problems.list().size() == before) {
    top.problem("", "needs one of electricity, carbon, pue");
  }
  top.finish();
  if (problems.list().size() != before) return std::nullopt;
  return s;
}

std::vector<std::string> site_names() { return data_names(kFolder); }

Site load_site(const std::string& name) {
  const std::vector<std::string> names = site_names();
  if (!std::ranges::binary_search(names, name)) {
    throw Error(ExitCode::wrong, fmt::format("no site is named {}", name),
                did_you_mean(name, names, fmt::format("there are: {}", fmt::join(names, ", "))));
  }
  const std::string path = data_path(fmt::format("{}/{}.json", kFolder, name));
  Problems problems;
  return value_or_throw(read_site(read_file(path, kMaxJsonBytes), problems), problems,
                        name + ".json");
}

}  // namespace forerun::hw
