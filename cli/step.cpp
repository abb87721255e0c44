#include "sim/step.h"

#include <fmt/format.h>

#include <algorithm>

#include "cli/command.h"
#include "cli/load.h"
#include "cli/report.h"
#include "cli/uneven_report.h"
#include "core/table.h"
#include "sim/layout.h"
#include "sim/memory.h"

namespace forerun::cli {
namespace {

constexpr std::size_t kTopKernels = 20;
constexpr std::size_t kMostStages = 40;

/// One line a stage: its memory, and what its compute stream did, in seconds.
std::string stages_text(const sim::Scenario& s, const sim::StepResult& r) {
  using Align = Table::Align;
  const sim::Layout layout = sim::make_layout(s);
  std::vector<std::pair<std::string, Align>> columns = {
      {"stage", Align::right}, {"layers", Align::right}, {"holds", Align::left}};
  std::vector<std::size_t> shown;  // categories that are anything anywhere
  for (std::size_t c = 0; c < sim::kCategories; ++c) {
    const bool any = std::any_of(r.by_rank.begin(), r.by_rank.end(),
                                 [&](const auto& b) { return b[c].base() > 0; });
    if (!any) continue;
    shown.push_back(c);
    std::string name(sim::name(static_cast<sim::Category>(c)));
    if (const std::size_t end = name.find(" exchange"); end != std::string::npos) name.erase(end);
    columns.emplace_back(name, Align::right);
  }
  columns.emplace_back("allocated", Align::right);
  columns.emplace_back("held", Align::right);
  Table table(columns);
  for (std::size_t rank = 0; rank < r.by_rank.size() && rank < kMostStages; ++rank) {
    bool embedding = false, head = false;
    const std::size_t stage = rank % layout.chunks.size();
    for (const sim::Chunk& chunk : layout.chunks[stage]) {
      embedding |= chunk.embedding;
      head |= chunk.head;
    }
    std::vector<std::string> cells = {
        r.imbalance.lanes == 1 ? fmt::format("{}", stage)
                               : fmt::format("{} of lane {}", stage, rank / layout.chunks.size()),
        fmt::format("{}", layout.stage_layers(static_cast<std::int64_t>(stage))),
        embedding && head ? "both ends"
        : embedding       ? "embedding"
        : head            ? "head"
                          : ""};
    for (const std::size_t c : shown) cells.push_back(show(r.by_rank[rank][c]));
    const sim::StageMemory& memory = r.memory.stages[stage];
    cells.push_back(show(memory.peak));
    cells.push_back(show(memory.reserved));
    table.row(std::move(cells));
  }
  std::string out = "stages\n\n" + table.text();
  if (r.by_rank.size() > kMostStages) {
    out += fmt::format("and {} more (--json has all)\n", r.by_rank.size() - kMostStages);
  }
  return out;
}

std::string kernels_text(const sim::StepResult& r) {
  using Align = Table::Align;
  Table table({{"kernel", Align::left},
               {"shape", Align::left},
               {"times", Align::right},
               {"each", Align::right},
               {"share", Align::right},
               {"evidence", Align::left}});
  const std::size_t most = std::min(kTopKernels, r.kernels.size());
  for (std::size_t i = 0; i < most; ++i) {
    const sim::KernelShare& k = r.kernels[i];
    table.row({k.name, k.shape, show_count(static_cast<double>(k.count)),
               show(k.time / static_cast<double>(std::max<std::int64_t>(1, k.count))),
               show_percent(k.time / r.time), std::string(name(k.evidence))});
  }
  return fmt::format("the {} kernels that take longest, of {} ({})\n\n{}", most, r.kernels.size(),
                     rank_text(r), table.text());
}

void write_stages(JsonWriter& json, const sim::StepResult& r) {
  json.key("stages").begin_array();
  for (std::size_t rank = 0; rank < r.by_rank.size(); ++rank) {
    json.begin_object().key("stage").value(static_cast<std::int64_t>(rank));
    json.key("breakdown_s").begin_object();
    for (std::size_t c = 0; c < sim::kCategories; ++c) {
      json.key(category_key(c)).value(r.by_rank[rank][c].base());
    }
    json.end_object().end_object();
  }
  json.end_array().key("kernels").begin_array();
  for (const sim::KernelShare& k : r.kernels) {
    json.begin_object().key("name").value(k.name).key("shape").value(k.shape);
    json.key("time_s").value(k.time.base()).key("count").value(k.count);
    json.key("evidence").value(name(k.evidence));
    if (!k.modality.empty()) json.key("modality").value(k.modality);
    if (k.load > 0) json.key("copies").value(k.rows).key("load").value(k.load);
    json.end_object();
  }
  json.end_array();
}

}  // namespace

int step(const Options& o) {
  const sim::Scenario s = load_scenario(o);
  const sim::MemoryResult memory = sim::step_memory(s, sim::make_layout(s), sim::Remedies::find);
  if (!memory.fits) return deliver_infeasible(o, s, memory);
  const sim::StepResult r =
      sim::simulate_step(s, o.every_kernel ? sim::Detail::kernels : sim::Detail::folded);
  write_trace(o, s, r);
  const Seconds folded = o.every_kernel ? sim::step_time(s) : r.time;
  const sim::ImbalanceCost cost = sim::imbalance_cost(s, folded);
  JsonWriter json;
  json.begin_object();
  write_question(json, s);
  json.key("feasible").value(true);
  write_step(json, r);
  write_cost(json, cost);
  write_stages(json, r);
  write_memory(json, r.memory);
  write_inputs(json, s);
  write_identity(json, s);
  json.end_object();
  const std::string power =
      fmt::format("{}\n  {} events\n{}", power_text(s, r),
                  show_count(static_cast<double>(r.events)), imbalance_text(r, cost, folded));
  deliver(
      o,
      fmt::format("{}\n  step time {}, {}\n{}\n{}{}{}\n{}\n{}\n{}", question_text(s),
                  show_step(r.time), power, breakdown_text(r), modalities_text(r), experts_text(r),
                  stages_text(s, r), kernels_text(r), memory_text(r.memory), evidence_text(s, r)),
      json);
  return 0;
}

}  // namespace forerun::cli
