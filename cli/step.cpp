#include "sim/step.h"

#include <fmt/format.h>

#include <algorithm>

#include "cli/command.h"
#include "cli/load.h"
#include "cli/network_report.h"
#include "cli/report.h"
#include "cli/uneven_report.h"
#include "core/table.h"
#include "sim/layout.h"
#include "sim/memory.h"

namespace forerun::cli {
namespace {

constexpr std::size_t kTopKernels = 20;
constexpr std::size_t kMostStages = 40;
constexpr std::size_t kMostOfLanes = 16;  ///< stages of all lanes together

/// What a chunk holds besides layers, of all of a stage.
std::string holdings(const std::vector<sim::Chunk>& chunks) {
  bool encoder = false, embedding = false, head = false;
  for (const sim::Chunk& chunk : chunks) {
    encoder |= chunk.encoder.has_value();
    embedding |= chunk.embedding;
    head |= chunk.head;
  }
  const std::string ends = embedding && head ? "both ends"
                           : embedding       ? "embedding"
                           : head            ? "head"
                                             : "";
  return !encoder ? ends : ends.empty() ? "encoder" : "encoder, " + ends;
}

/// Ranks to show: all stages of all lanes, or, if those are many, of each stage that of the lane
/// that computes longest.
std::vector<std::size_t> shown_ranks(const sim::StepResult& r, std::size_t stages) {
  const bool all = r.imbalance.lanes == 1 || r.by_rank.size() <= kMostOfLanes;
  const auto computes = [&](std::size_t rank) {
    return r.by_rank[rank][static_cast<std::size_t>(sim::Category::compute)] +
           r.by_rank[rank][static_cast<std::size_t>(sim::Category::recompute)];
  };
  std::vector<std::size_t> ranks;
  for (std::size_t rank = 0; rank < r.by_rank.size(); ++rank) {
    if (all || rank < stages) {
      ranks.push_back(rank);
    } else if (computes(rank) > computes(ranks[rank % stages])) {
      ranks[rank % stages] = rank;
    }
  }
  return ranks;
}

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
  std::vector<std::size_t> ranks = shown_ranks(r, layout.chunks.size());
  const std::size_t more = ranks.size() - std::min(ranks.size(), kMostStages);
  ranks.resize(ranks.size() - more);
  for (const std::size_t rank : ranks) {
    const std::size_t stage = rank % layout.chunks.size();
    std::vector<std::string> cells = {
        r.imbalance.lanes == 1 ? fmt::format("{}", stage)
                               : fmt::format("{} of lane {}", stage, rank / layout.chunks.size()),
        fmt::format("{}", layout.stage_layers(static_cast<std::int64_t>(stage))),
        holdings(layout.chunks[stage])};
    for (const std::size_t c : shown) cells.push_back(show(r.by_rank[rank][c]));
    const sim::StageMemory& memory = r.memory.stages[stage];
    cells.push_back(show(memory.peak));
    cells.push_back(show(memory.reserved));
    table.row(std::move(cells));
  }
  std::string out = "stages";
  if (ranks.size() + more < r.by_rank.size()) {
    out += fmt::format(" (of each that of the lane that computes longest; --json has all {} lanes)",
                       r.imbalance.lanes);
  }
  out += "\n\n" + table.text();
  if (more > 0) out += fmt::format("and {} more (--json has all)\n", more);
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
    const std::size_t stages = r.memory.stages.size();
    json.begin_object().key("stage").value(static_cast<std::int64_t>(rank % stages));
    json.key("lane").value(static_cast<std::int64_t>(rank / stages));
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
  write_contention(json, r);
  write_stages(json, r);
  write_memory(json, r.memory);
  write_inputs(json, s);
  write_identity(json, s);
  json.end_object();
  const std::string power =
      fmt::format("{}\n  {} events\n{}", power_text(s, r),
                  show_count(static_cast<double>(r.events)), imbalance_text(r, cost, folded));
  deliver(o,
          fmt::format("{}\n  step time {}, {}\n{}\n{}{}{}{}\n{}\n{}\n{}", question_text(s),
                      show_step(r.time), power, breakdown_text(r), contention_text(r),
                      modalities_text(r), experts_text(r), stages_text(s, r), kernels_text(r),
                      memory_text(r.memory), evidence_text(s, r)),
          json);
  return 0;
}

}  // namespace forerun::cli
