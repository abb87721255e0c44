#include "bands.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <map>
#include <set>
#include <tuple>
#include <vector>

#include "core/json_writer.h"
#include "core/table.h"
#include "experts.h"

namespace forerun::published {
namespace {

constexpr double kLevel = 0.8;
constexpr const char* kAny = "*";

/// ln(measured / predicted) of a row that was left out.
struct Residual {
  std::string group, family;
  bool experts = false;
  std::string generation, framework;
  double value = 0, weight = 0;
};

using Key = std::tuple<bool, std::string, std::string>;  // experts, generation, framework

/// The value below which a share p of the weight lies, between the middles of the weights.
double weighted_quantile(const std::vector<Residual>& sorted, double p) {
  double total = 0;
  for (const Residual& r : sorted) total += r.weight;
  double below = 0, last_at = 0, last_value = sorted.front().value;
  for (const Residual& r : sorted) {
    const double at = (below + r.weight / 2) / total;
    if (at >= p) {
      if (below == 0) return r.value;
      return last_value + (r.value - last_value) * (p - last_at) / (at - last_at);
    }
    below += r.weight;
    last_at = at;
    last_value = r.value;
  }
  return last_value;
}

sim::ErrorBands bands_of(const std::vector<Residual>& residuals) {
  std::map<Key, std::vector<Residual>> cells;
  for (const Residual& r : residuals) {
    for (const Key& key :
         {Key{r.experts, r.generation, r.framework}, Key{r.experts, kAny, r.framework},
          Key{r.experts, r.generation, kAny}, Key{r.experts, kAny, kAny}}) {
      cells[key].push_back(r);
    }
  }
  sim::ErrorBands bands;
  bands.level = kLevel;
  for (auto& [key, cell] : cells) {
    std::set<std::string> groups, families;
    for (const Residual& r : cell) {
      groups.insert(r.group);
      families.insert(r.family);
    }
    if (families.size() < kLeastBandFamilies) continue;
    std::ranges::stable_sort(cell, {}, &Residual::value);
    const auto& [experts, generation, framework] = key;
    bands.bands.push_back(
        {experts, generation, framework, weighted_quantile(cell, (1 - kLevel) / 2),
         weighted_quantile(cell, (1 + kLevel) / 2), static_cast<std::int64_t>(cell.size()),
         static_cast<std::int64_t>(groups.size())});
  }
  return bands;
}

bool inside(const sim::ErrorBands& bands, const Residual& r) {
  const sim::ErrorBand* band = bands.find(r.experts, r.generation, r.framework);
  return band != nullptr && band->low <= r.value && r.value <= band->high;
}

}  // namespace

Bands make_bands(const Predictor& predictor, const CrossValidation& left_out) {
  std::map<std::string, double> rows_of;
  for (const LeftOut& l : left_out.rows) rows_of[predictor.rows()[l.row].group] += 1;
  std::vector<Residual> residuals;
  for (const LeftOut& l : left_out.rows) {
    const sim::PublishedRow& row = predictor.rows()[l.row];
    // A sweep of many rows tells more than a single row, but not in proportion.
    residuals.push_back({row.group, row.family, has_experts(row),
                         row.scenario.accelerator.generation, row.scenario.framework.name,
                         -l.log_error, 1 / std::sqrt(rows_of.at(row.group))});
  }
  Bands result;
  result.table = bands_of(residuals);

  std::map<std::string, std::vector<Residual>> families;
  for (const Residual& r : residuals) families[r.family].push_back(r);
  std::map<std::string, double> group_inside;
  for (const auto& [family, own] : families) {
    std::vector<Residual> rest;
    for (const Residual& r : residuals) {
      if (r.family != family) rest.push_back(r);
    }
    const sim::ErrorBands without = bands_of(rest);
    for (const Residual& r : own) {
      const double n = static_cast<double>(residuals.size());
      result.covered += inside(result.table, r) ? 1 / n : 0;
      const bool in = inside(without, r);
      result.covered_left_out += in ? 1 / n : 0;
      group_inside[r.group] += in ? 1 / rows_of.at(r.group) : 0;
    }
  }
  for (const auto& [group, share] : group_inside) {
    result.groups_covered_left_out += share / static_cast<double>(group_inside.size());
  }
  return result;
}

std::string bands_json(const Bands& b) {
  const auto shortened = [](double v) { return std::round(v * 1e4) / 1e4; };
  JsonWriter json;
  json.begin_object().key("schema").value(std::int64_t{1});
  json.key("what").value(
      "Where published step times lie relative to predictions that they had no part in: "
      "ln(measured / predicted), of models with experts and of those without, by accelerator "
      "generation and framework preset (* is any); made by tests/published/fit.");
  json.key("level").value(b.table.level);
  json.key("bands").begin_array();
  for (const sim::ErrorBand& band : b.table.bands) {
    json.begin_object().key("experts").value(band.experts).key("generation").value(band.generation);
    json.key("framework").value(band.framework);
    json.key("low").value(shortened(band.low)).key("high").value(shortened(band.high));
    json.key("rows").value(band.rows).key("groups").value(band.groups).end_object();
  }
  json.end_array().end_object();
  return json.text();
}

std::string bands_text(const Bands& b) {
  Table table({{"experts", Table::Align::left},
               {"generation", Table::Align::left},
               {"framework", Table::Align::left},
               {"from", Table::Align::right},
               {"to", Table::Align::right},
               {"rows", Table::Align::right},
               {"groups", Table::Align::right}});
  for (const sim::ErrorBand& band : b.table.bands) {
    table.row({band.experts ? "yes" : "no", band.generation, band.framework,
               show_percent(std::expm1(band.low)), show_percent(std::expm1(band.high)),
               fmt::format("{}", band.rows), fmt::format("{}", band.groups)});
  }
  return fmt::format(
      "{}\n{} band: covers {} of the rows; made without the row's family {}, mean over groups {}\n",
      table.text(), show_percent(b.table.level, 0), show_percent(b.covered),
      show_percent(b.covered_left_out), show_percent(b.groups_covered_left_out));
}

}  // namespace forerun::published
