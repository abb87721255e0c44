#include "sim/run.h"

#include <fmt/format.h>

#include <cmath>
#include <optional>

#include "cli/command.h"
#include "cli/load.h"
#include "cli/loss_report.h"
#include "cli/report.h"
#include "core/table.h"
#include "sim/error_band.h"
#include "sim/layout.h"
#include "sim/memory.h"

namespace forerun::cli {
namespace {

/// Of the constants, for the bands of the losses.
constexpr std::int64_t kDraws = 200;

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

std::string redone(const sim::RunResult& r) {
  if (r.redone_steps <= 0) return ", undisturbed";
  return fmt::format(" and {} done again after rollbacks", show_count(r.redone_steps));
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

std::string headline(const sim::Scenario& s, const sim::RunResult& r,
                     const std::optional<sim::RunLoss>& loss,
                     const std::optional<sim::TimeBand>& band) {
  const sim::Published& p = s.published;
  std::string out = line("step time", show(r.step.time),
                         p.step_time ? beside(r.step.time.base(), p.step_time->base(),
                                              show_step(*p.step_time), "slower", "faster")
                                     : std::string{});
  if (band) {
    out += line(fmt::format("{} band", show_percent(band->level, 0)).c_str(),
                fmt::format("{} to {}", show_step(band->low), show_step(band->high)),
                fmt::format("where published runs lay, {}", band->rests_on));
  }
  if (r.duration) {
    out += line("duration", show(*r.duration),
                fmt::format("{} steps of {} tokens{}", show_count(*r.steps),
                            show_count(r.tokens_per_step), redone(r)));
    out += line("GPU-hours", show_count(std::round(*r.accelerator_hours)), "");
    if (r.cost) {
      out += line("list price", show(*r.cost),
                  fmt::format("at {} an accelerator-hour{}", show(*r.cost / *r.accelerator_hours),
                              s.pools.empty() ? "" : ", on the mean"));
    }
  }
  out +=
      line("throughput", fmt::format("{}/s", show_count(std::round(r.tokens_per_second))),
           fmt::format(
               "tokens, {} for each accelerator",
               show_count(std::round(r.tokens_per_second / static_cast<double>(s.accelerators)))));
  out += line("utilisation", show_percent(r.step.model_flops_utilisation),
              "of the 16-bit peak, 6 N + 12 L Q S FLOPs a token (PaLM), recompute not counted");
  const sim::MemoryResult& m = r.step.memory;
  out +=
      p.memory
          ? line("memory", show(m.stages[m.reporting].reported),
                 beside(m.stages[m.reporting].reported.base(), p.memory->base(), show(*p.memory),
                        "more", "less"))
          : line("memory", show(m.stages[m.worst].reserved),
                 fmt::format("held of {} on stage {}", show(m.capacity), m.stages[m.worst].stage));
  if (loss) out += loss_lines(*loss);
  out += "\n";
  if (!p.source.empty()) out += wrapped("published: " + p.source, 2);
  if (r.cost) out += wrapped("price: " + s.price_source, 2);
  for (const sim::Pool& pool : s.pools) {
    if (r.cost) out += wrapped(fmt::format("{}: {}", pool.accelerator.name, pool.price_source), 2);
  }
  return out;
}

void write_run(JsonWriter& json, const sim::Scenario& s, const sim::RunResult& r,
               const std::optional<sim::RunLoss>& loss, const std::optional<sim::TimeBand>& band) {
  json.begin_object();
  write_question(json, s);
  json.key("feasible").value(true);
  write_step(json, r.step);
  if (band) {
    json.key("band").begin_object().key("level").value(band->level);
    json.key("low_s").value(band->low.base()).key("high_s").value(band->high.base());
    json.key("rests_on").value(band->rests_on).end_object();
  }
  json.key("tokens_per_second").value(r.tokens_per_second);
  json.key("steps").value(r.steps);
  json.key("days").value(r.duration ? std::optional(r.duration->in(1.0_days)) : std::nullopt);
  json.key("gpu_hours").value(r.accelerator_hours);
  json.key("list_price_usd").value(r.cost ? std::optional(r.cost->base()) : std::nullopt);
  json.key("redone_steps").value(r.redone_steps);
  if (loss) {
    write_losses(json, s, *loss, {r.step.time, std::nullopt, std::nullopt}, false);
    write_stability(json, *loss);
  }
  json.key("published").begin_object();
  json.key("step_time_s")
      .value(s.published.step_time ? std::optional(s.published.step_time->base()) : std::nullopt);
  json.key("memory_gib")
      .value(s.published.memory ? std::optional(s.published.memory->in(1.0_GiB)) : std::nullopt);
  json.key("source").value(s.published.source).end_object();
  write_memory(json, r.step.memory);
  write_inputs(json, s);
  write_identity(json, s);
  json.end_object();
}

}  // namespace

int run(const Options& o) {
  const sim::Scenario s = load_scenario(o);
  const sim::MemoryResult memory = sim::step_memory(s, sim::make_layout(s), sim::Remedies::find);
  if (!memory.fits) return deliver_infeasible(o, s, memory);
  Problems problems;
  std::optional<sim::RunLoss> loss;
  if (s.training_tokens > 0) loss = sim::run_loss(s, kDraws, o.threads, problems);
  if (!problems.empty()) refuse(o.arguments[0], problems);
  const sim::RunResult r =
      sim::simulate_run(s, loss ? loss->rolled_back : std::nullopt,
                        o.every_kernel ? sim::Detail::kernels : sim::Detail::folded);
  write_trace(o, s, r.step);
  JsonWriter json;
  const std::optional<sim::TimeBand> band = sim::time_band(sim::load_error_bands(), s, r.step.time);
  write_run(json, s, r, loss, band);
  deliver(o,
          fmt::format("{}\n{}\n{}\n{}\n{}", question_text(s), headline(s, r, loss, band),
                      breakdown_text(r.step), memory_text(r.step.memory), evidence_text(s, r.step)),
          json);
  return 0;
}

}  // namespace forerun::cli
