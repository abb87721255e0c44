#include "sim/chakra/rank_groups.h"

#include <algorithm>

namespace forerun::chakra {

RankGroups::RankGroups(const sim::Scenario& s, const sim::Layout& layout)
    : tensor_(s.plan.tensor),
      stage_(s.plan.tensor * s.plan.context * s.plan.data),
      pipeline_(s.plan.pipeline) {
  for (std::int64_t r = 0; r < pipeline_; ++r) {
    if (layout.holds_embedding(r)) embedding_stage_ = r;
    if (layout.holds_head(r)) head_stage_ = r;
  }
}

std::vector<std::int64_t> RankGroups::members(const sim::Exchanged& e, std::int64_t rank) const {
  const std::int64_t stage = rank / stage_, within = rank % stage_;
  std::vector<std::int64_t> all;
  if (e.stride == 0) {  // the model's: tensor peers of all stages
    const std::int64_t first = within - within % tensor_;
    for (std::int64_t s = 0; s < pipeline_; ++s) {
      for (std::int64_t t = 0; t < tensor_; ++t) all.push_back(s * stage_ + first + t);
    }
    return all;
  }
  if (!e.mirrored && e.stride >= stage_ && e.ranks > 1) {  // the tied embedding's two stages
    all = {embedding_stage_ * stage_ + within, head_stage_ * stage_ + within};
    std::ranges::sort(all);
    return all;
  }
  const sim::PlacedGroup placed{{.ranks = e.ranks}, e.stride, e.mirrored};
  const std::vector<std::int64_t> group = sim::members_in_stage(placed, within);
  std::vector<std::int64_t> stages = {stage};
  if (e.mirrored) stages.push_back(pipeline_ - 1 - stage);
  std::ranges::sort(stages);
  for (const std::int64_t s : stages) {
    for (const std::int64_t member : group) all.push_back(s * stage_ + member);
  }
  return all;
}

std::int64_t RankGroups::number(std::vector<std::int64_t> members) {
  const auto [at, inserted] =
      numbers_.try_emplace(members, static_cast<std::int64_t>(groups_.size()) + 1);
  if (inserted) groups_.push_back(std::move(members));
  return at->second;
}

}  // namespace forerun::chakra
