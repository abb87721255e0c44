#pragma once

/// What differs between the micro-batches of a step and between the replicas that run them.
///
/// Ranks that meet inside every layer (tensor, context and expert peers) go in step: together they
/// are a lane, simulated as one rank a pipeline stage. Lanes meet in the exchanges of gradients and
/// parameters and at the end of the step. When nothing differs there is one lane.
///
/// Each lane's micro-batch has a composition, drawn or recorded (which modality its tokens are of,
/// how many pairs are attended) and, in every layer with experts, a load: rows of the group's
/// busiest rank over the fair share. Compositions are rounded to 1/64 of a micro-batch and loads up
/// to the next power of 2^(1/16), so that equal work is priced once: a layer is taken as up to 4 %
/// busier than drawn.
///
/// A lane of several data-parallel replicas (expert parallel over them) works on the composition
/// of the slowest: the one with the most attended pairs.

#include <cstdint>
#include <map>
#include <string>
#include <vector>

#include "models/layer_operations.h"
#include "models/mixture/composition.h"
#include "sim/layout.h"
#include "sim/scenario.h"

namespace forerun::sim {

class Variation {
 public:
  Variation(const Scenario&, const Layout&);

  [[nodiscard]] std::int64_t lanes() const { return lanes_; }
  /// Whether all micro-batches of all lanes are alike.
  [[nodiscard]] bool uniform() const { return of_.empty() && levels_.empty(); }
  /// Distinct compositions, the mean one first.
  [[nodiscard]] const std::vector<models::Slice>& slices() const { return slices_; }
  [[nodiscard]] std::size_t composition(std::int64_t lane, std::int64_t micro_batch) const {
    return of_.empty() ? 0 : of_[at(lane, micro_batch)];
  }
  /// Of the model's layer; 0 where nothing is uneven.
  [[nodiscard]] std::uint8_t level(std::int64_t lane, std::int64_t micro_batch,
                                   std::int64_t layer) const {
    if (levels_.empty()) return 0;
    return levels_[at(lane, micro_batch) * static_cast<std::size_t>(layers_) +
                   static_cast<std::size_t>(layer)];
  }
  /// Of all layers of the model; empty where nothing varies.
  [[nodiscard]] std::vector<std::uint8_t> levels(std::int64_t lane, std::int64_t micro_batch) const;
  /// Load of a level.
  [[nodiscard]] static double load(std::uint8_t level);
  /// Levels that any layer has.
  [[nodiscard]] const std::vector<bool>& used() const { return used_; }

  // For people.
  /// Of experts: `mean` and `most` over layers, micro-batches and lanes.
  struct Load {
    double mean = 1, most = 1;
    bool operator==(const Load&) const = default;
  };
  [[nodiscard]] double worst_load() const { return rank_.most; }
  [[nodiscard]] double mean_load() const { return rank_.mean; }
  /// The group's busiest expert over an expert's fair share.
  [[nodiscard]] Load busiest_expert() const { return expert_; }
  [[nodiscard]] double dropped() const { return dropped_; }
  struct Modality {
    std::string name;
    double share = 0;   ///< of tokens, mean over micro-batches
    double spread = 0;  ///< standard deviation of a micro-batch's share
    double most = 0;    ///< of a micro-batch
  };
  [[nodiscard]] const std::vector<Modality>& modalities() const { return modalities_; }

 private:
  [[nodiscard]] std::size_t at(std::int64_t lane, std::int64_t micro_batch) const {
    return static_cast<std::size_t>(lane * micro_batches_ + micro_batch);
  }
  using Known = std::map<std::vector<std::int64_t>, std::uint32_t>;
  void draw_loads(const Scenario&, const Layout&);
  void draw_compositions(const Scenario&);
  std::uint32_t index_of(const models::Composition&, const Scenario&, Known&);

  std::int64_t lanes_ = 1, micro_batches_ = 1, layers_ = 0;
  std::vector<models::Slice> slices_;
  std::vector<std::uint32_t> of_;     ///< by lane, micro-batch; empty: all 0
  std::vector<std::uint8_t> levels_;  ///< by lane, micro-batch, layer; empty: all 0
  std::vector<bool> used_ = {true};
  Load rank_, expert_;
  double dropped_ = 0;
  std::vector<Modality> modalities_;
};

/// Lanes of a plan whose micro-batches differ.
[[nodiscard]] std::int64_t lanes_of(const Plan&);

}  // namespace forerun::sim
