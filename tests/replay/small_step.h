#pragma once

/// A small GPT on DGX A100, for what takes every kernel of a step.

#include "sim/scenario.h"

namespace forerun::testing {

inline sim::Scenario small_step(std::int64_t data, std::int64_t tensor, std::int64_t pipeline,
                                bool interleaved = false) {
  sim::Scenario s;
  s.name = "small";
  s.accelerator = hw::load_accelerator("a100-sxm-80gb");
  s.network = hw::load_network("dgx-a100");
  s.model = models::load_architecture("gpt3-1.3b");
  s.model.layers = 4;
  s.framework = sim::load_framework("megatron-lm");
  s.plan.data = data;
  s.plan.tensor = tensor;
  s.plan.pipeline = pipeline;
  s.plan.micro_batch = 2;
  s.plan.global_batch = 2 * data * 4;
  s.plan.precision = models::PrecisionRecipe::fp16;
  if (interleaved) {
    s.plan.virtual_stages = 2;
    s.plan.schedule = sim::PipelineSchedule::interleaved;
  }
  s.accelerators = s.plan.accelerators();
  return s;
}

}  // namespace forerun::testing
