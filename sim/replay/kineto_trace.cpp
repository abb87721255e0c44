#include "sim/replay/kineto_trace.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <cmath>
#include <limits>
#include <map>
#include <set>
#include <unordered_map>

#include "core/statistics.h"
#include "sim/replay/exchange_matching.h"
#include "sim/replay/kineto_events.h"

namespace forerun::replay {
namespace {

constexpr double kPicosecondsPerMicrosecond = 1e6;
constexpr double kNever = std::numeric_limits<double>::infinity();
constexpr double kInferredWithin = 20.0;  // microseconds

/// One rank's file.
struct RankEvents {
  std::int64_t rank = 0;
  KinetoEvents events;
  std::vector<std::int32_t> step_of;  // by device event: index into the trace's steps; -1: none
  std::vector<std::int32_t> id;       // by device event: operation; -1: left out
};

class KinetoReader {
 public:
  explicit KinetoReader(Problems& problems) : problems_(problems) {}
  std::optional<LinkedTrace> read(const std::vector<TraceFile>& files);

 private:
  bool read_files(const std::vector<TraceFile>& files);
  void find_steps();
  void assign_steps(RankEvents& r);
  void align_clocks();
  void add_operations();
  void link_streams(const RankEvents& r);
  void link_by_events(const RankEvents& r);
  void link_by_time(const RankEvents& r);
  void match(const RankEvents& r, ExchangeMatcher& matcher);
  void note_alone();
  std::int32_t kind(const DeviceEvent& e);
  static bool exchanges(const DeviceEvent& e) {
    return !e.group.empty() || e.name.starts_with("nccl");
  }

  Problems& problems_;
  std::vector<RankEvents> ranks_;
  std::map<std::string, std::int32_t> kinds_;
  LinkedTrace linked_;
  std::int64_t left_out_ = 0, inferred_ = 0, alone_ = 0;
};

bool KinetoReader::read_files(const std::vector<TraceFile>& files) {
  std::map<std::int64_t, std::string> seen;
  for (std::size_t i = 0; i < files.size(); ++i) {
    Problems wrong;
    RankEvents r;
    r.events = read_kineto_events(files[i].text, wrong);
    for (const Problem& p : wrong.list()) problems_.add(files[i].name + ": " + p.where, p.what);
    r.rank = r.events.rank.value_or(static_cast<std::int64_t>(i));
    const auto [at, inserted] = seen.try_emplace(r.rank, files[i].name);
    if (!inserted) {
      problems_.add(files[i].name, fmt::format("is of rank {}, as {} is", r.rank, at->second));
    }
    if (wrong.empty() && r.events.device.empty()) {
      problems_.add(files[i].name,
                    "has no kernel: was the accelerator profiled "
                    "(ProfilerActivity.CUDA)?");
    }
    std::ranges::stable_sort(r.events.device, {}, &DeviceEvent::begin);
    ranks_.push_back(std::move(r));
  }
  std::ranges::stable_sort(ranks_, {}, &RankEvents::rank);
  return problems_.empty();
}

void KinetoReader::find_steps() {
  std::set<std::int64_t> numbers;
  for (const RankEvents& r : ranks_) {
    for (const StepMark& m : r.events.steps) numbers.insert(m.number);
  }
  linked_.trace.steps.assign(numbers.begin(), numbers.end());
  if (linked_.trace.steps.empty()) {
    linked_.trace.steps.push_back(0);
    linked_.trace.notes.emplace_back("no ProfilerStep marks: all kernels are taken as one step");
    for (RankEvents& r : ranks_) r.step_of.assign(r.events.device.size(), 0);
  } else {
    for (RankEvents& r : ranks_) assign_steps(r);
  }
}

void KinetoReader::assign_steps(RankEvents& r) {
  std::unordered_map<std::int64_t, double> launched;
  for (const Launch& l : r.events.launches) launched.try_emplace(l.correlation, l.begin);
  std::vector<StepMark> marks = r.events.steps;
  std::ranges::sort(marks, {}, &StepMark::begin);
  for (const DeviceEvent& e : r.events.device) {
    const auto at = launched.find(e.correlation);
    const double when = at != launched.end() ? at->second : e.begin;
    auto after = std::ranges::upper_bound(marks, when, {}, &StepMark::begin);
    const bool inside = after != marks.begin() && when < (after - 1)->end;
    const std::vector<std::int64_t>& steps = linked_.trace.steps;
    r.step_of.push_back(
        inside ? static_cast<std::int32_t>(std::ranges::lower_bound(steps, (after - 1)->number) -
                                           steps.begin())
               : -1);
    left_out_ += inside ? 0 : 1;
  }
}

/// By group and order within it: when a rank's collective ended.
void KinetoReader::align_clocks() {
  std::map<std::string, std::vector<std::vector<double>>> ends;  // group; by rank, in order
  for (std::size_t i = 0; i < ranks_.size(); ++i) {
    for (const DeviceEvent& e : ranks_[i].events.device) {
      if (e.group.empty() || e.collective == "send" || e.collective == "recv") continue;
      std::vector<std::vector<double>>& by_rank = ends[e.group];
      by_rank.resize(ranks_.size());
      by_rank[i].push_back(e.begin + e.duration);
    }
  }
  double most = 0;
  std::vector<double> shift(ranks_.size(), 0);
  for (std::size_t i = 1; i < ranks_.size(); ++i) {
    std::vector<double> differences;
    for (const auto& [group, by_rank] : ends) {
      for (std::size_t j = 0; j < i; ++j) {
        if (by_rank[j].size() != by_rank[i].size()) continue;
        for (std::size_t k = 0; k < by_rank[i].size(); ++k) {
          differences.push_back(by_rank[i][k] - (by_rank[j][k] - shift[j]));
        }
      }
    }
    if (differences.empty()) continue;
    shift[i] = median(differences);
    most = std::max(most, std::abs(shift[i]));
    for (DeviceEvent& e : ranks_[i].events.device) e.begin -= shift[i];
  }
  if (most > 0) {
    linked_.trace.notes.push_back(fmt::format(
        "clocks were shifted by up to {:.1f} us so that collectives end together", most));
  }
}

std::int32_t KinetoReader::kind(const DeviceEvent& e) {
  const auto [at, inserted] =
      kinds_.try_emplace(e.name, static_cast<std::int32_t>(linked_.trace.kinds.size()));
  if (inserted) linked_.trace.kinds.push_back({e.name, exchanges(e)});
  return at->second;
}

void KinetoReader::add_operations() {
  JobTrace& trace = linked_.trace;
  std::vector<double> zero(trace.steps.size(), kNever);
  for (const RankEvents& r : ranks_) {
    for (std::size_t i = 0; i < r.events.device.size(); ++i) {
      if (r.step_of[i] < 0) continue;
      double& z = zero[static_cast<std::size_t>(r.step_of[i])];
      z = std::min(z, r.events.device[i].begin);
    }
  }
  std::map<std::array<std::int32_t, 3>, std::int32_t> counted;
  for (std::size_t rank = 0; rank < ranks_.size(); ++rank) {
    RankEvents& r = ranks_[rank];
    trace.ranks.push_back({fmt::format("rank {}", r.rank), -1, -1});
    for (std::size_t i = 0; i < r.events.device.size(); ++i) {
      const DeviceEvent& e = r.events.device[i];
      if (r.step_of[i] < 0) {
        r.id.push_back(-1);
        continue;
      }
      const double begin = (e.begin - zero[static_cast<std::size_t>(r.step_of[i])]);
      if (begin > 1e12) {
        problems_.add(trace.ranks.back().name,
                      fmt::format("kernel {} begins {:.0f} s after the first of its step", e.name,
                                  begin / 1e6));
        return;
      }
      TracedOperation o;
      o.begin = std::llround(begin * kPicosecondsPerMicrosecond);
      o.duration = std::llround(e.duration * kPicosecondsPerMicrosecond);
      o.step = r.step_of[i];
      o.rank = static_cast<std::int32_t>(rank);
      o.kind = kind(e);
      o.sequence = counted[{o.step, o.rank, o.kind}]++;
      r.id.push_back(static_cast<std::int32_t>(trace.operations.size()));
      trace.operations.push_back(o);
    }
  }
}

void KinetoReader::link_streams(const RankEvents& r) {
  std::map<std::pair<std::int64_t, std::int32_t>, std::int32_t> last;  // of stream and step
  for (std::size_t i = 0; i < r.id.size(); ++i) {
    if (r.id[i] < 0) continue;
    const auto [at, inserted] =
        last.try_emplace({r.events.device[i].stream, r.step_of[i]}, r.id[i]);
    if (!inserted) linked_.waits.emplace_back(r.id[i], std::exchange(at->second, r.id[i]));
  }
  r.events.waits.empty() ? link_by_time(r) : link_by_events(r);
}

/// Correlation numbers rise in the order of the host's calls.
void KinetoReader::link_by_events(const RankEvents& r) {
  std::map<std::int64_t, std::vector<std::pair<std::int64_t, std::size_t>>> streams;
  for (std::size_t i = 0; i < r.id.size(); ++i) {
    const DeviceEvent& e = r.events.device[i];
    if (r.id[i] >= 0 && e.correlation >= 0) streams[e.stream].emplace_back(e.correlation, i);
  }
  for (auto& [stream, list] : streams) std::ranges::sort(list);
  for (const StreamWait& w : r.events.waits) {
    const auto waiter = streams.find(w.stream), on = streams.find(w.on);
    if (waiter == streams.end() || on == streams.end() || w.stream == w.on) continue;
    const auto next = std::ranges::upper_bound(waiter->second, std::pair(w.correlation, SIZE_MAX));
    const auto before = std::ranges::lower_bound(on->second, std::pair(w.recorded, std::size_t{0}));
    if (next == waiter->second.end() || before == on->second.begin()) continue;
    const std::size_t a = next->second, b = (before - 1)->second;
    if (r.step_of[a] == r.step_of[b]) linked_.waits.emplace_back(r.id[a], r.id[b]);
  }
}

void KinetoReader::link_by_time(const RankEvents& r) {
  struct Ended {
    double end = -kNever;
    std::size_t event = 0;
  };
  std::map<std::int64_t, std::vector<Ended>> streams;  // ends rise within a stream
  for (std::size_t i = 0; i < r.id.size(); ++i) {
    if (r.id[i] < 0) continue;
    const DeviceEvent& e = r.events.device[i];
    const double own = streams[e.stream].empty() ? -kNever : streams[e.stream].back().end;
    Ended latest;
    for (const auto& [stream, list] : streams) {
      if (stream == e.stream) continue;
      const auto after = std::ranges::upper_bound(list, e.begin, {}, &Ended::end);
      if (after != list.begin() && (after - 1)->end > latest.end) latest = *(after - 1);
    }
    if (latest.end > own && e.begin - latest.end <= kInferredWithin &&
        r.step_of[latest.event] == r.step_of[i]) {
      linked_.waits.emplace_back(r.id[i], r.id[latest.event]);
      ++inferred_;
    }
    std::vector<Ended>& mine = streams[e.stream];
    mine.push_back({std::max(own, e.begin + e.duration), i});
  }
}

void KinetoReader::match(const RankEvents& r, ExchangeMatcher& matcher) {
  for (std::size_t i = 0; i < r.id.size(); ++i) {
    const DeviceEvent& e = r.events.device[i];
    if (r.id[i] < 0 || !exchanges(e)) continue;
    const TracedOperation& o = linked_.trace.operations[static_cast<std::size_t>(r.id[i])];
    if (e.destination >= 0) {
      matcher.send(r.id[i], o, e.group, r.rank, e.destination);
    } else if (e.source >= 0) {
      matcher.receive(r.id[i], o, e.group, e.source, r.rank);
    } else if (!e.group.empty() && e.collective != "coalesced" && e.collective != "send" &&
               e.collective != "recv") {
      matcher.collective(r.id[i], o, e.group);
    } else {
      ++alone_;
    }
  }
}

void KinetoReader::note_alone() {
  std::vector<std::string>& notes = linked_.trace.notes;
  if (left_out_ > 0) {
    notes.push_back(fmt::format("{} kernels launched outside every step are left out", left_out_));
  }
  if (inferred_ > 0) {
    notes.push_back(
        fmt::format("{} waits between streams were inferred from dates: the trace has no "
                    "Stream Wait Events",
                    inferred_));
  }
  if (alone_ > 0) {
    notes.push_back(
        fmt::format("{} exchanges tell no group or partner: their waiting counts as "
                    "transfer",
                    alone_));
  }
}

std::optional<LinkedTrace> KinetoReader::read(const std::vector<TraceFile>& files) {
  if (!read_files(files)) return std::nullopt;
  linked_.trace.format = "Kineto";
  find_steps();
  align_clocks();
  add_operations();
  if (problems_.empty() && linked_.trace.operations.empty()) {
    problems_.add("", "no kernel was launched inside a step");
  }
  if (!problems_.empty()) return std::nullopt;
  ExchangeMatcher matcher;
  std::vector<std::int64_t> there;
  for (const RankEvents& r : ranks_) {
    link_streams(r);
    match(r, matcher);
    there.push_back(r.rank);
  }
  linked_.groups = matcher.groups(linked_.trace, there, problems_);
  if (!problems_.empty()) return std::nullopt;
  note_alone();
  return std::move(linked_);
}

}  // namespace

bool is_kineto_trace(std::string_view text) {
  return text.substr(0, 1 << 20).find("\"traceEvents\"") != std::string_view::npos;
}

std::optional<LinkedTrace> read_kineto_traces(const std::vector<TraceFile>& files,
                                              Problems& problems) {
  return KinetoReader(problems).read(files);
}

}  // namespace forerun::replay
