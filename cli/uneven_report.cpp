#include "cli/uneven_report.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <utility>
#include <vector>

#include "cli/report.h"
#include "core/table.h"

namespace forerun::cli {
namespace {

using Align = Table::Align;

constexpr std::size_t kMostGroups = 8;
constexpr double kNothing = 5e-5;  // of a step: what rounds to 0.0 %

std::string show_rows(double rows) { return show_count(std::round(rows)); }

/// "37,682 (1.15)": so many copies, and how many times the fair share they are.
std::string show_load(double rows, double load) {
  return fmt::format("{} ({:.2f})", show_rows(rows * load), load);
}

/// Fair share, and the busiest on the mean and of all.
std::string loads_text(const sim::ExpertWork& e) {
  Table table({{"copies of tokens in a layer of a micro-batch", Align::left},
               {"fair share", Align::right},
               {"busiest, mean", Align::right},
               {"busiest of all", Align::right}});
  const auto row = [&](const char* of, double rows, const sim::Variation::Load& load) {
    table.row({of, show_rows(rows), show_load(rows, load.mean), show_load(rows, load.most)});
  };
  if (e.ranks > 1) row("of a rank", e.rank_rows, e.rank);
  row("of an expert", e.expert_rows, e.expert);
  std::string out = table.text();
  if (!e.most_used.empty()) {
    out += fmt::format("the busiest experts are {}\n", fmt::join(e.most_used, ", "));
  }
  return out;
}

std::string group_name(const sim::StepResult& r, const sim::ExpertGroup& g) {
  return r.imbalance.lanes == 1 ? fmt::format("{}", g.stage)
                                : fmt::format("{} of lane {}", g.stage, g.lane);
}

/// The groups whose ranks wait longest.
std::string groups_text(const sim::StepResult& r, const sim::ExpertWork& e) {
  std::vector<sim::ExpertGroup> groups;
  for (const sim::ExpertGroup& g : e.groups) {
    if (g.layers > 0) groups.push_back(g);
  }
  std::ranges::stable_sort(groups, [](const sim::ExpertGroup& a, const sim::ExpertGroup& b) {
    return a.waits > b.waits;
  });
  Table table({{"stage", Align::right},
               {"layers", Align::right},
               {"busiest rank's load", Align::right},
               {"its products", Align::right},
               {"its kernels", Align::right},
               {"the others wait", Align::right},
               {"of the step", Align::right},
               {"exchanges", Align::right}});
  for (std::size_t i = 0; i < groups.size() && i < kMostGroups; ++i) {
    const sim::ExpertGroup& g = groups[i];
    table.row({group_name(r, g), fmt::format("{}", g.layers), fmt::format("{:.2f}", g.load),
               show(g.products), show(g.kernels), show(g.waits), show_percent(g.waits / r.time),
               show(g.exchanges)});
  }
  std::string out = table.text();
  if (groups.size() > kMostGroups) {
    out +=
        fmt::format("and {} groups that wait less (--json has all)\n", groups.size() - kMostGroups);
  }
  return out;
}

/// "by uneven experts", or both parts.
std::string causes_text(const sim::ImbalanceCost& cost) {
  if (!cost.uneven_compositions) return "uneven experts";
  if (!cost.uneven_experts) return "uneven compositions";
  return fmt::format("uneven experts ({}) and uneven compositions ({})", show(cost.experts),
                     show(cost.compositions));
}

}  // namespace

std::string imbalance_text(const sim::StepResult& r, const sim::ImbalanceCost& cost, Seconds step) {
  const sim::Imbalance& i = r.imbalance;
  std::string out;
  if (i.lanes > 1) {
    Seconds waited{};
    for (const auto& rank : r.by_rank) {
      waited += rank[static_cast<std::size_t>(sim::Category::imbalance)] /
                static_cast<double>(r.by_rank.size());
    }
    out += fmt::format(
        "  {} lanes of replicas differ and are simulated apart; a rank waits {} of the step for "
        "others, on the mean\n",
        i.lanes, show_percent(waited / r.time));
  }
  if (i.worst_load > 1 && i.dropped > 1e-9) {
    out += fmt::format("  capacity drops {} of the copies of tokens\n", show_percent(i.dropped));
  }
  if (!cost.uneven_experts && !cost.uneven_compositions) return out;
  const std::string causes = causes_text(cost);
  if (cost.total() < kNothing * step) return out + fmt::format("  {} cost nothing\n", causes);
  return out + fmt::format("  imbalance costs {}, {} of the step: {}\n", show(cost.total()),
                           show_percent(cost.total() / step), causes);
}

std::string modalities_text(const sim::StepResult& r) {
  if (r.modalities.empty()) return {};
  const auto any = [&](auto&& has) { return std::ranges::any_of(r.modalities, has); };
  const bool varies = any([](const sim::ModalityWork& m) { return m.spread > 0; });
  const bool own = any([](const sim::ModalityWork& m) { return m.kernels > Seconds(0); });
  const bool towers = any([](const sim::ModalityWork& m) { return m.mean_kernels > Seconds(0); });
  std::vector<std::pair<std::string, Align>> columns = {{"modality", Align::left},
                                                        {"share", Align::right},
                                                        {"tokens of a micro-batch", Align::right}};
  if (varies) {
    columns.insert(columns.end(), {{"spread", Align::right}, {"most", Align::right}});
  }
  if (own) {
    columns.insert(columns.end(), {{"its products", Align::right},
                                   {"its kernels", Align::right},
                                   {"of the step", Align::right}});
  }
  if (varies && towers) {
    columns.insert(columns.end(),
                   {{"mean rank's", Align::right}, {"busiest rank's", Align::right}});
  }
  Table table(columns);
  for (const sim::ModalityWork& m : r.modalities) {
    const double all = m.share > 0 ? m.tokens / m.share : 0;
    std::vector<std::string> cells = {m.name, show_percent(m.share), show_rows(m.tokens)};
    if (varies) {
      cells.push_back(show_rows(m.spread * all));
      cells.push_back(show_rows(m.most * all));
    }
    const auto time = [&](Seconds t) { cells.push_back(t > Seconds(0) ? show(t) : ""); };
    if (own) {
      time(m.products);
      time(m.kernels);
      cells.push_back(m.kernels > Seconds(0) ? show_percent(m.kernels / r.time) : "");
    }
    if (varies && towers) {
      time(m.mean_kernels);
      time(m.most_kernels);
    }
    table.row(std::move(cells));
  }
  return fmt::format("modalities ({})\n\n{}\n", rank_text(r), table.text());
}

std::string experts_text(const sim::StepResult& r) {
  if (!r.experts) return {};
  const sim::ExpertWork& e = *r.experts;
  const std::string held =
      e.ranks > 1 ? fmt::format(", {} on each of {} ranks", e.experts / e.ranks, e.ranks) : "";
  std::string out =
      fmt::format("experts ({} a layer, {} of them a token{})\n\n", e.experts, e.chosen, held);
  if (e.rank.most > 1 || e.expert.most > 1) {
    return out + loads_text(e) + "\n" + groups_text(r, e) + "\n";
  }
  const sim::ExpertGroup& g = e.groups[static_cast<std::size_t>(r.rank)];
  out +=
      fmt::format("  in a layer of a micro-batch each works on {} copies of tokens on the mean\n",
                  show_rows(e.expert_rows));
  out += fmt::format("  their products take {}, {} of the step, all their kernels {} ({})\n\n",
                     show(g.products), show_percent(g.products / r.time), show(g.kernels),
                     rank_text(r));
  return out;
}

void write_cost(JsonWriter& json, const sim::ImbalanceCost& cost) {
  json.key("imbalance_cost_s").begin_object().key("total").value(cost.total().base());
  json.key("experts").value(cost.experts.base());
  json.key("compositions").value(cost.compositions.base()).end_object();
}

void write_uneven(JsonWriter& json, const sim::StepResult& r) {
  json.key("imbalance").begin_object().key("lanes").value(r.imbalance.lanes);
  json.key("worst_expert_load").value(r.imbalance.worst_load);
  json.key("mean_expert_load").value(r.imbalance.mean_load);
  json.key("dropped").value(r.imbalance.dropped).end_object();
  json.key("modalities").begin_array();
  for (const sim::ModalityWork& m : r.modalities) {
    json.begin_object().key("name").value(m.name).key("share").value(m.share);
    json.key("spread").value(m.spread).key("most").value(m.most).key("tokens").value(m.tokens);
    json.key("kernels_s").value(m.kernels.base()).key("products_s").value(m.products.base());
    json.key("mean_rank_kernels_s").value(m.mean_kernels.base());
    json.key("busiest_rank_kernels_s").value(m.most_kernels.base()).end_object();
  }
  json.end_array();
  if (!r.experts) return;
  const sim::ExpertWork& e = *r.experts;
  json.key("experts").begin_object().key("count").value(e.experts).key("chosen").value(e.chosen);
  json.key("ranks").value(e.ranks);
  const auto load = [&](const char* of, double rows, const sim::Variation::Load& busiest) {
    json.key(of).begin_object().key("fair_copies").value(rows);
    json.key("busiest_mean_load").value(busiest.mean);
    json.key("busiest_load").value(busiest.most).end_object();
  };
  load("rank", e.rank_rows, e.rank);
  load("expert", e.expert_rows, e.expert);
  json.key("busiest_experts").begin_array();
  for (const std::int64_t expert : e.most_used) json.value(expert);
  json.end_array().key("groups").begin_array();
  for (const sim::ExpertGroup& g : e.groups) {
    json.begin_object().key("lane").value(g.lane).key("stage").value(g.stage);
    json.key("layers").value(g.layers).key("load").value(g.load);
    json.key("products_s").value(g.products.base()).key("kernels_s").value(g.kernels.base());
    json.key("waits_s").value(g.waits.base()).key("exchanges_s").value(g.exchanges.base());
    json.end_object();
  }
  json.end_array().end_object();
}

}  // namespace forerun::cli
