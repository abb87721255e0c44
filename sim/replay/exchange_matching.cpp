#include "sim/replay/exchange_matching.h"

#include <fmt/format.h>

#include <algorithm>

namespace forerun::replay {

void ExchangeMatcher::collective(std::int32_t operation, const TracedOperation& o,
                                 const std::string& group) {
  collectives_[{o.step, group}][o.rank].push_back(operation);
}

void ExchangeMatcher::send(std::int32_t operation, const TracedOperation& o, const std::string& tag,
                           std::int64_t from, std::int64_t to) {
  messages_[{o.step, tag, from, to}].sends.push_back(operation);
}

void ExchangeMatcher::receive(std::int32_t operation, const TracedOperation& o,
                              const std::string& tag, std::int64_t from, std::int64_t to) {
  messages_[{o.step, tag, from, to}].receives.push_back(operation);
}

std::vector<std::vector<std::int32_t>> ExchangeMatcher::groups(
    const JobTrace& trace, const std::vector<std::int64_t>& there, Problems& problems) const {
  std::vector<std::vector<std::int32_t>> groups;
  for (const auto& [group, by_rank] : collectives_) {
    const auto longest =
        std::ranges::max_element(by_rank, {}, [](const auto& of) { return of.second.size(); });
    const std::size_t most = longest->second.size();
    for (const auto& [rank, list] : by_rank) {
      if (list.size() == most) continue;
      problems.add("",
                   fmt::format("group {}: {} is not on {}, which has {} collectives of that "
                               "group in step {}",
                               std::get<1>(group), describe(trace, longest->second[list.size()]),
                               trace.ranks[static_cast<std::size_t>(rank)].name, list.size(),
                               trace.steps[static_cast<std::size_t>(std::get<0>(group))]));
      return {};
    }
    if (by_rank.size() < 2) continue;
    for (std::size_t k = 0; k < most; ++k) {
      std::vector<std::int32_t>& members = groups.emplace_back();
      for (const auto& [rank, list] : by_rank) members.push_back(list[k]);
    }
  }
  for (const auto& [pair, ends] : messages_) {
    const auto [step, tag, from, to] = pair;
    const std::size_t both = std::min(ends.sends.size(), ends.receives.size());
    const auto lonely = [&](const std::vector<std::int32_t>& list, std::int64_t partner,
                            const char* lacking) {
      if (list.size() == both || !std::ranges::binary_search(there, partner)) return;
      problems.add("", fmt::format("{} has no {} on rank {}", describe(trace, list[both]), lacking,
                                   partner));
    };
    lonely(ends.sends, to, "receive");
    lonely(ends.receives, from, "send");
    for (std::size_t k = 0; k < both; ++k) groups.push_back({ends.sends[k], ends.receives[k]});
  }
  return groups;
}

}  // namespace forerun::replay
