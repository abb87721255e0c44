#pragma once

/// From a scenario to a program: what each pipeline rank issues in a step, in order.
///
/// A step of a rank: zero the gradients, cast weights, gather sharded parameters; the passes of the
/// pipeline schedule with their sends and receives; the gradient exchange, bucket by bucket beside
/// the last backward passes or after them; loss-scale check, gradient norm, optimiser, parameter
/// gather, bookkeeping. Passes that nothing interrupts are one operation (Detail::folded) or all
/// their kernels (Detail::kernels).
///
/// Not modelled: data loading, logging to disk, Python's garbage collector, host run-ahead limits.

#include <array>
#include <cstdint>
#include <memory>
#include <vector>

#include "models/mixture/composition.h"
#include "sim/layout.h"
#include "sim/parts.h"
#include "sim/price.h"
#include "sim/program.h"
#include "sim/scenario.h"
#include "sim/variation.h"

namespace forerun::sim {

/// With a network that is a graph every kernel is an operation, whatever is asked: exchanges inside
/// layers share links too.
enum class Detail : std::uint8_t {
  folded,
  kernels,
  bare  ///< folded, for its times only: no labels, no work, nothing about what was folded
};

/// What is inside a folded operation.
struct FoldedRun {
  std::array<std::int64_t, kCategories> breakdown{};
};

struct Compiled {
  Program program;
  std::vector<FoldedRun> runs;
  std::vector<std::vector<std::int32_t>> run_of;  ///< by rank, by operation; -1: not folded
  std::vector<Work> work;                         ///< by rank, of the whole step
  /// That the ranks' operations came from: by pool, by composition. Shared with the steps of other
  /// plans where a search has priced them before (sim/step_cache.h).
  std::vector<std::shared_ptr<const std::vector<Parts>>> parts;
  std::vector<std::size_t> pool_of;  ///< by stage
  [[nodiscard]] const std::vector<Parts>& parts_of(std::int64_t stage) const {
    return *parts[pool_of[static_cast<std::size_t>(stage)]];
  }
  std::vector<std::vector<std::int32_t>> data_channels;  ///< by stage: where lanes meet
  /// By rank, by operation: into Pricer::exchanges(), or -1; empty unless the network is a graph.
  std::vector<std::vector<std::int32_t>> exchange_of;
};

/// Ranks are the stages of the first lane, then those of the next (sim/variation.h).
/// `clocks`: of the burst clock, by pool.
[[nodiscard]] Compiled compile_step(const Scenario&, const Layout&, const Variation&, Detail,
                                    const std::vector<double>& clocks);
/// The same from parts priced before, at that clock, of a scenario without pools; bare.
[[nodiscard]] Compiled compile_step(const Scenario&, const Layout&, const Variation&, double clock,
                                    std::shared_ptr<const std::vector<Parts>>, KnownTimes&);

/// How the scenario's framework and plan turn a layer into kernels, and one micro-batch's slice.
[[nodiscard]] models::KernelChoices kernel_choices(const Scenario&);
[[nodiscard]] models::Slice slice_of(const Scenario&);
/// A composition to 1/64 of the micro-batch, so that equal work is priced once, and whole tiles are
/// compared with whole tiles.
[[nodiscard]] models::Composition rounded(models::Composition, const Plan&);
/// The slice of a micro-batch of that composition.
[[nodiscard]] models::Slice composed(models::Slice, const models::Mixture&,
                                     const models::Composition&);

}  // namespace forerun::sim
