#include "sim/split_schedules.h"

#include <algorithm>
#include <array>
#include <cstddef>
#include <utility>

namespace forerun::sim {
namespace {

/// Passes of one rank as they are put down: each kind and chunk takes the next micro-batch, weight
/// gradients whatever has waited longest.
class Order {
 public:
  explicit Order(const std::array<std::int64_t, 2>& first_micro_batch) {
    for (auto& of_kind : next_) of_kind = first_micro_batch;
  }

  void forward(std::int64_t chunk, bool beside_next = false) {
    passes_.push_back({PassKind::forward, next(Counter::forward, chunk), chunk, beside_next});
  }
  void backward(std::int64_t chunk) {
    passes_.push_back({PassKind::backward, next(Counter::backward, chunk), chunk});
  }
  void input_gradient(std::int64_t chunk) {
    passes_.push_back({PassKind::input_gradient, next(Counter::backward, chunk), chunk});
    waiting_.push_back({PassKind::weight_gradient, passes_.back().micro_batch, chunk});
  }
  void weight_gradient() { passes_.push_back(waiting_[done_++]); }
  void together(std::int64_t forward_chunk, std::int64_t backward_chunk) {
    forward(forward_chunk, true);
    backward(backward_chunk);
  }
  [[nodiscard]] bool any_waiting() const { return done_ < waiting_.size(); }
  [[nodiscard]] std::vector<ScheduledPass> take() { return std::move(passes_); }

 private:
  enum class Counter : std::uint8_t { forward, backward };
  std::int64_t next(Counter of, std::int64_t chunk) {
    return next_[static_cast<std::size_t>(of)][static_cast<std::size_t>(chunk)]++;
  }

  std::array<std::array<std::int64_t, 2>, 2> next_{};  ///< by counter, by chunk
  std::vector<ScheduledPass> passes_, waiting_;
  std::size_t done_ = 0;  ///< of `waiting_`
};

}  // namespace

std::vector<ScheduledPass> zero_bubble_h1(const PipelineShape& s, std::int64_t rank) {
  Order order({0, 0});
  const std::int64_t m = s.micro_batches;
  const std::int64_t warm = std::min(s.ranks - rank - 1, m);
  for (std::int64_t i = 0; i < warm; ++i) order.forward(0);
  for (std::int64_t i = 0; i < m - warm; ++i) {
    order.forward(0);
    order.input_gradient(0);
    if (i >= rank) order.weight_gradient();
  }
  for (std::int64_t i = 0; i < warm; ++i) {
    order.input_gradient(0);
    order.weight_gradient();
  }
  while (order.any_waiting()) order.weight_gradient();
  return order.take();
}

std::vector<ScheduledPass> dualpipe(const PipelineShape& s, std::int64_t rank) {
  const std::int64_t half = s.ranks / 2;
  const std::int64_t from_end = std::min(rank, s.ranks - 1 - rank);
  const std::int64_t to_middle = half - from_end - 1;
  Order order({first_micro_batch(s, {rank, 0}), first_micro_batch(s, {rank, 1})});
  for (std::int64_t i = 0; i < 2 * to_middle; ++i) order.forward(0);
  for (std::int64_t i = 0; i < from_end + 1; ++i) {
    order.forward(0);
    order.forward(1);
  }
  for (std::int64_t i = 0; i < to_middle; ++i) {
    order.input_gradient(1);
    order.weight_gradient();
    order.forward(1);
  }
  for (std::int64_t i = 0; i < s.micro_batches / 2 - s.ranks + from_end + 1; ++i) {
    if (i == 0 && to_middle == 0) {
      // One after the other, so that the first gradient leaves the middle sooner.
      order.forward(0);
      order.backward(1);
    } else {
      order.together(0, 1);
    }
    order.together(1, 0);
  }
  for (std::int64_t i = 0; i < to_middle; ++i) {
    order.backward(1);
    order.together(1, 0);
  }
  // Of the last passes half put their weight gradients off, to fill the bubble that follows.
  const std::int64_t whole = from_end + 1;  // of 2 (from_end + 1) passes
  for (std::int64_t i = 0; i < 2 * (from_end + 1); ++i) {
    const std::int64_t chunk = i % 2 == 0 ? 1 : 0;
    if (i < whole) {
      order.backward(chunk);
    } else {
      order.input_gradient(chunk);
    }
  }
  for (std::int64_t i = 0; i < to_middle; ++i) {
    order.weight_gradient();
    order.input_gradient(0);
  }
  for (std::int64_t i = 0; i < from_end + 1; ++i) order.weight_gradient();
  return order.take();
}

}  // namespace forerun::sim
