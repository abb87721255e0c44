// Sorts a trace's operations into what each rank did in each step, and pairs its messages.

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <string_view>

#include "sim/replay/pipeline_graph.h"
#include "sim/replay/pipeline_operations.h"

namespace forerun::replay {
namespace {

constexpr std::size_t kMostProblems = 20;

using ByKind = std::array<std::vector<std::int32_t>, kPipelineKinds.size()>;

const std::vector<std::int32_t>& of(const ByKind& all, PipelineKind kind) {
  return all[static_cast<std::size_t>(kind)];
}

/// The four kinds of messages, whose partners lie one stage further on or back.
struct Direction {
  PipelineKind compute, send, receive;
  int to;  ///< of the receiver's stage
};
constexpr std::array<Direction, 2> kDirections = {
    {{PipelineKind::forward_compute, PipelineKind::forward_send, PipelineKind::forward_recv, 1},
     {PipelineKind::backward_compute, PipelineKind::backward_send, PipelineKind::backward_recv,
      -1}}};

class RankStepReader {
 public:
  RankStepReader(const JobTrace& trace, Problems& problems)
      : trace_(trace), problems_(problems), stages_(trace.ranks.back().stage + 1) {}

  std::optional<std::vector<RankStep>> read();

 private:
  void refuse(std::string what) {
    wrong_ = true;
    if (problems_.list().size() < kMostProblems) problems_.add("", std::move(what));
  }
  [[nodiscard]] std::string where(std::size_t place) const {
    return fmt::format("{} in step {}", trace_.ranks[place % trace_.ranks.size()].name,
                       trace_.steps[place / trace_.ranks.size()]);
  }
  [[nodiscard]] std::int32_t stage(std::size_t place) const {
    return trace_.ranks[place % trace_.ranks.size()].stage;
  }
  void check_messages(std::size_t place, const Direction& d);
  void check_partners(std::size_t place, const Direction& d);
  void check_once(std::size_t place);
  [[nodiscard]] RankStep rank_step(std::size_t place) const;

  const JobTrace& trace_;
  Problems& problems_;
  std::int32_t stages_;
  std::vector<ByKind> by_kind_;  // by step, rank; each list in order of begin
  bool wrong_ = false;
};

/// A rank sends and receives as many messages as it has passes, but at the ends of the model.
void RankStepReader::check_messages(std::size_t place, const Direction& d) {
  const std::int32_t from = stage(place) - d.to, to = stage(place) + d.to;
  const std::size_t passes = of(by_kind_[place], d.compute).size();
  const auto check = [&](PipelineKind kind, std::int32_t partner) {
    const bool inside = partner >= 0 && partner < stages_;
    const std::size_t there = of(by_kind_[place], kind).size();
    const std::string_view name = kPipelineKinds[static_cast<std::size_t>(kind)].name;
    if (!inside && there > 0) {
      refuse(
          fmt::format("{} has {} {}, at an end of the model: interleaved schedules can't be "
                      "replayed from a table, which does not say which chunk a pass was of",
                      where(place), there, name));
    } else if (inside && there != passes) {
      refuse(fmt::format("{} has {} {} but {} {}", where(place), passes,
                         kPipelineKinds[static_cast<std::size_t>(d.compute)].name, there, name));
    }
  };
  check(d.receive, from);
  check(d.send, to);
}

/// Names the first message without a partner.
void RankStepReader::check_partners(std::size_t place, const Direction& d) {
  const std::int32_t to = stage(place) + d.to;
  if (to < 0 || to >= stages_) return;
  const std::vector<std::int32_t>& sends = of(by_kind_[place], d.send);
  const std::size_t other = place + static_cast<std::size_t>(static_cast<std::int64_t>(d.to));
  const std::vector<std::int32_t>& receives = of(by_kind_[other], d.receive);
  const std::size_t both = std::min(sends.size(), receives.size());
  const auto lonely = [&](std::int32_t operation, PipelineKind partner, std::size_t where_not) {
    refuse(fmt::format("{} has no {} on {}", describe(trace_, operation),
                       kPipelineKinds[static_cast<std::size_t>(partner)].name,
                       trace_.ranks[where_not % trace_.ranks.size()].name));
  };
  if (sends.size() > both) lonely(sends[both], d.receive, other);
  if (receives.size() > both) lonely(receives[both], d.send, place);
}

/// What ends a step happens once.
void RankStepReader::check_once(std::size_t place) {
  using enum PipelineKind;
  for (const PipelineKind k : {gc, layernorm_grads_all_reduce, embedding_grads_all_reduce,
                               separate_grads_all_reduce, optimizer_clip_main_grad, optimizer}) {
    const std::size_t there = of(by_kind_[place], k).size();
    if (there > 1) {
      refuse(fmt::format("{} has {} {}, expected at most one", where(place), there,
                         kPipelineKinds[static_cast<std::size_t>(k)].name));
    }
  }
  if (of(by_kind_[place], forward_compute).empty()) {
    refuse(fmt::format("{} has no forward-compute", where(place)));
  }
}

RankStep RankStepReader::rank_step(std::size_t place) const {
  using enum PipelineKind;
  const ByKind& all = by_kind_[place];
  RankStep r;
  for (const Direction& d : kDirections) {
    const std::vector<std::int32_t>& passes = of(all, d.compute);
    for (std::size_t k = 0; k < passes.size(); ++k) {
      const auto message = [&](PipelineKind kind) {
        return of(all, kind).empty() ? -1 : of(all, kind)[k];
      };
      r.passes.push_back(
          {passes[k], message(d.receive), message(d.send), d.compute == forward_compute});
    }
  }
  std::ranges::stable_sort(r.passes, {}, [&](const PassInOrder& p) {
    return trace_.operations[static_cast<std::size_t>(p.operation)].begin;
  });
  r.gathers = of(all, params_all_gather);
  r.reductions = of(all, grads_reduce_scatter);
  const auto one = [&](PipelineKind kind) { return of(all, kind).empty() ? -1 : of(all, kind)[0]; };
  r.gc = one(gc);
  r.layernorm = one(layernorm_grads_all_reduce);
  r.embedding = one(embedding_grads_all_reduce);
  r.separate = one(separate_grads_all_reduce);
  r.clip = one(optimizer_clip_main_grad);
  r.optimizer = one(optimizer);
  return r;
}

std::optional<std::vector<RankStep>> RankStepReader::read() {
  by_kind_.resize(trace_.steps.size() * trace_.ranks.size());
  for (std::size_t i = 0; i < trace_.operations.size(); ++i) {
    const TracedOperation& o = trace_.operations[i];
    const std::size_t place =
        static_cast<std::size_t>(o.step) * trace_.ranks.size() + static_cast<std::size_t>(o.rank);
    by_kind_[place][static_cast<std::size_t>(o.kind)].push_back(static_cast<std::int32_t>(i));
  }
  for (std::size_t place = 0; place < by_kind_.size(); ++place) {
    check_once(place);
    for (const Direction& d : kDirections) {
      check_partners(place, d);
      check_messages(place, d);
    }
  }
  if (wrong_) return std::nullopt;
  std::vector<RankStep> all;
  all.reserve(by_kind_.size());
  for (std::size_t place = 0; place < by_kind_.size(); ++place) all.push_back(rank_step(place));
  return all;
}

}  // namespace

std::optional<std::vector<RankStep>> rank_steps(const JobTrace& trace, Problems& problems) {
  return RankStepReader(trace, problems).read();
}

std::vector<Message> match_messages(const JobTrace& trace, const std::vector<RankStep>& all) {
  std::vector<Message> messages;
  const auto stage = [&](std::size_t place) {
    return trace.ranks[place % trace.ranks.size()].stage;
  };
  const std::int32_t last = trace.ranks.back().stage;
  const auto ordered = [](const RankStep& r, bool forward, std::int32_t PassInOrder::* side) {
    std::vector<std::int32_t> list;
    for (const PassInOrder& p : r.passes) {
      if (p.forward == forward && p.*side >= 0) list.push_back(p.*side);
    }
    return list;
  };
  for (std::size_t place = 0; place < all.size(); ++place) {
    for (const bool forward : {true, false}) {
      if (forward ? stage(place) == last : stage(place) == 0) continue;
      const std::size_t other = forward ? place + 1 : place - 1;
      const std::vector<std::int32_t> sends = ordered(all[place], forward, &PassInOrder::send);
      const std::vector<std::int32_t> receives =
          ordered(all[other], forward, &PassInOrder::receive);
      for (std::size_t k = 0; k < std::min(sends.size(), receives.size()); ++k) {
        messages.push_back({sends[k], receives[k]});
      }
    }
  }
  return messages;
}

}  // namespace forerun::replay
