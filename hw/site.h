#pragma once

/// Where machines stand and who runs them: what a kilowatt-hour costs there and emits, and how much
/// of it reaches the machines, from hw/profiles/sites/NAME.json. A place has a grid, so a carbon
/// intensity and perhaps a price; an operator has a power usage effectiveness (PUE: energy at the
/// meter over energy of the machines; the difference is cooling and losses). What no source says is
/// absent: it is never guessed.
///
/// A price or an intensity may differ by the hour of the local day, 0 to 23.
///
/// Not modelled: seasons, weekdays, demand charges, marginal against mean emissions, certificates,
/// PUE by season or load, losses of the grid.

#include <array>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "core/json_writer.h"
#include "core/problem.h"
#include "core/quantity.h"
#include "core/reader.h"
#include "core/stated.h"
#include "hw/cloud.h"

namespace forerun::hw {

inline constexpr std::size_t kHours = 24;

/// Of a kilowatt-hour by the hour at which it is drawn.
struct ElectricityPrice {
  std::array<EnergyPrice, kHours> by_hour{};
  std::optional<EnergyPrice> most;  ///< the upper end, of a range; then all hours are alike
  std::optional<PriceDate> date;
  Origin origin;
  [[nodiscard]] EnergyPrice mean() const;
  bool operator==(const ElectricityPrice&) const = default;
};

/// Grams of CO2 equivalent of a kilowatt-hour by the hour.
struct GridCarbon {
  std::array<double, kHours> g_per_kwh{};
  std::optional<PriceDate> date;
  Origin origin;
  [[nodiscard]] double mean() const;
  bool operator==(const GridCarbon&) const = default;
};

struct Site {
  std::string name;   ///< "usa-virginia", "google"
  std::string where;  ///< "Virginia, United States", "Google, its whole fleet"
  std::optional<ElectricityPrice> electricity;
  std::optional<GridCarbon> carbon;
  std::optional<Stated<double>> pue;
};

/// One of
///
///   {"price": "0.08 USD/kWh", "most": "0.10 USD/kWh"}
///   {"peak": "0.12 USD/kWh", "off_peak": "0.06 USD/kWh", "peak_from": 8, "peak_to": 20}
///   {"hours": ["0.06 USD/kWh", ... 24 of them]}
///
/// with "date", "evidence" and "source", all of which may be left out (then it is assumed). Peak
/// hours go through midnight where peak_to is before peak_from.
[[nodiscard]] ElectricityPrice read_electricity(Reader&);
/// {"g_per_kwh": 369.5} or {"hours": [24 of them]}, with the same.
[[nodiscard]] GridCarbon read_grid_carbon(Reader&);
/// At least 1.
[[nodiscard]] Stated<double> read_pue(Reader& at, std::string_view key);
/// The objects that these read back as the same.
void write_electricity(JsonWriter&, const ElectricityPrice&);
void write_grid_carbon(JsonWriter&, const GridCarbon&);

/// Wrong input is reported with path and rule; in a file every number names its source.
[[nodiscard]] std::optional<Site> read_site(const std::string& json_text, Problems&);
/// The site of that name; throws Error naming the nearest if there is none.
[[nodiscard]] Site load_site(const std::string& name);
[[nodiscard]] std::vector<std::string> site_names();

}  // namespace forerun::hw
