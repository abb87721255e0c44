#include "sim/trace.h"

#include <fmt/format.h>

#include <algorithm>
#include <iterator>
#include <string_view>

#include "core/error.h"
#include "core/json_writer.h"
#include "sim/attribution.h"
#include "sim/causality.h"

namespace forerun::sim {
namespace {

/// Threads are numbered from 1: Perfetto keeps thread 0 for the idle task of an operating system.
int thread_of(StreamKind stream) { return static_cast<int>(stream) + 1; }
constexpr int kIdleThread = kStreams + 1;
constexpr int kOthersThread = kStreams + 2;

/// Ticks cut to nanoseconds, written as microseconds: exact, without a floating-point number
/// between.
struct Microseconds {
  std::int64_t nanoseconds;
};
Microseconds date(std::int64_t ticks) { return {ticks / 1000}; }
Microseconds between(std::int64_t begin, std::int64_t end) { return {end / 1000 - begin / 1000}; }

class Writer {
 public:
  Writer(const Program& program, const Execution& execution)
      : program_(program), execution_(execution) {
    for (const Label& l : program.labels) {
      std::string args =
          fmt::format("\"shape\":{},\"evidence\":\"{}\"", json_quoted(l.shape), name(l.evidence));
      if (!l.modality.empty()) args += fmt::format(",\"modality\":{}", json_quoted(l.modality));
      if (l.rows > 0) args += fmt::format(",\"copies_of_tokens\":{:.0f}", l.rows);
      if (l.load > 0) args += fmt::format(",\"load\":{:.3f}", l.load);
      labels_.push_back({json_quoted(l.name), std::move(args)});
    }
  }

  std::string write(const std::vector<std::pair<std::string, std::string>>& facts);

 private:
  /// Label as it stands in every event.
  struct Text {
    std::string name, args;
  };

  template <class... Args>
  void put(fmt::format_string<Args...> format, Args&&... args) {
    fmt::format_to(std::back_inserter(out_), format, std::forward<Args>(args)...);
  }
  void put(Microseconds t) { put("{}.{:03}", t.nanoseconds / 1000, t.nanoseconds % 1000); }
  /// Opens an event on its own line; the caller goes on with its fields.
  void open(std::string_view quoted_name, std::string_view phase) {
    put("{}{{\"name\":{},\"ph\":\"{}\"", first_ ? "\n" : ",\n", quoted_name, phase);
    first_ = false;
  }
  void put_thread(std::size_t rank, int thread) { put(",\"pid\":{},\"tid\":{}", rank, thread); }
  void put_dates(std::int64_t begin, std::int64_t end) {
    put(",\"ts\":");
    put(date(begin));
    put(",\"dur\":");
    put(between(begin, end));
  }

  void describe_rank(std::size_t rank);
  void describe_thread(std::size_t rank, int thread, std::string_view title);
  void put_operation(std::size_t rank, std::size_t id);
  void put_flow(std::size_t rank, const Operation&, const Span&);
  void put_idle(const Causality&, std::size_t rank);
  /// Whether other ranks of an expert-parallel group wait while this one, their busiest, runs it.
  [[nodiscard]] bool others_idle(const Operation& o) const {
    return o.stream == StreamKind::compute &&
           program_.labels[static_cast<std::size_t>(o.label)].load > 1;
  }
  [[nodiscard]] bool waits_for_busiest(std::size_t rank) const;
  void put_others_idle(std::size_t rank);

  const Program& program_;
  const Execution& execution_;
  std::vector<Text> labels_;
  std::vector<std::int64_t> sent_at_;  // begin of the send, by channel
  std::string out_;
  bool first_ = true;
};

void Writer::describe_thread(std::size_t rank, int thread, std::string_view title) {
  open("\"thread_name\"", "M");
  put_thread(rank, thread);
  put(",\"args\":{{\"name\":\"{}\"}}}}", title);
  open("\"thread_sort_index\"", "M");
  put_thread(rank, thread);
  put(",\"args\":{{\"sort_index\":{}}}}}", thread);
}

/// Names of the process and of those threads that have events.
void Writer::describe_rank(std::size_t rank) {
  open("\"process_name\"", "M");
  put(",\"pid\":{},\"args\":{{\"name\":{}}}}}", rank, json_quoted(program_.ranks[rank].name));
  open("\"process_sort_index\"", "M");
  put(",\"pid\":{},\"args\":{{\"sort_index\":{}}}}}", rank, rank);
  std::array<bool, kStreams> used{};
  for (const Operation& o : program_.ranks[rank].operations) {
    used[static_cast<std::size_t>(o.stream)] = true;
  }
  for (int stream = 0; stream < kStreams; ++stream) {
    if (used[static_cast<std::size_t>(stream)]) {
      const auto kind = static_cast<StreamKind>(stream);
      describe_thread(rank, thread_of(kind), name(kind));
    }
  }
  describe_thread(rank, kIdleThread, "idle");
  if (waits_for_busiest(rank)) {
    describe_thread(rank, kOthersThread, "idle ranks of the expert group, on the mean");
  }
}

bool Writer::waits_for_busiest(std::size_t rank) const {
  return std::ranges::any_of(program_.ranks[rank].operations,
                             [&](const Operation& o) { return others_idle(o); });
}

/// The mean rank of the group has the fair share of rows and waits from 1 / load of each kernel's
/// time on.
void Writer::put_others_idle(std::size_t rank) {
  for (std::size_t i = 0; i < program_.ranks[rank].operations.size(); ++i) {
    const Operation& o = program_.ranks[rank].operations[i];
    if (!others_idle(o)) continue;
    const Label& l = program_.labels[static_cast<std::size_t>(o.label)];
    const Span& s = execution_.spans[rank][i];
    const auto worked = static_cast<std::int64_t>(static_cast<double>(s.end - s.begin) / l.load);
    open("\"imbalance\"", "X");
    put(",\"cat\":\"idle\"");
    put_thread(rank, kOthersThread);
    put_dates(s.begin + worked, s.end);
    put(",\"args\":{{\"waited_for\":{}}}}}", json_quoted(l.name));
  }
}

void Writer::put_operation(std::size_t rank, std::size_t id) {
  const Operation& o = program_.ranks[rank].operations[id];
  const Span& s = execution_.spans[rank][id];
  const Text& label = labels_[static_cast<std::size_t>(o.label)];
  open(label.name, "X");
  put(",\"cat\":\"{}\"", name(o.category));
  put_thread(rank, thread_of(o.stream));
  put_dates(s.begin, s.end);
  put(",\"args\":{{{}", label.args);
  if (o.micro_batch >= 0) put(",\"micro_batch\":{}", o.micro_batch);
  if (s.waited > 0) put(",\"waited_for\":\"{}\"", name(s.waited_for));
  if (s.slowed > 0) {
    put(",\"slowed_us\":");
    put(between(0, s.slowed));
  }
  put("}}}}");
  if (o.sends || o.receives) put_flow(rank, o, s);
}

/// The arrow begins where the transfer does and ends inside the receive, never before it began.
void Writer::put_flow(std::size_t rank, const Operation& o, const Span& s) {
  open("\"message\"", o.sends ? "s" : "f");
  if (o.receives) put(",\"bp\":\"e\"");
  put(",\"cat\":\"message\",\"id\":{}", o.channel);
  put_thread(rank, thread_of(o.stream));
  put(",\"ts\":");
  put(date(std::max(s.begin, sent_at_[static_cast<std::size_t>(o.channel)])));
  put("}}");
}

void Writer::put_idle(const Causality& causality, std::size_t rank) {
  for (const Idle& idle : idle_intervals(causality, static_cast<std::int32_t>(rank))) {
    open(json_quoted(name(idle.category)), "X");
    put(",\"cat\":\"idle\"");
    put_thread(rank, kIdleThread);
    put_dates(idle.begin, idle.end);
    put(",\"args\":{{");
    if (idle.waited_for.rank != -1) {
      const Operation& o = causality.operation(idle.waited_for);
      put("\"waited_for\":{},\"of\":{}", labels_[static_cast<std::size_t>(o.label)].name,
          json_quoted(program_.ranks[static_cast<std::size_t>(idle.waited_for.rank)].name));
    }
    put("}}}}");
  }
}

std::string Writer::write(const std::vector<std::pair<std::string, std::string>>& facts) {
  sent_at_.resize(static_cast<std::size_t>(program_.channels));
  for (std::size_t r = 0; r < program_.ranks.size(); ++r) {
    const auto& operations = program_.ranks[r].operations;
    for (std::size_t i = 0; i < operations.size(); ++i) {
      const Operation& o = operations[i];
      FORERUN_ASSERT(o.label >= 0 && static_cast<std::size_t>(o.label) < labels_.size(),
                     fmt::format("rank {} operation {}: label {}", r, i, o.label));
      if (o.sends) sent_at_[static_cast<std::size_t>(o.channel)] = execution_.spans[r][i].begin;
    }
  }
  const Causality causality(program_, execution_);
  out_ = "{\"displayTimeUnit\":\"ns\",\"otherData\":{";
  for (std::size_t i = 0; i < facts.size(); ++i) {
    put("{}{}:{}", i == 0 ? "" : ",", json_quoted(facts[i].first), json_quoted(facts[i].second));
  }
  put("}},\"traceEvents\":[");
  for (std::size_t r = 0; r < program_.ranks.size(); ++r) {
    describe_rank(r);
    for (std::size_t i = 0; i < program_.ranks[r].operations.size(); ++i) put_operation(r, i);
    put_idle(causality, r);
    put_others_idle(r);
  }
  put("\n]}}\n");
  return std::move(out_);
}

}  // namespace

std::string chrome_trace(const Program& program, const Execution& execution,
                         const std::vector<std::pair<std::string, std::string>>& facts) {
  return Writer(program, execution).write(facts);
}

}  // namespace forerun::sim
