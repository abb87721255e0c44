#include <fmt/format.h>

#include <cmath>
#include <optional>

#include "cli/command.h"
#include "cli/cost_report.h"
#include "cli/load.h"
#include "cli/loss_report.h"
#include "cli/page.h"
#include "cli/report.h"
#include "cli/run_report.h"
#include "core/table.h"
#include "sim/answer/answer.h"
#include "sim/error_band.h"
#include "sim/list_price.h"

namespace forerun::cli {
namespace {

constexpr std::int64_t kRunDraws = 400;  // of the run in time

std::string line(const char* what, const std::string& value, const std::string& remark) {
  std::string out = fmt::format("  {:<14} {:<14} {}", what, value, remark);
  out.erase(out.find_last_not_of(' ') + 1);
  return out + "\n";
}

/// "published 5.41 s, predicted 1.5 % faster".
std::string beside(double predicted, double published, const std::string& shown, const char* more,
                   const char* less) {
  const double difference = predicted / published - 1.0;
  return fmt::format("published {}, predicted {} {}", shown, show_percent(std::abs(difference)),
                     difference < 0 ? less : more);
}

/// Where the losses end and whether the run gets there, a line each: `forerun loss` has the rest.
std::string loss_lines(const sim::RunLoss& r) {
  std::string out;
  if (r.losses) {
    const models::MixtureAnswer& a = *r.losses;
    const auto lines_of = [&](const std::string& name, double loss, const models::Band& band,
                              const std::string& more) {
      out +=
          line(("loss, " + name).c_str(), fmt::format("{:.3f} nats", loss),
               fmt::format("a token, 80 % within {:.2f} to {:.2f}{}", band.low, band.high, more));
    };
    for (const models::ModalityAnswer& m : a.modalities) {
      lines_of(m.name, m.end.loss, m.band,
               a.modalities.size() > 1 ? "" : fmt::format(", law {}", r.law->name));
    }
    if (a.modalities.size() > 1) {
      lines_of("mean", a.mean, a.mean_band,
               fmt::format(", law {} ({})", r.law->name, forerun::name(a.evidence)));
    }
  }
  if (r.losses) {
    // Beyond the sentences that go with every answer of the law.
    for (std::size_t i = r.law->caveats.size(); i < r.losses->warnings.size(); ++i) {
      out += wrapped("warning: " + r.losses->warnings[i], 2);
    }
  }
  if (r.stability) {
    const stability::StabilityReport& s = *r.stability;
    out += line("lost by then", show_percent(s.lost),
                fmt::format("probability, {} to {}; {:.2g} loss spikes expected (orders of "
                            "magnitude)",
                            show_percent(s.lost_band.low, 0), show_percent(s.lost_band.high, 0),
                            s.expected.loss));
  }
  for (const std::string& u : r.unanswered) out += line("not answered", "", u);
  return out;
}

std::string headline(const sim::Scenario& s, const sim::Answer& a,
                     const std::optional<sim::TimeBand>& band) {
  const sim::Published& p = s.published;
  const sim::StepResult& step = *a.step;
  std::string out = line("step time", show(step.time),
                         p.step_time ? beside(step.time.base(), p.step_time->base(),
                                              show_step(*p.step_time), "slower", "faster")
                                     : std::string{});
  if (band) {
    out += line(fmt::format("{} band", show_percent(band->level, 0)).c_str(),
                fmt::format("{} to {}", show_step(band->low), show_step(band->high)),
                fmt::format("where published runs lay, {}", band->rests_on));
  }
  if (a.run) {
    for (const HeadlineRow& row : run_headline(s, *a.run, *a.steps)) {
      out += line(row.what.c_str(), row.value, row.remark);
    }
  }
  if (a.cost) {
    for (const HeadlineRow& row : cost_headline(s, *a.cost)) {
      out += line(row.what.c_str(), row.value, row.remark);
    }
  }
  const double rate = a.tokens_per_step / step.time.base();
  out += line("throughput", fmt::format("{}/s", show_count(std::round(rate))),
              fmt::format("tokens, {} for each accelerator",
                          show_count(std::round(rate / static_cast<double>(s.accelerators)))));
  out += line("utilisation", show_percent(step.model_flops_utilisation),
              "of the 16-bit peak, 6 N + 12 L Q S FLOPs a token (PaLM), recompute not counted");
  const sim::MemoryResult& m = a.memory;
  out +=
      p.memory
          ? line("memory", show(m.stages[m.reporting].reported),
                 beside(m.stages[m.reporting].reported.base(), p.memory->base(), show(*p.memory),
                        "more", "less"))
          : line("memory", show(m.stages[m.worst].reserved),
                 fmt::format("held of {} on stage {}", show(m.capacity), m.stages[m.worst].stage));
  if (a.loss) out += loss_lines(*a.loss);
  out += "\n";
  if (!p.source.empty()) out += wrapped("published: " + p.source, 2);
  return out;
}

void write_answer(JsonWriter& json, const sim::Scenario& s, const sim::Answer& a,
                  const std::optional<sim::TimeBand>& band) {
  json.begin_object();
  write_question(json, s);
  json.key("feasible").value(true);
  write_step(json, *a.step);
  if (band) {
    json.key("band").begin_object().key("level").value(band->level);
    json.key("low_s").value(band->low.base()).key("high_s").value(band->high.base());
    json.key("rests_on").value(band->rests_on).end_object();
  }
  json.key("tokens_per_second").value(a.tokens_per_step / a.step->time.base());
  json.key("steps").value(a.steps);
  const std::optional<Seconds> median =
      a.run ? std::optional(Seconds(a.run->duration_s.p50)) : std::nullopt;
  json.key("days").value(median ? std::optional(median->in(1.0_days)) : std::nullopt);
  json.key("gpu_hours")
      .value(median ? std::optional(median->in(1.0_h) * static_cast<double>(s.accelerators))
                    : std::nullopt);
  const auto price = median ? sim::list_price(s, *median) : std::nullopt;
  json.key("list_price_usd").value(price ? std::optional(price->base()) : std::nullopt);
  if (a.run) write_forecast(json, *a.run);
  write_cost_forecast(json, s, a.cost);
  if (a.loss) {
    write_losses(json, s, *a.loss, {a.step->time, std::nullopt, std::nullopt}, false);
    write_stability(json, *a.loss);
  }
  json.key("published").begin_object();
  json.key("step_time_s")
      .value(s.published.step_time ? std::optional(s.published.step_time->base()) : std::nullopt);
  json.key("memory_gib")
      .value(s.published.memory ? std::optional(s.published.memory->in(1.0_GiB)) : std::nullopt);
  json.key("source").value(s.published.source).end_object();
  write_memory(json, a.memory);
  write_inputs(json, s);
  write_identity(json, s);
  json.end_object();
}

}  // namespace

int run(const Options& o) {
  check_page_name(o);
  const sim::Scenario s = load_scenario(o);
  sim::AnswerOptions options;
  options.run_draws = o.draws.value_or(kRunDraws);
  options.threads = o.threads;
  options.detail = o.every_kernel ? sim::Detail::kernels : sim::Detail::folded;
  Problems problems;
  const sim::Answer a = sim::answer(s, options, problems);
  if (!a.step) {
    write_page(o, s, a);
    return deliver_infeasible(o, s, a.memory);
  }
  if (!problems.empty()) refuse(o.arguments[0], problems);
  write_trace(o, s, *a.step);
  write_page(o, s, a);
  JsonWriter json;
  const std::optional<sim::TimeBand> band =
      sim::time_band(sim::load_error_bands(), s, a.step->time);
  write_answer(json, s, a, band);
  std::string text = fmt::format("{}\n{}\n", question_text(s), headline(s, a, band));
  if (a.run) text += forecast_text(s, *a.run) + "\n";
  if (a.cost) text += cost_text(*a.cost) + "\n";
  deliver(o,
          text + fmt::format("{}\n{}\n{}", breakdown_text(*a.step), memory_text(a.memory),
                             evidence_text(s, *a.step)),
          json);
  return 0;
}

}  // namespace forerun::cli
