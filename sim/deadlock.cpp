#include "sim/deadlock.h"

#include <fmt/format.h>

#include <iterator>

namespace forerun::sim {
namespace {

std::string describe(const Program& program, std::size_t rank, OperationId id) {
  const RankProgram& r = program.ranks[rank];
  const Operation& o = r.operations[static_cast<std::size_t>(id)];
  const auto label = static_cast<std::size_t>(o.label);
  return fmt::format("rank {} ({}) operation {}{} on {}", rank, r.name, id,
                     label < program.labels.size() ? " '" + program.labels[label].name + "'" : "",
                     name(o.stream));
}

/// The other ends of `o`'s channel that have not ended.
std::string absent_members(const Program& program, const std::vector<std::vector<bool>>& ended,
                           std::size_t rank, OperationId id, const Operation& o) {
  std::string text;
  for (std::size_t r = 0; r < program.ranks.size(); ++r) {
    const auto& operations = program.ranks[r].operations;
    for (std::size_t i = 0; i < operations.size(); ++i) {
      const Operation& other = operations[i];
      const bool itself = r == rank && static_cast<OperationId>(i) == id;
      if (itself || ended[r][i] || other.channel != o.channel) continue;
      if (!(o.receives ? other.sends : other.rendezvous)) continue;
      text += fmt::format("{}{}", text.empty() ? "" : ", ",
                          describe(program, r, static_cast<OperationId>(i)));
    }
  }
  return text;
}

std::string reasons(const Program& program, const std::vector<std::vector<bool>>& ended,
                    std::size_t rank, OperationId id) {
  const auto& operations = program.ranks[rank].operations;
  const Operation& o = operations[static_cast<std::size_t>(id)];
  std::string text;
  const auto add = [&](const std::string& reason) { text += (text.empty() ? "" : "; ") + reason; };
  for (const OperationId w : o.wait) {
    if (w != kNone && !ended[rank][static_cast<std::size_t>(w)]) {
      add("operation " + std::to_string(w));
    }
  }
  for (OperationId i = 0; i < id; ++i) {
    if (operations[static_cast<std::size_t>(i)].host_waits &&
        !ended[rank][static_cast<std::size_t>(i)]) {
      add(fmt::format("the host, which waits for operation {}", i));
      break;
    }
  }
  if (o.receives || o.rendezvous) {
    const std::string others = absent_members(program, ended, rank, id, o);
    if (!others.empty()) add(fmt::format("channel {}: {}", o.channel, others));
  }
  return text;
}

}  // namespace

std::string explain_deadlock(const Program& program, const std::vector<std::vector<bool>>& ended,
                             int lines) {
  std::string text;
  for (std::size_t rank = 0; rank < program.ranks.size(); ++rank) {
    const auto& operations = program.ranks[rank].operations;
    std::array<bool, kStreams> seen{};
    for (std::size_t i = 0; i < operations.size() && lines > 0; ++i) {
      const auto stream = static_cast<std::size_t>(operations[i].stream);
      if (ended[rank][i] || seen[stream]) continue;
      seen[stream] = true;
      const auto id = static_cast<OperationId>(i);
      fmt::format_to(std::back_inserter(text), "{} waits for {}\n", describe(program, rank, id),
                     reasons(program, ended, rank, id));
      --lines;
    }
  }
  return text;
}

}  // namespace forerun::sim
