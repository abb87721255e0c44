#include "cli/compare_losses.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <functional>
#include <set>

#include "core/table.h"

namespace forerun::cli {
namespace {

struct Row {
  std::string name;
  std::function<std::string(const sim::RunLoss&)> of;
};

const models::ModalityAnswer* modality(const sim::RunLoss& r, const std::string& name) {
  if (!r.losses) return nullptr;
  const auto it = std::ranges::find(r.losses->modalities, name, &models::ModalityAnswer::name);
  return it == r.losses->modalities.end() ? nullptr : &*it;
}

std::string banded(double value, const models::Band& b) {
  return fmt::format("{:.3f} ({:.2f} to {:.2f})", value, b.low, b.high);
}
std::string counted(double value, const Interval& b) {
  return fmt::format("{:.3g} ({:.2g} to {:.2g})", value, b.low, b.high);
}

void add_losses(const std::vector<sim::RunLoss>& runs, std::vector<Row>& rows) {
  std::set<std::string> names, gained;
  for (const sim::RunLoss& r : runs) {
    for (const sim::RunLoss::Gain& g : r.gains) gained.insert(g.modality);
    if (!r.losses) continue;
    for (const models::ModalityAnswer& m : r.losses->modalities) names.insert(m.name);
  }
  for (const std::string& name : names) {
    rows.push_back({"loss, " + name, [name](const sim::RunLoss& r) {
                      const auto* m = modality(r, name);
                      return m == nullptr ? "" : banded(m->end.loss, m->band);
                    }});
  }
  if (names.size() > 1) {
    rows.push_back({"loss, mean", [](const sim::RunLoss& r) {
                      return r.losses ? banded(r.losses->mean, r.losses->mean_band) : "";
                    }});
    for (const std::string& name : names) {
      rows.push_back({"stands still, " + name, [name](const sim::RunLoss& r) {
                        const auto* m = modality(r, name);
                        return m == nullptr ? "" : show_percent(m->flat_share, 0);
                      }});
    }
  }
  for (const std::string& name : gained) {
    rows.push_back(
        {"dense loss after, " + name, [name](const sim::RunLoss& r) -> std::string {
           const auto it = std::ranges::find(r.gains, name, &sim::RunLoss::Gain::modality);
           if (it == r.gains.end()) return "";
           return fmt::format("{} ({} to {})", show_percent(it->training),
                              show_percent(it->band.low, 0), show_percent(it->band.high, 0));
         }});
  }
}

void add_stability(std::vector<Row>& rows) {
  using Of = std::function<std::string(const stability::StabilityReport&)>;
  const auto add = [&](const char* name, Of of) {
    rows.push_back({name, [of = std::move(of)](const sim::RunLoss& r) {
                      return r.stability ? of(*r.stability) : std::string{};
                    }});
  };
  add("gradient spikes", [](const stability::StabilityReport& s) {
    return counted(s.expected.gradient, s.gradient_spikes);
  });
  add("loss spikes",
      [](const stability::StabilityReport& s) { return counted(s.expected.loss, s.loss_spikes); });
  add("run lost", [](const stability::StabilityReport& s) {
    return fmt::format("{} ({} to {})", show_percent(s.lost), show_percent(s.lost_band.low, 0),
                       show_percent(s.lost_band.high, 0));
  });
  rows.push_back({"steps done again", [](const sim::RunLoss& r) -> std::string {
                    if (!r.rolled_back) return "";
                    return fmt::format("{} ({} to {})",
                                       show_count(std::round(r.rolled_back->steps_median)),
                                       show_count(std::round(r.rolled_back->steps.low)),
                                       show_count(std::round(r.rolled_back->steps.high)));
                  }});
}

}  // namespace

std::string losses_table(const std::vector<std::string>& names,
                         const std::vector<sim::RunLoss>& runs) {
  std::vector<Row> rows;
  add_losses(runs, rows);
  add_stability(rows);
  std::vector<std::pair<std::string, Table::Align>> columns = {{"", Table::Align::left}};
  for (const std::string& name : names) columns.emplace_back(name, Table::Align::right);
  Table table(columns);
  bool any = false;
  for (const Row& row : rows) {
    std::vector<std::string> cells = {row.name};
    bool shown = false;
    for (const sim::RunLoss& r : runs) {
      cells.push_back(row.of(r));
      shown = shown || !cells.back().empty();
    }
    if (shown) table.row(std::move(cells));
    any = any || shown;
  }
  return any ? table.text() : std::string{};
}

}  // namespace forerun::cli
