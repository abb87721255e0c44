#include "sim/replay/pipeline_graph.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <map>
#include <tuple>

namespace forerun::replay {
namespace {

class PipelineGraph {
 public:
  PipelineGraph(const JobTrace& trace, const std::vector<RankStep>& all)
      : trace_(trace), all_(all), stages_(trace.ranks.back().stage + 1) {}

  void link_ranks() {
    for (const RankStep& r : all_) {
      link_passes(r);
      link_ends(r);
    }
  }
  /// Names the first collective in which a rank is missing.
  void group(const std::vector<Message>& messages, Problems& problems);

  std::vector<std::pair<std::int32_t, std::int32_t>> waits;
  std::vector<std::vector<std::int32_t>> groups;

 private:
  void wait(std::int32_t operation, std::int32_t on) {
    if (operation >= 0 && on >= 0) waits.emplace_back(operation, on);
  }
  void link_passes(const RankStep& r);
  void link_ends(const RankStep& r);
  void hold_first_gradient(const RankStep& r);

  const JobTrace& trace_;
  const std::vector<RankStep>& all_;
  std::int32_t stages_;
};

void PipelineGraph::link_passes(const RankStep& r) {
  struct Last {
    std::int32_t pass = -1, receive = -1, send = -1;
  };
  std::array<Last, 2> last;  // of a direction
  std::int32_t before = -1;
  for (const PassInOrder& p : r.passes) {
    Last& l = last[p.forward ? 0 : 1];
    wait(p.operation, before);
    wait(p.operation, p.receive);
    wait(p.receive, l.pass);
    wait(p.receive, l.receive);
    wait(p.send, p.operation);
    wait(p.send, l.send);
    before = p.operation;
    l.pass = p.operation;
    if (p.receive >= 0) l.receive = p.receive;
    if (p.send >= 0) l.send = p.send;
  }
  hold_first_gradient(r);
}

void PipelineGraph::hold_first_gradient(const RankStep& r) {
  const auto first = std::ranges::find(r.passes, false, &PassInOrder::forward);
  if (first == r.passes.end() || first - r.passes.begin() < 2) return;
  wait(first->receive, (first - 2)->operation);
}

void PipelineGraph::link_ends(const RankStep& r) {
  std::int32_t before = -1;
  for (const std::vector<std::int32_t>* list : {&r.gathers, &r.reductions}) {
    for (const std::int32_t o : *list) {
      wait(o, before);
      before = o;
    }
  }
  const auto first = std::ranges::find(r.passes, true, &PassInOrder::forward);
  if (!r.gathers.empty()) wait(first->operation, r.gathers.back());

  const std::int32_t last = r.passes.back().operation;
  wait(r.gc, last);
  const bool beside = r.separate >= 0;  // gradients are reduced beside the backward passes
  std::int32_t tail = r.gc >= 0 ? r.gc : last;
  const auto chain = [&](std::int32_t o) {
    if (o < 0) return;
    wait(o, tail);
    tail = o;
  };
  if (beside && !r.reductions.empty()) {
    wait(r.reductions.front(), last);
    wait(r.layernorm >= 0 ? r.layernorm : r.separate, r.reductions.back());
  }
  chain(r.layernorm);
  chain(r.embedding);
  if (beside) {
    chain(r.separate);
  } else {
    for (const std::int32_t o : r.reductions) chain(o);
  }
  chain(r.clip);
  chain(r.optimizer);
}

void PipelineGraph::group(const std::vector<Message>& messages, Problems& problems) {
  for (const Message& m : messages) groups.push_back({m.send, m.receive});
  // By step, stage (-1: all), replica (-1: all), kind, number.
  std::map<std::array<std::int64_t, 5>, std::vector<std::int32_t>> met;
  enum : std::int64_t { gather, reduction, separate, embedding, clip };
  const std::size_t ranks = trace_.ranks.size();
  for (std::size_t i = 0; i < all_.size(); ++i) {
    const auto step = static_cast<std::int64_t>(i / ranks);
    const TracedRank& rank = trace_.ranks[i % ranks];
    const RankStep& r = all_[i];
    const auto meet = [&](std::int64_t stage, std::int64_t data, std::int64_t kind, std::size_t k,
                          std::int32_t o) {
      if (o >= 0) met[{step, stage, data, kind, static_cast<std::int64_t>(k)}].push_back(o);
    };
    for (std::size_t k = 0; k < r.gathers.size(); ++k) {
      meet(rank.stage, -1, gather, k, r.gathers[k]);
    }
    for (std::size_t k = 0; k < r.reductions.size(); ++k) {
      meet(rank.stage, -1, reduction, k, r.reductions[k]);
    }
    meet(rank.stage, -1, separate, 0, r.separate);
    if (rank.stage == 0 || rank.stage == stages_ - 1)
      meet(-1, rank.data, embedding, 0, r.embedding);
    meet(-1, -1, clip, 0, r.clip);
  }
  const auto replicas = static_cast<std::size_t>(trace_.ranks.back().data) + 1;
  const std::size_t ends = stages_ > 1 ? 2 : 1;
  for (auto& [key, members] : met) {
    const std::size_t expected = key[3] == embedding ? ends : key[3] == clip ? ranks : replicas;
    if (members.size() != expected && problems.empty()) {
      problems.add("", fmt::format("{} is there on {} of the {} ranks that it joins",
                                   describe(trace_, members.front()), members.size(), expected));
    }
    groups.push_back(std::move(members));
  }
}

}  // namespace

std::optional<ReplayGraph> make_pipeline_graph(const JobTrace& trace,
                                               const std::vector<RankStep>& all,
                                               const std::vector<Message>& messages,
                                               Problems& problems) {
  PipelineGraph g(trace, all);
  g.link_ranks();
  g.group(messages, problems);
  if (!problems.empty()) return std::nullopt;
  std::vector<std::int32_t> cycle;
  std::optional<ReplayGraph> graph =
      ReplayGraph::make(trace.operations.size(), std::move(g.waits), g.groups, cycle);
  if (!graph) problems.add("", "operations wait for each other: " + describe_cycle(trace, cycle));
  return graph;
}

}  // namespace forerun::replay
