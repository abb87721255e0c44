#include "sim/run.h"

#include <cmath>

#include "models/parameters.h"

namespace forerun::sim {

RunResult simulate_run(const Scenario& s, const models::ChinchillaLaw& law, Detail detail) {
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
    if (s.price) r.cost = *s.price * accelerator_time;
    r.loss = models::final_loss(law, r.parameters, s.training_tokens);
  }
  return r;
}

}  // namespace forerun::sim
