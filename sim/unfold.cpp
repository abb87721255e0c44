#include "sim/unfold.h"

#include <fmt/format.h>

#include <map>
#include <utility>

namespace forerun::sim {
namespace {

/// Gives out channel numbers, one per distinct key.
class ChannelNumbers {
 public:
  std::int32_t of(std::int64_t kind, std::int64_t a, std::int64_t b) {
    return numbers_.try_emplace({kind, a, b}, static_cast<std::int32_t>(numbers_.size()))
        .first->second;
  }
  [[nodiscard]] std::int32_t count() const { return static_cast<std::int32_t>(numbers_.size()); }

 private:
  struct Key {
    std::int64_t kind, a, b;
    auto operator<=>(const Key&) const = default;
  };
  std::map<Key, std::int32_t> numbers_;
};

enum Kind : std::int64_t { message, layer_exchange, data_exchange };

}  // namespace

Program unfold(const Scenario& scenario, const Program& folded) {
  const Plan& plan = scenario.plan;
  const std::int64_t peers = plan.tensor * plan.context;  // exchange inside a layer
  const std::int64_t replicas = plan.data;
  Program program;
  program.labels = folded.labels;
  ChannelNumbers channels;
  for (std::size_t stage = 0; stage < folded.ranks.size(); ++stage) {
    const RankProgram& original = folded.ranks[stage];
    for (std::int64_t replica = 0; replica < replicas; ++replica) {
      for (std::int64_t peer = 0; peer < peers; ++peer) {
        RankProgram& rank = program.ranks.emplace_back(original);
        rank.name = fmt::format("{}, replica {}, peer {}", original.name, replica, peer);
        for (std::size_t i = 0; i < rank.operations.size(); ++i) {
          Operation& o = rank.operations[i];
          const auto here = static_cast<std::int64_t>(stage * original.operations.size() + i) +
                            (static_cast<std::int64_t>(stage) << 40);
          if (o.channel >= 0) {
            // A message between equal coordinates, or a barrier of the model's stages.
            o.channel = channels.of(message, o.channel, replica * peers + peer);
          } else if (o.stream == StreamKind::tensor && peers > 1) {
            o.rendezvous = true;
            o.channel = channels.of(layer_exchange, here, replica);
          } else if (o.stream == StreamKind::data && replicas * plan.context > 1) {
            // Summed over data and context peers of one tensor coordinate.
            o.rendezvous = true;
            o.channel = channels.of(data_exchange, here, peer % plan.tensor);
          }
        }
      }
    }
  }
  program.channels = channels.count();
  return program;
}

}  // namespace forerun::sim
