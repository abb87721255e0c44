#include "sim/planner/step_bound.h"

#include <algorithm>
#include <vector>

#include "sim/pass_units.h"
#include "sim/price.h"
#include "sim/schedule.h"

namespace forerun::sim {
namespace {

/// Of one micro-batch's passes through a chunk, at least.
struct ChunkTicks {
  std::int64_t forward = 0, backward = 0;
};

class Bound {
 public:
  Bound(const Scenario& s, const Layout& layout, const StepCache::Priced& priced, KnownTimes& times)
      : s_(s),
        plan_(s.plan),
        layout_(layout),
        parts_(priced.parts->front()),
        pricer_(s, layout, priced.clock, nullptr, &times),
        shape_(pipeline_shape(s.plan)),
        paired_(plan_.schedule == PipelineSchedule::dualpipe) {
    const Chunk& last = layout.chunks.back().back();
    const bool plain = !paired_ && plan_.encoder_stages == 0 && last.head && last.loss;
    message_ = plain && plan_.pipeline > 1 ? parts_.sends.hidden.ticks : 0;
  }

  Seconds longest() {
    const bool drains = !paired_ && !splits_backward(plan_.schedule);
    const std::int64_t passes = micro_batches_of_chunk(shape_);
    std::int64_t fill = 0, drain = 0, longest = 0, first_end = 0;
    for (std::int64_t r = 0; r < plan_.pipeline; ++r) {
      std::int64_t busy = 0;
      ChunkTicks entry;
      const std::vector<Chunk>& chunks = layout_.chunks[static_cast<std::size_t>(r)];
      for (std::size_t c = 0; c < chunks.size(); ++c) {
        const ChunkTicks t = ticks(r, chunks[c]);
        busy += passes * (t.forward + t.backward);
        if (c == 0) entry = t;
      }
      if (!s_.framework.point_to_point_overlap) {
        // The last may have nothing behind it. Of the model's ends, the outer side sends nothing.
        std::int64_t sends = 2 * passes * std::ssize(chunks) - 1;
        if (r == 0) sends -= passes;
        if (r == plan_.pipeline - 1) sends -= passes;
        busy += message_ * std::max<std::int64_t>(0, sends);
      }
      const std::int64_t end = end_of(r);
      if (r == 0) first_end = end;
      const std::int64_t after = drains ? std::max(end, drain + first_end) : end;
      longest = std::max(longest, fill + busy + after);
      if (paired_) continue;
      fill += entry.forward + message_;
      drain += entry.backward + message_;
    }
    return to_seconds(Tick{longest});
  }

 private:
  /// A list's, folded; of passes that run together only their kernels, beside which the other's
  /// exchanges may run.
  [[nodiscard]] std::int64_t ticks(const Segment& segment) const {
    if (!paired_) return segment.ticks;
    std::int64_t sum = 0;
    for (const PricedOperation& p : segment.operations) {
      if (p.stream == StreamKind::compute) sum += p.ticks;
    }
    return sum;
  }

  [[nodiscard]] std::int64_t ticks(std::int64_t rank, const Chunk& chunk, PassKind pass,
                                   bool head_deferred = false) const {
    std::int64_t sum = 0;
    for (const Unit& u : pass_units(s_, layout_, parts_, rank, chunk, pass, head_deferred)) {
      sum += ticks(*u.segment);
    }
    return sum;
  }

  /// Chunks of a model are of few kinds.
  [[nodiscard]] bool alike(const Chunk& a, Chunk b) const {
    const auto& of = layout_.kinds.of;
    if (layout_.kinds.kinds.size() > 1) {
      for (std::int64_t i = 0; i < std::min(a.layers, b.layers); ++i) {
        if (of[static_cast<std::size_t>(a.first_layer + i)] !=
            of[static_cast<std::size_t>(b.first_layer + i)]) {
          return false;
        }
      }
    }
    b.first_layer = a.first_layer;
    return a == b;
  }

  ChunkTicks ticks(std::int64_t rank, const Chunk& chunk) {
    for (const auto& [known, t] : known_) {
      if (alike(known, chunk)) return t;
    }
    ChunkTicks t;
    t.forward = ticks(rank, chunk, PassKind::forward);
    // Frozen encoders on their own have no backward pass.
    if (!chunk.encoder || chunk.embedding) t.backward = backward(rank, chunk);
    known_.emplace_back(chunk, t);
    return t;
  }

  [[nodiscard]] std::int64_t backward(std::int64_t rank, const Chunk& chunk) const {
    std::int64_t least = ticks(rank, chunk, PassKind::backward);
    if (splits_backward(plan_.schedule)) {
      least = std::min(least, ticks(rank, chunk, PassKind::input_gradient) +
                                  ticks(rank, chunk, PassKind::weight_gradient));
    }
    // What is put off runs after the last message has left.
    if (chunk.head && s_.framework.deferred_embedding_gradients > 0 &&
        !parts_.head_weight_gradient.operations.empty()) {
      least = std::min(least, ticks(rank, chunk, PassKind::backward, true));
    }
    return least;
  }

  /// From the end of a rank's last pass to the end of the step.
  [[nodiscard]] std::int64_t end_of(std::int64_t rank) {
    const Framework& f = s_.framework;
    const StageParameters held = stage_parameters(s_, layout_, rank);
    const auto dense = static_cast<double>(held.dense());
    const double owned =
        dense / static_cast<double>(layout_.shard.ranks) +
        static_cast<double>(held.experts) / static_cast<double>(layout_.expert_shard.ranks);
    std::int64_t sum = count(to_ticks(f.step_overhead));
    const AdamTraffic adam = adam_traffic(f, owned);
    sum += pricer_.memory_pass("Adam", adam.read, adam.written, 0, Category::optimizer).ticks;
    const bool after = f.gradient_exchange == GradientExchange::after_backward &&
                       plan_.sharding != ShardingStage::parameters;
    if (!after || layout_.data.ranks <= 1 || dense <= 0) return sum;
    const bool in_full = plan_.sharding == ShardingStage::none || f.reduces_in_full;
    const Bytes bytes(dense * f.gradient_exchange_bytes);
    return sum + pricer_
                     .collective("gradients",
                                 in_full ? hw::CollectiveKind::all_reduce
                                         : hw::CollectiveKind::reduce_scatter,
                                 bytes, in_full ? layout_.data : layout_.shard, StreamKind::data,
                                 Category::data_exchange)
                     .ticks;
  }

  const Scenario& s_;
  const Plan& plan_;
  const Layout& layout_;
  const Parts& parts_;
  Pricer pricer_;
  PipelineShape shape_;
  bool paired_;
  std::int64_t message_ = 0;
  std::vector<std::pair<Chunk, ChunkTicks>> known_;
};

}  // namespace

Seconds step_bound(const Scenario& s, const Layout& layout, const Variation& variation,
                   StepCache& cache) {
  if (!StepCache::serves(s, variation)) return {};
  return Bound(s, layout, cache.priced(s, layout, variation), cache.times()).longest();
}

}  // namespace forerun::sim
