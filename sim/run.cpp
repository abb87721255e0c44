#include "sim/run.h"

#include <cmath>

#include "models/parameters.h"

namespace forerun::sim {

namespace {

/// Of all accelerators for that time; nothing unless all of them have a price.
std::optional<Dollars> cost(const Scenario& s, Seconds time) {
  Dollars sum{};
  const std::int64_t of_stage = s.accelerators / s.plan.pipeline;
  for (std::size_t k = 0; k <= s.pools.size(); ++k) {
    const std::optional<DollarRate>& price = k == 0 ? s.price : s.pools[k - 1].price;
    if (!price) return std::nullopt;
    sum += *price * (static_cast<double>(of_stage * stages_of_pool(s, k)) * time);
  }
  return sum;
}

}  // namespace

RunResult simulate_run(const Scenario& s, const models::PowerLaw& law, Detail detail) {
  RunResult r;
  r.step = simulate_step(s, detail);
  r.tokens_per_step =
      static_cast<double>(s.plan.global_batch) * static_cast<double>(s.plan.sequence);
  r.parameters = static_cast<double>(models::parameters(s.model).total());
  r.tokens_per_second = r.tokens_per_step / r.step.time.base();
  if (s.training_tokens > 0) {
    r.steps = std::ceil(s.training_tokens / r.tokens_per_step);
    r.duration = *r.steps * r.step.time;
    const Seconds accelerator_time = static_cast<double>(s.accelerators) * *r.duration;
    r.accelerator_hours = accelerator_time.in(1.0_h);
    r.cost = cost(s, *r.duration);
    r.loss = models::final_loss(law, r.parameters, s.training_tokens);
  }
  return r;
}

}  // namespace forerun::sim
