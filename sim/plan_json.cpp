#include "sim/plan_json.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <span>
#include <utility>
#include <vector>

#include "core/error.h"

namespace forerun::sim {
namespace {

using models::ContextExchange;
using models::LayerPart;
using models::PrecisionRecipe;

constexpr std::array kSchedules = {
    Choice<PipelineSchedule>{"one_forward_one_backward",
                             PipelineSchedule::one_forward_one_backward},
    Choice<PipelineSchedule>{"all_forward_all_backward",
                             PipelineSchedule::all_forward_all_backward},
    Choice<PipelineSchedule>{"interleaved", PipelineSchedule::interleaved},
    Choice<PipelineSchedule>{"zero_bubble_h1", PipelineSchedule::zero_bubble_h1},
    Choice<PipelineSchedule>{"dualpipe", PipelineSchedule::dualpipe}};
constexpr std::array kShardings = {Choice<ShardingStage>{"none", ShardingStage::none},
                                   Choice<ShardingStage>{"optimizer", ShardingStage::optimizer},
                                   Choice<ShardingStage>{"gradients", ShardingStage::gradients},
                                   Choice<ShardingStage>{"parameters", ShardingStage::parameters}};
constexpr std::array kModes = {Choice<RecomputeMode>{"none", RecomputeMode::none},
                               Choice<RecomputeMode>{"selective", RecomputeMode::selective},
                               Choice<RecomputeMode>{"full", RecomputeMode::full}};
constexpr std::array kExchanges = {
    Choice<ContextExchange>{"ring", ContextExchange::ring},
    Choice<ContextExchange>{"all_gather", ContextExchange::all_gather},
    Choice<ContextExchange>{"all_to_all", ContextExchange::all_to_all}};
constexpr std::array kParts = {Choice<LayerPart>{"attention_norm", LayerPart::attention_norm},
                               Choice<LayerPart>{"qkv", LayerPart::qkv},
                               Choice<LayerPart>{"query", LayerPart::query},
                               Choice<LayerPart>{"key", LayerPart::key},
                               Choice<LayerPart>{"value", LayerPart::value},
                               Choice<LayerPart>{"rotary", LayerPart::rotary},
                               Choice<LayerPart>{"core_attention", LayerPart::core_attention},
                               Choice<LayerPart>{"attention_output", LayerPart::attention_output},
                               Choice<LayerPart>{"ffn_norm", LayerPart::ffn_norm},
                               Choice<LayerPart>{"ffn_up", LayerPart::ffn_up},
                               Choice<LayerPart>{"ffn_gate", LayerPart::ffn_gate},
                               Choice<LayerPart>{"activation", LayerPart::activation},
                               Choice<LayerPart>{"ffn_down", LayerPart::ffn_down},
                               Choice<LayerPart>{"residual", LayerPart::residual},
                               Choice<LayerPart>{"latent_up", LayerPart::latent_up},
                               Choice<LayerPart>{"router", LayerPart::router},
                               Choice<LayerPart>{"dispatch", LayerPart::dispatch},
                               Choice<LayerPart>{"expert_up", LayerPart::expert_up},
                               Choice<LayerPart>{"expert_activation", LayerPart::expert_activation},
                               Choice<LayerPart>{"expert_down", LayerPart::expert_down},
                               Choice<LayerPart>{"combine", LayerPart::combine},
                               Choice<LayerPart>{"shared_experts", LayerPart::shared_experts}};
constexpr std::array kPrecisions = {
    Choice<PrecisionRecipe>{"bf16", PrecisionRecipe::bf16},
    Choice<PrecisionRecipe>{"fp16", PrecisionRecipe::fp16},
    Choice<PrecisionRecipe>{"fp8-delayed", PrecisionRecipe::fp8_delayed},
    Choice<PrecisionRecipe>{"fp8-current", PrecisionRecipe::fp8_current},
    Choice<PrecisionRecipe>{"fp8-tensorwise", PrecisionRecipe::fp8_tensorwise},
    Choice<PrecisionRecipe>{"fp8-rowwise", PrecisionRecipe::fp8_rowwise},
    Choice<PrecisionRecipe>{"mxfp8", PrecisionRecipe::mxfp8},
    Choice<PrecisionRecipe>{"nvfp4", PrecisionRecipe::nvfp4}};

template <class E, std::size_t N>
void optional_choice(Reader& r, std::string_view key, const std::array<Choice<E>, N>& choices,
                     E& value) {
  if (r.has(key)) value = r.choice(key, choices);
}

constexpr std::int64_t kMostRanks = 1 << 24;
constexpr std::int64_t kMostSequences = 1ll << 32;
constexpr std::int64_t kMostTokens = 1ll << 32;
constexpr std::int64_t kMostLayers = 10'000;

void degree(Reader& r, std::string_view key, std::int64_t most, std::int64_t& value) {
  if (r.has(key)) value = r.integer(key, 1, most);
}

void flag(Reader& r, std::string_view key, bool& value) {
  if (r.has(key)) value = r.boolean(key);
}

/// Each by its name in `choices`; the nearest is named for one that is none.
template <class E, std::size_t N>
std::vector<E> read_list(Reader& r, std::string_view key, const std::array<Choice<E>, N>& choices) {
  std::vector<std::string_view> names;
  for (const auto& [name, value] : choices) names.push_back(name);
  std::vector<E> values;
  for (const std::string& text : r.texts(key)) {
    const auto found = std::find(names.begin(), names.end(), text);
    if (found != names.end()) {
      values.push_back(choices[static_cast<std::size_t>(found - names.begin())].second);
    } else {
      r.problem(key, fmt::format("\"{}\" is none of {}: {}", text, fmt::join(names, ", "),
                                 did_you_mean(text, names, "see docs/plan.md")));
    }
  }
  return values;
}

}  // namespace

std::vector<PipelineSchedule> read_schedules(Reader& r, std::string_view key) {
  return read_list(r, key, kSchedules);
}
std::vector<ShardingStage> read_shardings(Reader& r, std::string_view key) {
  return read_list(r, key, kShardings);
}

Recompute read_recompute(Reader& r) {
  Recompute out;
  out.mode = r.choice("mode", kModes);
  if (r.has("parts")) {
    std::vector<std::string_view> names;
    for (const auto& part : kParts) names.push_back(part.first);
    for (const std::string& text : r.texts("parts")) {
      const auto* found = std::find_if(kParts.begin(), kParts.end(),
                                       [&](const auto& part) { return part.first == text; });
      if (found != kParts.end()) {
        out.parts.insert(found->second);
        continue;
      }
      const std::string near = nearest(text, names);
      r.problem("parts",
                near.empty()
                    ? fmt::format("\"{}\" is no part of a layer", text)
                    : fmt::format("\"{}\" is no part of a layer: did you mean {}?", text, near));
    }
  }
  if (r.has("layers_per_stage")) {
    out.layers_per_stage = r.integer("layers_per_stage", 1, kMostLayers);
  }
  if ((out.mode == RecomputeMode::selective) == out.parts.empty()) {
    r.problem("parts", out.parts.empty() ? "missing: selective recompute names its parts"
                                         : "given, but the mode is not selective");
  }
  if (out.layers_per_stage > 0 && out.mode != RecomputeMode::full) {
    r.problem("layers_per_stage", "given, but the mode is not full");
  }
  flag(r, "encoders", out.encoders);
  if (out.encoders && out.mode != RecomputeMode::full) {
    r.problem("encoders", "given, but the mode is not full");
  }
  r.finish();
  return out;
}

std::string_view name(PipelineSchedule s) { return name_in(kSchedules, s); }
std::string_view name(ShardingStage s) { return name_in(kShardings, s); }
std::string_view name(RecomputeMode m) { return name_in(kModes, m); }
std::string_view part_name(LayerPart p) { return name_in(kParts, p); }
std::string_view exchange_name(ContextExchange e) { return name_in(kExchanges, e); }

Plan read_plan(Reader& r) {
  Plan p;
  degree(r, "data", kMostRanks, p.data);
  degree(r, "tensor", kMostRanks, p.tensor);
  degree(r, "pipeline", kMostLayers, p.pipeline);
  degree(r, "context", kMostRanks, p.context);
  degree(r, "expert", kMostRanks, p.expert);
  degree(r, "expert_tensor", kMostRanks, p.expert_tensor);
  if (r.has("encoder_stages")) p.encoder_stages = r.integer("encoder_stages", 0, kMostLayers);
  degree(r, "encoder_tensor", kMostRanks, p.encoder_tensor);
  degree(r, "virtual_stages", kMostLayers, p.virtual_stages);
  flag(r, "sequence_parallel", p.sequence_parallel);
  if (p.virtual_stages > 1) p.schedule = PipelineSchedule::interleaved;
  optional_choice(r, "schedule", kSchedules, p.schedule);
  optional_choice(r, "context_exchange", kExchanges, p.context_exchange);
  optional_choice(r, "sharding", kShardings, p.sharding);
  if (r.has("shard_group")) p.shard_group = r.integer("shard_group", 0, kMostRanks);
  if (r.has("recompute")) {
    Reader recompute = r.object("recompute");
    p.recompute = read_recompute(recompute);
  }
  p.precision = r.choice("precision", kPrecisions);
  p.micro_batch = r.integer("micro_batch", 1, kMostSequences);
  p.global_batch = r.integer("global_batch", 1, kMostSequences);
  p.sequence = r.integer("sequence", 1, kMostTokens);
  flag(r, "embedding_takes_slot", p.embedding_takes_slot);
  flag(r, "loss_takes_slot", p.loss_takes_slot);
  if (r.has("layers_of_chunks")) {
    p.layers_of_chunks = r.integers("layers_of_chunks", 0, kMostLayers);
  }
  flag(r, "layers_by_time", p.layers_by_time);
  if (p.layers_by_time && !p.layers_of_chunks.empty()) {
    r.problem("layers_of_chunks", "given, but layers_by_time is true and divides the layers");
  }
  if (r.has("activation_offload_layers")) {
    p.activation_offload_layers = r.integer("activation_offload_layers", 0, kMostLayers);
  }
  r.finish();
  return p;
}

std::string recompute_json(const Recompute& r) {
  std::string text = fmt::format("{{\"mode\": \"{}\"", name(r.mode));
  if (!r.parts.empty()) {
    std::vector<std::string> parts;
    for (const LayerPart part : r.parts) parts.push_back(fmt::format("\"{}\"", part_name(part)));
    text += fmt::format(", \"parts\": [{}]", fmt::join(parts, ", "));
  }
  if (r.layers_per_stage > 0) text += fmt::format(", \"layers_per_stage\": {}", r.layers_per_stage);
  if (r.encoders) text += ", \"encoders\": true";
  return text + "}";
}

std::string plan_json(const Plan& p) {
  return fmt::format(
      "{{\"data\": {}, \"tensor\": {}, \"pipeline\": {}, \"context\": {}, \"expert\": {}, "
      "\"expert_tensor\": {}, \"encoder_stages\": {}, \"encoder_tensor\": {}, "
      "\"virtual_stages\": {}, "
      "\"sequence_parallel\": {}, \"schedule\": \"{}\", \"context_exchange\": \"{}\", "
      "\"sharding\": \"{}\", \"shard_group\": {}, \"recompute\": {}, \"precision\": \"{}\", "
      "\"micro_batch\": {}, \"global_batch\": {}, \"sequence\": {}, \"embedding_takes_slot\": {}, "
      "\"loss_takes_slot\": {}, \"activation_offload_layers\": {}{}}}",
      p.data, p.tensor, p.pipeline, p.context, p.expert, p.expert_tensor, p.encoder_stages,
      p.encoder_tensor, p.virtual_stages, p.sequence_parallel, name(p.schedule),
      exchange_name(p.context_exchange), name(p.sharding), p.shard_group,
      recompute_json(p.recompute), name_in(kPrecisions, p.precision), p.micro_batch, p.global_batch,
      p.sequence, p.embedding_takes_slot, p.loss_takes_slot, p.activation_offload_layers,
      p.layers_by_time ? ", \"layers_by_time\": true"
      : p.layers_of_chunks.empty()
          ? std::string()
          : fmt::format(", \"layers_of_chunks\": [{}]", fmt::join(p.layers_of_chunks, ", ")));
}

std::string plan_text(const Plan& p) {
  std::vector<std::string> parts = {fmt::format("data {}", p.data)};
  if (p.sharding != ShardingStage::none) parts[0] += fmt::format(" ({} sharded)", name(p.sharding));
  if (p.tensor > 1) {
    parts.push_back(
        fmt::format("tensor {}{}", p.tensor, p.sequence_parallel ? " (sequence parallel)" : ""));
  }
  if (p.pipeline > 1) {
    std::vector<std::string> how;
    if (p.virtual_stages > 1)
      how.push_back(fmt::format("{} virtual stages each", p.virtual_stages));
    if (p.encoder_stages > 0) how.push_back(fmt::format("the first {} encode", p.encoder_stages));
    if (p.layers_by_time) how.emplace_back("layers divided by time");
    if (p.schedule == PipelineSchedule::zero_bubble_h1) how.emplace_back("zero-bubble H1");
    if (p.schedule == PipelineSchedule::dualpipe) how.emplace_back("DualPipe");
    parts.push_back(how.empty()
                        ? fmt::format("pipeline {}", p.pipeline)
                        : fmt::format("pipeline {} ({})", p.pipeline, fmt::join(how, ", ")));
  }
  if (p.context > 1) parts.push_back(fmt::format("context {}", p.context));
  if (p.expert > 1) {
    parts.push_back(p.expert_tensor > 1
                        ? fmt::format("expert {} (each cut over {})", p.expert, p.expert_tensor)
                        : fmt::format("expert {}", p.expert));
  }
  if (p.recompute.mode != RecomputeMode::none) {
    parts.push_back(fmt::format("{} recompute", name(p.recompute.mode)));
  }
  parts.push_back(fmt::format("{} micro-batch{} of {}", p.micro_batches(),
                              p.micro_batches() == 1 ? "" : "es", p.micro_batch));
  return fmt::format("{}", fmt::join(parts, ", "));
}

}  // namespace forerun::sim
