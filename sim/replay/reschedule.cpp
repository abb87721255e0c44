#include "sim/replay/reschedule.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <charconv>
#include <map>
#include <tuple>

#include "core/reader.h"
#include "sim/plan_json.h"
#include "sim/replay/pipeline_operations.h"

namespace forerun::replay {
namespace {

using sim::PassKind;
using sim::PipelineSchedule;

constexpr std::array kChoices = {PipelineSchedule::all_forward_all_backward,
                                 PipelineSchedule::one_forward_one_backward,
                                 PipelineSchedule::interleaved, PipelineSchedule::zero_bubble_h1};

/// Passes of one direction of a rank in a step, the k-th the k-th micro-batch's.
std::vector<PassInOrder> passes_of(const RankStep& r, bool forward) {
  std::vector<PassInOrder> list;
  for (const PassInOrder& p : r.passes) {
    if (p.forward == forward) list.push_back(p);
  }
  return list;
}

/// One step's worth of operations under the new schedule, for all steps of a job.
class Rescheduler {
 public:
  Rescheduler(const Job& job, const ScheduleChoice& choice, std::int64_t micro_batches)
      : job_(job), stages_(job.trace.ranks.back().stage + 1) {
    shape_.schedule = choice.schedule;
    shape_.ranks = stages_;
    shape_.virtual_stages = choice.virtual_stages;
    shape_.micro_batches = micro_batches;
    trace_.ranks = job.trace.ranks;
    trace_.steps = job.trace.steps;
    trace_.kinds = job.trace.kinds;
  }

  [[nodiscard]] std::optional<std::string> rule() const { return sim::broken_rule(shape_); }
  std::optional<std::vector<std::int64_t>> run(Problems& problems);

 private:
  /// Which message: of a replica in a step, forward or not, over a boundary, of a micro-batch.
  using Key = std::tuple<std::size_t, bool, std::int64_t, std::int64_t>;
  struct Transfers {
    std::vector<std::vector<std::int64_t>> sent, received;  // by stage, micro-batch
    std::int64_t mean_sent = 0, mean_received = 0;
  };
  std::int32_t add(std::size_t place, PipelineKind kind, std::int64_t duration,
                   std::int64_t micro_batch);
  std::int32_t copy(std::size_t place, std::int32_t operation);
  void add_rank(std::size_t place, const std::array<Transfers, 2>& transfers);
  void add_pass(std::size_t place, const sim::ScheduledPass& pass,
                const std::array<Transfers, 2>& transfers, RankStep& into);
  [[nodiscard]] Transfers transfers(std::size_t first_place, bool forward) const;
  [[nodiscard]] std::int64_t duration(std::int32_t operation) const {
    return operation < 0 ? 0 : job_.work.durations[static_cast<std::size_t>(operation)];
  }

  const Job& job_;
  std::int64_t stages_;
  sim::PipelineShape shape_;
  JobTrace trace_;
  std::vector<std::int64_t> durations_;
  std::array<std::vector<PassInOrder>, 2> measured_;  // of the rank at hand, forward first
  std::vector<RankStep> rank_steps_;
  std::map<Key, Message> messages_;
};

std::int32_t Rescheduler::add(std::size_t place, PipelineKind kind, std::int64_t duration,
                              std::int64_t micro_batch) {
  TracedOperation& o = trace_.operations.emplace_back();
  o.step = static_cast<std::int32_t>(place / trace_.ranks.size());
  o.rank = static_cast<std::int32_t>(place % trace_.ranks.size());
  o.kind = static_cast<std::int32_t>(kind);
  o.micro_batch = o.sequence = static_cast<std::int32_t>(micro_batch);
  durations_.push_back(duration);
  return static_cast<std::int32_t>(trace_.operations.size() - 1);
}

std::int32_t Rescheduler::copy(std::size_t place, std::int32_t operation) {
  if (operation < 0) return -1;
  const TracedOperation& o = job_.trace.operations[static_cast<std::size_t>(operation)];
  return add(place, static_cast<PipelineKind>(o.kind), duration(operation), o.sequence);
}

/// What the messages of a replica took in a step.
Rescheduler::Transfers Rescheduler::transfers(std::size_t first_place, bool forward) const {
  Transfers t;
  std::int64_t sent = 0, sends = 0, received = 0, receives = 0;
  for (std::size_t s = 0; s < static_cast<std::size_t>(stages_); ++s) {
    std::vector<std::int64_t>& out = t.sent.emplace_back();
    std::vector<std::int64_t>& in = t.received.emplace_back();
    for (const PassInOrder& p : passes_of(job_.rank_steps[first_place + s], forward)) {
      out.push_back(p.send >= 0 ? duration(p.send) : -1);
      in.push_back(p.receive >= 0 ? duration(p.receive) : -1);
      sent += duration(p.send);
      sends += p.send >= 0 ? 1 : 0;
      received += duration(p.receive);
      receives += p.receive >= 0 ? 1 : 0;
    }
  }
  t.mean_sent = sends > 0 ? sent / sends : 0;
  t.mean_received = receives > 0 ? received / receives : 0;
  return t;
}

void Rescheduler::add_pass(std::size_t place, const sim::ScheduledPass& pass,
                           const std::array<Transfers, 2>& transfers, RankStep& into) {
  const std::int32_t rank = trace_.ranks[place % trace_.ranks.size()].stage;
  const bool forward = pass.pass == PassKind::forward;
  const auto k = static_cast<std::size_t>(pass.micro_batch);
  const std::int32_t measured = measured_[forward ? 0 : 1][k].operation;
  const std::int64_t halves =
      pass.pass == PassKind::forward || pass.pass == PassKind::backward ? 1 : 2;
  const PipelineKind compute =
      forward ? PipelineKind::forward_compute : PipelineKind::backward_compute;
  PassInOrder p;
  p.forward = forward;
  p.operation =
      add(place, compute, duration(measured) / (halves * shape_.virtual_stages), pass.micro_batch);
  const Transfers& t = transfers[forward ? 0 : 1];
  const auto took = [&](const std::vector<std::vector<std::int64_t>>& all, std::int64_t mean) {
    const std::int64_t here = all[static_cast<std::size_t>(rank)][k];
    return here >= 0 ? here : mean;
  };
  const sim::ChunkPlace here{rank, pass.chunk};
  const std::int64_t chunk = sim::model_chunk(shape_, here);
  const std::size_t replica = place - static_cast<std::size_t>(rank);  // in its step
  if (sim::upstream(shape_, here, pass.pass)) {
    p.receive = add(place, forward ? PipelineKind::forward_recv : PipelineKind::backward_recv,
                    took(t.received, t.mean_received), pass.micro_batch);
    messages_[{replica, forward, forward ? chunk - 1 : chunk, pass.micro_batch}].receive =
        p.receive;
  }
  if (sim::downstream(shape_, here, pass.pass)) {
    p.send = add(place, forward ? PipelineKind::forward_send : PipelineKind::backward_send,
                 took(t.sent, t.mean_sent), pass.micro_batch);
    messages_[{replica, forward, forward ? chunk : chunk - 1, pass.micro_batch}].send = p.send;
  }
  into.passes.push_back(p);
}

void Rescheduler::add_rank(std::size_t place, const std::array<Transfers, 2>& transfers) {
  const RankStep& measured = job_.rank_steps[place];
  measured_ = {passes_of(measured, true), passes_of(measured, false)};
  RankStep r;
  const std::int32_t rank = trace_.ranks[place % trace_.ranks.size()].stage;
  for (const std::int32_t o : measured.gathers) r.gathers.push_back(copy(place, o));
  for (const sim::ScheduledPass& pass : sim::rank_schedule(shape_, rank)) {
    add_pass(place, pass, transfers, r);
  }
  for (const std::int32_t o : measured.reductions) r.reductions.push_back(copy(place, o));
  r.gc = copy(place, measured.gc);
  r.layernorm = copy(place, measured.layernorm);
  r.embedding = copy(place, measured.embedding);
  r.separate = copy(place, measured.separate);
  r.clip = copy(place, measured.clip);
  r.optimizer = copy(place, measured.optimizer);
  rank_steps_.push_back(std::move(r));
}

std::optional<std::vector<std::int64_t>> Rescheduler::run(Problems& problems) {
  std::array<Transfers, 2> took;
  for (std::size_t place = 0; place < job_.rank_steps.size(); ++place) {
    if (trace_.ranks[place % trace_.ranks.size()].stage == 0) {
      took = {transfers(place, true), transfers(place, false)};
    }
    add_rank(place, took);
  }
  std::vector<Message> messages;
  for (const auto& [key, message] : messages_) {
    FORERUN_ASSERT(message.send >= 0 && message.receive >= 0,
                   fmt::format("boundary {} of micro-batch {} has one end", std::get<2>(key),
                               std::get<3>(key)));
    messages.push_back(message);
  }
  const std::optional<ReplayGraph> graph =
      make_pipeline_graph(trace_, rank_steps_, messages, problems);
  if (!graph) return std::nullopt;
  return step_ends(trace_, graph->replay(durations_));
}

}  // namespace

std::optional<ScheduleChoice> parse_schedule(std::string_view words, Problems& problems) {
  const std::size_t colon = words.find(':');
  const std::string_view name = words.substr(0, colon);
  ScheduleChoice choice;
  std::vector<std::string_view> names;
  for (const PipelineSchedule s : kChoices) names.push_back(sim::name(s));
  const auto found = std::ranges::find(names, name);
  if (found == names.end()) {
    problems.add("--schedule",
                 name == sim::name(PipelineSchedule::dualpipe)
                     ? "dualpipe gives each rank two stages, whose passes a trace of another "
                       "schedule has not measured together"
                     : fmt::format("unknown schedule \"{}\"; {}", name,
                                   did_you_mean(name, names,
                                                fmt::format("known: {}", fmt::join(names, ", ")))));
    return std::nullopt;
  }
  choice.schedule = kChoices[static_cast<std::size_t>(found - names.begin())];
  const bool interleaved = choice.schedule == PipelineSchedule::interleaved;
  choice.virtual_stages = interleaved ? 2 : 1;
  if (colon == std::string_view::npos) return choice;
  const std::string_view number = words.substr(colon + 1);
  const char* const end = number.data() + number.size();
  const auto [rest, error] = std::from_chars(number.data(), end, choice.virtual_stages);
  if (interleaved && error == std::errc{} && rest == end && choice.virtual_stages >= 2 &&
      choice.virtual_stages <= 1024) {
    return choice;
  }
  problems.add("--schedule", fmt::format("expected a schedule, or interleaved:V with 2 to 1024 "
                                         "virtual stages, found \"{}\"",
                                         words));
  return std::nullopt;
}

std::string schedule_text(const ScheduleChoice& choice) {
  const std::string_view name = sim::name(choice.schedule);
  if (choice.schedule != PipelineSchedule::interleaved) return std::string(name);
  return fmt::format("{}:{}", name, choice.virtual_stages);
}

std::optional<std::vector<std::int64_t>> rescheduled_steps(const Job& job,
                                                           const ScheduleChoice& choice,
                                                           Problems& problems) {
  if (job.rank_steps.empty()) {
    problems.add("--schedule", fmt::format("a {} trace does not tell stages and micro-batches; a "
                                           "table of operations does",
                                           job.trace.format));
    return std::nullopt;
  }
  const std::size_t micro_batches = passes_of(job.rank_steps.front(), true).size();
  for (std::size_t i = 0; i < job.rank_steps.size(); ++i) {
    for (const bool forward : {true, false}) {
      const std::size_t there = passes_of(job.rank_steps[i], forward).size();
      if (there == micro_batches) continue;
      problems.add("--schedule",
                   fmt::format("{} in step {} has {} {} passes and {} has {}: schedules need one "
                               "of each for every micro-batch",
                               job.trace.ranks[i % job.trace.ranks.size()].name,
                               job.trace.steps[i / job.trace.ranks.size()], there,
                               forward ? "forward" : "backward", job.trace.ranks.front().name,
                               micro_batches));
      return std::nullopt;
    }
  }
  Rescheduler rescheduler(job, choice, static_cast<std::int64_t>(micro_batches));
  if (const std::optional<std::string> rule = rescheduler.rule()) {
    problems.add("--schedule",
                 fmt::format("{} does not fit this job: {}", schedule_text(choice), *rule));
    return std::nullopt;
  }
  return rescheduler.run(problems);
}

}  // namespace forerun::replay
