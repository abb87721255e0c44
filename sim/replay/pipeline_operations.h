#pragma once

/// The kinds of operations in a table of a pipelined job: Megatron-LM's timers as
/// ByteDance-Seed/StragglerAnalysis names them.

#include <array>
#include <cstdint>
#include <string_view>

namespace forerun::replay {

enum class PipelineKind : std::uint8_t {
  params_all_gather,
  forward_compute,
  forward_send,
  forward_recv,
  backward_compute,
  backward_send,
  backward_recv,
  gc,
  layernorm_grads_all_reduce,
  embedding_grads_all_reduce,
  grads_reduce_scatter,
  separate_grads_all_reduce,
  optimizer_clip_main_grad,
  optimizer
};

struct PipelineKindFacts {
  std::string_view name;
  bool exchange;  ///< for what-if questions: its typical duration is the median, not the mean
};

/// In the order of PipelineKind, which is the order of JobTrace::kinds of such a table.
inline constexpr std::array<PipelineKindFacts, 14> kPipelineKinds = {
    {{"params-all-gather", true},
     {"forward-compute", false},
     {"forward-send", true},
     {"forward-recv", true},
     {"backward-compute", false},
     {"backward-send", true},
     {"backward-recv", true},
     {"gc", false},
     {"layernorm-grads-all-reduce", true},
     {"embedding-grads-all-reduce", true},
     {"grads-reduce-scatter", true},
     {"separate-grads-all-reduce", true},
     {"optimizer-clip-main-grad", true},
     {"optimizer", false}}};

}  // namespace forerun::replay
