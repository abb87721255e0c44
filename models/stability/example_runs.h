#pragma once

/// Runs that several tests ask about.

#include "models/stability/stability_case.h"

namespace forerun::stability::testing {

/// Chameleon 7B (arXiv:2405.09818): 4.4T tokens at 1e-4, text and images, with or without QK-norm.
inline StabilityCase chameleon(bool qk_norm) {
  StabilityCase c;
  c.architecture = models::load_architecture("chameleon-7b");
  c.architecture.qk_norm = qk_norm;
  c.recipe = models::default_recipe();
  c.recipe.learning_rate.peak = 1e-4;
  c.recipe.learning_rate.warm_up_steps = 4000;
  c.recipe.z_loss = 1e-5;
  c.parameters = 7e9;
  c.tokens = 4.4e12;
  c.steps = 524000;
  c.modalities = {{"text", 0.5, true}, {"image", 0.5, true}};
  return c;
}

inline StabilityCase of_text_only(StabilityCase c) {
  c.modalities = {{"text", 1, true}};
  return c;
}

}  // namespace forerun::stability::testing
