#include "sim/framework.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <filesystem>
#include <span>
#include <type_traits>
#include <utility>

#include "core/error.h"
#include "core/file.h"

namespace forerun::sim {
namespace {

/// Of a fact that is a share or a ratio; check() knows the shares.
constexpr double kMostRatio = 10;

template <class E>
using Choice = std::pair<std::string_view, E>;

constexpr std::array kEvidence = {Choice<Evidence>{"measured", Evidence::measured},
                                  Choice<Evidence>{"published", Evidence::published},
                                  Choice<Evidence>{"fitted", Evidence::fitted},
                                  Choice<Evidence>{"derived", Evidence::derived},
                                  Choice<Evidence>{"assumed", Evidence::assumed}};
constexpr std::array kAttention = {
    Choice<hw::AttentionKernel>{"flash2", hw::AttentionKernel::flash2},
    Choice<hw::AttentionKernel>{"flash3", hw::AttentionKernel::flash3},
    Choice<hw::AttentionKernel>{"cudnn", hw::AttentionKernel::cudnn},
    Choice<hw::AttentionKernel>{"triton", hw::AttentionKernel::triton}};
constexpr std::array kExchange = {
    Choice<GradientExchange>{"overlapped", GradientExchange::overlapped},
    Choice<GradientExchange>{"after_backward", GradientExchange::after_backward},
    Choice<GradientExchange>{"every_micro_batch", GradientExchange::every_micro_batch}};
constexpr std::array kDivision = {Choice<LayerDivision>{"equal", LayerDivision::equal},
                                  Choice<LayerDivision>{"by_cost", LayerDivision::by_cost}};

constexpr std::array kWeightGradients = {
    Choice<WeightGradients>{"in_product", WeightGradients::in_product},
    Choice<WeightGradients>{"per_matrix", WeightGradients::per_matrix},
    Choice<WeightGradients>{"per_pass", WeightGradients::per_pass},
    Choice<WeightGradients>{"kept", WeightGradients::kept}};

constexpr std::array kReported = {Choice<ReportedMemory>{"allocated", ReportedMemory::allocated},
                                  Choice<ReportedMemory>{"reserved", ReportedMemory::reserved},
                                  Choice<ReportedMemory>{"device", ReportedMemory::device}};

constexpr auto& choices_of(hw::AttentionKernel) { return kAttention; }
constexpr std::array kDispatch = {
    Choice<hw::ExpertExchangeKind>{"all_to_all", hw::ExpertExchangeKind::all_to_all},
    Choice<hw::ExpertExchangeKind>{"all_gather", hw::ExpertExchangeKind::all_gather},
    Choice<hw::ExpertExchangeKind>{"fused", hw::ExpertExchangeKind::fused}};

constexpr std::array kGrouped = {
    Choice<models::GroupedExperts>{"none", models::GroupedExperts::none},
    Choice<models::GroupedExperts>{"products", models::GroupedExperts::products},
    Choice<models::GroupedExperts>{"feed_forward", models::GroupedExperts::feed_forward}};

constexpr auto& choices_of(hw::ExpertExchangeKind) { return kDispatch; }
constexpr auto& choices_of(models::GroupedExperts) { return kGrouped; }
constexpr auto& choices_of(GradientExchange) { return kExchange; }
constexpr auto& choices_of(LayerDivision) { return kDivision; }
constexpr auto& choices_of(ReportedMemory) { return kReported; }
constexpr auto& choices_of(WeightGradients) { return kWeightGradients; }

/// Every fact of a framework, once: reading, replacing and writing go through this list.
template <class F, class Visit>
void each_fact(F& f, Visit&& visit) {
  visit("attention", f.attention);
  visit("fused_attention", f.fused_attention);
  visit("dropout", f.dropout);
  visit("separate_projections", f.separate_projections);
  visit("fused_gradient_accumulation", f.fused_gradient_accumulation);
  visit("weights_cast_every_micro_batch", f.weights_cast_every_micro_batch);
  visit("fused_norm", f.fused_norm);
  visit("fused_rotary", f.fused_rotary);
  visit("fused_kernels", f.fused_kernels);
  visit("compiled", f.compiled);
  visit("parameter_bytes", f.parameter_bytes);
  visit("gradient_bytes", f.gradient_bytes);
  visit("gradient_exchange_bytes", f.gradient_exchange_bytes);
  visit("parameter_gather_bytes", f.parameter_gather_bytes);
  visit("fp8_parameter_gather_bytes", f.fp8_parameter_gather_bytes);
  visit("gradient_exchange", f.gradient_exchange);
  visit("reduces_in_full", f.reduces_in_full);
  visit("parameter_gather_overlapped", f.parameter_gather_overlapped);
  visit("tensor_overlap", f.tensor_overlap);
  visit("tensor_gradient_overlap", f.tensor_gradient_overlap);
  visit("point_to_point_overlap", f.point_to_point_overlap);
  visit("scatter_gather_point_to_point", f.scatter_gather_point_to_point);
  visit("blocking_point_to_point", f.blocking_point_to_point);
  visit("cuda_graphs", f.cuda_graphs);
  visit("graphed_share", f.graphed_share);
  visit("graphed_attention", f.graphed_attention);
  visit("graphed_router", f.graphed_router);
  visit("tied_embedding_all_reduce", f.tied_embedding_all_reduce);
  visit("deferred_embedding_gradients", f.deferred_embedding_gradients);
  visit("overflow_check", f.overflow_check);
  visit("gradient_clipping", f.gradient_clipping);
  visit("fp32_logits", f.fp32_logits);
  visit("fused_cross_entropy", f.fused_cross_entropy);
  visit("optimizer_state_bytes", f.optimizer_state_bytes);
  visit("optimizer_read_write_bytes", f.optimizer_read_write_bytes);
  visit("expert_dispatch", f.expert_dispatch);
  visit("grouped_experts", f.grouped_experts);
  visit("experts_issued_apart", f.experts_issued_apart);
  visit("expert_count_syncs", f.expert_count_syncs);
  visit("expert_exchange_overlap", f.expert_exchange_overlap);
  visit("shared_expert_overlap", f.shared_expert_overlap);
  visit("grouped_modalities", f.grouped_modalities);
  visit("recompute_ends_early", f.recompute_ends_early);
  visit("modality_mask_syncs", f.modality_mask_syncs);
  visit("host_sync", f.host_sync);
  visit("bucket_bytes", f.bucket_bytes);
  visit("vocabulary_multiple", f.vocabulary_multiple);
  visit("prefetch_units", f.prefetch_units);
  visit("layer_division", f.layer_division);
  visit("reported_memory", f.memory.reported);
  visit("reports_first_stage", f.memory.reports_first_stage);
  visit("weight_gradients", f.memory.weight_gradients);
  visit("compact_activations", f.memory.compact_activations);
  visit("keeps_empty_gradients", f.memory.keeps_empty_gradients);
  visit("gradient_bucket_bytes", f.memory.gradient_bucket_bytes);
  visit("gathers_through_copies", f.memory.gathers_through_copies);
  visit("sequence_buffers", f.memory.sequence_buffers);
  visit("keeps_sent_outputs", f.memory.keeps_sent_outputs);
  visit("root_unit_stays", f.memory.root_unit_stays);
  visit("loss_forward_bytes", f.memory.loss_forward_bytes);
  visit("loss_kept_bytes", f.memory.loss_kept_bytes);
  visit("loss_backward_bytes", f.memory.loss_backward_bytes);
  visit("waiting_exchanges", f.memory.waiting_exchanges);
  visit("layer_issue", f.memory.layer_issue);
  visit("workspace_bytes", f.memory.workspace_bytes);
  visit("allocator_slack", f.memory.allocator_slack);
  visit("outside_bytes", f.memory.outside_bytes);
  visit("elementwise_traffic", f.elementwise_traffic);
  visit("expert_traffic", f.expert_traffic);
  visit("grouped_rate", f.grouped_rate);
  visit("expert_launch", f.expert_launch);
  visit("launch", f.launch);
  visit("step_overhead", f.step_overhead);
}

constexpr int kMostElementBytes = 256;
constexpr std::int64_t kMostCount = 1ll << 40;

template <class T>
void read_value(Reader& at, const std::string& key, T& value) {
  if constexpr (std::is_same_v<T, bool>) {
    value = at.boolean(key);
  } else if constexpr (std::is_same_v<T, int>) {
    value = static_cast<int>(at.integer(key, 0, kMostElementBytes));
  } else if constexpr (std::is_same_v<T, std::int64_t>) {
    value = at.integer(key, 0, kMostCount);
  } else if constexpr (std::is_same_v<T, double>) {
    value = at.number(key, 0, kMostRatio);
  } else if constexpr (std::is_same_v<T, Seconds>) {
    value = at.seconds(key);
  } else {
    value = at.choice(key, std::span<const Choice<T>>(choices_of(T{})));
  }
}

template <class T>
std::string written(const T& value) {
  if constexpr (std::is_same_v<T, bool>) {
    return value ? "true" : "false";
  } else if constexpr (std::is_same_v<T, Seconds>) {
    return fmt::format("\"{} s\"", value.base());
  } else if constexpr (std::is_enum_v<T>) {
    for (const auto& [name, choice] : choices_of(T{})) {
      if (choice == value) return fmt::format("\"{}\"", name);
    }
    FORERUN_ASSERT(false, "an enumerator without a name");
  } else {
    return fmt::format("{}", value);
  }
}

/// Rules across facts.
void check(const Framework& f, Reader& at) {
  if (f.vocabulary_multiple < 1) {
    at.problem("vocabulary_multiple", "must be at least 1, found 0");
  }
  if (f.cuda_graphs && f.graphed_share > 0) {
    at.problem("graphed_share", "partial graphs inside whole-iteration graphs (cuda_graphs)");
  }
  if (f.graphed_share > 1) {
    at.problem("graphed_share", fmt::format("must be from 0 to 1, found {}", f.graphed_share));
  }
  if (f.elementwise_traffic < 0.1) {
    at.problem("elementwise_traffic",
               fmt::format("must be at least 0.1, found {}", f.elementwise_traffic));
  }
  if (f.expert_traffic < 0.1) {
    at.problem("expert_traffic", fmt::format("must be at least 0.1, found {}", f.expert_traffic));
  }
  if (f.grouped_rate < 0.1) {
    at.problem("grouped_rate", fmt::format("must be at least 0.1, found {}", f.grouped_rate));
  }
  if (f.gradient_exchange_bytes < 1) at.problem("gradient_exchange_bytes", "must be at least 1");
}

}  // namespace

std::optional<Framework> read_framework(const std::string& json_text, Problems& problems) {
  const std::size_t before = problems.list().size();
  const JsonDocument document = JsonDocument::parse(json_text, problems);
  Reader top = document.root(problems);
  top.integer("schema", 1, 1);
  Framework f;
  f.name = top.text("name");
  f.description = top.text("what");
  each_fact(f, [&](const std::string& key, auto& value) {
    Reader fact = top.object(key);
    read_value(fact, "value", value);
    f.evidence[key] = fact.choice("evidence", std::span<const Choice<Evidence>>(kEvidence));
    f.source[key] = fact.text("source");
    if (f.source[key].empty()) fact.problem("source", "empty: every fact names its source");
    fact.finish();
  });
  check(f, top);
  top.finish();
  if (problems.list().size() != before) return std::nullopt;
  return f;
}

Framework read_framework_choice(Reader& reader) {
  Framework f;
  const std::string base = reader.text("base");
  const std::vector<std::string> names = framework_names();
  if (std::find(names.begin(), names.end(), base) != names.end()) {
    f = load_framework(base);
  } else if (!base.empty()) {
    const std::string near = nearest(base, {names.begin(), names.end()});
    reader.problem(
        "base", near.empty()
                    ? fmt::format("\"{}\" is no framework preset; there are {}", base,
                                  fmt::join(names, ", "))
                    : fmt::format("\"{}\" is no framework preset: did you mean {}?", base, near));
  }
  each_fact(f, [&](const std::string& key, auto& value) {
    if (!reader.has(key)) return;
    read_value(reader, key, value);
    f.evidence[key] = Evidence::derived;
    f.source[key] = "stated by the scenario";
  });
  check(f, reader);
  reader.finish();
  return f;
}

AdamTraffic adam_traffic(const Framework& f, double parameters) {
  return {Bytes(parameters * f.optimizer_read_write_bytes * 16.0 / 30.0),
          Bytes(parameters * f.optimizer_read_write_bytes * 14.0 / 30.0)};
}

int gather_bytes(const Framework& f, models::PrecisionRecipe recipe) {
  using models::PrecisionRecipe;
  switch (recipe) {
    case PrecisionRecipe::fp8_delayed:
    case PrecisionRecipe::fp8_current:
    case PrecisionRecipe::fp8_tensorwise:
    case PrecisionRecipe::mxfp8:
      return f.fp8_parameter_gather_bytes;
    default:
      return f.parameter_gather_bytes;
  }
}

std::string framework_choice_json(const Framework& f) {
  const Framework base = load_framework(f.name);
  std::vector<std::string> parts = {fmt::format("\"base\": \"{}\"", f.name)};
  std::vector<std::string> original;
  each_fact(base, [&](const std::string&, const auto& v) { original.push_back(written(v)); });
  std::size_t i = 0;
  each_fact(f, [&](const std::string& key, const auto& value) {
    const std::string text = written(value);
    if (text != original[i++]) parts.push_back(fmt::format("\"{}\": {}", key, text));
  });
  return fmt::format("{{{}}}", fmt::join(parts, ", "));
}

Framework load_framework(const std::string& name) {
  const std::vector<std::string> names = framework_names();
  if (std::find(names.begin(), names.end(), name) == names.end()) {
    const std::string near = nearest(name, {names.begin(), names.end()});
    throw Error(ExitCode::wrong, fmt::format("there is no framework preset \"{}\"", name),
                near.empty() ? "forerun list frameworks names them all"
                             : fmt::format("did you mean {}?", near));
  }
  const std::string path = data_path("sim/frameworks/" + name + ".json");
  Problems problems;
  const std::optional<Framework> f = read_framework(read_file(path, kMaxJsonBytes), problems);
  if (f && f->name != name) {
    problems.add("/name", fmt::format("\"{}\" is not the file's name, \"{}\"", f->name, name));
  }
  if (!f || !problems.empty()) throw Error(ExitCode::wrong, problems.text(path));
  return *f;
}

std::vector<std::string> framework_names() {
  std::vector<std::string> names;
  for (const auto& entry : std::filesystem::directory_iterator(data_path("sim/frameworks"))) {
    if (entry.path().extension() == ".json") names.push_back(entry.path().stem().string());
  }
  std::sort(names.begin(), names.end());
  return names;
}

}  // namespace forerun::sim
