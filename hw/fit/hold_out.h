#pragma once

/// Which measured shapes the fits never see: one in twenty by its shape, and every shape of one in
/// twenty (n, k) pairs, or of one in twenty (batch, heads, kv_heads, head_dim) of attention. The
/// choice hangs on the sizes alone, so it is the same for every accelerator and dtype.

#include <cstdint>

#include "hw/kernel_table.h"

namespace forerun::hw {

enum class HeldOut : std::uint8_t { no, by_shape, by_group };

[[nodiscard]] HeldOut held_out(const GemmRow& row);
[[nodiscard]] HeldOut held_out(const AttentionRow& row);

/// A number in [0, 1) that hangs on the sizes alone, for choosing a sample.
[[nodiscard]] double draw(const GemmRow& row);
[[nodiscard]] double draw(const AttentionRow& row);

}  // namespace forerun::hw
