#include "sim/owned_work.h"

#include <algorithm>
#include <cmath>
#include <map>
#include <numeric>
#include <string_view>
#include <unordered_map>

#include "sim/layer_walk.h"

namespace forerun::sim {
namespace {

constexpr std::size_t kMostUsed = 4;

/// Ticks of a list's operations.
struct ExpertTicks {
  std::int64_t products = 0, kernels = 0, exchanges = 0;
};

ExpertTicks expert_ticks(const Segment& segment, const std::vector<Label>& labels) {
  ExpertTicks sum;
  for (const PricedOperation& p : segment.operations) {
    const Label& l = labels[static_cast<std::size_t>(p.label)];
    if (p.category == Category::expert_exchange) {
      sum.exchanges += p.ticks;
    } else if (l.load > 0) {
      sum.kernels += p.ticks;
      if (l.product) sum.products += p.ticks;
    }
  }
  return sum;
}

/// What `of` makes of a list, made once for each.
template <class Value, class Of>
class Kept {
 public:
  explicit Kept(Of of) : of_(std::move(of)) {}
  const Value& operator()(const Segment& segment) {
    const auto [at, inserted] = known_.try_emplace(&segment);
    if (inserted) at->second = of_(segment);
    return at->second;
  }

 private:
  Of of_;
  std::unordered_map<const Segment*, Value> known_;
};

/// Copies of tokens that a rank's experts work on in a layer: the rows of each set's first product,
/// which may be a kernel an expert.
double rows_of_layer(const Segment& forward, const std::vector<Label>& labels) {
  std::map<std::string_view, std::string_view> first;  // product, by set
  double rows = 0;
  for (const PricedOperation& p : forward.operations) {
    const Label& l = labels[static_cast<std::size_t>(p.label)];
    if (p.stream != StreamKind::compute || l.load <= 0 || !l.product) continue;
    if (first.try_emplace(l.modality, l.name).first->second == l.name) rows += l.rows;
  }
  return rows;
}

std::vector<std::int64_t> most_used(const ExpertLoads& loads) {
  std::vector<std::int64_t> order(loads.shares.size());
  std::iota(order.begin(), order.end(), std::int64_t{0});
  std::ranges::stable_sort(order, [&](std::int64_t a, std::int64_t b) {
    return loads.shares[static_cast<std::size_t>(a)] > loads.shares[static_cast<std::size_t>(b)];
  });
  order.resize(std::min(order.size(), kMostUsed));
  return order;
}

}  // namespace

std::optional<ExpertWork> expert_work(const Scenario& s, const Layout& layout,
                                      const Variation& variation, const Compiled& compiled) {
  const std::vector<models::Architecture>& kinds = layout.kinds.kinds;
  const auto kind = std::ranges::find_if(
      kinds, [](const models::Architecture& k) { return k.experts.has_value(); });
  if (kind == kinds.end()) return {};
  const std::vector<Label>& labels = compiled.program.labels;
  ExpertWork work;
  work.experts = kind->experts->count;
  work.chosen = kind->experts->top_k;
  work.ranks = s.plan.expert;
  const LayerParts& layer =
      compiled.parts.front()->front().layers[static_cast<std::size_t>(kind - kinds.begin())];
  work.rank_rows = rows_of_layer(layer.by_level[0].forward, labels);
  work.expert_rows =
      work.rank_rows * static_cast<double>(work.ranks) / static_cast<double>(work.experts);
  work.rank = {variation.mean_load(), variation.worst_load()};
  work.expert = variation.busiest_expert();
  if (s.expert_loads.kind == LoadKind::given) work.most_used = most_used(s.expert_loads);

  const auto count = [&](const Segment& segment) { return expert_ticks(segment, labels); };
  Kept<ExpertTicks, decltype(count)> ticks(count);
  for (std::int64_t lane = 0; lane < variation.lanes(); ++lane) {
    for (std::int64_t stage = 0; stage < s.plan.pipeline; ++stage) {
      ExpertGroup& group = work.groups.emplace_back();
      group.lane = lane;
      group.stage = stage;
      double runs = 0, loads = 0;
      for_each_layer(s, layout, variation, compiled.parts_of(stage), lane, stage,
                     [&](const LayerRun& run) {
                       const ExpertTicks& forward = ticks(run.forward());
                       const ExpertTicks& backward = ticks(run.backward());
                       if (forward.kernels == 0) return;  // a dense layer
                       runs += run.times;
                       loads += run.times * Variation::load(run.level);
                       const std::int64_t fair =
                           ticks(run.fair_forward()).kernels + ticks(run.fair_backward()).kernels;
                       const std::int64_t kernels = forward.kernels + backward.kernels;
                       const auto add = [&](Seconds& to, std::int64_t t) {
                         to += to_seconds(Tick{t}) * run.times;
                       };
                       add(group.products, forward.products + backward.products);
                       add(group.kernels, kernels);
                       add(group.waits, kernels - fair);
                       add(group.exchanges, forward.exchanges + backward.exchanges);
                     });
      group.layers =
          std::llround(runs / static_cast<double>(micro_batches_of_chunk(pipeline_shape(s.plan))));
      if (runs > 0) group.load = loads / runs;
    }
  }
  return work;
}

std::vector<ModalityWork> modality_work(const Scenario& s, const Layout& layout,
                                        const Variation& variation, const Compiled& compiled,
                                        std::int64_t rank) {
  const auto tokens = static_cast<double>(s.plan.micro_batch * s.plan.sequence);
  std::vector<ModalityWork> all;
  for (const Variation::Modality& m : variation.modalities()) {
    all.push_back({m.name, m.share, m.spread, m.most, m.share * tokens});
  }
  if (all.empty()) {
    for (const models::ModalityTokens& m : variation.slices().front().modalities) {
      const double share = static_cast<double>(m.tokens) / tokens;
      all.push_back({m.modality, share, 0, share, static_cast<double>(m.tokens)});
    }
  }
  if (all.empty()) return all;
  const auto count = [&](const Segment& segment) {
    std::vector<std::int64_t> ticks(all.size());
    for (const PricedOperation& p : segment.operations) {
      const std::string& of = compiled.program.labels[static_cast<std::size_t>(p.label)].modality;
      if (p.stream != StreamKind::compute || of.empty()) continue;
      for (std::size_t i = 0; i < all.size(); ++i) {
        if (of == all[i].name) ticks[i] += p.ticks;
      }
    }
    return ticks;
  };
  Kept<std::vector<std::int64_t>, decltype(count)> ticks(count);
  for (std::int64_t lane = 0; lane < variation.lanes(); ++lane) {
    std::vector<Seconds> times(all.size());
    for_each_unit(s, layout, variation, compiled.parts_of(rank % s.plan.pipeline), lane,
                  rank % s.plan.pipeline, [&](const Segment& segment, double runs) {
                    const std::vector<std::int64_t>& of = ticks(segment);
                    for (std::size_t i = 0; i < all.size(); ++i) {
                      times[i] += to_seconds(Tick{of[i]}) * runs;
                    }
                  });
    for (std::size_t i = 0; i < all.size(); ++i) {
      all[i].mean_kernels += times[i] / static_cast<double>(variation.lanes());
      all[i].most_kernels = std::max(all[i].most_kernels, times[i]);
    }
  }
  return all;
}

}  // namespace forerun::sim
