#pragma once

/// Fits an AttentionFit: the forward pass to a table, what no table has to published charts.

#include <map>
#include <string>
#include <vector>

#include "hw/fit/attention_charts.h"
#include "hw/kernel_table.h"

namespace forerun::hw {

/// The forward pass (under a causal mask, so with `causal` 1) and the cache write of a table.
[[nodiscard]] AttentionFit fit_tabled(const std::vector<AttentionRow>& rows, FlopRate peak,
                                      const AttentionMachine& machine);

/// Every kernel of an accelerator: the one that its table timed and those that charts know. A
/// backward pass comes from charts where they have one, else from a published ratio to the forward
/// pass. `charted_on`: the Hopper whose charts fix what is common to all.
[[nodiscard]] std::map<AttentionKernel, AttentionFit> fit_attention(
    const Accelerator& accelerator, const Accelerator& charted_on,
    const std::vector<AttentionRow>& rows, const std::vector<ChartPoint>& charts);

[[nodiscard]] AttentionMachine machine_of(const Accelerator&);

/// What a surface says of a row's call: the kernel and the cache write.
[[nodiscard]] Seconds tabled_time(const AttentionSurface&, const AttentionRow&);

/// The kernel that the tables of a generation timed: FlashAttention-2's algorithm on Ampere
/// (FlashInfer) and Ada, FlashAttention-3 on Hopper, and on Blackwell what stands for cuDNN's.
[[nodiscard]] AttentionKernel tabled_kernel(const std::string& generation);

}  // namespace forerun::hw
