#pragma once

/// Which ranks take part in an exchange of one rank; private to sim/chakra.

#include <cstdint>
#include <map>
#include <vector>

#include "sim/layout.h"
#include "sim/program.h"
#include "sim/scenario.h"

namespace forerun::chakra {

class RankGroups {
 public:
  RankGroups(const sim::Scenario&, const sim::Layout&);

  [[nodiscard]] std::int64_t ranks() const { return stage_ * pipeline_; }
  [[nodiscard]] std::int64_t stage_ranks() const { return stage_; }
  /// All ranks of the exchange that `rank` takes part in, in the group's order.
  [[nodiscard]] std::vector<std::int64_t> members(const sim::Exchanged&, std::int64_t rank) const;
  /// The number of a group, from 1, given out in order of asking.
  [[nodiscard]] std::int64_t number(std::vector<std::int64_t> members);
  [[nodiscard]] const std::vector<std::vector<std::int64_t>>& groups() const { return groups_; }

 private:
  std::int64_t tensor_, stage_, pipeline_;
  std::int64_t embedding_stage_ = 0, head_stage_ = 0;
  std::map<std::vector<std::int64_t>, std::int64_t> numbers_;
  std::vector<std::vector<std::int64_t>> groups_;
};

}  // namespace forerun::chakra
