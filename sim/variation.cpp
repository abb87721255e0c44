#include "sim/variation.h"

#include <algorithm>
#include <cmath>
#include <map>

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

/// What micro-batch `m` of a replica is made of: recorded, or drawn.
models::Composition composition_of(const Scenario& s, std::int64_t replica, std::int64_t m) {
  const Plan& p = s.plan;
  if (s.mixture->recording) {
    return s.mixture->recording->at(0, replica, m, p.data, p.micro_batches());
  }
  return models::draw(*s.mixture, p.sequence, p.micro_batch, s.seed, 0, replica, m);
}

}  // namespace

std::int64_t lanes_of(const Plan& p) {
  const std::int64_t inside = p.tensor * p.context;
  return p.data / std::max<std::int64_t>(1, p.expert * p.expert_tensor / inside);
}

std::vector<std::uint8_t> Variation::levels(std::int64_t lane, std::int64_t micro_batch) const {
  std::vector<std::uint8_t> all;
  if (uniform()) return all;
  for (std::int64_t i = 0; i < layers_; ++i) all.push_back(level(lane, micro_batch, i));
  return all;
}

double Variation::load(std::uint8_t level) { return std::exp2(level / kLevelsPerDoubling); }

Variation::Variation(const Scenario& s, const Layout& layout)
    : micro_batches_(s.plan.micro_batches()), layers_(s.model.layers), slices_{slice_of(s)} {
  const bool loads = s.model.experts && s.expert_loads.kind != LoadKind::balanced;
  const bool compositions = s.mixture && !s.mean_compositions;
  if (!loads && !compositions) return;
  lanes_ = lanes_of(s.plan);
  if (compositions) draw_compositions(s);
  if (loads) draw_loads(s, layout);
  if (uniform()) lanes_ = 1;
}

void Variation::draw_compositions(const Scenario& s) {
  const Plan& p = s.plan;
  const std::int64_t replicas = p.data / lanes_;  // of a lane
  const double tokens = static_cast<double>(p.micro_batch * p.sequence);
  std::map<std::vector<std::int64_t>, std::uint32_t> known;
  std::vector<double> share(s.mixture->modalities.size());
  std::vector<double> square(share.size()), most(share.size());
  for (std::int64_t lane = 0; lane < lanes_; ++lane) {
    for (std::int64_t m = 0; m < micro_batches_; ++m) {
      models::Composition slowest;
      for (std::int64_t r = 0; r < replicas; ++r) {
        const models::Composition c = composition_of(s, lane * replicas + r, m);
        for (std::size_t i = 0; i < share.size(); ++i) {
          const double x = static_cast<double>(c.tokens[i]) / tokens;
          share[i] += x;
          square[i] += x * x;
          most[i] = std::max(most[i], x);
        }
        if (r == 0 || c.pairs > slowest.pairs) slowest = c;
      }
      of_.push_back(index_of(rounded(slowest, p), s, known));
    }
  }
  const auto draws = static_cast<double>(p.data * micro_batches_);
  for (std::size_t i = 0; i < share.size(); ++i) {
    const double mean = share[i] / draws;
    modalities_.push_back({s.mixture->modalities[i], mean,
                           std::sqrt(std::max(0.0, square[i] / draws - mean * mean)), most[i]});
  }
}

std::uint32_t Variation::index_of(const models::Composition& c, const Scenario& s, Known& known) {
  std::vector<std::int64_t> key = c.tokens;
  key.push_back(std::llround(c.pairs));
  const auto [at, inserted] = known.try_emplace(key, static_cast<std::uint32_t>(slices_.size()));
  if (inserted) slices_.push_back(composed(slices_.front(), *s.mixture, c));
  return at->second;
}

void Variation::draw_loads(const Scenario& s, const Layout& layout) {
  levels_.resize(static_cast<std::size_t>(lanes_ * micro_batches_ * layers_));
  double dropped = 0, count = 0;
  Load rank{0, 0}, expert{0, 0};
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
        rank = {rank.mean + g.worst, std::max(rank.most, g.worst)};
        expert = {expert.mean + g.busiest, std::max(expert.most, g.busiest)};
        dropped += g.dropped;
        count += 1;
      }
    }
  }
  if (count == 0) {
    levels_.clear();
    return;
  }
  rank_ = {rank.mean / count, rank.most};
  expert_ = {expert.mean / count, expert.most};
  dropped_ = dropped / count;
}

}  // namespace forerun::sim
