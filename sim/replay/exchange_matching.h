#pragma once

/// Pairs the exchanges of traces whose ranks were recorded apart: collectives by the group's name
/// and order, messages by group, source, destination and order.

#include <cstdint>
#include <map>
#include <string>
#include <tuple>
#include <vector>

#include "core/problem.h"
#include "sim/replay/job_trace.h"

namespace forerun::replay {

class ExchangeMatcher {
 public:
  /// Operations come in the order in which their rank ran them.
  void collective(std::int32_t operation, const TracedOperation&, const std::string& group);
  /// `tag` tells messages of one pair apart (empty: order alone).
  void send(std::int32_t operation, const TracedOperation&, const std::string& tag,
            std::int64_t from, std::int64_t to);
  void receive(std::int32_t operation, const TracedOperation&, const std::string& tag,
               std::int64_t from, std::int64_t to);

  /// Groups of two or more. Reports a collective that a rank of its group lacks (a rank that is in
  /// the group in that step) and a message without partner whose rank is in `there`, by name.
  [[nodiscard]] std::vector<std::vector<std::int32_t>> groups(
      const JobTrace&, const std::vector<std::int64_t>& there, Problems&) const;

 private:
  using Group = std::tuple<std::int32_t, std::string>;  // step, name
  using Pair = std::tuple<std::int32_t, std::string, std::int64_t, std::int64_t>;
  struct Ends {
    std::vector<std::int32_t> sends, receives;
  };
  std::map<Group, std::map<std::int32_t, std::vector<std::int32_t>>> collectives_;  // by rank
  std::map<Pair, Ends> messages_;
};

}  // namespace forerun::replay
