// forerun compare: several scenarios side by side, each simulated, relative to the first.

#include <fmt/format.h>

#include <functional>
#include <optional>
#include <string>
#include <vector>

#include "cli/command.h"
#include "cli/compare_losses.h"
#include "cli/cost_report.h"
#include "cli/load.h"
#include "cli/loss_report.h"
#include "cli/report.h"
#include "cli/run_report.h"
#include "core/table.h"
#include "models/flops.h"
#include "models/parameters.h"
#include "sim/answer/answer.h"

namespace forerun::cli {
namespace {

/// One scenario's answer.
struct Side {
  sim::Scenario scenario;
  sim::MemoryResult memory;
  sim::StepResult step;  ///< where it fits
  sim::RunLoss loss;     ///< of a training; nothing in it where one step only is asked
  std::optional<sim::RunForecast> run;  ///< likewise; nothing where it does not fit
  std::optional<sim::CostForecast> cost;
  double flops = 0;   ///< of a token, causal, in the convention of Megatron
  double tokens = 0;  ///< of a step

  [[nodiscard]] double tokens_per_second() const {
    return tokens / step.time.base() / static_cast<double>(scenario.accelerators);
  }
  [[nodiscard]] double flops_per_second() const { return flops * tokens_per_second(); }
};

Side simulate(const Options& options, const std::string& argument) {
  Options one = options;
  one.arguments = {argument};
  Side side;
  side.scenario = load_scenario(one);
  const sim::Scenario& s = side.scenario;
  Problems problems;
  sim::AnswerOptions asked;
  asked.threads = options.threads;
  asked.remedies = sim::Remedies::skip;
  sim::Answer answer = sim::answer(s, asked, problems);
  side.memory = answer.memory;
  if (answer.step) side.step = *std::move(answer.step);
  side.run = std::move(answer.run);
  side.cost = std::move(answer.cost);
  if (answer.loss) {
    side.loss = *std::move(answer.loss);
  } else if (s.training_tokens > 0) {
    // What does not fit on that machine still has losses.
    side.loss = sim::run_loss(s, asked.loss_draws, options.threads, problems);
  }
  if (!problems.empty()) refuse(argument, problems);
  side.flops =
      models::flops_per_token(s.model, s.plan.sequence, models::FlopConvention::megatron_causal);
  side.tokens = sim::tokens_per_step(s);
  return side;
}

Seconds spent(const Side& s, sim::Category c) {
  return s.step.breakdown[static_cast<std::size_t>(c)];
}

Seconds exchanges(const Side& s) {
  using enum sim::Category;
  Seconds sum{};
  for (const sim::Category c :
       {tensor_exchange, context_exchange, expert_exchange, data_exchange, pipeline_exchange}) {
    sum += spent(s, c);
  }
  return sum;
}

std::string of_step(const Side& s, Seconds part) {
  return part > Seconds(0) ? show_percent(part / s.step.time) : "";
}

std::string against(double value, double first) { return fmt::format("{:.3f}", value / first); }

struct Line {
  std::string name;
  std::function<std::string(const Side&)> of;
  bool needs_step = true;
};

std::vector<Line> lines(const Side& first) {
  using enum sim::Category;
  const bool trained = first.scenario.training_tokens > 0;
  std::vector<Line> all = {
      {"model", [](const Side& s) { return s.scenario.model.name; }, false},
      {"parameters",
       [](const Side& s) {
         return show_count(static_cast<double>(models::parameters(s.scenario.model).total()));
       },
       false},
      {"of which a token uses",
       [](const Side& s) {
         return show_count(
             static_cast<double>(models::active_parameters(s.scenario.model).total()));
       },
       false},
      {"FLOPs a token", [](const Side& s) { return fmt::format("{:.4g}", s.flops); }, false},
      {"accelerators",
       [](const Side& s) { return show_count(static_cast<double>(s.scenario.accelerators)); },
       false},
      {"memory held",
       [](const Side& s) {
         const Bytes held = s.memory.stages[s.memory.worst].reserved;
         return s.memory.fits ? show(held)
                              : fmt::format("{}, {} over", show(held), show(s.memory.over));
       },
       false},
      {"step time", [](const Side& s) { return show_step(s.step.time); }},
      {"tokens a second, each",
       [](const Side& s) { return fmt::format("{:.0f}", s.tokens_per_second()); }},
      {"relative to the first",
       [&first](const Side& s) {
         return against(s.tokens_per_second(), first.tokens_per_second());
       }},
      {"at equal FLOPs",
       [&first](const Side& s) { return against(s.flops_per_second(), first.flops_per_second()); }},
      {"compute",
       [](const Side& s) { return of_step(s, spent(s, compute) + spent(s, recompute)); }},
      {"exchanges waited for", [](const Side& s) { return of_step(s, exchanges(s)); }},
      {"bubble", [](const Side& s) { return of_step(s, spent(s, bubble)); }},
      {"host", [](const Side& s) { return of_step(s, spent(s, host)); }},
      {"imbalance", [](const Side& s) { return of_step(s, spent(s, imbalance)); }},
  };
  if (trained) {
    const auto hours = [](const Side& s, double seconds) {
      return show_count(std::round(seconds / 3600 * static_cast<double>(s.scenario.accelerators)));
    };
    all.push_back({"duration of the training", [](const Side& s) {
                     return s.run ? show(Seconds(s.run->duration_s.p50)) : "";
                   }});
    all.push_back({"80 % within", [](const Side& s) {
                     return s.run ? fmt::format("{} to {}", show(Seconds(s.run->duration_s.p10)),
                                                show(Seconds(s.run->duration_s.p90)))
                                  : "";
                   }});
    all.push_back(
        {"goodput", [](const Side& s) { return s.run ? show_percent(s.run->goodput.p50) : ""; }});
    all.push_back({"accelerator-hours", [hours](const Side& s) {
                     return s.run ? hours(s, s.run->duration_s.p50) : "";
                   }});
    all.push_back(
        {"cost", [](const Side& s) { return s.cost ? show(Dollars(s.cost->total_usd.p50)) : ""; }});
  }
  return all;
}

void write(JsonWriter& json, const std::vector<Side>& sides) {
  json.begin_object().key("compared").begin_array();
  for (const Side& s : sides) {
    json.begin_object();
    write_question(json, s.scenario);
    json.key("feasible").value(s.memory.fits);
    json.key("flops_per_token").value(s.flops);
    if (s.memory.fits) {
      write_step(json, s.step);
      json.key("tokens_per_second_each").value(s.tokens_per_second());
      json.key("flops_per_second_each").value(s.flops_per_second());
    }
    write_memory(json, s.memory);
    if (s.run) write_forecast(json, *s.run);
    write_cost_forecast(json, s.scenario, s.cost);
    if (s.scenario.training_tokens > 0) {
      write_losses(json, s.scenario, s.loss, {}, false);
      write_stability(json, s.loss);
    }
    write_identity(json, s.scenario);
    json.end_object();
  }
  json.end_array().end_object();
}

}  // namespace

int compare(const Options& o) {
  std::vector<Side> sides;
  for (const std::string& argument : o.arguments) sides.push_back(simulate(o, argument));
  std::vector<std::pair<std::string, Table::Align>> columns = {{"", Table::Align::left}};
  for (const Side& s : sides) columns.emplace_back(s.scenario.name, Table::Align::right);
  Table table(columns);
  for (const Line& line : lines(sides.front())) {
    std::vector<std::string> cells = {line.name};
    bool any = false;
    for (const Side& s : sides) {
      const bool can = !line.needs_step || (s.memory.fits && sides.front().memory.fits);
      cells.push_back(can ? line.of(s) : "");
      any |= !cells.back().empty();
    }
    if (any) table.row(std::move(cells));
  }
  std::vector<std::string> names;
  std::vector<sim::RunLoss> losses;
  for (const Side& s : sides) {
    names.push_back(s.scenario.name);
    losses.push_back(s.loss);
  }
  std::string beside = losses_table(names, losses);
  if (!beside.empty()) {
    beside =
        "\nlosses and stability, 80 % bands; counts of spikes are orders of magnitude\n" + beside;
  }
  JsonWriter json;
  write(json, sides);
  deliver(
      o,
      table.text() + beside +
          "\nFLOPs a token: 6 W + 6 L Q S (models/flops.h), of a token's own path through towers "
          "and experts.\nAt equal FLOPs: FLOPs a second against the first's; below 1 the same "
          "FLOPs take longer.\n",
      json);
  return 0;
}

}  // namespace forerun::cli
