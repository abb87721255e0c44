#include "sim/compile.h"

#include <algorithm>

#include "core/error.h"
#include "sim/rank_builder.h"
#include "sim/schedule.h"

namespace forerun::sim {

models::KernelChoices kernel_choices(const Scenario& s) {
  const Framework& f = s.framework;
  models::KernelChoices c;
  c.attention = f.attention;
  c.fused_attention = f.fused_attention;
  c.dropout = f.dropout;
  c.fused_elementwise = f.fused_kernels || f.compiled;
  c.fused_norm = f.fused_norm || f.compiled;
  c.fused_rotary = f.fused_rotary || f.compiled;
  c.separate_projections = f.separate_projections;
  c.fused_gradient_accumulation = f.fused_gradient_accumulation;
  c.gradient_bytes = f.gradient_bytes;
  c.tensor_overlap = f.tensor_overlap;
  c.tensor_gradient_overlap = f.tensor_gradient_overlap;
  c.fp32_logits = f.fp32_logits;
  c.fused_cross_entropy = f.fused_cross_entropy;
  c.weights_cast_every_micro_batch = f.weights_cast_every_micro_batch;
  return c;
}

models::Slice slice_of(const Scenario& s) {
  const Plan& p = s.plan;
  return {p.micro_batch,       p.sequence,         p.tensor,   p.context,
          p.sequence_parallel, p.context_exchange, p.precision};
}

Compiled compile_step(const Scenario& scenario, const Layout& layout, Detail detail, double clock) {
  const Plan& plan = scenario.plan;
  Compiled compiled;
  Pricer pricer(scenario, layout, clock,
                detail == Detail::bare ? nullptr : &compiled.program.labels);
  compiled.parts = price_parts(scenario, layout, pricer);

  const std::int64_t p = plan.pipeline, v = plan.virtual_stages, m = plan.micro_batches();
  Channels channels(p * v, m);
  for (std::int64_t r = 0; r < p; ++r) {
    RankBuilder rank(scenario, layout, pricer, detail, channels, r, compiled);
    rank.begin_step();
    for (const ScheduledPass& pass : rank_schedule(plan.schedule, p, v, m, r)) rank.pass(pass);
    rank.end_step();
  }
  compiled.program.channels = channels.count();
  return compiled;
}

}  // namespace forerun::sim
