#include "sim/published_software.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <optional>
#include <span>
#include <string>
#include <utility>
#include <vector>

namespace forerun::sim {
namespace {

using models::PrecisionRecipe;

/// Share of a layer's kernels that lie in its feed-forward part, which is what a graph with scope
/// "mlp" captures: of some 22 kernels a pass in a gated layer, 9 are from its norm to its residual.
constexpr double kGraphedShareOfMlp = 0.4;

constexpr std::size_t kMostRepeats = 1000;

/// A layout from `i` to its end or closing parenthesis, repetitions written out.
std::string written_out(std::string_view layout, std::size_t& i) {
  std::string out;
  while (i < layout.size() && layout[i] != ')') {
    std::string unit(1, layout[i]);
    if (layout[i++] == '(') {
      unit = written_out(layout, i);
      ++i;  // the closing parenthesis
    }
    std::size_t times = 1;
    if (i < layout.size() && layout[i] == '*') {
      times = 0;
      for (++i; i < layout.size() && layout[i] >= '0' && layout[i] <= '9'; ++i) {
        times = std::min(kMostRepeats, 10 * times + static_cast<std::size_t>(layout[i] - '0'));
      }
    }
    for (std::size_t t = 0; t < times && out.size() < kMostRepeats * 10; ++t) out += unit;
  }
  return out;
}

/// Layers of each chunk of a layout; nothing if it is not one.
std::optional<std::vector<std::int64_t>> layers_of_chunks(std::string_view layout) {
  std::size_t at = 0;
  const std::string flat = written_out(layout, at);
  if (at < layout.size()) return std::nullopt;
  std::vector<std::int64_t> chunks = {0};
  for (const char c : flat) {
    if (c == '|') {
      chunks.push_back(0);
    } else if (c == 't') {
      ++chunks.back();
    } else if (c != 'E' && c != 'm' && c != 'L') {
      return std::nullopt;
    }
  }
  return chunks;
}

class Software {
 public:
  Software(Reader& row, Scenario& s)
      : s_(s), f_(s.framework), sharding_(row.object("sharding")), software_(object(row)) {}

  void apply() {
    sharding();
    recipe();
    overlap();
    experts();
    chunk_layout();
    graphs();
    fsdp_precision();
    if (flag("torch_compile")) state("compiled", f_.compiled, value_);
    if (text("attention").starts_with("cudnn")) {
      state("attention", f_.attention, hw::AttentionKernel::cudnn);
    }
    if (text("cp_mode") == "a2a") s_.plan.context_exchange = models::ContextExchange::all_to_all;
    if (software_ && software_->has("cpu_offload_layers")) {
      s_.plan.activation_offload_layers = software_->integer("cpu_offload_layers", 0, 10'000);
      assume("copies of offloaded activations run beside the passes and take no time");
    }
    if (text("pipeline") == "afab") s_.plan.schedule = PipelineSchedule::all_forward_all_backward;
  }

 private:
  static std::optional<Reader> object(Reader& row) {
    if (!row.has("software")) return std::nullopt;
    return row.object("software");
  }
  /// Empty if the row does not say.
  std::string text(std::string_view key) {
    return software_ && software_->has(key) ? software_->text(key) : std::string{};
  }
  /// True if the row says, then value_ is what it says.
  bool flag(std::string_view key) {
    if (!software_ || !software_->has(key)) return false;
    value_ = software_->boolean(key);
    return true;
  }
  template <class T>
  void state(const std::string& fact, T& field, T value) {
    field = value;
    f_.evidence[fact] = Evidence::published;
    f_.source[fact] = "stated by the row";
  }
  void assume(std::string what) { s_.assumptions.push_back(std::move(what)); }

  void sharding() {
    const std::int64_t stage = sharding_.integer("stage", 0, 3);
    s_.plan.sharding = static_cast<ShardingStage>(stage);
    if (sharding_.has("replicas") && sharding_.has("group")) {
      const std::int64_t replicas = sharding_.integer("replicas", 1, 1 << 24);
      const std::int64_t group = sharding_.integer("group", 1, 1 << 24);
      if (replicas > 1) s_.plan.shard_group = group;
    }
    if (sharding_.has("gradient_dtype")) {
      constexpr std::array<std::pair<std::string_view, int>, 3> kBytes = {
          std::pair{std::string_view("bf16"), 2}, {"fp16", 2}, {"fp32", 4}};
      const int bytes = sharding_.choice("gradient_dtype", kBytes);
      state("gradient_bytes", f_.gradient_bytes, bytes);
      state("gradient_exchange_bytes", f_.gradient_exchange_bytes, bytes);
    }
    if (stage == 3 && f_.gradient_exchange != GradientExchange::every_micro_batch) {
      state("gradient_exchange", f_.gradient_exchange, GradientExchange::every_micro_batch);
      f_.fused_gradient_accumulation = false;
      assume(
          "parameters are sharded: each micro-batch gathers and reduces, and weight gradients "
          "are not accumulated inside the products");
    }
  }

  /// NVIDIA's recipes name their scaling: CS is current, DS delayed, MX blocks of 32.
  void recipe() {
    const std::string name = text("recipe");
    const auto is = [&](const char* part) { return name.find(part) != std::string::npos; };
    PrecisionRecipe& precision = s_.plan.precision;
    if (precision == PrecisionRecipe::fp8_delayed && is("FP8_CS")) {
      precision = PrecisionRecipe::fp8_current;
      assume("the recipe's name says current scaling (FP8_CS)");
    }
    if (precision == PrecisionRecipe::nvfp4 && f_.tensor_overlap && !name.empty()) {
      f_.tensor_overlap = false;
      assume("Megatron-Bridge turns tensor-parallel overlap off under nvfp4");
    }
  }

  void overlap() {
    if (flag("tp_comm_overlap") || flag("async_tp")) {
      state("tensor_overlap", f_.tensor_overlap, value_);
    }
    if (flag("overlap_grad_sync") || flag("overlap_grad_reduce")) {
      if (f_.gradient_exchange != GradientExchange::every_micro_batch) {
        state("gradient_exchange", f_.gradient_exchange,
              value_ ? GradientExchange::overlapped : GradientExchange::after_backward);
      }
    }
    if (flag("overlap_param_sync") || flag("overlap_param_gather_with_optim_step")) {
      state("parameter_gather_overlapped", f_.parameter_gather_overlapped, value_);
    }
    if (flag("overlap_p2p")) state("point_to_point_overlap", f_.point_to_point_overlap, value_);
    if (software_ && software_->has("defer_embedding_wgrad")) {
      state("deferred_embedding_gradients", f_.deferred_embedding_gradients,
            software_->integer("defer_embedding_wgrad", 0, 1'000'000'000));
    }
  }

  void experts() {
    const std::string dispatcher = text("moe_dispatcher");
    if (dispatcher == "deepep" || dispatcher == "hybridep") {
      state("expert_dispatch", f_.expert_dispatch, hw::ExpertExchangeKind::fused);
    }
    if (flag("moe_a2a_overlap")) {
      state("expert_exchange_overlap", f_.expert_exchange_overlap, value_);
    }
    const std::string said = text("moe");
    if (said.find("no grouped gemm") != std::string::npos) {
      state("grouped_experts", f_.grouped_experts, models::GroupedExperts::none);
    }
    if (said.find("capacity factor 1.0") != std::string::npos && s_.model.experts) {
      s_.model.experts->capacity_factor = 1;
    }
    if (s_.model.experts) assume("every expert gets as many tokens");
  }

  /// Megatron-Core's layout of a pipeline, one character a layer and a bar between chunks: E the
  /// embedding, t a layer, m a module of multi-token prediction, L the loss; (...)*n repeats.
  void chunk_layout() {
    const std::string layout = text("pp_layout");
    if (layout.empty()) return;
    const std::optional<std::vector<std::int64_t>> layers = layers_of_chunks(layout);
    if (layers) {
      s_.plan.layers_of_chunks = *layers;
    } else {
      software_->problem("pp_layout", fmt::format("\"{}\" is not understood", layout));
    }
  }

  void graphs() {
    if (flag("cuda_graph")) state("cuda_graphs", f_.cuda_graphs, value_);
    const std::string implementation = text("cuda_graph_impl");
    if (implementation.empty()) return;
    const bool whole = implementation == "full_iteration" ||
                       (implementation == "local" && text("cuda_graph_scope") == "full_iteration");
    state("cuda_graphs", f_.cuda_graphs, whole);
    if (whole && s_.model.experts) fuse_experts();
    const std::vector<std::string> captured = whole ? std::vector<std::string>{} : scopes();
    const auto captures = [&](const char* scope) {
      return std::find(captured.begin(), captured.end(), scope) != captured.end();
    };
    state("graphed_share", f_.graphed_share, captures("mlp") ? kGraphedShareOfMlp : 0.0);
    state("graphed_attention", f_.graphed_attention, captures("attn"));
    state("graphed_router", f_.graphed_router, captures("moe_router"));
    if (captures("mlp")) assume("graphs of the feed-forward part hold 40 % of a layer's kernels");
  }

  /// A graph of the whole iteration cannot hold shapes that the router decides, so the experts'
  /// buffers have the size of a capacity (moe_expert_rank_capacity_factor), which Megatron-Core
  /// takes only with Transformer Engine's fused grouped MLP; Megatron-Bridge's recipes with such
  /// graphs set it (cutedsl_fused_grouped_mlp; scripts/performance/utils/overrides.py). It is made
  /// of kernels for blocks of 32 in 8 bit.
  void fuse_experts() {
    if (f_.name != "megatron-bridge" || s_.plan.precision != PrecisionRecipe::mxfp8) return;
    f_.grouped_experts = models::GroupedExperts::feed_forward;
    f_.evidence["grouped_experts"] = Evidence::derived;
    f_.source["grouped_experts"] =
        "a whole-iteration graph of dropless experts needs the fused grouped MLP";
  }

  std::vector<std::string> scopes() {
    if (!software_->has("cuda_graph_scope")) return {};
    if (software_->is_list("cuda_graph_scope")) return software_->texts("cuda_graph_scope");
    return {software_->text("cuda_graph_scope")};
  }

  void fsdp_precision() {
    const std::string mode = text("fsdp_mixed_precision");
    if (mode.empty()) return;
    const bool full = mode == "FULL", pure = mode == "PURE";
    state("parameter_gather_bytes", f_.parameter_gather_bytes, full ? 4 : 2);
    state("gradient_exchange_bytes", f_.gradient_exchange_bytes, pure ? 2 : 4);
  }

  Scenario& s_;
  Framework& f_;
  Reader sharding_;
  std::optional<Reader> software_;
  bool value_ = false;
};

}  // namespace

void apply_published_software(Reader& row, Scenario& scenario) { Software(row, scenario).apply(); }

}  // namespace forerun::sim
