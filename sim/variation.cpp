#include "sim/variation.h"

#include <algorithm>
#include <cmath>

#include "sim/compile.h"
#include "sim/expert_loads.h"

namespace forerun::sim {
namespace {

constexpr double kLevelsPerDoubling = 16;
constexpr double kMostLevel = 255;

std::uint8_t level_of(double load) {
  if (load <= 1) return 0;
  return static_cast<std::uint8_t>(
      std::min(kMostLevel, std::ceil(kLevelsPerDoubling * std::log2(load) - 1e-9)));
}

}  // namespace

std::int64_t lanes_of(const Plan& p) {
  const std::int64_t inside = p.tensor * p.context;
  return p.data / std::max<std::int64_t>(1, p.expert * p.expert_tensor / inside);
}

double Variation::load(std::uint8_t level) { return std::exp2(level / kLevelsPerDoubling); }

Variation::Variation(const Scenario& s, const Layout& layout)
    : micro_batches_(s.plan.micro_batches()), layers_(s.model.layers), slices_{slice_of(s)} {
  if (s.model.experts && s.expert_loads.kind != LoadKind::balanced) {
    lanes_ = lanes_of(s.plan);
    draw_loads(s, layout);
  }
}

void Variation::draw_loads(const Scenario& s, const Layout& layout) {
  levels_.resize(static_cast<std::size_t>(lanes_ * micro_batches_ * layers_));
  double sum = 0, dropped = 0, count = 0;
  worst_ = 0;
  std::size_t i = 0;
  for (std::int64_t lane = 0; lane < lanes_; ++lane) {
    for (std::int64_t m = 0; m < micro_batches_; ++m) {
      for (std::int64_t layer = 0; layer < layers_; ++layer, ++i) {
        const models::Architecture& kind = layout.kinds.layer(layer);
        if (!kind.experts || kind.experts->routing == models::Routing::expert_choice) continue;
        const GroupLoad g = group_load(s.expert_loads, kind.experts->count, s.plan.expert,
                                       kind.experts->capacity_factor, s.seed, lane, m, layer);
        levels_[i] = level_of(g.worst);
        if (levels_[i] >= used_.size()) used_.resize(levels_[i] + std::size_t{1});
        used_[levels_[i]] = true;
        worst_ = std::max(worst_, g.worst);
        sum += g.worst;
        dropped += g.dropped;
        count += 1;
      }
    }
  }
  if (count == 0) {
    levels_.clear();
    lanes_ = 1;
    worst_ = 1;
    return;
  }
  mean_ = sum / count;
  dropped_ = dropped / count;
}

}  // namespace forerun::sim
