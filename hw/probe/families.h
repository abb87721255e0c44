#pragma once

/// What the probe times: one table of families, each with the arguments that make a shape, the
/// number formats and passes it comes in and who may run it. The planner, the file format and the
/// documentation read this table.

#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "hw/kernel.h"

namespace forerun::hw {

enum class ProbeFamily : std::uint8_t {
  gemm,               ///< C[m,n] = A[m,k] B[k,n]
  grouped_gemm,       ///< products of experts: `rows` in all, cut unevenly by `skew_percent`
  modality_gemm,      ///< one product for each modality, rows cut likewise
  attention,          ///< softmax(Q K^T / sqrt(d)) V, fused
  rms_norm,           ///< `rows` of `width`
  layer_norm,         ///< the same with mean and bias
  swiglu,             ///< silu(a) b: reads 2 x width, writes width
  gelu,               ///< tanh form
  rotary,             ///< embedding of positions, rotating halves
  cross_entropy,      ///< loss and log-sum-exp of 16-bit logits; backward writes their gradient
  embedding,          ///< rows of a table picked; backward adds them with atomics
  modality_gather,    ///< tokens of each modality brought together, by an index
  modality_scatter,   ///< and put back in their places
  adam,               ///< over flat buffers: 32-bit master, two moments, 16-bit gradient and copy
  copy_device,        ///< cudaMemcpyAsync within device memory
  copy_to_device,     ///< from pinned host memory
  copy_from_device,   ///< to pinned host memory
  launch_stream,      ///< empty kernels one after another in a stream; seconds of one
  launch_graph,       ///< the same replayed from a CUDA graph
  all_reduce,         ///< NCCL over `ranks` accelerators of this machine
  all_gather,         ///<
  reduce_scatter,     ///<
  all_to_all,         ///<
  beside_copy,        ///< a product while copies within device memory run on another stream
  beside_host_copy,   ///< the same beside copies from the host
  beside_all_reduce,  ///< the same beside a running all-reduce
};

/// Which product, or direction, of a layer: as its operands lie in memory. Rows of activations are
/// contiguous, weights are [n,k] by rows.
///   forward          Y[m,n] = X[m,k] W[n,k]^T
///   input_gradient   dX[m,n] = dY[m,k] W[k,n]
///   weight_gradient  dW[m,n] = dY[k,m]^T X[k,n]
///   backward         of what is no product
/// so m, n, k of a gemm are those of the product that runs. Grouped and per-modality products name
/// the n and k of the forward product in all passes, as hw::GroupedGemm does. 8-bit products run
/// row by row in all passes, as the hardware asks, over operands that were transposed before; those
/// of gradients promote their partial sums (no fast accumulation).
enum class ProbePass : std::uint8_t { forward, input_gradient, weight_gradient, backward };

/// Who ran it.
enum class ProbeImplementation : std::uint8_t {
  cublas_lt,          ///< the best of the heuristics' first algorithms
  cublas_grouped,     ///< cublasGemmGroupedBatchedEx, one launch
  cublas_lt_streams,  ///< one product after another on four streams, as training frameworks do
  cudnn,              ///< its graph interface, the heuristics' first plan that builds
  own,                ///< a kernel of the probe
  runtime,            ///< the CUDA runtime: copies, empty kernels
  nccl,
};

/// burst: calls apart, so that the power cap does not act; sustained: back to back for seconds.
enum class ProbeMode : std::uint8_t { burst, sustained };

[[nodiscard]] std::string_view name(ProbeFamily);
[[nodiscard]] std::string_view name(ProbePass);
[[nodiscard]] std::string_view name(ProbeImplementation);
[[nodiscard]] std::string_view name(ProbeMode);

/// One argument of a family: an integer in this range.
struct ProbeArgument {
  std::string_view name;
  std::int64_t least = 1, most = 0;
};

struct ProbeFamilyFacts {
  ProbeFamily family;
  std::string_view name;
  std::vector<ProbeArgument> arguments;  ///< all of them, in this order
  std::vector<Precision> precisions;     ///< empty: no arithmetic, the point names none
  std::vector<ProbePass> passes;
  std::vector<ProbeImplementation> implementations;
  bool has_alone = false;  ///< a tax: the time of the same kernel alone belongs to the point
};

[[nodiscard]] std::span<const ProbeFamilyFacts> probe_families();
[[nodiscard]] const ProbeFamilyFacts& facts(ProbeFamily);

/// What is timed: a family with its arguments, in the order of the family's facts.
struct ProbeShape {
  ProbeFamily family = ProbeFamily::gemm;
  std::vector<std::int64_t> arguments;
  std::optional<Precision> precision;
  ProbePass pass = ProbePass::forward;
  ProbeImplementation implementation = ProbeImplementation::cublas_lt;
  auto operator<=>(const ProbeShape&) const = default;

  /// The argument of that name; asserts that the family has it.
  [[nodiscard]] std::int64_t argument(std::string_view name) const;
};

/// "gemm m=4096 n=4096 k=4096 bf16 forward cublas_lt"
[[nodiscard]] std::string text(const ProbeShape&);

/// Rows of each part when `rows` are cut into `parts` unevenly: the first has skew_percent more
/// than an even share and so on down, linearly, to the last with as much less; 0: even. The rows'
/// sum is exact and no part is negative.
[[nodiscard]] std::vector<std::int64_t> probe_parts(std::int64_t rows, std::int64_t parts,
                                                    std::int64_t skew_percent);

/// Operations of one call: those of hw::Kernel where it is one, of attention and products; 0 for
/// what is bound by memory.
[[nodiscard]] Flops flops(const ProbeShape&);
/// Compulsory traffic of one call to device memory, or over the link that it crosses.
[[nodiscard]] Bytes traffic(const ProbeShape&);
/// What hw/kernel_time.h predicts for one call: kernels that run one after another (a product of
/// each modality; otherwise one). Empty for copies between host and device, launches and
/// collectives; for a tax, the kernel alone. Passes of products are transpositions that a Gemm does
/// not know.
[[nodiscard]] std::vector<Kernel> kernels_of(const ProbeShape&);

}  // namespace forerun::hw
