// An answer's numbers by name, for tables of many answers.

#include <string_view>

#include "sim/answer/answer.h"

namespace forerun::sim {
namespace {

constexpr double kDay = 86400, kHour = 3600;

class List {
 public:
  void add(std::string name, std::string_view unit, std::optional<double> value,
           Evidence evidence = Evidence::derived) {
    out_.push_back({std::move(name), std::string(unit), value, evidence});
  }
  /// P10, P50, P90 and mean; nothing in each where there is none.
  void spread(const std::string& name, std::string_view unit, const Spread* s, double scale,
              Evidence evidence) {
    const auto one = [&](const char* which, double Spread::* part) {
      add(name + which, unit, s != nullptr ? std::optional(s->*part * scale) : std::nullopt,
          evidence);
    };
    one("_p10", &Spread::p10);
    one("_p50", &Spread::p50);
    one("_p90", &Spread::p90);
    one("_mean", &Spread::mean);
  }
  std::vector<Metric> take() { return std::move(out_); }

 private:
  std::vector<Metric> out_;
};

template <class T, class Of>
std::optional<double> maybe(const std::optional<T>& from, Of of) {
  return from ? std::optional<double>(of(*from)) : std::nullopt;
}

void add_step(List& out, const Answer& a) {
  const StageMemory& worst = a.memory.stages[a.memory.worst];
  out.add("fits", "", a.memory.fits ? 1.0 : 0.0);
  out.add("memory_gib", "GiB", worst.reserved.base() / 0x1p30);
  out.add("memory_left_gib", "GiB", (worst.capacity - worst.reserved).base() / 0x1p30);
  out.add("parameters", "", a.parameters);
  out.add("tokens_per_step", "", a.tokens_per_step);
  out.add("step_s", "s", maybe(a.step, [](const StepResult& s) { return s.time.base(); }));
  out.add("tokens_per_second", "1/s",
          maybe(a.step, [&](const StepResult& s) { return a.tokens_per_step / s.time.base(); }));
  out.add("mfu", "", maybe(a.step, [](const StepResult& s) { return s.model_flops_utilisation; }));
  out.add("power_w", "W", maybe(a.step, [](const StepResult& s) { return s.power.base(); }));
}

void add_run(List& out, const Scenario& s, const Answer& a) {
  const RunForecast* run = a.run ? &*a.run : nullptr;
  const Evidence e = run != nullptr ? run->evidence : Evidence::derived;
  out.add("steps", "", a.steps);
  out.add("days_undisturbed", "d",
          maybe(a.run, [](const RunForecast& r) { return r.undisturbed.base() / kDay; }));
  out.spread("days", "d", run != nullptr ? &run->duration_s : nullptr, 1 / kDay, e);
  out.spread("accelerator_hours", "h", run != nullptr ? &run->duration_s : nullptr,
             static_cast<double>(s.accelerators) / kHour, e);
  out.spread("goodput", "", run != nullptr ? &run->goodput : nullptr, 1, e);
  out.spread("interruptions", "", run != nullptr ? &run->interruptions : nullptr, 1, e);
  out.add("given_up", "", maybe(a.run, [](const RunForecast& r) { return r.given_up; }), e);
  for (std::size_t i = 0; i < kTimeUses; ++i) {
    const auto use = static_cast<TimeUse>(i);
    out.add("share." + std::string(name(use)), "",
            maybe(a.run, [i](const RunForecast& r) { return r.parts[i].share.mean; }), e);
  }
  out.add("checkpoint_interval_s", "s",
          maybe(a.run, [](const RunForecast& r) { return r.checkpoint_interval.base(); }));
  out.add(
      "best_checkpoint_interval_s", "s",
      a.run && a.run->best_interval ? std::optional(a.run->best_interval->base()) : std::nullopt);
}

void add_cost(List& out, const Answer& a) {
  const CostForecast* cost = a.cost ? &*a.cost : nullptr;
  const Evidence e = cost != nullptr ? cost->evidence : Evidence::derived;
  const bool priced = cost != nullptr && !cost->items.empty();
  out.spread("cost_usd", "USD", priced ? &cost->total_usd : nullptr, 1, e);
  out.spread("energy_kwh", "kWh", cost != nullptr ? &cost->energy_kwh : nullptr, 1, e);
  out.spread("carbon_kg", "kg", cost != nullptr && cost->carbon_kg ? &*cost->carbon_kg : nullptr, 1,
             e);
  const auto chance = [&](std::optional<double> CostForecast::* which) {
    return cost != nullptr ? cost->*which : std::nullopt;
  };
  out.add("by_deadline", "", chance(&CostForecast::by_deadline), e);
  out.add("within_budget", "", chance(&CostForecast::within_budget), e);
  out.add("by_deadline_within_budget", "", chance(&CostForecast::both), e);
}

void add_loss(List& out, const Answer& a) {
  const models::MixtureAnswer* losses = a.loss && a.loss->losses ? &*a.loss->losses : nullptr;
  const Evidence e = losses != nullptr ? losses->evidence : Evidence::derived;
  const auto one = [&](const std::string& name, std::optional<double> value,
                       const models::Band* band) {
    out.add(name, "nats", value, e);
    out.add(name + "_low", "nats", band != nullptr ? std::optional(band->low) : std::nullopt, e);
    out.add(name + "_high", "nats", band != nullptr ? std::optional(band->high) : std::nullopt, e);
  };
  one("loss.mean", losses != nullptr ? std::optional(losses->mean) : std::nullopt,
      losses != nullptr ? &losses->mean_band : nullptr);
  if (losses != nullptr) {
    for (const models::ModalityAnswer& m : losses->modalities) {
      one("loss." + m.name, m.end.loss, &m.band);
    }
  }
  const bool judged = a.loss && a.loss->stability;
  out.add("lost", "", judged ? std::optional(a.loss->stability->lost) : std::nullopt,
          Evidence::assumed);
  out.add("loss_spikes", "",
          judged ? std::optional(a.loss->stability->expected.loss) : std::nullopt,
          Evidence::assumed);
}

}  // namespace

std::vector<Metric> metrics(const Scenario& s, const Answer& a) {
  List out;
  add_step(out, a);
  add_run(out, s, a);
  add_cost(out, a);
  add_loss(out, a);
  return out.take();
}

}  // namespace forerun::sim
