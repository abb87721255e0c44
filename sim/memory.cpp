#include "sim/memory.h"

#include <fmt/format.h>

#include <algorithm>
#include <set>
#include <string_view>
#include <utility>

#include "sim/kept_activations.h"
#include "sim/memory_ledger.h"
#include "sim/memory_peak.h"
#include "sim/schedule.h"
#include "sim/variation.h"

namespace forerun::sim {
namespace {

/// Share of the peak rate that a layer's products reach, to tell whether the host is ahead.
constexpr double kProductEfficiency = 0.6;
constexpr double kSixteenBit = 2.0;
/// With so many micro-batches the host gets as far ahead as it can.
constexpr std::int64_t kManyMicroBatches = 8;

constexpr std::string_view kActivations = "activations";

class StageWalk {
 public:
  /// `compositions`: as Variation::slices.
  StageWalk(const std::vector<KeptActivations>& compositions, const Variation& variation,
            std::int64_t lane, std::int64_t rank)
      : compositions_(compositions),
        variation_(variation),
        c_(&compositions.front()),
        plan_(c_->scenario.plan),
        framework_(c_->scenario.framework),
        habits_(framework_.memory),
        lane_(lane),
        rank_(rank),
        chunks_(c_->layout.chunks[static_cast<std::size_t>(rank)]),
        parameters_(stage_parameters(c_->scenario, c_->layout, rank)) {
    for (const KeptActivations& c : compositions) {
      for (const Chunk& chunk : chunks_) {
        kept_.push_back(c.activations(chunk, std::ssize(chunks_)));
        put_off_.push_back(c.put_off(chunk));
      }
    }
  }

  /// With who holds how much at the peak.
  StageMemory run() {
    walk();
    result_.owners = peak_.owners();
    for (MemoryOwner& owner : result_.owners) {
      if (owner.name == kActivations && peak_in_flight_ > 1) {
        owner.name = fmt::format("activations of {} passes in flight", peak_in_flight_);
      }
    }
    return result_;
  }

  const StageMemory& walk() {
    make_states();
    // All that a moment adds depends on the chunk and composition alone: only where more lives than
    // at the same moment before can there be a new peak.
    struct Looked {
      Bytes forward{-1}, start{-1}, end{-1};
    };
    std::vector<Looked> looked(kept_.size());
    const auto more = [&](Bytes& before) {
      const bool is_more = living_ > before;
      before = std::max(before, living_);
      return is_more;
    };
    const std::vector<ScheduledPass> order = passes();
    for (std::size_t i = 0; i < order.size(); ++i) {
      const ScheduledPass& pass = order[i];
      const Chunk& chunk = chunks_[static_cast<std::size_t>(pass.chunk)];
      const std::size_t composition = variation_.composition(lane_, pass.micro_batch);
      c_ = &compositions_[composition];
      const std::size_t at = composition * chunks_.size() + static_cast<std::size_t>(pass.chunk);
      if (pass.pass == PassKind::forward) {
        ++in_flight_;
        living_ += kept_[at];
        // Another forward pass after this one has as many transients, and more lives then.
        const bool last = chunk.loss || order[i + 1].pass != PassKind::forward;
        if (last && more(looked[at].forward)) end_of_forward(chunk);
        continue;
      }
      if (returns_gradient(pass.pass)) {
        if (more(looked[at].start)) start_of_backward(chunk);
        living_ -= kept_[at];
        if (pass.pass == PassKind::input_gradient) living_ += put_off_[at];
      } else {
        living_ -= put_off_[at];
      }
      if (!makes_weight_gradient(pass.pass)) continue;
      --in_flight_;
      if (more(looked[at].end)) end_of_backward(chunk);
    }
    optimizer_step();
    const Bytes living = result_.peak - result_.persistent;
    result_.stage = rank_;
    const Bytes cached = result_.peak + habits_.allocator_slack * living;
    result_.reserved = cached + Bytes(static_cast<double>(habits_.outside_bytes));
    switch (habits_.reported) {
      case ReportedMemory::allocated:
        result_.reported = result_.peak;
        break;
      case ReportedMemory::reserved:
        result_.reported = cached;
        break;
      case ReportedMemory::device:
        result_.reported = result_.reserved;
        break;
    }
    return result_;
  }

 private:
  [[nodiscard]] bool fully_sharded() const { return plan_.sharding == ShardingStage::parameters; }
  [[nodiscard]] double shards(ShardingStage least) const {
    return plan_.sharding >= least ? static_cast<double>(c_->layout.shard.ranks) : 1.0;
  }

  /// A byte for each parameter that this rank keeps of what `least` and later stages cut.
  [[nodiscard]] Bytes held(ShardingStage least) const {
    const double experts =
        plan_.sharding >= least ? static_cast<double>(c_->layout.expert_shard.ranks) : 1.0;
    return Bytes(static_cast<double>(parameters_.dense()) / shards(least) +
                 static_cast<double>(parameters_.experts) / experts);
  }

  /// The passes of this rank; a pipeline in its steady state repeats itself.
  [[nodiscard]] std::vector<ScheduledPass> passes() const {
    std::int64_t micro_batches = plan_.micro_batches();
    if (plan_.schedule != PipelineSchedule::all_forward_all_backward && compositions_.size() == 1) {
      micro_batches = std::min(micro_batches, 2 * plan_.pipeline);
    }
    PipelineShape shape = pipeline_shape(plan_);
    shape.micro_batches = micro_batches;
    return rank_schedule(shape, rank_);
  }

  void make_states() {
    const double p = static_cast<double>(parameters_.total());
    states_.add("parameters",
                static_cast<double>(framework_.parameter_bytes) * held(ShardingStage::parameters));
    states_.add("frozen encoders", Bytes(kSixteenBit * static_cast<double>(parameters_.frozen)));
    states_.add("optimiser states", static_cast<double>(framework_.optimizer_state_bytes) *
                                        held(ShardingStage::optimizer));
    if (c_->layout.data.ranks > 1) {
      states_.add("gradient buckets", Bytes(p * habits_.gradient_bucket_bytes));
    }
    if (habits_.weight_gradients == WeightGradients::kept) {
      states_.add("16-bit gradients", Bytes(p * kSixteenBit));
    }
    if (habits_.keeps_empty_gradients) states_.add("empty gradients", empty_gradients());
    if (plan_.sequence_parallel) {
      states_.add("sequence buffers", habits_.sequence_buffers * c_->whole);
    }
    states_.add("workspaces", Bytes(static_cast<double>(habits_.workspace_bytes)));
    // Also where the update frees them (FSDP): the allocator keeps their blocks between others.
    states_.add("gradients",
                static_cast<double>(framework_.gradient_bytes) * held(ShardingStage::gradients));
    result_.persistent = states_.total();
  }

  /// One of each shape: query-key-value, attention output, feed-forward up and down.
  [[nodiscard]] Bytes empty_gradients() const {
    const models::Architecture& a = c_->scenario.model;
    const std::int64_t t = plan_.tensor;
    const std::int64_t kv = std::max(a.kv_width() / t, a.head_dim);
    const std::set<std::pair<std::int64_t, std::int64_t>> shapes = {
        {a.query_width() / t + 2 * kv, a.hidden},
        {a.hidden, a.query_width() / t},
        {(a.gated() ? 2 : 1) * a.ffn / t, a.hidden},
        {a.hidden, a.ffn / t}};
    Bytes sum{};
    for (const auto& [rows, columns] : shapes) {
      sum += Bytes(kSixteenBit * static_cast<double>(rows * columns));
    }
    return sum;
  }

  /// The states and what the passes in flight keep, but for `gone`.
  [[nodiscard]] Ledger living(Bytes gone = Bytes(0)) const {
    Ledger now = states_;
    now.add(kActivations, living_ - gone);
    add_waiting_exchanges(now);
    return now;
  }

  /// See MemoryHabits::waiting_exchanges. In a step of few micro-batches that has no steady state
  /// the peak is reached in the forward passes, whose two exchanges a layer are a third of all.
  void add_waiting_exchanges(Ledger& now) const {
    if (habits_.waiting_exchanges == 0 || plan_.tensor == 1 || !plan_.sequence_parallel) return;
    if (!host_is_ahead()) return;
    const std::int64_t micro_batches = plan_.micro_batches();
    const bool few = micro_batches <= plan_.pipeline - rank_ && micro_batches < kManyMicroBatches;
    now.add("buffers waiting for exchanges",
            habits_.waiting_exchanges / (few ? 3.0 : 1.0) * c_->whole);
  }

  /// The device takes longer for a layer than the host, or the host runs ahead while the device
  /// waits for the other stages of a deep pipeline.
  [[nodiscard]] bool host_is_ahead() const {
    if (plan_.pipeline >= 4) return true;
    const auto& rates = accelerator_of(c_->scenario, rank_).peak;
    const auto peak = rates.find(hw::Precision::bf16);
    if (peak == rates.end()) return true;
    const Flops work(2.0 * c_->layer_parameters * static_cast<double>(c_->slice.tokens()));
    return work / (peak->second * kProductEfficiency) > habits_.layer_issue;
  }

  /// Fully sharded: parameters that are whole at one moment, and with `gradients` the unit's
  /// gradient and its copy that is scattered.
  void add_whole_parameters(Ledger& now, double parameters, double gradients) const {
    if (!fully_sharded()) return;
    const double wire = gather_bytes(framework_, plan_.precision);
    const double root = habits_.root_unit_stays
                            ? static_cast<double>(parameters_.embedding + parameters_.head)
                            : 0.0;
    now.add("gathered parameters", Bytes(wire * (parameters + root)));
    now.add("gradients of a unit",
            Bytes((kSixteenBit + framework_.gradient_exchange_bytes) * gradients));
  }
  [[nodiscard]] double ahead() const {
    return static_cast<double>(framework_.prefetch_units) * c_->layer_parameters;
  }

  void end_of_forward(const Chunk& chunk) {
    Ledger now = living();
    if (chunk.loss) {
      add_logits(now, habits_.loss_forward_bytes);
      add_whole_parameters(now, head_parameters(), 0);
    } else if (chunk.layers > 0) {
      now.add("transients of a layer",
              c_->most(chunk, [](const LayerMemory& k) { return k.transients.forward; }));
      add_whole_parameters(now, c_->layer_parameters + ahead(), 0);
    }
    consider(now, chunk.loss ? "loss" : "forward pass");
  }

  void start_of_backward(const Chunk& chunk) {
    if (chunk.loss || chunk.head) {
      Ledger now = living();
      if (chunk.loss) add_logits(now, habits_.loss_backward_bytes);
      if (chunk.head) {
        now.add("gradient of the hidden state", c_->whole);
        if (!fully_sharded()) now.add("gradient of the output matrix", head_gradient());
        add_whole_parameters(now, head_parameters() + ahead(), head_parameters());
      }
      consider(now, "backward pass of the loss");
    }
    if (chunk.layers == 0) return;
    Ledger now = living(chunk.loss ? Bytes(c_->logits * habits_.loss_kept_bytes) : Bytes(0));
    if (c_->recomputed_layers(chunk) > 0) {
      now.add("recomputed layer",
              c_->most(chunk, [](const LayerMemory& k) { return k.full - k.layer; }));
    }
    now.add("transients of a layer", c_->outer + c_->most(chunk, [](const LayerMemory& k) {
      return k.transients.backward;
    }));
    if (chunk.head && holds_pass_gradients()) {
      now.add("gradient of the output matrix", head_gradient());
    }
    add_whole_parameters(now, c_->layer_parameters + ahead(), c_->layer_parameters);
    consider(now, "backward pass");
  }

  /// Of the most that lives in the loss, what is not kept between its passes.
  void add_logits(Ledger& now, int most) const {
    now.add("logits", Bytes(c_->logits * std::max(0, most - habits_.loss_kept_bytes)));
  }
  [[nodiscard]] double head_parameters() const { return static_cast<double>(parameters_.head); }

  [[nodiscard]] bool holds_pass_gradients() const {
    return habits_.weight_gradients == WeightGradients::per_pass;
  }

  /// 16-bit gradient of the output matrix between its product and its accumulation.
  [[nodiscard]] Bytes head_gradient() const {
    const bool exists = habits_.weight_gradients == WeightGradients::per_matrix ||
                        habits_.weight_gradients == WeightGradients::per_pass ||
                        habits_.keeps_empty_gradients;
    if (!exists) return Bytes(0);
    const std::int64_t rows = c_->layout.padded_vocab / plan_.tensor;
    return Bytes(kSixteenBit * static_cast<double>(rows * c_->scenario.model.hidden));
  }

  void end_of_backward(const Chunk& chunk) {
    Ledger now = living();
    if (holds_pass_gradients()) {
      const double share =
          static_cast<double>(parameters_.total()) / static_cast<double>(std::ssize(chunks_));
      now.add("gradients of a pass", Bytes(kSixteenBit * share));
    }
    if (chunk.embedding) now.add("gradient of the embedding's output", 2.0 * c_->whole);
    const double unit = chunk.embedding ? static_cast<double>(parameters_.embedding) : 0.0;
    add_whole_parameters(now, unit, unit);
    consider(now, "end of a backward pass");
  }

  void optimizer_step() {
    Ledger now = states_;
    const double p = static_cast<double>(parameters_.total());
    if (habits_.gathers_through_copies && c_->layout.shard.ranks > 1 && !fully_sharded()) {
      now.add("copies of gathered parameters",
              Bytes(p * framework_.parameter_gather_bytes *
                    (1.0 + 1.0 / shards(ShardingStage::optimizer))));
    }
    result_.after_step = now.total();
    consider(now, "optimiser");
  }

  void consider(const Ledger& now, std::string_view moment) {
    const Bytes total = now.total();
    if (total <= result_.peak) return;
    result_.peak = total;
    result_.moment = moment;
    peak_ = now;
    peak_in_flight_ = in_flight_;
  }

  const std::vector<KeptActivations>& compositions_;
  const Variation& variation_;
  const KeptActivations* c_;  ///< of the micro-batch in hand
  const Plan& plan_;
  const Framework& framework_;
  const MemoryHabits& habits_;
  std::int64_t lane_, rank_;
  const std::vector<Chunk>& chunks_;
  StageParameters parameters_;
  std::vector<Bytes> kept_;     ///< of one micro-batch, by composition, by chunk
  std::vector<Bytes> put_off_;  ///< the same, between the two parts of a backward pass

  Ledger states_;
  Bytes living_{};
  std::int64_t in_flight_ = 0;
  Ledger peak_;
  std::int64_t peak_in_flight_ = 0;
  StageMemory result_;
};

}  // namespace

MemoryResult step_memory(const Scenario& scenario, const Layout& layout, Remedies remedies) {
  return step_memory(scenario, layout, Variation(scenario, layout), remedies);
}

namespace {

std::vector<KeptActivations> kept_activations(const Scenario& scenario, const Layout& layout,
                                              const Variation& variation) {
  std::vector<KeptActivations> compositions;
  compositions.reserve(variation.slices().size());
  for (const models::Slice& slice : variation.slices()) {
    compositions.emplace_back(scenario, layout, variation, slice);
  }
  return compositions;
}

/// Of lanes whose micro-batches differ in what they keep, the one that needs most counts.
std::int64_t walked_lanes(const Variation& variation) {
  return variation.slices().size() > 1 ? variation.lanes() : 1;
}

}  // namespace

MemoryPeak memory_peak(const Scenario& scenario, const Layout& layout, const Variation& variation) {
  const std::vector<KeptActivations> compositions = kept_activations(scenario, layout, variation);
  MemoryPeak worst;
  for (std::int64_t rank = 0; rank < scenario.plan.pipeline; ++rank) {
    MemoryPeak own{Bytes(0), accelerator_of(scenario, rank).memory};
    for (std::int64_t lane = 0; lane < walked_lanes(variation); ++lane) {
      own.reserved =
          std::max(own.reserved, StageWalk(compositions, variation, lane, rank).walk().reserved);
    }
    if (rank == 0 || own.reserved - own.capacity > worst.reserved - worst.capacity) worst = own;
  }
  return worst;
}

MemoryResult step_memory(const Scenario& scenario, const Layout& layout, const Variation& variation,
                         Remedies remedies) {
  const std::vector<KeptActivations> compositions = kept_activations(scenario, layout, variation);
  MemoryResult result;
  for (std::int64_t rank = 0; rank < scenario.plan.pipeline; ++rank) {
    for (std::int64_t lane = 0; lane < walked_lanes(variation); ++lane) {
      StageMemory stage = StageWalk(compositions, variation, lane, rank).run();
      if (lane == 0) {
        result.stages.push_back(std::move(stage));
      } else if (stage.reserved > result.stages.back().reserved) {
        result.stages.back() = std::move(stage);
      }
    }
    StageMemory& own = result.stages.back();
    own.capacity = accelerator_of(scenario, rank).memory;
    const StageMemory& worst = result.stages[result.worst];
    if (own.reserved - own.capacity > worst.reserved - worst.capacity) {
      result.worst = result.stages.size() - 1;
    }
  }
  result.capacity = result.stages[result.worst].capacity;
  result.reporting = scenario.framework.memory.reports_first_stage ? 0 : result.worst;
  const Bytes needed = result.stages[result.worst].reserved;
  result.fits = needed <= result.capacity;
  if (!result.fits) {
    result.over = needed - result.capacity;
    if (remedies == Remedies::find) result.remedies = memory_remedies(scenario);
  }
  return result;
}

}  // namespace forerun::sim
