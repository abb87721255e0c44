#include "sim/compile.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <memory>
#include <utility>

#include "core/error.h"
#include "sim/on_pools.h"
#include "sim/place_exchanges.h"
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
  c.generated_elementwise = f.compiled;
  c.separate_projections = f.separate_projections;
  c.fused_gradient_accumulation = f.fused_gradient_accumulation;
  c.gradient_bytes = f.gradient_bytes;
  c.tensor_overlap = f.tensor_overlap;
  c.tensor_gradient_overlap = f.tensor_gradient_overlap;
  c.fp32_logits = f.fp32_logits;
  c.fused_cross_entropy = f.fused_cross_entropy;
  c.weights_cast_every_micro_batch = f.weights_cast_every_micro_batch;
  c.expert_dispatch = f.expert_dispatch;
  c.grouped_experts = f.grouped_experts;
  c.experts_issued_apart = f.experts_issued_apart;
  c.expert_count_syncs = f.expert_count_syncs;
  c.expert_exchange_overlap = f.expert_exchange_overlap;
  c.shared_expert_overlap = f.shared_expert_overlap;
  c.grouped_modalities = f.grouped_modalities;
  c.compact_activations = f.memory.compact_activations;
  c.recompute_ends_early = f.recompute_ends_early;
  c.modality_mask_syncs = f.modality_mask_syncs;
  return c;
}

models::Slice composed(models::Slice slice, const models::Mixture& mixture,
                       const models::Composition& c) {
  slice.modalities.clear();
  for (std::size_t i = 0; i < c.tokens.size(); ++i) {
    slice.modalities.push_back({mixture.modalities[i], c.tokens[i]});
  }
  slice.pairs_share = c.pairs / models::causal_pairs(slice.sequence, slice.micro_batch);
  return slice;
}

constexpr std::int64_t kParts = 64;

/// To 1/64 of the micro-batch, the last modality taking what is left.
models::Composition rounded(models::Composition c, const Plan& p) {
  const std::int64_t all = p.micro_batch * p.sequence - c.padding;
  const std::int64_t unit = std::max<std::int64_t>(1, p.micro_batch * p.sequence / kParts);
  std::int64_t left = all;
  for (std::size_t i = 0; i < c.tokens.size(); ++i) {
    const std::int64_t near = (c.tokens[i] + unit / 2) / unit * unit;
    c.tokens[i] = i + 1 == c.tokens.size() ? left : std::min(left, near);
    left -= c.tokens[i];
  }
  const double pairs = models::causal_pairs(p.sequence, p.micro_batch) / kParts;
  c.pairs = std::round(c.pairs / pairs) * pairs;
  return c;
}

models::Slice slice_of(const Scenario& s) {
  const Plan& p = s.plan;
  models::Slice slice{p.micro_batch,       p.sequence,         p.tensor,   p.context,
                      p.sequence_parallel, p.context_exchange, p.precision};
  slice.expert = p.expert;
  slice.expert_tensor = p.expert_tensor;
  slice.encoder_tensor = p.encoder_tensor;
  if (s.mixture) {
    return composed(slice, *s.mixture,
                    rounded(models::mean_composition(*s.mixture, p.sequence, p.micro_batch), p));
  }
  const std::int64_t tokens = p.micro_batch * p.sequence;
  std::int64_t left = tokens;
  for (const ModalityShare& m : s.modality_shares) {
    const bool last = &m == &s.modality_shares.back();
    const std::int64_t mine = last ? left : std::llround(m.share * static_cast<double>(tokens));
    slice.modalities.push_back({m.modality, mine});
    left -= mine;
  }
  return slice;
}

namespace {

/// With every kernel an operation of its own: a gigabyte or two, and some ten seconds.
constexpr double kMostKernels = 2e7;

/// Throws Error if the passes of a step cannot be added up in ticks, or are too many kernels.
void check_passes(const Scenario& s, const Layout& layout, const Parts& parts, Detail detail) {
  const auto micro_batches = static_cast<double>(s.plan.micro_batches());
  double ticks = 0, kernels = 0;
  const auto add = [&](const Segment& segment, double times) {
    ticks += (static_cast<double>(segment.ticks) + static_cast<double>(segment.host)) * times;
    kernels += static_cast<double>(segment.operations.size()) * times;
  };
  for (std::size_t k = 0; k < parts.layers.size(); ++k) {
    const auto layers = static_cast<double>(layout.kinds.kinds[k].layers);
    for (const LayerPasses& passes : parts.layers[k].by_level) {
      add(passes.forward, layers * micro_batches);
      add(passes.backward.whole, layers * micro_batches);
    }
    add(parts.layers[k].weight_casts, layers);
  }
  for (const Segment* end :
       {&parts.adapters_forward, &parts.adapters_backward.whole, &parts.predictions_forward,
        &parts.predictions_backward.whole, &parts.embedding_forward,
        &parts.embedding_backward.whole, &parts.head_forward, &parts.head_backward.whole,
        &parts.cast_forward, &parts.cast_backward, &parts.loss_forward, &parts.loss_backward}) {
    add(*end, micro_batches);
  }
  for (const EncoderParts& part : parts.encoders) {
    add(part.forward, micro_batches);
    add(part.backward.whole, micro_batches);
  }
  check_length(ticks);
  if (detail == Detail::kernels && kernels > kMostKernels) {
    throw Error(ExitCode::wrong,
                fmt::format("the step has {:.0f} kernels; at most {:.0f} are simulated one by one",
                            kernels, kMostKernels),
                s.topology ? "with the network's fidelity \"analytic\" the passes are folded"
                           : "without --every-kernel the passes are folded");
  }
}

/// Throws Error if the operations' times, one after the other and slowed by every exchange beside
/// them, are longer than ticks can say.
void check_program(const Program& program) {
  double ticks = 0;
  int tax = 0;
  for (const RankProgram& rank : program.ranks) {
    for (const Operation& o : rank.operations) {
      ticks += static_cast<double>(o.duration) + static_cast<double>(o.host_first) +
               static_cast<double>(o.host_rest);
      tax = std::max<int>(tax, o.tax);
    }
  }
  check_length(ticks * (1.0 + 0.01 * tax * static_cast<double>(kStreams)));
}

/// An exchange of ranks of several pools takes on each what it takes on the slowest.
void wait_for_slowest(Program& program) {
  std::vector<std::int64_t> longest(static_cast<std::size_t>(program.channels));
  const auto each = [&](const auto& visit) {
    for (RankProgram& rank : program.ranks) {
      for (Operation& o : rank.operations) {
        if (o.rendezvous) visit(o, longest[static_cast<std::size_t>(o.channel)]);
      }
    }
  };
  each([](const Operation& o, std::int64_t& most) { most = std::max(most, o.duration); });
  each([](Operation& o, std::int64_t most) { o.duration = most; });
}

}  // namespace

namespace {

/// The ranks' programs from what `compiled` has of them so far: parts, and which pool is whose.
void build_ranks(const Scenario& scenario, const Layout& layout, const OnPools& pools,
                 const Variation& variation, Detail detail,
                 const std::vector<std::unique_ptr<Pricer>>& pricers, Compiled& compiled) {
  const Plan& plan = scenario.plan;
  for (const auto& of_pool : compiled.parts) {
    for (const Parts& parts : *of_pool) check_passes(scenario, layout, parts, detail);
  }
  for (std::int64_t r = 0; r < plan.pipeline; ++r) {
    compiled.pool_of.push_back(pool_of(scenario, r));
  }

  const PipelineShape shape = pipeline_shape(plan);
  const std::int64_t p = plan.pipeline;
  const Channels channels(model_chunks(shape), shape.micro_batches);
  PairedSegments paired;
  const auto ranks = static_cast<std::size_t>(variation.lanes() * p);
  compiled.program.ranks.reserve(ranks);
  compiled.run_of.reserve(ranks);
  compiled.work.reserve(ranks);
  compiled.data_channels.resize(static_cast<std::size_t>(p));
  compiled.program.channels = static_cast<std::int32_t>(variation.lanes()) * channels.count();
  for (std::int64_t lane = 0; lane < variation.lanes(); ++lane) {
    for (std::int64_t r = 0; r < p; ++r) {
      const std::size_t k = compiled.pool_of[static_cast<std::size_t>(r)];
      RankBuilder rank(pools.scenario(k), pools.layout(k), variation, *pricers[k], paired, detail,
                       channels, lane, r, compiled);
      rank.begin_step();
      const std::vector<ScheduledPass> passes = rank_schedule(shape, r);
      for (std::size_t i = 0; i < passes.size(); ++i) {
        if (passes[i].beside_next) {
          rank.together(passes[i], passes[i + 1]);
          ++i;
        } else {
          rank.pass(passes[i]);
        }
      }
      rank.end_step();
    }
  }
  if (pools.size() > 1) wait_for_slowest(compiled.program);
  check_program(compiled.program);
}

}  // namespace

Compiled compile_step(const Scenario& scenario, const Layout& layout, const Variation& variation,
                      Detail detail, const std::vector<double>& clocks) {
  const bool labelled = detail != Detail::bare;
  if (scenario.topology) detail = Detail::kernels;
  Compiled compiled;
  FORERUN_ASSERT(clocks.size() == scenario.pools.size() + 1,
                 fmt::format("{} clocks of {} pools", clocks.size(), scenario.pools.size()));
  std::vector<Label>* const labels = labelled ? &compiled.program.labels : nullptr;
  const OnPools pools(scenario, layout);
  std::vector<std::unique_ptr<Pricer>> pricers;
  for (std::size_t k = 0; k < pools.size(); ++k) {
    pricers.push_back(
        std::make_unique<Pricer>(pools.scenario(k), pools.layout(k), clocks[k], labels));
    compiled.parts.push_back(std::make_shared<const std::vector<Parts>>(
        price_parts(pools.scenario(k), pools.layout(k), *pricers.back(), variation)));
  }
  build_ranks(scenario, layout, pools, variation, detail, pricers, compiled);
  if (scenario.topology) {
    compiled.program.links = place_exchanges(scenario, compiled.program, variation.lanes(),
                                             pricers.front()->exchanges(), compiled.exchange_of);
  }
  return compiled;
}

Compiled compile_step(const Scenario& scenario, const Layout& layout, const Variation& variation,
                      double clock, std::shared_ptr<const std::vector<Parts>> parts,
                      KnownTimes& known) {
  FORERUN_ASSERT(scenario.pools.empty() && !scenario.topology, "one kind of accelerator, no graph");
  Compiled compiled;
  std::vector<std::unique_ptr<Pricer>> pricers;
  pricers.push_back(std::make_unique<Pricer>(scenario, layout, clock, nullptr, &known));
  compiled.parts.push_back(std::move(parts));
  build_ranks(scenario, layout, OnPools(scenario, layout), variation, Detail::bare, pricers,
              compiled);
  return compiled;
}

}  // namespace forerun::sim
