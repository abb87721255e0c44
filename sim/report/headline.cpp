#include <fmt/format.h>

#include <cmath>

#include "core/table.h"
#include "sim/list_price.h"
#include "sim/report/page.h"
#include "sim/report/sections.h"
#include "sim/report/words.h"

namespace forerun::sim::report {
namespace {

Markup big_time(Seconds t) {
  const TimeUnit unit = time_unit(t);
  return big(significant(t.in(unit.unit), 3), unit.name);
}

Seconds seconds(double s) { return Seconds(s); }

std::chrono::sys_days ends(std::chrono::sys_days start, double duration_s) {
  return start + std::chrono::days(static_cast<int>(std::ceil(duration_s / 86400.0)));
}

Markup time_tile(const Scenario& s, const Answer& a, const ReportIdentity& id) {
  if (a.run) {
    const Spread& d = a.run->duration_s;
    Markup out =
        big_time(seconds(d.p50)) + about(fmt::format("8 of 10 simulated runs take {}",
                                                     range_text(seconds(d.p10), seconds(d.p90))));
    if (id.start) {
      out += about(fmt::format("begun on {}, done on {} (8 of 10: {} to {})", date_text(*id.start),
                               date_text(ends(*id.start, d.p50)), date_text(ends(*id.start, d.p10)),
                               date_text(ends(*id.start, d.p90))));
    }
    return tile("How long", out);
  }
  if (const std::optional<PlainRun> plain = plain_run(s, a)) {
    Markup out = big_time(plain->duration) + about(
                                                 "if nothing interrupts it: failures and saving "
                                                 "checkpoints are not in this number");
    if (id.start) {
      out += about(fmt::format("begun on {}, done on {}", date_text(*id.start),
                               date_text(ends(*id.start, plain->duration.base()))));
    }
    return tile("How long", out);
  }
  return tile("One step", big(show(a.step->time), "") +
                              about("the scenario does not say how many tokens are trained"));
}

/// Where nothing is known but what an accelerator's hour costs.
Markup list_price_tile(const Scenario& s, const Answer& a) {
  constexpr const char* kNothingElse = "accelerators by the hour at their list price; nothing else";
  if (a.run) {
    const auto price = [&](double duration_s) { return list_price(s, Seconds(duration_s)); };
    const Spread& d = a.run->duration_s;
    if (!price(d.p50)) return {};
    return tile("What it costs", big(show(*price(d.p50)), "") +
                                     about(fmt::format("8 of 10 simulated runs cost {}",
                                                       range_text(*price(d.p10), *price(d.p90)))) +
                                     about(kNothingElse));
  }
  const std::optional<PlainRun> plain = plain_run(s, a);
  if (!plain || !plain->price) return {};
  return tile("What it costs", big(show(*plain->price), "") + about(kNothingElse));
}

Markup cost_tile(const Scenario& s, const Answer& a) {
  if (a.cost) {
    const Spread& c = a.cost->total_usd;
    Markup out = big(show(Dollars(c.p50)), "") +
                 about(fmt::format("8 of 10 simulated runs cost {}",
                                   range_text(Dollars(c.p10), Dollars(c.p90))));
    std::string energy = energy_text(a.cost->energy_kwh.p50) + " of electricity";
    if (a.cost->carbon_kg) {
      energy += fmt::format(", {} of CO2", mass_text(a.cost->carbon_kg->p50));
    }
    return tile("What it costs", out + about(energy));
  }
  return list_price_tile(s, a);
}

Markup losses_tile(const Answer& a) {
  if (!a.loss) return {};
  if (!a.loss->losses) {
    if (a.loss->unanswered.empty()) return {};
    return tile("Where the loss ends", big("not known", "") + about(a.loss->unanswered.front()));
  }
  const models::MixtureAnswer& m = *a.loss->losses;
  const char* unit = "nats a token";
  if (m.modalities.size() == 1) {
    const models::ModalityAnswer& one = m.modalities.front();
    return tile("Where the loss ends",
                big(fmt::format("{:.3f}", one.end.loss), unit) +
                    about(fmt::format("{}; 8 of 10: {:.2f} to {:.2f}", one.name, one.band.low,
                                      one.band.high)));
  }
  std::vector<std::pair<Markup, Markup>> rows;
  for (const models::ModalityAnswer& one : m.modalities) {
    if (one.share <= 0) continue;
    rows.emplace_back(one.name,
                      element("b", fmt::format("{:.3f}", one.end.loss)) +
                          fmt::format(" ({:.2f} to {:.2f})", one.band.low, one.band.high));
  }
  return tile("Where the losses end",
              facts(rows) + about(fmt::format("{}, with the range of 8 in 10", unit)));
}

Markup risk_tile(const Answer& a, const ReportIdentity& id) {
  std::vector<std::pair<Markup, Markup>> rows;
  const auto add = [&](const std::string& what, double probability) {
    rows.emplace_back(what, element("b", show_percent(probability, probability < 0.1 ? 1 : 0)));
  };
  if (a.cost) {
    const CostForecast& c = *a.cost;
    if (c.by_deadline) {
      add(id.deadline ? fmt::format("done within {}", show(*id.deadline))
                      : std::string("done by the deadline"),
          *c.by_deadline);
    }
    if (c.within_budget) {
      add(id.budget ? fmt::format("costs {} or less", show(*id.budget))
                    : std::string("within the budget"),
          *c.within_budget);
    }
    if (c.both) add("both", *c.both);
  }
  Markup remark;
  if (a.loss && a.loss->stability) {
    add("lost: the training breaks down", a.loss->stability->lost);
    remark =
        about("lost: an order of magnitude, " +
              percent_range(a.loss->stability->lost_band.low, a.loss->stability->lost_band.high));
  }
  if (rows.empty()) return {};
  return tile("How likely", facts(rows) + remark);
}

Markup too_big_tile(const Answer& a) {
  const MemoryResult& m = a.memory;
  const StageMemory& worst = m.stages[m.worst];
  Markup out =
      big("It does not fit", "") +
      about(fmt::format("Stage {} needs {} of memory on each accelerator, {} more than the "
                        "{} there. It cannot run, so there are no days and no cost.",
                        worst.stage, show(worst.reserved), show(m.over), show(worst.capacity)));
  return element("section", "class=\"tile verdict\"", element("h2", "Answer") + out);
}

Markup remedies_tile(const Answer& a) {
  if (a.memory.remedies.empty()) {
    return tile("What would fit", about("No change of one knob of the plan makes it fit."));
  }
  std::vector<Markup> items(a.memory.remedies.begin(), a.memory.remedies.end());
  return tile("What would fit, one change at a time", list(items));
}

}  // namespace

std::optional<PlainRun> plain_run(const Scenario& s, const Answer& a) {
  if (!a.steps || !a.step) return std::nullopt;
  const Seconds duration = *a.steps * a.step->time;
  return PlainRun{duration, list_price(s, duration)};
}

Markup headline(const Scenario& s, const Answer& a, const ReportIdentity& id) {
  if (!a.step) return tiles(too_big_tile(a) + remedies_tile(a));
  return tiles(time_tile(s, a, id) + cost_tile(s, a) + losses_tile(a) + risk_tile(a, id));
}

}  // namespace forerun::sim::report
