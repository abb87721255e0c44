#include "sim/run.h"

#include <cmath>

#include "models/parameters.h"

namespace forerun::sim {

std::optional<Dollars> list_price(const Scenario& s, Seconds time) {
  Dollars sum{};
  const std::int64_t of_stage = s.accelerators / s.plan.pipeline;
  for (std::size_t k = 0; k <= s.pools.size(); ++k) {
    const std::optional<DollarRate>& price = k == 0 ? s.price : s.pools[k - 1].price;
    if (!price) return std::nullopt;
    sum += *price * (static_cast<double>(of_stage * stages_of_pool(s, k)) * time);
  }
  return sum;
}

RunResult simulate_run(const Scenario& s, const std::optional<Rollbacks>& rolled_back,
                       Detail detail) {
  RunResult r;
  r.step = simulate_step(s, detail);
  r.tokens_per_step = tokens_per_step(s);
  r.parameters = static_cast<double>(models::parameters(s.model).total());
  r.tokens_per_second = r.tokens_per_step / r.step.time.base();
  if (s.training_tokens > 0) {
    r.steps = std::ceil(s.training_tokens / r.tokens_per_step);
    if (rolled_back) r.redone_steps = std::round(rolled_back->steps_median);
    r.duration = (*r.steps + r.redone_steps) * r.step.time;
    const Seconds accelerator_time = static_cast<double>(s.accelerators) * *r.duration;
    r.accelerator_hours = accelerator_time.in(1.0_h);
    r.cost = list_price(s, *r.duration);
  }
  return r;
}

}  // namespace forerun::sim
