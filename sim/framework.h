#pragma once

/// What a training framework does that changes a step's time or memory: a preset is a named list of
/// such facts, each with its source, in sim/frameworks/NAME.json. No preset holds a fudge factor:
/// the fitted constants are times and fractions with a physical meaning, at most three, and
/// tests/published/ makes them.

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include "core/evidence.h"
#include "core/problem.h"
#include "core/quantity.h"
#include "core/reader.h"
#include "hw/kernel.h"
#include "models/layer_operations.h"
#include "sim/memory_habits.h"

namespace forerun::sim {

/// When the data-parallel gradient exchange runs.
enum class GradientExchange : std::uint8_t {
  overlapped,        ///< bucket by bucket during the last micro-batch's backward pass
  after_backward,    ///< one exchange when the backward pass has ended
  every_micro_batch  ///< FSDP without no_sync: reduce-scatter in every micro-batch, overlapped
};

/// Which layers a pipeline stage gets.
enum class LayerDivision : std::uint8_t {
  equal,   ///< as many each; the plan says whether embedding and loss count as layers
  by_cost  ///< nanotron: blocks in order, decoder layer = 4 h q + 3 h f, output matrix = h V, the
           ///< rest nothing; a stage ends with the block that takes the running sum over its share
};

struct Framework {
  std::string name;
  std::string description;
  hw::AttentionKernel attention = hw::AttentionKernel::flash2;
  bool fused_attention = true;  ///< false: batched products and a softmax over the square
  bool dropout = false;         ///< dropout kernels and masks after attention and feed-forward
  bool separate_projections =
      false;  ///< query, key, value (and gate, up) are products of their own
  bool fused_gradient_accumulation = true;  ///< weight gradients add into the buffer in the product
  bool weights_cast_every_micro_batch = false;  ///< low precision: weights are cast anew each time
  bool fused_norm = true;                       ///< norms are one kernel each way
  bool fused_rotary = true;                     ///< rotary positions likewise
  bool fused_kernels = true;  ///< bias+activation and bias+dropout+residual are one kernel each
  bool compiled = false;      ///< torch.compile / XLA: chains of elementwise kernels are one
  /// Of a parameter element beside the optimiser's state; 0 where the sharded 32-bit copy is the
  /// parameter and 16-bit ones exist only while they are gathered (FSDP).
  int parameter_bytes = 2;
  int gradient_bytes = 4;           ///< of a gradient element, accumulated and held
  int gradient_exchange_bytes = 4;  ///< of a gradient element on the wire
  int parameter_gather_bytes = 2;   ///< of a parameter element when sharded parameters are gathered
  /// The same under an fp8 recipe with one scale a tensor or a block (not a row, not nvfp4).
  int fp8_parameter_gather_bytes = 2;
  GradientExchange gradient_exchange = GradientExchange::overlapped;
  bool reduces_in_full = false;  ///< all-reduce of gradients even where only a shard is needed
  bool parameter_gather_overlapped = false;  ///< ZeRO-1: with the next forward pass
  bool tensor_overlap =
      false;  ///< tensor-parallel exchange overlapped with products (user buffers, async TP)
  bool tensor_gradient_overlap =
      false;  ///< input-gradient all-reduce beside the weight-gradient product
  bool point_to_point_overlap = false;  ///< interleaved sends beside compute
  bool scatter_gather_point_to_point =
      false;                             ///< each tensor rank sends its share, gathered on arrival
  bool blocking_point_to_point = false;  ///< the host waits for each send and receive
  bool cuda_graphs = false;              ///< whole-iteration graphs: no launch gaps
  double graphed_share = 0.0;            ///< share of layer kernels inside partial graphs
  bool graphed_attention = false;        ///< attention, norm to residual, is a graph
  bool graphed_router = false;           ///< the router of experts is one
  bool tied_embedding_all_reduce =
      true;  ///< first and last stage exchange the tied matrix's gradient
  /// Of so many first micro-batches of a step the output matrix's gradient product waits until the
  /// last stage's passes have ended, when its accelerators would be idle (MLPerf; Megatron-LM's
  /// wgrad_deferral_limit). Not modelled: the memory that keeps its operands, and the gather of
  /// the input, which runs beside the product before.
  std::int64_t deferred_embedding_gradients = 0;
  bool overflow_check = false;    ///< fp16 loss scaling: a pass over gradients and a host sync
  bool gradient_clipping = true;  ///< a norm pass, an all-reduce and a host sync
  bool fp32_logits = false;       ///< logits and cross-entropy in 32 bit
  bool fused_cross_entropy = false;
  int optimizer_state_bytes = 12;       ///< per parameter: fp32 copy and two moments
  int optimizer_read_write_bytes = 30;  ///< traffic per parameter of one fused Adam update
  hw::ExpertExchangeKind expert_dispatch = hw::ExpertExchangeKind::all_to_all;
  models::GroupedExperts grouped_experts = models::GroupedExperts::products;
  /// Grouped products are still issued by the host one or more an expert, on several streams.
  bool experts_issued_apart = false;
  bool expert_count_syncs = false;  ///< dropless: the host waits for the experts' numbers of rows
  bool expert_exchange_overlap =
      false;                           ///< dispatch and combine beside another micro-batch's layer
  bool shared_expert_overlap = false;  ///< shared experts beside the dispatch
  bool grouped_modalities = false;     ///< products of a layer's towers are one kernel
  bool recompute_ends_early =
      false;  ///< with the last tensor that the backward pass reads (models/layer_operations.h)
  bool modality_mask_syncs =
      false;            ///< tokens of a modality are found by a mask, which the host awaits
  Seconds host_sync{};  ///< idle time of the device when the host waits for it and then goes on
  std::int64_t bucket_bytes = 0;         ///< of a gradient bucket; 0: one layer
  std::int64_t vocabulary_multiple = 1;  ///< padded to a multiple of this times tensor parallel
  std::int64_t prefetch_units = 1;       ///< FSDP: layers gathered ahead
  LayerDivision layer_division = LayerDivision::equal;
  MemoryHabits memory;  ///< sim/memory_habits.h

  // Of the library's layer with experts; fitted apart from the rest (tests/published/fit).
  /// Bytes that kernels which route, permute and activate experts' rows move over those that the
  /// lists name, beside elementwise_traffic: padding, splits, sums in 32 bit.
  double expert_traffic = 1;
  double grouped_rate = 1;  ///< rate of experts' products over that of a batched product
  Seconds expert_launch{};  ///< host time to issue one kernel around experts

  // Fitted (tests/published/fit): at most three.
  /// Bytes that memory-bound kernels of a pass move over those the operation lists name: copies,
  /// changes of layout, passes that are not fused. Passes over weights move what they say.
  double elementwise_traffic = 1;
  Seconds launch{};         ///< host time to issue one kernel
  Seconds step_overhead{};  ///< serial time of a step (logging, loss scale, zeroing, learning rate)

  std::map<std::string, Evidence> evidence;
  std::map<std::string, std::string> source;
};

/// A preset's file: every fact is {"value", "evidence", "source"} and none may be left out.
[[nodiscard]] std::optional<Framework> read_framework(const std::string& json_text, Problems&);
/// A scenario's choice: {"base": "NAME", "tensor_overlap": true ...}: a preset, and facts that
/// replace its own (evidence `derived`, as the scenario states them). Calls finish() on the reader.
[[nodiscard]] Framework read_framework_choice(Reader&);
/// The object that read_framework_choice reads back as an equal framework: base and what differs.
[[nodiscard]] std::string framework_choice_json(const Framework&);
/// What a fused Adam update of so many parameters reads (gradient, copy, two moments) and writes
/// (all but the gradient).
struct AdamTraffic {
  Bytes read{}, written{};
};
[[nodiscard]] AdamTraffic adam_traffic(const Framework&, double parameters);
/// Bytes of a parameter element on the wire when sharded parameters are gathered.
[[nodiscard]] int gather_bytes(const Framework&, models::PrecisionRecipe);
/// The preset of that name; throws Error naming the nearest if there is none.
[[nodiscard]] Framework load_framework(const std::string& name);
[[nodiscard]] std::vector<std::string> framework_names();

}  // namespace forerun::sim
