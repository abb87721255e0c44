#pragma once

/// Issues one pipeline rank's operations of a step. Private to sim/.

#include <cstdint>
#include <string>
#include <vector>

#include "sim/compile.h"
#include "sim/parts.h"
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
  RankBuilder(const Scenario&, const Layout&, Pricer&, const Parts&, Detail, const Channels&,
              std::int64_t rank, Compiled&);
  void begin_step();
  void pass(const ScheduledPass&);
  void end_step();

 private:
  /// One layer, the embedding or the head, within a pass.
  struct Unit {
    const Segment* segment = nullptr;
    double parameters = 0;  ///< of one tensor rank
    bool ends = false;      ///< embedding or head: the root unit of FSDP
  };

  [[nodiscard]] std::vector<Unit> units(const Chunk&, bool backward) const;
  /// Issues units [first, last) of a pass; returns the last compute operation.
  OperationId issue(const std::vector<Unit>&, std::size_t first, std::size_t last, const char* name,
                    OperationId wait, OperationId also_wait);
  OperationId push(const PricedOperation&, OperationId wait = kNone, OperationId also_wait = kNone);
  OperationId push_kernels(const Segment&, OperationId wait, OperationId also_wait);
  OperationId push_folded(const std::vector<Unit>&, std::size_t first, std::size_t last,
                          const char* name, OperationId wait, OperationId also_wait);

  void compute(const ScheduledPass&, const std::vector<Unit>&, OperationId wait,
               OperationId also_wait);
  OperationId receive(std::int64_t boundary, std::int32_t channel);
  void send(std::int64_t boundary, std::int32_t channel);
  [[nodiscard]] std::int64_t last_chunk() const;
  [[nodiscard]] const Chunk& chunk_of_model(std::int64_t chunk) const;
  [[nodiscard]] const PricedOperation& message(std::int64_t chunk) const;
  void reducing_pass(const std::vector<Unit>&, OperationId wait, OperationId also_wait);
  void first_pass(const std::vector<Unit>&, std::vector<OperationId> gathers, OperationId wait);
  void gathered_pass(const std::vector<Unit>&, bool forward, const char* name);
  OperationId gather_parameters(double parameters, OperationId wait);
  OperationId reduce_gradients(double parameters, OperationId wait);
  void exchange_tied_embedding();
  void clip_and_check(double held);
  void update(double held, double owned);

  [[nodiscard]] double layer_parameters() const;
  [[nodiscard]] double end_parameters(const Chunk&) const;
  [[nodiscard]] bool fully_sharded() const;
  [[nodiscard]] bool last_backward_of_chunk(const ScheduledPass&);

  const Scenario& scenario_;
  const Layout& layout_;
  Pricer& pricer_;
  const Parts& parts_;
  Detail detail_;
  const Channels& channels_;
  std::int64_t rank_;
  Compiled& compiled_;
  RankProgram& program_;
  std::vector<std::int32_t>& run_of_;
  Work& work_;

  OperationId last_compute_ = kNone;
  OperationId last_data_ = kNone;
  OperationId last_send_ = kNone;
  OperationId trailing_ = kNone;  ///< an exchange that the next compute operation waits for
  /// ZeRO-1: what the units of a chunk's first forward pass wait for, by virtual stage.
  std::vector<std::vector<OperationId>> gathered_;
  std::vector<std::int64_t> backwards_left_;  ///< by virtual stage
  double unreduced_ = 0;                      ///< parameters whose gradients wait for a full bucket
  std::int64_t extra_host_ = 0;               ///< host ticks to add to the next operation
};

}  // namespace forerun::sim
