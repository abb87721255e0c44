#pragma once

/// How the page names things and writes numbers for people who sign: units everywhere, a range in
/// one unit.

#include <chrono>
#include <string>

#include "core/evidence.h"
#include "core/quantity.h"
#include "sim/program.h"
#include "sim/run/run_forecast.h"

namespace forerun::sim::report {

/// What a colour of a picture stands for.
struct Named {
  const char* words;
  std::size_t colour;
};
[[nodiscard]] Named words_of(TimeUse);
[[nodiscard]] Named words_of(Category);
[[nodiscard]] Named words_of(Evidence);
[[nodiscard]] Named words_of(DurationEvidence);

/// The unit in which a duration reads best.
struct TimeUnit {
  Seconds unit{};
  const char* name = "";  ///< "days"
};
[[nodiscard]] TimeUnit time_unit(Seconds);

/// "70.1 to 79.5 days", in the unit of the larger.
[[nodiscard]] std::string range_text(Seconds low, Seconds high);
/// "$11.9 M to $13.2 M".
[[nodiscard]] std::string range_text(Dollars low, Dollars high);
/// "2.1 to 3.4 %".
[[nodiscard]] std::string percent_range(double low, double high);
/// How often something happens: "0.3", "12", "419".
[[nodiscard]] std::string times_text(double count);
/// "12 March 2027".
[[nodiscard]] std::string date_text(std::chrono::sys_days);
/// "2,345 MWh".
[[nodiscard]] std::string energy_text(double kilowatt_hours);
/// "1,234 t".
[[nodiscard]] std::string mass_text(double kilograms);

}  // namespace forerun::sim::report
