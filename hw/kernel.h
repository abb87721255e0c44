#pragma once

/// What one accelerator is asked to do: kernels as values, each with its operations and its bytes.
/// Time is hw/kernel_time.h's business. Element counts are exact integers; shapes are per device,
/// after tensor, sequence and context parallelism have cut them.

#include <cstdint>
#include <string_view>
#include <variant>

#include "core/quantity.h"

namespace forerun::hw {

/// Number format of a matrix product's inputs (accumulation is 32 bit, outputs are 16 bit, those of
/// fp32 and tf32 32 bit).
/// fp8: e4m3 with one scale a tensor; mxfp8: blocks of 32; nvfp4: 4 bit with two-level scales;
/// fp8_block: 1 x 128 and 128 x 128 blocks (DeepSeek-V3).
enum class Precision : std::uint8_t { fp32, tf32, bf16, fp16, fp8, mxfp8, nvfp4, fp8_block };
[[nodiscard]] std::string_view name(Precision);
/// Bytes of one element as a product's input, block scales included: 4, 4, 2, 2, 1, 1.03125,
/// 0.5625, 1.03125.
[[nodiscard]] double bytes_per_element(Precision);

/// C[m,n] = A[m,k] B[k,n], `batch` times in one call. 2 m n k batch FLOPs.
/// Forward, input-gradient and weight-gradient products are this with their own m, n, k.
struct Gemm {
  std::int64_t m = 0, n = 0, k = 0;
  Precision precision = Precision::bf16;
  std::int64_t batch = 1;
  bool accumulates = false;  ///< reads and adds to a 32-bit C (fused weight-gradient accumulation)
  /// 8-bit only: partial sums along k are promoted to 32 bit ("split accumulator", no "fast
  /// accumulation"), as training frameworks ask of gradient products.
  bool promotes = false;
  auto operator<=>(const Gemm&) const = default;
};

/// Which product of a layer a grouped one is; the ragged size is m forward and for the input
/// gradient, and the summed one for the weight gradient.
enum class GroupedPass : std::uint8_t { forward, input_gradient, weight_gradient };

/// The products of a rank's experts in one launch: of expert i, with m_i of `rows` in all,
///   forward          C[m_i,n] = A[m_i,k] B_i[k,n]
///   input_gradient   A[m_i,k] = C[m_i,n] B_i^T[n,k]
///   weight_gradient  B_i[n,k] = sum over m_i of C A
/// 2 rows n k FLOPs each. Every expert's weights are read, or written, once.
struct GroupedGemm {
  std::int64_t groups = 1;
  double rows = 0;
  std::int64_t n = 0, k = 0;
  Precision precision = Precision::bf16;
  GroupedPass pass = GroupedPass::forward;
  bool accumulates = false, promotes = false;  ///< as of Gemm
  auto operator<=>(const GroupedGemm&) const = default;
};

/// Which fused attention kernel runs; unfused attention is two batched Gemms and a MemoryBound
/// softmax.
enum class AttentionKernel : std::uint8_t { flash2, flash3, cudnn, triton };
[[nodiscard]] std::string_view name(AttentionKernel);
enum class Pass : std::uint8_t { forward, backward };

/// softmax(Q K^T / sqrt(d)) V. 2 b h pairs (d + v) FLOPs forward; backward 2 b h pairs (3 d + 2 v):
/// five products for two (2.5 times the forward ones at v = d), of which three, the scores again
/// and the gradients of queries and keys, are d wide. Pairs are sq skv, less what the masks hide:
/// causal leaves those with key <= query + skv - sq; a window the last `window` of them;
/// `pairs_share` is what is attended of those (documents' masks below 1, spans that see forward
/// above).
struct Attention {
  Pass pass = Pass::forward;
  AttentionKernel kernel = AttentionKernel::flash2;
  std::int64_t batch = 1, queries = 0, keys = 0;  ///< sequence lengths
  std::int64_t heads = 0, kv_heads = 0, head_dim = 0;
  bool causal = true;
  bool alibi = false;           ///< a bias added to the scores inside the kernel
  std::int64_t v_head_dim = 0;  ///< of the values, where it differs from head_dim; 0: it does not
  std::int64_t window = 0;      ///< keys that a query sees at most; 0: no window
  double pairs_share = 1;
  [[nodiscard]] std::int64_t value_dim() const { return v_head_dim > 0 ? v_head_dim : head_dim; }
  auto operator<=>(const Attention&) const = default;
};

/// Bound by memory traffic: norms, activations, residuals, dropout, rotary, softmax, casts,
/// cross-entropy, the optimiser's passes, gradient clipping, zeroing.
struct MemoryBound {
  Bytes read{}, written{};
  bool plain = false;  ///< one elementwise pass over long arrays, as fast as a copy of them
  Seconds serial{};    ///< what one block of threads takes, however much of the machine is free
  auto operator<=>(const MemoryBound&) const = default;
};

/// How rows are added to a table by their index; both read and write the table's rows.
enum class Adding : std::uint8_t {
  none,     ///< rows are picked
  sorted,   ///< those of one index one after another, after a sort
  atomics,  ///< values one by one, each by an atomic operation
};

/// Rows picked or added by index: embedding forward (gather) and backward (scatter-add), copies of
/// tokens for experts and what comes back.
struct Gather {
  std::int64_t rows = 0;
  Bytes row{};
  Adding adding = Adding::none;
  Precision precision = Precision::bf16;  ///< of the values, where atomics add them
  auto operator<=>(const Gather&) const = default;
};

using Kernel = std::variant<Gemm, Attention, MemoryBound, Gather, GroupedGemm>;

[[nodiscard]] Flops flops(const Kernel&);
/// Compulsory traffic to device memory: each operand once, outputs written once.
[[nodiscard]] Bytes traffic(const Kernel&);

}  // namespace forerun::hw
