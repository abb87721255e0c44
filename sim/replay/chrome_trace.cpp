#include "sim/replay/chrome_trace.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <iterator>
#include <numeric>
#include <vector>

#include "core/json_writer.h"

namespace forerun::replay {
namespace {

std::string microseconds(std::int64_t picoseconds) {
  const std::int64_t nanoseconds = picoseconds / 1000;
  return fmt::format("{}.{:03}", nanoseconds / 1000, nanoseconds % 1000);
}

class TraceWriter {
 public:
  TraceWriter(const Job& job, const Dates& dates) : job_(job), dates_(dates) {
    for (const OperationKind& k : job.trace.kinds) names_.push_back(json_quoted(k.name));
    std::int64_t offset = 0;
    for (const std::int64_t end : step_ends(job.trace, dates)) {
      offsets_.push_back(offset);
      offset += end;
    }
  }
  std::string write();

 private:
  void open() { out_ += out_.ends_with('[') ? "\n" : ",\n"; }
  void describe(std::int32_t rank, const std::array<std::size_t, 2>& threads);
  void put(std::int32_t operation, std::size_t thread);
  [[nodiscard]] std::int64_t begin(std::int32_t o) const {
    const auto i = static_cast<std::size_t>(o);
    return dates_.begin[i] + offsets_[static_cast<std::size_t>(job_.trace.operations[i].step)];
  }

  const Job& job_;
  const Dates& dates_;
  std::vector<std::string> names_;
  std::vector<std::int64_t> offsets_;  // of steps
  std::string out_;
};

/// Threads of computing are odd, of exchanges even.
std::size_t thread_number(bool exchange, std::size_t lane) { return 2 * lane + (exchange ? 2 : 1); }

void TraceWriter::describe(std::int32_t rank, const std::array<std::size_t, 2>& threads) {
  open();
  fmt::format_to(std::back_inserter(out_),
                 R"({{"name":"process_name","ph":"M","pid":{},"args":{{"name":{}}}}})", rank,
                 json_quoted(job_.trace.ranks[static_cast<std::size_t>(rank)].name));
  for (const bool exchange : {false, true}) {
    for (std::size_t lane = 0; lane < threads[exchange ? 1 : 0]; ++lane) {
      open();
      fmt::format_to(
          std::back_inserter(out_),
          R"({{"name":"thread_name","ph":"M","pid":{},"tid":{},"args":{{"name":"{}"}}}})", rank,
          thread_number(exchange, lane), exchange ? "exchanges" : "compute");
    }
  }
}

void TraceWriter::put(std::int32_t operation, std::size_t thread) {
  const auto i = static_cast<std::size_t>(operation);
  const TracedOperation& o = job_.trace.operations[i];
  open();
  // Both ends are cut to the nanosecond, so that what touches touches in the trace.
  const std::int64_t from = begin(operation), took = dates_.end[i] - dates_.begin[i];
  const std::int64_t cut = (from + took) / 1000 * 1000 - from / 1000 * 1000;
  fmt::format_to(std::back_inserter(out_),
                 R"({{"name":{},"ph":"X","pid":{},"tid":{},"ts":{},"dur":{},"args":{{"step":{},)"
                 R"("number":{})",
                 names_[static_cast<std::size_t>(o.kind)], o.rank, thread, microseconds(from),
                 microseconds(cut), job_.trace.steps[static_cast<std::size_t>(o.step)], o.sequence);
  if (job_.graph.group(operation) >= 0) {
    fmt::format_to(std::back_inserter(out_), ",\"transfer_us\":{}",
                   microseconds(job_.work.durations[i]));
  }
  out_ += "}}";
}

std::string TraceWriter::write() {
  std::vector<std::int32_t> order(job_.trace.operations.size());
  std::iota(order.begin(), order.end(), 0);
  std::ranges::stable_sort(order, {}, [&](std::int32_t o) {
    return std::pair(job_.trace.operations[static_cast<std::size_t>(o)].rank, begin(o));
  });
  out_ = "{\"displayTimeUnit\":\"ns\",\"traceEvents\":[";
  std::vector<std::size_t> threads(order.size());
  for (std::size_t first = 0; first < order.size();) {
    const std::int32_t rank = job_.trace.operations[static_cast<std::size_t>(order[first])].rank;
    std::array<std::vector<std::int64_t>, 2> free;  // by thread: when its last event ends
    std::size_t last = first;
    for (; last < order.size(); ++last) {
      const auto i = static_cast<std::size_t>(order[last]);
      const TracedOperation& o = job_.trace.operations[i];
      if (o.rank != rank) break;
      const bool exchange = job_.trace.kinds[static_cast<std::size_t>(o.kind)].exchange;
      std::vector<std::int64_t>& lanes = free[exchange ? 1 : 0];
      const std::int64_t from = begin(order[last]);
      auto lane = std::ranges::find_if(lanes, [&](std::int64_t end) { return end <= from; });
      if (lane == lanes.end()) lane = lanes.insert(lanes.end(), 0);
      *lane = from + dates_.end[i] - dates_.begin[i];
      threads[last] = thread_number(exchange, static_cast<std::size_t>(lane - lanes.begin()));
    }
    describe(rank, {free[0].size(), free[1].size()});
    for (; first < last; ++first) put(order[first], threads[first]);
  }
  return std::move(out_) + "\n]}\n";
}

}  // namespace

std::string chrome_trace(const Job& job, const Dates& dates) {
  return TraceWriter(job, dates).write();
}

}  // namespace forerun::replay
