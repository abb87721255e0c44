#include "sim/chakra/step_export.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <cmath>
#include <optional>
#include <utility>

#include "core/error.h"
#include "core/json_writer.h"
#include "sim/chakra/rank_groups.h"

namespace forerun::chakra {
namespace {

constexpr std::int64_t kPicosecondsPerMicrosecond = 1'000'000;
constexpr const char* kVersion = "0.0.4";  // of the schema

std::size_t at(std::int64_t i) { return static_cast<std::size_t>(i); }

CollectiveType type_of(hw::CollectiveKind kind) {
  switch (kind) {
    case hw::CollectiveKind::all_reduce:
      return CollectiveType::all_reduce;
    case hw::CollectiveKind::all_gather:
      return CollectiveType::all_gather;
    case hw::CollectiveKind::reduce_scatter:
      return CollectiveType::reduce_scatter;
    case hw::CollectiveKind::all_to_all:
      return CollectiveType::all_to_all;
    default:
      return CollectiveType::broadcast;
  }
}

/// Writes the program of one accelerator after another.
class StepWriter {
 public:
  StepWriter(const sim::Scenario& s, std::int64_t lanes, const sim::Program& program,
             const sim::Execution& execution)
      : stages_(s.plan.pipeline),
        program_(program),
        execution_(execution),
        groups_(s, sim::make_layout(s)),
        lane_ranks_(groups_.stage_ranks() / lanes) {
    FORERUN_ASSERT(
        std::ssize(program.ranks) == stages_ * lanes,
        fmt::format("{} ranks, {} stages, {} lanes", program.ranks.size(), stages_, lanes));
    find_messages();
  }

  ExecutionTrace trace(std::int64_t rank);
  [[nodiscard]] const RankGroups& groups() const { return groups_; }
  [[nodiscard]] double nodes() const;
  [[nodiscard]] std::size_t simulated(std::int64_t rank) const {
    const std::int64_t stage = rank / groups_.stage_ranks(), within = rank % groups_.stage_ranks();
    return at(within / lane_ranks_ * stages_ + stage);
  }

 private:
  struct Ends {
    std::int64_t from = -1, to = -1;  // stages
    std::int32_t label = 0;           // of the send
  };
  void find_messages();
  void add(ExecutionTrace& trace, std::int64_t rank, std::size_t operation);
  void describe_message(Node& n, const sim::Operation& o, std::int64_t rank) const;
  void add_exchange(ExecutionTrace& trace, Node n, const sim::Exchanged& e, std::int64_t rank);
  /// An operation is node 2 i; the receive of a ring exchange is 2 i + 1.
  void depend(Node& n, sim::OperationId on) const {
    if (on == sim::kNone) return;
    const std::uint64_t id = 2 * static_cast<std::uint64_t>(on);
    for (const std::uint64_t d : n.data_dependencies) {
      if (d == id) return;
    }
    n.data_dependencies.push_back(id);
    if (two_[at(on)]) n.data_dependencies.push_back(id + 1);
  }

  std::int64_t stages_;
  const sim::Program& program_;
  const sim::Execution& execution_;
  RankGroups groups_;
  std::int64_t lane_ranks_;
  std::vector<Ends> messages_;  // by channel
  // Of the rank at hand: the last operation of each stream, the one from which the host went on,
  // whether a stream has waited for it, which operations are two nodes.
  std::array<sim::OperationId, sim::kStreams> last_{};
  sim::OperationId host_ = sim::kNone;
  std::array<bool, sim::kStreams> heard_{};
  std::vector<bool> two_;
};

void StepWriter::find_messages() {
  messages_.resize(at(program_.channels));
  for (std::size_t r = 0; r < program_.ranks.size(); ++r) {
    const auto stage = static_cast<std::int64_t>(r) % stages_;
    for (const sim::Operation& o : program_.ranks[r].operations) {
      if (o.sends) {
        messages_[at(o.channel)].from = stage;
        messages_[at(o.channel)].label = o.label;
      }
      if (o.receives) messages_[at(o.channel)].to = stage;
    }
  }
}

double StepWriter::nodes() const {
  double sum = 0;
  for (const sim::RankProgram& r : program_.ranks) {
    sum += static_cast<double>(r.operations.size()) * static_cast<double>(lane_ranks_);
  }
  return sum;
}

void StepWriter::describe_message(Node& n, const sim::Operation& o, std::int64_t rank) const {
  const Ends& ends = messages_[at(o.channel)];
  const std::int64_t within = rank % groups_.stage_ranks();
  const std::optional<sim::Exchanged>& e = program_.labels[at(ends.label)].exchanged;
  const auto place = [&](std::int64_t stage) {
    return Int32{static_cast<std::int32_t>(stage * groups_.stage_ranks() + within)};
  };
  n.type = o.sends ? NodeType::send : NodeType::receive;
  n.attributes.push_back({"comm_size", std::llround(e ? e->bytes.base() : 0.0)});
  n.attributes.push_back({"comm_src", place(ends.from)});
  n.attributes.push_back({"comm_dst", place(ends.to)});
  n.attributes.push_back({"comm_tag", Int32{o.channel}});
}

/// A collective of the rank's group; of a ring exchange, which Chakra has no type for, two
/// messages.
void StepWriter::add_exchange(ExecutionTrace& trace, Node n, const sim::Exchanged& e,
                              std::int64_t rank) {
  std::vector<std::int64_t> members = groups_.members(e, rank);
  const auto ranks = std::ssize(members);
  if (e.kind != hw::CollectiveKind::send_receive) {
    const double share =
        e.kind == hw::CollectiveKind::all_gather ? 1.0 / static_cast<double>(ranks) : 1.0;
    n.type = NodeType::collective;
    n.attributes.push_back({"comm_type", static_cast<std::int64_t>(type_of(e.kind))});
    n.attributes.push_back({"comm_size", std::llround(e.bytes.base() * share)});
    n.attributes.push_back({"pg_name", fmt::format("{}", groups_.number(std::move(members)))});
    trace.nodes.push_back(std::move(n));
    return;
  }
  const std::int64_t place = std::ranges::find(members, rank) - members.begin();
  const auto tag =
      static_cast<std::int32_t>(program_.channels + static_cast<std::int64_t>(n.id / 2));
  const auto message = [&](NodeType type, std::int64_t from, std::int64_t to) {
    Node m = n;
    m.type = type;
    m.attributes.push_back({"comm_size", std::llround(e.bytes.base())});
    m.attributes.push_back({"comm_src", Int32{static_cast<std::int32_t>(from)}});
    m.attributes.push_back({"comm_dst", Int32{static_cast<std::int32_t>(to)}});
    m.attributes.push_back({"comm_tag", Int32{tag}});
    trace.nodes.push_back(std::move(m));
  };
  two_[at(static_cast<std::int64_t>(n.id / 2))] = true;
  message(NodeType::send, rank, members[at((place + 1) % ranks)]);
  ++n.id;
  message(NodeType::receive, members[at((place + ranks - 1) % ranks)], rank);
}

void StepWriter::add(ExecutionTrace& trace, std::int64_t rank, std::size_t operation) {
  const std::size_t r = simulated(rank);
  const sim::Operation& o = program_.ranks[r].operations[operation];
  const sim::Span& span = execution_.spans[r][operation];
  const sim::Label& label = program_.labels[at(o.label)];
  const auto stream = static_cast<std::size_t>(o.stream);
  const std::int64_t took = span.end - span.begin;
  Node n;
  n.id = 2 * operation;
  n.name = label.name;
  n.start_micros = static_cast<std::uint64_t>(span.begin / kPicosecondsPerMicrosecond);
  n.duration_micros = static_cast<std::uint64_t>((took + kPicosecondsPerMicrosecond / 2) /
                                                 kPicosecondsPerMicrosecond);
  depend(n, last_[stream]);
  for (const sim::OperationId w : o.wait) depend(n, w);
  if (!heard_[stream]) depend(n, host_);
  heard_[stream] = true;
  last_[stream] = static_cast<sim::OperationId>(operation);
  if (o.host_waits) {
    host_ = static_cast<sim::OperationId>(operation);
    heard_.fill(false);
  }
  n.attributes = {{"is_cpu_op", false}, {"begin_ps", span.begin}, {"duration_ps", took}};
  if (o.sends || o.receives) {
    describe_message(n, o, rank);
  } else if (label.exchanged && label.exchanged->ranks > 1) {
    add_exchange(trace, std::move(n), *label.exchanged, rank);
    return;
  } else {
    n.type = NodeType::compute;
    n.attributes.push_back({"num_ops", std::llround(label.flops.base())});
    n.attributes.push_back(
        {"tensor_size", static_cast<std::uint64_t>(std::llround(label.traffic.base()))});
  }
  trace.nodes.push_back(std::move(n));
}

ExecutionTrace StepWriter::trace(std::int64_t rank) {
  ExecutionTrace trace;
  trace.version = kVersion;
  const std::size_t operations = program_.ranks[simulated(rank)].operations.size();
  last_.fill(sim::kNone);
  heard_.fill(true);
  host_ = sim::kNone;
  two_.assign(operations, false);
  for (std::size_t i = 0; i < operations; ++i) add(trace, rank, i);
  return trace;
}

}  // namespace

std::string ExportedGroups::json() const {
  JsonWriter json;
  json.begin_object();
  for (std::size_t g = 0; g < groups.size(); ++g) {
    json.key(fmt::format("{}", g + 1)).begin_array();
    for (const std::int64_t rank : groups[g]) json.value(rank);
    json.end_array();
  }
  json.end_object();
  return json.text();
}

ExportedGroups export_step(
    const sim::Scenario& scenario, std::int64_t lanes, const sim::Program& program,
    const sim::Execution& execution,
    const std::function<void(std::int64_t rank, const ExecutionTrace&)>& sink) {
  StepWriter writer(scenario, lanes, program, execution);
  if (writer.nodes() > kMostNodes) {
    throw Error(
        ExitCode::wrong,
        fmt::format("the step has {:.0f} operations on {} ranks; at most {:.0f} are written",
                    writer.nodes(), writer.groups().ranks(), kMostNodes),
        "fewer micro-batches or replicas show the same graph: --set plan.global_batch=...");
  }
  ExportedGroups result;
  result.ranks = writer.groups().ranks();
  for (std::int64_t rank = 0; rank < result.ranks; ++rank) {
    const ExecutionTrace trace = writer.trace(rank);
    result.nodes += std::ssize(trace.nodes);
    sink(rank, trace);
  }
  result.groups = writer.groups().groups();
  return result;
}

}  // namespace forerun::chakra
