#pragma once

/// Issues one pipeline rank's operations of a step. Private to sim/.

#include <array>
#include <cstdint>
#include <map>
#include <string>
#include <vector>

#include "sim/compile.h"
#include "sim/paired_segment.h"
#include "sim/parts.h"
#include "sim/pass_units.h"
#include "sim/schedule.h"

namespace forerun::sim {

/// Numbers of the messages between model chunks and of the barriers of a step.
class Channels {
 public:
  Channels(std::int64_t model_chunks, std::int64_t micro_batches)
      : chunks_(model_chunks), micro_batches_(micro_batches) {}
  /// The output of model chunk `chunk` for `micro_batch`, to chunk + 1.
  [[nodiscard]] std::int32_t forward(std::int64_t chunk, std::int64_t micro_batch) const;
  /// The gradient from chunk + 1 back to `chunk`.
  [[nodiscard]] std::int32_t backward(std::int64_t chunk, std::int64_t micro_batch) const;
  enum class Barrier : std::uint8_t { tied_embedding, overflow, norm };
  [[nodiscard]] std::int32_t barrier(Barrier) const;
  [[nodiscard]] std::int32_t count() const;

 private:
  std::int64_t chunks_, micro_batches_;
};

class RankBuilder {
 public:
  /// Adds a rank to `compiled`, from its pool's parts: stage `rank` of `lane`. The scenario is as
  /// that pool sees it.
  RankBuilder(const Scenario&, const Layout&, const Variation&, Pricer&, PairedSegments&, Detail,
              const Channels&, std::int64_t lane, std::int64_t rank, Compiled& compiled);
  void begin_step();
  void pass(const ScheduledPass&);
  /// A forward and a backward pass that run at the same time.
  void together(const ScheduledPass& forward, const ScheduledPass& backward);
  void end_step();

 private:
  /// The units of a chunk's pass, and all of them folded into one operation.
  struct UnitList {
    std::vector<Unit> units;
    PricedOperation folded;
    std::int64_t host_rest = 0;
    FoldedRun run;
  };

  [[nodiscard]] std::vector<Unit> units_of(const Chunk&, PassKind, std::int64_t micro_batch,
                                           bool head_deferred = false) const;
  [[nodiscard]] static UnitList folded_list(std::vector<Unit>);
  /// What a pass of a micro-batch consists of.
  [[nodiscard]] const UnitList& units(const ScheduledPass&, bool deferring);
  /// An exchange of gradients or parameters, in which lanes meet, each time in the same order.
  OperationId push_data(const PricedOperation&, OperationId wait);
  [[nodiscard]] std::int32_t own_channel(std::int32_t channel) const {
    return static_cast<std::int32_t>(lane_) * channels_.count() + channel;
  }
  /// Units [first, last) as one operation; its host ticks are those of the first launch.
  static void fold(const std::vector<Unit>&, std::size_t first, std::size_t last, UnitList& into);
  /// Issues units [first, last) of a pass; returns the last compute operation.
  OperationId issue(const std::vector<Unit>&, std::size_t first, std::size_t last, const char* name,
                    OperationId wait, OperationId also_wait);
  OperationId issue_all(const UnitList&, const char* name, OperationId wait, OperationId also_wait);
  OperationId push(const PricedOperation&, OperationId wait = kNone, OperationId also_wait = kNone);
  OperationId push_kernels(const Segment&, OperationId wait, OperationId also_wait);
  OperationId push_folded(const UnitList&, std::size_t units, const char* name, OperationId wait,
                          OperationId also_wait);

  void compute(const ScheduledPass&, const UnitList&, OperationId wait, OperationId also_wait);
  /// What a pass waits for of other stages; kNone at the ends of the model.
  OperationId receive(const ScheduledPass&);
  void send(const ScheduledPass&);
  /// Whether the pass has nothing to do: the loss lies before its chunk, or it is a backward pass
  /// of frozen encoders alone.
  [[nodiscard]] bool is_empty(const ScheduledPass&) const;
  [[nodiscard]] std::int64_t chunk_in_model(const ScheduledPass& pass) const {
    return model_chunk(shape_, {rank_, pass.chunk});
  }
  [[nodiscard]] OperationId until_sent() const;
  OperationId receive(std::int64_t boundary, std::int64_t micro_batch, std::int32_t channel);
  void send(std::int64_t boundary, std::int64_t micro_batch, std::int32_t channel);
  /// What travels of a micro-batch from a model chunk to the next (and its gradient back).
  [[nodiscard]] PricedOperation message(std::int64_t boundary, std::int64_t micro_batch) const;
  [[nodiscard]] const PricedOperation& message(const Sends&, std::int64_t boundary) const;
  [[nodiscard]] const Chunk& chunk_of_model(std::int64_t chunk) const;
  void find_ends();
  void reducing_pass(const std::vector<Unit>&, const char* name, OperationId wait,
                     OperationId also_wait);
  void first_pass(const std::vector<Unit>&, std::vector<OperationId> gathers, OperationId wait,
                  OperationId also_wait);
  void gathered_pass(const std::vector<Unit>&, bool forward, const char* name, OperationId wait,
                     OperationId also_wait);
  /// What the compute stream does next waits for both, besides what it waits for itself.
  void hold_compute(OperationId wait, OperationId also_wait);
  /// `experts`: parameters of routed experts, whose data-parallel group is another.
  OperationId gather_parameters(double parameters, double experts, OperationId wait);
  OperationId reduce_gradients(double parameters, double experts, OperationId wait);
  OperationId reduce_among(double parameters, const PlacedGroup& data, const PlacedGroup& shard,
                           OperationId wait);
  /// Whether a backward pass leaves the output matrix's gradient for the end of the step.
  [[nodiscard]] bool defers(const ScheduledPass&) const;
  void deferred_gradients();
  void exchange_tied_embedding();
  void clip_and_check(double held);
  void update();
  void add_weight_casts(std::vector<Unit>&) const;

  [[nodiscard]] bool fully_sharded() const;
  [[nodiscard]] bool last_backward_of_chunk(const ScheduledPass&);

  const Scenario& scenario_;
  const Layout& layout_;
  const Variation& variation_;
  PipelineShape shape_;
  Pricer& pricer_;
  PairedSegments& paired_;
  const std::vector<Parts>& pool_parts_;  ///< by composition
  const Parts& parts_;                    ///< of the first: what all have in common
  Detail detail_;
  const Channels& channels_;
  std::int64_t lane_, rank_;
  Compiled& compiled_;
  RankProgram& program_;
  std::vector<std::int32_t>& run_of_;
  std::vector<std::int32_t>* exchange_of_;  ///< null unless the network is a graph
  Work& work_;

  double held_ = 0;     ///< parameters of one tensor rank, before sharding
  double experts_ = 0;  ///< of them, those of routed experts
  double owned_ = 0;    ///< what this rank updates
  /// By kind of pass, by chunk, of the first micro-batch.
  std::array<std::vector<UnitList>, 4> lists_;
  std::map<std::int64_t, UnitList> together_;  ///< by the forward pass's chunk, where all are alike
  UnitList varied_;                            ///< of the pass in hand, where micro-batches differ
  std::int32_t micro_batch_ = -1, backward_micro_batch_ = -1;  ///< of what is issued
  std::size_t meetings_ = 0;                                   ///< of lanes, so far
  UnitList backward_deferring_;  ///< of the chunk with the head, where its weight gradient waits
  std::int64_t deferred_ = 0;    ///< micro-batches whose output matrix's gradient is still to come
  // Chunks of the model.
  std::int64_t last_chunk_ = 0;                   ///< that holds the loss: nothing lies after it
  std::int64_t head_chunk_ = 0, cast_chunk_ = 0;  ///< logits travel from there on
  std::int64_t first_trained_ = 0;  ///< that gets gradients; those before are frozen encoders

  OperationId last_compute_ = kNone;
  OperationId last_data_ = kNone;
  OperationId last_send_ = kNone;
  OperationId trailing_ = kNone;  ///< an exchange that the next compute operation waits for
  /// ZeRO-1: what the units of a chunk's first forward pass wait for, by chunk.
  std::vector<std::vector<OperationId>> gathered_;
  std::vector<std::int64_t> backwards_left_;  ///< by chunk
  double unreduced_ = 0;                      ///< parameters whose gradients wait for a full bucket
  double unreduced_experts_ = 0;              ///< the same of routed experts
  std::int64_t extra_host_ = 0;               ///< host ticks to add to the next operation
};

}  // namespace forerun::sim
