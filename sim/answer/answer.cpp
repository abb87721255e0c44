#include "sim/answer/answer.h"

#include <utility>

#include "models/parameters.h"
#include "sim/layout.h"

namespace forerun::sim {

Answer answer(const Scenario& s, const AnswerOptions& options, Problems& problems,
              std::optional<StepResult> step, std::optional<RunLoss> loss) {
  Answer a;
  a.parameters = static_cast<double>(models::parameters(s.model).total());
  a.tokens_per_step = tokens_per_step(s);
  a.memory = step ? step->memory : step_memory(s, make_layout(s), options.remedies);
  if (!a.memory.fits) return a;
  a.step = step ? std::move(step) : std::optional(simulate_step(s, options.detail));
  if (s.training_tokens <= 0) return a;
  if (loss) {
    a.loss = std::move(loss);
  } else if (options.loss_draws > 0) {
    a.loss = run_loss(s, options.loss_draws, options.threads, problems);
  }
  const RunSetup setup = run_setup(s, a.step->time, a.loss);
  a.steps = setup.steps;
  a.run = run_forecast(setup, s.seed, options.run_draws, options.threads);
  if (cost_is_asked(s)) a.cost = cost_forecast(s, *a.step, *a.run);
  return a;
}

Answer answer(const Scenario& s, const AnswerOptions& options, Problems& problems) {
  return answer(s, options, problems, std::nullopt);
}

}  // namespace forerun::sim
