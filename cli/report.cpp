#include "cli/report.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <cstdio>
#include <map>
#include <numeric>
#include <vector>

#include "cli/network_report.h"
#include "cli/uneven_report.h"
#include "core/error.h"
#include "core/file.h"
#include "core/table.h"
#include "models/parameters.h"
#include "sim/plan_json.h"
#include "sim/provenance.h"
#include "sim/trace.h"

namespace forerun::cli {
namespace {

constexpr int kBarWidth = 32;
constexpr std::size_t kLineWidth = 100;

double gib(Bytes b) { return b.in(1.0_GiB); }

std::string share_line(const std::string& name, const std::string& amount, double share) {
  std::string out = fmt::format("  {:<44} {:>10} {:>8}  {}", name, amount, show_percent(share),
                                bar(share, kBarWidth));
  out.erase(out.find_last_not_of(' ') + 1);
  return out + "\n";
}

}  // namespace

std::string category_key(std::size_t category) {
  std::string key(sim::name(static_cast<sim::Category>(category)));
  std::replace(key.begin(), key.end(), ' ', '_');
  return key;
}

std::string bar(double fraction, int width) {
  static constexpr const char* kEighths[] = {"", "▏", "▎", "▍", "▌", "▋", "▊", "▉"};
  const double cells = std::clamp(fraction, 0.0, 1.0) * width;
  auto eighths = static_cast<int>(std::lround(cells * 8));
  std::string out;
  for (; eighths >= 8; eighths -= 8) out += "█";
  return out + kEighths[eighths];
}

std::string wrapped(std::string_view text, std::size_t indent) {
  std::string out, line;
  const auto flush = [&] {
    if (!line.empty()) out += std::string(indent, ' ') + line + "\n";
    line.clear();
  };
  while (!text.empty()) {
    const std::size_t end = std::min(text.find(' '), text.size());
    const std::string_view word = text.substr(0, end);
    if (!line.empty() && indent + line.size() + 1 + word.size() > kLineWidth) flush();
    if (!line.empty()) line += ' ';
    line += word;
    text.remove_prefix(std::min(end + 1, text.size()));
  }
  flush();
  return out;
}

std::string show_step(Seconds t) {
  return t < 1.0_s ? show(t) : fmt::format("{} s", significant(t.base(), 4));
}

std::string question_text(const sim::Scenario& s) {
  std::string out = fmt::format("{}\n", s.name);
  if (!s.description.empty()) out += wrapped(s.description, 0);
  out += fmt::format("\n  {}: {} parameters\n", s.model.name,
                     show_count(static_cast<double>(models::parameters(s.model).total())));
  out += fmt::format("  {} x {}, network {}\n", show_count(static_cast<double>(s.accelerators)),
                     s.accelerator.name, network_text(s));
  out += wrapped(sim::plan_text(s.plan), 2);
  out += fmt::format("  {} sequences of {} tokens a step, {}, as {} does it\n",
                     show_count(static_cast<double>(s.plan.global_batch)),
                     show_count(static_cast<double>(s.plan.sequence)),
                     models::name(s.plan.precision), s.framework.name);
  return out;
}

std::string rank_text(const sim::StepResult& r) {
  const auto stages = static_cast<std::int64_t>(r.memory.stages.size());
  if (r.imbalance.lanes == 1) return fmt::format("stage {}", r.rank);
  return fmt::format("stage {} of lane {}", r.rank % stages, r.rank / stages);
}

std::string breakdown_text(const sim::StepResult& r) {
  std::vector<std::size_t> order(r.breakdown.size());
  std::iota(order.begin(), order.end(), std::size_t{0});
  std::stable_sort(order.begin(), order.end(),
                   [&](std::size_t a, std::size_t b) { return r.breakdown[a] > r.breakdown[b]; });
  std::string out = fmt::format("where the step's {} go ({})\n\n", show_step(r.time), rank_text(r));
  for (const std::size_t i : order) {
    if (r.breakdown[i].base() <= 0) continue;
    out += share_line(std::string(sim::name(static_cast<sim::Category>(i))), show(r.breakdown[i]),
                      r.breakdown[i] / r.time);
  }
  return out;
}

std::string power_text(const sim::Scenario& s, const sim::StepResult& r) {
  // Below this the mean differs from the cap by the mix of kernels in a step, not by a broken cap.
  constexpr double kNoticed = 1.005;
  const hw::PowerModel& board = s.accelerator.power;
  std::string out = fmt::format("clock {} of the burst clock, {} W on the mean",
                                show_percent(r.clock, 0), significant(r.power.base(), 3));
  if (r.power > board.cap * kNoticed) {
    out += fmt::format(": the cap of {} W cannot be held{}", significant(board.cap.base(), 3),
                       r.clock <= board.least_clock ? " at the least clock" : "");
  }
  return out;
}

std::string memory_text(const sim::MemoryResult& m) {
  const sim::StageMemory& worst = m.stages[m.worst];
  std::string out =
      fmt::format("memory of stage {} at its peak ({}): {} in use, {} held, of {}\n\n", worst.stage,
                  worst.moment, show(worst.peak), show(worst.reserved), show(m.capacity));
  for (const sim::MemoryOwner& owner : worst.owners) {
    out += share_line(owner.name, show(owner.bytes), owner.bytes / m.capacity);
  }
  return out;
}

std::string infeasible_text(const sim::MemoryResult& m) {
  const sim::StageMemory& worst = m.stages[m.worst];
  std::string out = fmt::format("infeasible: {} over on stage {} ({} held, {} there)\n",
                                show(m.over), worst.stage, show(worst.reserved), show(m.capacity));
  if (m.remedies.empty()) {
    out += "no change of one knob makes it fit\n";
  } else {
    out += "it fits with\n";
    for (const std::string& remedy : m.remedies) out += fmt::format("  {}\n", remedy);
  }
  return out;
}

std::string evidence_text(const sim::Scenario& s, const sim::StepResult& r) {
  Seconds total{};
  for (const Seconds part : r.by_evidence) total += part;
  std::vector<std::string> parts;
  for (std::size_t i = 0; i < r.by_evidence.size() && total.base() > 0; ++i) {
    if (r.by_evidence[i].base() <= 0) continue;
    parts.push_back(fmt::format("{} {}", name(static_cast<DurationEvidence>(i)),
                                show_percent(r.by_evidence[i] / total, 0)));
  }
  std::string out = "evidence\n\n";
  out += fmt::format("  kernel times: {}\n", fmt::join(parts, ", "));
  const sim::Provenance inputs = sim::provenance(s);
  std::vector<std::string> counts;
  std::map<std::string, std::vector<std::string>> assumed;
  for (std::size_t i = 0; i < inputs.by_evidence.size(); ++i) {
    if (inputs.by_evidence[i] == 0) continue;
    counts.push_back(fmt::format("{} {}", inputs.by_evidence[i], name(static_cast<Evidence>(i))));
  }
  for (const sim::InputFact& f : inputs.facts) {
    if (f.evidence == Evidence::assumed) assumed[f.owner].push_back(f.fact);
  }
  out += fmt::format("  input facts: {}\n", fmt::join(counts, ", "));
  for (const auto& [owner, facts] : assumed) {
    out += wrapped(fmt::format("assumed of {}: {}", owner, fmt::join(facts, ", ")), 2);
  }
  for (const std::string& a : s.assumptions) out += wrapped("assumed: " + a, 2);
  return out +
         fmt::format("\nseed {}, forerun {}, input {:016x}\n", s.seed, FORERUN_VERSION, s.hash);
}

void write_inputs(JsonWriter& json, const sim::Scenario& s) {
  const sim::Provenance inputs = sim::provenance(s);
  json.key("weakest_input").value(name(inputs.weakest)).key("inputs").begin_array();
  for (const sim::InputFact& f : inputs.facts) {
    json.begin_object().key("of").value(f.owner).key("fact").value(f.fact);
    json.key("evidence").value(name(f.evidence)).key("source").value(f.source).end_object();
  }
  json.end_array().key("assumptions").begin_array();
  for (const std::string& a : s.assumptions) json.value(a);
  json.end_array();
}

void write_identity(JsonWriter& json, const sim::Scenario& s) {
  json.key("seed").value(static_cast<std::int64_t>(s.seed));
  json.key("version").value(FORERUN_VERSION);
  json.key("input_hash").value(fmt::format("{:016x}", s.hash));
}

void write_question(JsonWriter& json, const sim::Scenario& s) {
  json.key("name").value(s.name);
  json.key("model").value(s.model.name);
  json.key("parameters").value(models::parameters(s.model).total());
  json.key("accelerator").value(s.accelerator.name);
  json.key("accelerators").value(s.accelerators);
  write_network(json, s);
  json.key("framework").value(s.framework.name);
}

void write_memory(JsonWriter& json, const sim::MemoryResult& m) {
  json.key("memory").begin_object();
  json.key("fits").value(m.fits).key("capacity_gib").value(gib(m.capacity));
  json.key("over_gib").value(gib(m.over));
  json.key("stages").begin_array();
  for (const sim::StageMemory& stage : m.stages) {
    json.begin_object().key("stage").value(stage.stage);
    json.key("peak_gib").value(gib(stage.peak)).key("reserved_gib").value(gib(stage.reserved));
    json.key("after_step_gib").value(gib(stage.after_step));
    json.key("reported_gib").value(gib(stage.reported)).key("owners").begin_array();
    for (const sim::MemoryOwner& owner : stage.owners) {
      json.begin_object().key("name").value(owner.name).key("gib").value(gib(owner.bytes));
      json.end_object();
    }
    json.end_array().end_object();
  }
  json.end_array().key("remedies").begin_array();
  for (const std::string& remedy : m.remedies) json.value(remedy);
  json.end_array().end_object();
}

void write_step(JsonWriter& json, const sim::StepResult& r) {
  json.key("step_time_s").value(r.time.base());
  json.key("model_flops_utilisation").value(r.model_flops_utilisation);
  json.key("clock").value(r.clock).key("power_w").value(r.power.base());
  json.key("breakdown_s").begin_object();
  for (std::size_t i = 0; i < r.breakdown.size(); ++i) {
    json.key(category_key(i)).value(r.breakdown[i].base());
  }
  json.end_object().key("kernel_time_by_evidence_s").begin_object();
  for (std::size_t i = 0; i < r.by_evidence.size(); ++i) {
    json.key(name(static_cast<DurationEvidence>(i))).value(r.by_evidence[i].base());
  }
  json.end_object();
  write_uneven(json, r);
  json.key("events").value(static_cast<std::int64_t>(r.events));
}

void deliver(const Options& o, const std::string& text, const JsonWriter& json) {
  if (o.json == "-") {
    fmt::print("{}", json.text());
    return;
  }
  if (!o.json.empty()) write_file(o.json, json.text());
  fmt::print("{}", text);
}

int deliver_infeasible(const Options& o, const sim::Scenario& s, const sim::MemoryResult& m) {
  JsonWriter json;
  json.begin_object();
  write_question(json, s);
  json.key("feasible").value(false);
  write_memory(json, m);
  write_identity(json, s);
  json.end_object();
  deliver(o, question_text(s) + "\n" + infeasible_text(m) + "\n" + memory_text(m), json);
  return static_cast<int>(ExitCode::infeasible);
}

void write_trace(const Options& o, const sim::Scenario& s, const sim::StepResult& r) {
  if (o.trace.empty()) return;
  write_file(o.trace, sim::chrome_trace(*r.program, *r.execution,
                                        {{"scenario", s.name},
                                         {"seed", fmt::format("{}", s.seed)},
                                         {"version", FORERUN_VERSION},
                                         {"input_hash", fmt::format("{:016x}", s.hash)}}));
}

}  // namespace forerun::cli
