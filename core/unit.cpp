#include "core/unit.h"

#include <fmt/format.h>

#include <array>
#include <charconv>
#include <cmath>
#include <vector>

#include "core/json_value.h"
#include "core/reader.h"

namespace forerun::unit {
namespace {

constexpr Unit kSeconds[] = {{"s", 1.0},    {"ms", 1e-3},  {"us", 1e-6},  {"ns", 1e-9},
                             {"ps", 1e-12}, {"min", 60.0}, {"h", 3600.0}, {"days", 86400.0}};
constexpr Unit kBytes[] = {{"B", 1.0},      {"KiB", 0x1p10}, {"MiB", 0x1p20},
                           {"GiB", 0x1p30}, {"TiB", 0x1p40}, {"kB", 1e3},
                           {"MB", 1e6},     {"GB", 1e9},     {"TB", 1e12}};
constexpr Unit kBandwidth[] = {
    {"B/s", 1.0},      {"kB/s", 1e3},     {"MB/s", 1e6},     {"GB/s", 1e9},     {"TB/s", 1e12},
    {"KiB/s", 0x1p10}, {"MiB/s", 0x1p20}, {"GiB/s", 0x1p30}, {"TiB/s", 0x1p40}, {"b/s", 0.125},
    {"kb/s", 0.125e3}, {"Mb/s", 0.125e6}, {"Gb/s", 0.125e9}, {"Tb/s", 0.125e12}};
constexpr Unit kFlopRate[] = {{"FLOP/s", 1.0},  {"kFLOP/s", 1e3},  {"MFLOP/s", 1e6},
                              {"GFLOP/s", 1e9}, {"TFLOP/s", 1e12}, {"PFLOP/s", 1e15}};
constexpr Unit kWatts[] = {{"W", 1.0}, {"kW", 1e3}, {"MW", 1e6}};
constexpr Unit kDollarRate[] = {{"USD/h", 1.0 / 3600.0}};
constexpr Unit kDollars[] = {{"USD", 1.0}};
constexpr Unit kEnergyPrice[] = {{"USD/kWh", 1.0 / 3.6e6}, {"USD/MWh", 1.0 / 3.6e9}};

constexpr std::array<KindFacts, 9> kFacts = {
    {{"a time", "5 us", kSeconds, 86400.0, "1 days"},
     {"a size in bytes", "80 GiB", kBytes, 1e18, "1000000 TB"},
     {"a bandwidth", "400 Gb/s", kBandwidth, 1e18, "1000000 TB/s", 1e6, "1 MB/s"},
     {"a rate of operations", "989.4 TFLOP/s", kFlopRate, 1e21, "1000000 PFLOP/s"},
     {"a power", "700 W", kWatts, 1e9, "1000 MW"},
     {"a price", "2.95 USD/h", kDollarRate, 1e6 / 3600.0, "1000000 USD/h"},
     {"a sum of money", "310000 USD", kDollars, 1e13, "10000000000000 USD"},
     {"a duration", "90 days", kSeconds, 36500 * 86400.0, "36500 days"},
     {"a price of energy", "0.08 USD/kWh", kEnergyPrice, 100.0 / 3.6e6, "100 USD/kWh"}}};

bool is_digit(char c) { return c >= '0' && c <= '9'; }

}  // namespace

const KindFacts& facts(Kind kind) { return kFacts.at(static_cast<std::size_t>(kind)); }

std::string broken_rule(double base, Kind kind) {
  const KindFacts& known = facts(kind);
  if (base < 0.0) return "must be at least 0";
  if (base > known.most) return fmt::format("must be at most {}", known.most_text);
  if (base > 0.0 && base < known.least) {
    return fmt::format("must be at least {}", known.least_text);
  }
  return {};
}

std::variant<double, std::string> parse(std::string_view text, Kind kind) {
  const KindFacts& known = facts(kind);
  const auto refuse = [&](std::string_view why) {
    return fmt::format("{} in {}; write {} like \"{}\"", why, json::quoted(text), known.name,
                       known.example);
  };
  // from_chars would also take "inf", "nan" and ".5"; a number here begins as JSON's do.
  const std::size_t first = text.starts_with('-') ? 1 : 0;
  if (first >= text.size() || !is_digit(text[first])) return refuse("no number");
  double number = 0.0;
  const char* const end = text.data() + text.size();
  const auto [rest, error] = std::from_chars(text.data(), end, number);
  if (error != std::errc{}) return refuse("a number out of range");
  std::string_view name(rest, static_cast<std::size_t>(end - rest));
  if (name.starts_with(' ')) name.remove_prefix(1);
  if (name.empty()) return refuse("no unit");
  for (const Unit& unit : known.units) {
    if (unit.name != name) continue;
    const double base = number * unit.size;
    if (!std::isfinite(base)) return refuse("a number out of range");
    return base;
  }
  std::vector<std::string_view> names;
  for (const Unit& unit : known.units) names.push_back(unit.name);
  const std::string near = nearest(name, names);
  return refuse(fmt::format("unknown unit {}{}", json::quoted(name),
                            near.empty() ? "" : fmt::format(" (did you mean \"{}\"?)", near)));
}

}  // namespace forerun::unit
