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

/// The day in which a run of that duration ends.
std::chrono::sys_days ends(const CostSection& c, double duration_s) {
  const double days = (c.start_hour * 3600.0 + duration_s) / 86400.0;
  return *c.start + std::chrono::days(static_cast<int>(std::floor(days)));
}

Markup time_tile(const Scenario& s, const Answer& a) {
  if (a.run) {
    const Spread& d = a.run->duration_s;
    Markup out =
        big_time(seconds(d.p50)) + about(fmt::format("8 of 10 simulated runs take {}",
                                                     range_text(seconds(d.p10), seconds(d.p90))));
    if (s.cost.start) {
      out += about(fmt::format("begun on {}, done on {} (8 of 10: {} to {})",
                               date_text(*s.cost.start), date_text(ends(s.cost, d.p50)),
                               date_text(ends(s.cost, d.p10)), date_text(ends(s.cost, d.p90))));
    }
    return tile("How long", out);
  }
  if (const std::optional<PlainRun> plain = plain_run(s, a)) {
    Markup out = big_time(plain->duration) + about(
                                                 "if nothing interrupts it: failures and saving "
                                                 "checkpoints are not in this number");
    if (s.cost.start) {
      out += about(fmt::format("begun on {}, done on {}", date_text(*s.cost.start),
                               date_text(ends(s.cost, plain->duration.base()))));
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
  if (!a.cost) return list_price_tile(s, a);
  const CostForecast& c = *a.cost;
  std::string energy = energy_text(c.energy_kwh.p50) + " of electricity";
  if (c.carbon_kg) energy += fmt::format(", {} of CO2", mass_text(c.carbon_kg->p50));
  // Where nothing has a price, a place may have been asked about.
  if (c.items.empty())
    return tile("What it draws", big(energy_text(c.energy_kwh.p50), "") + about(energy));
  const Spread& usd = c.total_usd;
  return tile("What it costs",
              big(show(Dollars(usd.p50)), "") +
                  about(fmt::format("8 of 10 simulated runs cost {}",
                                    range_text(Dollars(usd.p10), Dollars(usd.p90)))) +
                  about(energy));
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

Markup risk_tile(const Scenario& s, const Answer& a) {
  std::vector<std::pair<Markup, Markup>> rows;
  const auto add = [&](const std::string& what, double probability) {
    rows.emplace_back(what, element("b", show_percent(probability, probability < 0.1 ? 1 : 0)));
  };
  if (a.cost) {
    const CostForecast& c = *a.cost;
    if (c.by_deadline) add("done by " + date_text(*s.cost.deadline), *c.by_deadline);
    if (c.within_budget) add("costs " + show(*s.cost.budget) + " or less", *c.within_budget);
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

Markup headline(const Scenario& s, const Answer& a) {
  if (!a.step) return tiles(too_big_tile(a) + remedies_tile(a));
  return tiles(time_tile(s, a) + cost_tile(s, a) + losses_tile(a) + risk_tile(s, a));
}

}  // namespace forerun::sim::report
