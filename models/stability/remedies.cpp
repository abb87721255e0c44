#include "models/stability/remedies.h"

#include <utility>

namespace forerun::stability {

std::vector<Change> changes(const StabilityCase& c) {
  std::vector<Change> result;
  const auto add = [&](const char* what, auto change) {
    StabilityCase with = c;
    change(with);
    result.push_back({what, std::move(with)});
  };
  const models::Architecture& a = c.architecture;
  const models::Recipe& r = c.recipe;
  if (!a.qk_norm) add("QK-norm", [](StabilityCase& s) { s.architecture.qk_norm = true; });
  if (a.norm_order == models::NormOrder::before) {
    add("norms on what sub-layers give",
        [](StabilityCase& s) { s.architecture.norm_order = models::NormOrder::after; });
  }
  if (!a.embedding_norm) {
    add("a norm after the embedding",
        [](StabilityCase& s) { s.architecture.embedding_norm = true; });
  }
  add("half the learning rate", [](StabilityCase& s) { *s.recipe.learning_rate.peak /= 2; });
  if (r.learning_rate.warm_up_steps * 4 < static_cast<double>(c.steps)) {
    add("twice the warm-up", [](StabilityCase& s) { s.recipe.learning_rate.warm_up_steps *= 2; });
  }
  if (r.z_loss <= 0) add("z-loss 1e-5", [](StabilityCase& s) { s.recipe.z_loss = 1e-5; });
  if (r.beta2 > 0.95) add("beta2 0.95", [](StabilityCase& s) { s.recipe.beta2 = 0.95; });
  if (r.gradient_clip <= 0 || r.gradient_clip > 1) {
    add("gradient clip 1", [](StabilityCase& s) { s.recipe.gradient_clip = 1; });
  }
  if (r.epsilon >= 1e-6) add("epsilon 1e-8", [](StabilityCase& s) { s.recipe.epsilon = 1e-8; });
  if (r.initialisation == models::Initialisation::megatron && a.hidden > 1000) {
    add("initialisation by width",
        [](StabilityCase& s) { s.recipe.initialisation = models::Initialisation::small; });
  }
  if (c.format == TrainingFormat::fp16 || c.format == TrainingFormat::fp8) {
    add("bf16", [](StabilityCase& s) { s.format = TrainingFormat::bf16; });
  }
  return result;
}

}  // namespace forerun::stability
