#include "sim/report/words.h"

#include <fmt/format.h>

#include <array>
#include <cmath>

#include "core/table.h"
#include "sim/report/palette.h"

namespace forerun::sim::report {

Named words_of(TimeUse u) {
  switch (u) {
    case TimeUse::training:
      return {"steps that count", 0};
    case TimeUse::slowdown:
      return {"slow nodes, heat, a smaller machine", 5};
    case TimeUse::starved:
      return {"waiting for data", 9};
    case TimeUse::evaluation:
      return {"evaluations", 2};
    case TimeUse::checkpoint:
      return {"stops for checkpoints", 4};
    case TimeUse::redone:
      return {"steps done again", 1};
    case TimeUse::detection:
      return {"failures not noticed yet", 3};
    case TimeUse::restart:
      return {"diagnosis, restart, loading", 10};
    case TimeUse::waiting:
      return {"waiting for machines", 11};
    case TimeUse::maintenance:
      return {"planned maintenance", 8};
  }
  return {"", kIdleColour};
}

Named words_of(Category c) {
  switch (c) {
    case Category::compute:
      return {"computing", 0};
    case Category::recompute:
      return {"recomputing activations", 5};
    case Category::tensor_exchange:
      return {"tensor-parallel exchanges", 4};
    case Category::context_exchange:
      return {"context-parallel exchanges", 9};
    case Category::expert_exchange:
      return {"expert-parallel exchanges", 3};
    case Category::data_exchange:
      return {"gradient and weight exchanges", 1};
    case Category::pipeline_exchange:
      return {"messages between stages", 10};
    case Category::optimizer:
      return {"optimiser", 2};
    case Category::host:
      return {"waiting for the host", 11};
    case Category::bubble:
      return {"nothing to do yet (bubble)", kIdleColour};
    case Category::imbalance:
      return {"waiting for uneven work", 8};
  }
  return {"", kIdleColour};
}

Named words_of(Evidence e) {
  constexpr std::array<std::size_t, 5> kColours = {2, 0, 5, 4, 1};
  constexpr std::array<const char*, 5> kWords = {"measured", "published", "fitted", "derived",
                                                 "assumed"};
  const auto i = static_cast<std::size_t>(e);
  return {kWords[i], kColours[i]};
}

Named words_of(DurationEvidence e) {
  constexpr std::array<std::size_t, 4> kColours = {2, 0, 4, 1};
  constexpr std::array<const char*, 4> kWords = {
      "measured: a measured kernel of this very shape", "interpolated: between measured shapes",
      "extrapolated: outside the measured shapes", "modelled: no kernel of this kind was measured"};
  const auto i = static_cast<std::size_t>(e);
  return {kWords[i], kColours[i]};
}

TimeUnit time_unit(Seconds t) {
  if (t >= 2.0_days) return {1.0_days, "days"};
  if (t >= 1.0_h) return {1.0_h, "hours"};
  if (t >= 60.0_s) return {60.0_s, "minutes"};
  return {1.0_s, "seconds"};
}

std::string range_text(Seconds low, Seconds high) {
  const TimeUnit unit = time_unit(high);
  return fmt::format("{} to {} {}", significant(low.in(unit.unit), 3),
                     significant(high.in(unit.unit), 3), unit.name);
}

std::string range_text(Dollars low, Dollars high) {
  return fmt::format("{} to {}", show(low), show(high));
}

std::string percent_range(double low, double high) {
  return fmt::format("{:.1f} to {}", 100 * low, show_percent(high));
}

std::string times_text(double count) {
  return count >= 10 || count == std::round(count) ? show_count(std::round(count))
                                                   : significant(count, 2);
}

std::string date_text(std::chrono::sys_days day) {
  static constexpr std::array kMonths = {"January",   "February", "March",    "April",
                                         "May",       "June",     "July",     "August",
                                         "September", "October",  "November", "December"};
  const std::chrono::year_month_day date(day);
  return fmt::format("{} {} {}", static_cast<unsigned>(date.day()),
                     kMonths[static_cast<unsigned>(date.month()) - 1],
                     static_cast<int>(date.year()));
}

std::string energy_text(double kilowatt_hours) {
  if (kilowatt_hours >= 1e6) return significant(kilowatt_hours / 1e6, 3) + " GWh";
  if (kilowatt_hours >= 1e3) return significant(kilowatt_hours / 1e3, 3) + " MWh";
  return significant(kilowatt_hours, 3) + " kWh";
}

std::string mass_text(double kilograms) {
  if (kilograms >= 1e6) return show_count(std::round(kilograms / 1e3)) + " t";
  if (kilograms >= 1e3) return significant(kilograms / 1e3, 3) + " t";
  return significant(kilograms, 3) + " kg";
}

}  // namespace forerun::sim::report
