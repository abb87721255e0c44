#pragma once

/// Tables of measured kernel times, and how well a profile predicts them. The kind of a table is
/// known by its header:
///
///   m,n,k,dtype,latency_us                                             gemm
///   m,n,k,dtype,latency_us,power_w                                     gemm_sustained
///   batch,seq_len,heads,kv_heads,head_dim,causal,dtype,latency_us      attention
///   batch,seq_len,heads,qk_head_dim,v_head_dim,causal,dtype,latency_us mla
///   tokens,hidden,inter,experts,topk,tp,ep,gated,distribution,dtype,latency_us  moe
///   op,dtype,gpus,bytes,latency_us                                     nccl
///
/// gemm rows are compared at the burst clock, gemm_sustained rows at the clock that the power cap
/// leaves. Rows of 8-bit products contain the cast of the activation and rows of attention the
/// writing of a key/value cache; the surface says how long those take and they are added to the
/// prediction. Of moe, rows whose loads are drawn are counted and named, never dropped: how many
/// rows the timed accelerator had is not recorded.

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "core/problem.h"
#include "core/quantity.h"
#include "hw/accelerator.h"
#include "hw/collective.h"
#include "hw/kernel.h"

namespace forerun::hw {

enum class TableKind : std::uint8_t { gemm, gemm_sustained, attention, mla, moe, nccl };
[[nodiscard]] std::string_view name(TableKind);

struct GemmRow {
  std::int64_t m = 0, n = 0, k = 0;
  std::string dtype;  ///< a Precision's name or "fp8_block"
  Seconds time{};
  Watts power{};  ///< mean board power; zero where not measured
};

struct AttentionRow {
  std::int64_t batch = 0, length = 0, heads = 0, kv_heads = 0, head_dim = 0;
  bool causal = true;
  std::string dtype;
  Seconds time{};
};

/// Latent attention's core: rotary embedding and the cache's writing are in the call.
struct LatentRow {
  std::int64_t batch = 0, length = 0, heads = 0, head_dim = 0, v_head_dim = 0;
  bool causal = true;
  std::string dtype;
  Seconds time{};
};

/// A layer of experts as one accelerator of an expert-parallel group sees it, without exchanges.
struct ExpertsRow {
  std::int64_t tokens = 0;  ///< of the whole group
  std::int64_t hidden = 0, ffn = 0, experts = 0, top_k = 0, tensor = 1, expert = 1;
  bool gated = true;
  bool balanced = true;  ///< every expert has as many rows
  std::string dtype;
  Seconds time{};
};

struct CollectiveRow {
  CollectiveKind kind = CollectiveKind::all_reduce;
  std::string dtype;
  std::int64_t ranks = 0;
  Bytes bytes{};
  Seconds time{};
};

struct KernelTable {
  TableKind kind = TableKind::gemm;
  std::vector<GemmRow> gemm;
  std::vector<AttentionRow> attention;
  std::vector<LatentRow> latent;
  std::vector<ExpertsRow> experts;
  std::vector<CollectiveRow> collectives;
};

/// Wrong rows are reported with line and column.
[[nodiscard]] std::optional<KernelTable> read_kernel_table(std::string_view text, Problems&);

/// What a row timed, beside the writing of the cache: a forward pass over as many queries as keys.
[[nodiscard]] Attention attention_of(const AttentionRow&,
                                     AttentionKernel = AttentionKernel::flash2);

/// Predictions of what a row's call took. Null where the profile has no such kernel.
[[nodiscard]] std::optional<Seconds> predict(const GemmRow&, const Accelerator&);
[[nodiscard]] std::optional<Seconds> predict_sustained(const GemmRow&, const Accelerator&);
/// `kernel`: the one that the accelerator's tables timed (see tabled_attention).
[[nodiscard]] std::optional<Seconds> predict(const AttentionRow&, const Accelerator&);
/// Rotary embedding of the queries' and keys' parts that have one (as wide as queries are wider
/// than values), which latent attention's tables time too.
[[nodiscard]] Seconds beside(const LatentRow&, const Accelerator&);
/// As attention with two head sizes, and what is timed beside it.
[[nodiscard]] std::optional<Seconds> predict(const LatentRow&, const Accelerator&);
/// Scores read, rows gathered by expert, product, activation, product, rows weighed and added; in 8
/// bit gathered rows and activations are written in 8 bit. The products are kernel_time's grouped
/// ones. Nothing of it is fitted to these tables.
[[nodiscard]] std::optional<Seconds> predict(const ExpertsRow&, const Accelerator&);
/// The attention kernel whose forward surface was fitted to a table of this accelerator.
[[nodiscard]] std::optional<AttentionKernel> tabled_attention(const Accelerator&);

struct TableScore {
  std::string operation, dtype;
  std::size_t rows = 0;
  std::size_t predicted = 0;             ///< rows that a prediction was made for
  double median = 0, mean = 0, p95 = 0;  ///< absolute relative errors of those
  std::string note;                      ///< why rows were not predicted, or empty
};

/// One score an operation and dtype, in the order of first appearance. `network` prices
/// collectives.
[[nodiscard]] std::vector<TableScore> score(const KernelTable&, const Accelerator&,
                                            const Network* network = nullptr);

}  // namespace forerun::hw
