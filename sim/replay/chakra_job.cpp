#include "sim/replay/chakra_job.h"

#include <fmt/format.h>

#include <algorithm>
#include <map>
#include <tuple>
#include <unordered_map>

#include "sim/replay/exchange_matching.h"

namespace forerun::replay {
namespace {

using chakra::Node;
using chakra::NodeType;

constexpr std::size_t kMostProblems = 20;
constexpr std::int64_t kPicosecondsPerMicrosecond = 1'000'000;
constexpr std::uint64_t kMostMicroseconds = 1'000'000'000'000;
constexpr std::int64_t kMostPicoseconds = 1'000'000'000'000'000'000;

class ChakraLinker {
 public:
  explicit ChakraLinker(Problems& problems) : problems_(problems) {}
  std::optional<LinkedTrace> link(const std::vector<ChakraFile>& files);

 private:
  void refuse(const ChakraFile& file, const Node& n, const std::string& what) {
    if (problems_.list().size() < kMostProblems) {
      problems_.add(file.name, fmt::format("node {} ({}) {}", n.id, n.name, what));
    }
  }
  void add_rank(const ChakraFile& file);
  void add_node(const ChakraFile& file, const Node& n);
  void add_waits(const ChakraFile& file, const Node& n);
  void match(const ChakraFile& file, ExchangeMatcher& matcher);
  void find_zero();

  Problems& problems_;
  LinkedTrace linked_;
  std::map<std::string, std::int32_t> kinds_;
  std::map<std::pair<std::int32_t, std::int32_t>, std::int32_t> counted_;  // rank, kind
  std::unordered_map<std::uint64_t, std::int32_t> ids_;  // of the rank at hand: its operations
};

void ChakraLinker::add_node(const ChakraFile& file, const Node& n) {
  JobTrace& trace = linked_.trace;
  const auto id = static_cast<std::int32_t>(trace.operations.size());
  if (!ids_.try_emplace(n.id, id).second) refuse(file, n, "stands there twice");
  if (n.start_micros > kMostMicroseconds * 10'000 || n.duration_micros > kMostMicroseconds) {
    refuse(file, n,
           fmt::format("begins at {} us and takes {} us, more than is meant", n.start_micros,
                       n.duration_micros));
    return;
  }
  const bool exchange =
      n.type == NodeType::collective || n.type == NodeType::send || n.type == NodeType::receive;
  const std::string kind_name = n.name.empty() ? std::string(chakra::name(n.type)) : n.name;
  const auto [kind, inserted] =
      kinds_.try_emplace(kind_name, static_cast<std::int32_t>(trace.kinds.size()));
  if (inserted) trace.kinds.push_back({kind_name, exchange});
  TracedOperation& o = trace.operations.emplace_back();
  o.rank = static_cast<std::int32_t>(trace.ranks.size() - 1);
  o.kind = kind->second;
  o.sequence = counted_[{o.rank, o.kind}]++;
  // Dates since 1970 do not fit in picoseconds: relative to the first of all (find_zero).
  o.begin = static_cast<std::int64_t>(n.start_micros);
  const auto whole = static_cast<std::int64_t>(n.duration_micros) * kPicosecondsPerMicrosecond;
  o.duration = std::clamp<std::int64_t>(n.integer("duration_ps", whole), 0, kMostPicoseconds);
}

void ChakraLinker::add_waits(const ChakraFile& file, const Node& n) {
  for (const auto* list : {&n.control_dependencies, &n.data_dependencies}) {
    for (const std::uint64_t on : *list) {
      const auto found = ids_.find(on);
      if (found == ids_.end()) {
        refuse(file, n, fmt::format("waits for node {}, which is not there", on));
      } else {
        linked_.waits.emplace_back(ids_.at(n.id), found->second);
      }
    }
  }
}

void ChakraLinker::add_rank(const ChakraFile& file) {
  linked_.trace.ranks.push_back({fmt::format("rank {}", file.rank), -1, -1});
  ids_.clear();
  if (file.trace.nodes.empty()) problems_.add(file.name, "has no nodes");
  for (const Node& n : file.trace.nodes) add_node(file, n);
  if (!problems_.empty()) return;
  for (const Node& n : file.trace.nodes) add_waits(file, n);
}

/// Exchanges in the order of their nodes' numbers, which is that of issue.
void ChakraLinker::match(const ChakraFile& file, ExchangeMatcher& matcher) {
  std::vector<const Node*> order;
  for (const Node& n : file.trace.nodes) order.push_back(&n);
  std::ranges::sort(order, {}, &Node::id);
  for (const Node* n : order) {
    const std::int32_t id = ids_.at(n->id);
    const TracedOperation& o = linked_.trace.operations[static_cast<std::size_t>(id)];
    const std::string tag = fmt::format("tag {}", n->integer("comm_tag", 0));
    if (n->type == NodeType::collective) {
      matcher.collective(id, o, n->text("pg_name"));
    } else if (n->type == NodeType::send) {
      matcher.send(id, o, tag, n->integer("comm_src", file.rank), n->integer("comm_dst", -1));
    } else if (n->type == NodeType::receive) {
      matcher.receive(id, o, tag, n->integer("comm_src", -1), n->integer("comm_dst", file.rank));
    }
  }
}

void ChakraLinker::find_zero() {
  std::vector<TracedOperation>& all = linked_.trace.operations;
  const auto [first, last] = std::ranges::minmax(all, {}, &TracedOperation::begin);
  const std::int64_t zero = first.begin;
  linked_.trace.dated = last.begin > 0;
  if (!linked_.trace.dated) {
    linked_.trace.notes.emplace_back("the trace has no dates: what is replayed is its durations");
  }
  for (TracedOperation& o : all) {
    o.begin -= zero;
    if (o.begin > static_cast<std::int64_t>(kMostMicroseconds)) {
      problems_.add("",
                    fmt::format("operations begin {} us apart, more than a step takes", o.begin));
      return;
    }
    o.begin *= kPicosecondsPerMicrosecond;
  }
}

std::optional<LinkedTrace> ChakraLinker::link(const std::vector<ChakraFile>& files) {
  linked_.trace.format = "Chakra";
  linked_.trace.steps = {0};
  ExchangeMatcher matcher;
  std::vector<std::int64_t> there;
  std::map<std::int64_t, std::string> seen;
  for (const ChakraFile& file : files) {
    const auto [at, inserted] = seen.try_emplace(file.rank, file.name);
    if (!inserted) {
      problems_.add(file.name, fmt::format("is of rank {}, as {} is", file.rank, at->second));
    }
    add_rank(file);
    if (!problems_.empty()) return std::nullopt;
    match(file, matcher);
    there.push_back(file.rank);
  }
  find_zero();
  std::ranges::sort(there);
  if (problems_.empty()) linked_.groups = matcher.groups(linked_.trace, there, problems_);
  if (!problems_.empty()) return std::nullopt;
  // Dates to the picosecond, where all nodes have them.
  std::vector<std::int64_t> exact;
  for (const ChakraFile& file : files) {
    for (const Node& n : file.trace.nodes) {
      if (n.attribute("begin_ps") != nullptr)
        exact.push_back(std::clamp<std::int64_t>(n.integer("begin_ps", 0), 0, kMostPicoseconds));
    }
  }
  if (exact.size() == linked_.trace.operations.size()) {
    // Since the step began, which may be before its first operation.
    for (std::size_t i = 0; i < exact.size(); ++i) linked_.trace.operations[i].begin = exact[i];
  }
  return std::move(linked_);
}

}  // namespace

std::optional<LinkedTrace> link_chakra(const std::vector<ChakraFile>& files, Problems& problems) {
  return ChakraLinker(problems).link(files);
}

}  // namespace forerun::replay
