#include "sim/replay/table_trace.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <charconv>
#include <cmath>
#include <map>
#include <string>
#include <tuple>

#include "core/reader.h"
#include "hw/csv.h"
#include "sim/replay/pipeline_operations.h"

namespace forerun::replay {
namespace {

constexpr std::size_t kMostProblems = 20;
constexpr std::int64_t kMostRanks = 1 << 20;
constexpr double kPicosecondsPerMicrosecond = 1e6;
/// Microseconds: eleven days, far over a step, and sums of picoseconds stay in 63 bits.
constexpr double kMostMicroseconds = 1e12;

enum Column : std::size_t {
  step,
  data,
  stage,
  kind,
  begin,
  duration,
  sequence,
  micro_batch,
  count
};
struct ColumnNames {
  std::string_view name, also;
  bool optional;
};
constexpr std::array<ColumnNames, Column::count> kColumns = {{{"step", "step", false},
                                                              {"dp_rank", "dp", false},
                                                              {"pp_stage", "pp", false},
                                                              {"optype", "optype", false},
                                                              {"start_us", "start", false},
                                                              {"dur_us", "duration", false},
                                                              {"seq_id", "seq", true},
                                                              {"mb_id", "mb", true}}};

std::string_view take_line(std::string_view& text) {
  const std::size_t end = text.find('\n');
  std::string_view line = text.substr(0, end);
  text.remove_prefix(end == std::string_view::npos ? text.size() : end + 1);
  if (line.ends_with('\r')) line.remove_suffix(1);
  return line;
}

template <class Number>
bool whole(std::string_view text, Number& value) {
  const auto [rest, error] = std::from_chars(text.data(), text.data() + text.size(), value);
  return error == std::errc{} && rest == text.data() + text.size();
}

/// What a cell looks like in a message: no longer than a line has room for.
std::string shown(std::string_view cell) {
  return cell.size() <= 40 ? fmt::format("\"{}\"", cell)
                           : fmt::format("\"{}...\"", cell.substr(0, 40));
}

class TableReader {
 public:
  TableReader(std::string_view text, Problems& problems) : text_(text), problems_(problems) {}
  std::optional<JobTrace> read();

 private:
  struct Row {
    std::int64_t step = 0, data = 0, stage = 0, sequence = -1, micro_batch = -1;
    double begin = 0, duration = 0;
    std::int32_t kind = 0;
  };
  void refuse(std::string where, std::string what) {
    wrong_ = true;
    if (problems_.list().size() < kMostProblems) problems_.add(std::move(where), std::move(what));
  }
  void refuse(Column c, std::string what) {
    refuse(fmt::format("line {}, {}", line_, kColumns[c].name), std::move(what));
  }
  bool read_header();
  void read_row(std::string_view line);
  void integer(Column c, std::int64_t least, std::int64_t most, std::int64_t& value);
  void microseconds(Column c, double least, double& value);
  void read_kind(Row& row);
  JobTrace assemble();
  void add_ranks(JobTrace& trace);
  void number(JobTrace& trace);

  std::string_view text_;
  Problems& problems_;
  std::array<std::size_t, Column::count> place_{};  // of a column in a line; kAbsent
  std::size_t columns_ = 0, line_ = 0;
  std::vector<std::string_view> cells_;
  std::vector<Row> rows_;
  bool wrong_ = false;
  static constexpr std::size_t kAbsent = ~std::size_t{0};
};

bool TableReader::read_header() {
  line_ = 1;
  const std::vector<std::string> names = hw::split(take_line(text_));
  columns_ = names.size();
  place_.fill(kAbsent);
  std::vector<std::string_view> known;
  for (const ColumnNames& c : kColumns) known.push_back(c.name);
  for (std::size_t i = 0; i < names.size(); ++i) {
    const auto is = [&](const ColumnNames& c) { return names[i] == c.name || names[i] == c.also; };
    const auto* const c = std::ranges::find_if(kColumns, is);
    if (c == kColumns.end()) {
      refuse("line 1", fmt::format("unknown column {}; {}", shown(names[i]),
                                   did_you_mean(names[i], known,
                                                "columns are step, dp_rank, pp_stage, optype, "
                                                "start_us, dur_us, seq_id and mb_id")));
    } else if (std::size_t& place = place_[static_cast<std::size_t>(c - kColumns.begin())];
               place != kAbsent) {
      refuse("line 1", fmt::format("column {} stands there twice", c->name));
    } else {
      place = i;
    }
  }
  for (std::size_t c = 0; c < kColumns.size(); ++c) {
    if (place_[c] == kAbsent && !kColumns[c].optional) {
      refuse("line 1", fmt::format("column {} is missing", kColumns[c].name));
    }
  }
  return !wrong_;
}

void TableReader::integer(Column c, std::int64_t least, std::int64_t most, std::int64_t& value) {
  if (place_[c] == kAbsent) return;
  const std::string_view cell = cells_[place_[c]];
  if (whole(cell, value) && value >= least && value <= most) return;
  refuse(c, fmt::format("expected an integer from {} to {}, found {}", least, most, shown(cell)));
}

void TableReader::microseconds(Column c, double least, double& value) {
  const std::string_view cell = cells_[place_[c]];
  if (whole(cell, value) && value >= least && value <= kMostMicroseconds) return;
  value = 0;
  refuse(c, fmt::format("expected microseconds from {} to {}, found {}", least, kMostMicroseconds,
                        shown(cell)));
}

void TableReader::read_kind(Row& row) {
  const std::string_view cell = cells_[place_[Column::kind]];
  const auto* const found =
      std::ranges::find(kPipelineKinds, cell, [](const PipelineKindFacts& f) { return f.name; });
  if (found != kPipelineKinds.end()) {
    row.kind = static_cast<std::int32_t>(found - kPipelineKinds.begin());
    return;
  }
  std::vector<std::string_view> names;
  for (const PipelineKindFacts& f : kPipelineKinds) names.push_back(f.name);
  refuse(Column::kind,
         fmt::format("unknown operation {}; {}", shown(cell),
                     did_you_mean(cell, names, fmt::format("known: {}", fmt::join(names, ", ")))));
}

void TableReader::read_row(std::string_view line) {
  cells_.clear();
  for (std::string_view rest = line;;) {
    const std::size_t comma = rest.find(',');
    cells_.push_back(rest.substr(0, comma));
    if (comma == std::string_view::npos) break;
    rest.remove_prefix(comma + 1);
  }
  if (cells_.size() != columns_) {
    refuse(fmt::format("line {}", line_),
           fmt::format("expected {} cells, found {}", columns_, cells_.size()));
    return;
  }
  Row row;
  integer(Column::step, 0, INT64_MAX, row.step);
  integer(Column::data, 0, kMostRanks - 1, row.data);
  integer(Column::stage, 0, kMostRanks - 1, row.stage);
  integer(Column::sequence, -1, INT32_MAX, row.sequence);
  integer(Column::micro_batch, -1, INT32_MAX, row.micro_batch);
  microseconds(Column::begin, -kMostMicroseconds, row.begin);
  microseconds(Column::duration, 0, row.duration);
  read_kind(row);
  rows_.push_back(row);
}

/// Stages of replica 0, then those of the next; all of them in every step.
void TableReader::add_ranks(JobTrace& trace) {
  std::int64_t replicas = 0, stages = 0;
  for (const Row& r : rows_) {
    replicas = std::max(replicas, r.data + 1);
    stages = std::max(stages, r.stage + 1);
  }
  const auto per_step = static_cast<std::uint64_t>(replicas) * static_cast<std::uint64_t>(stages);
  if (per_step * trace.steps.size() > rows_.size()) {
    refuse("", fmt::format("{} data-parallel ranks of {} stages in {} steps are more than there "
                           "are rows: ranks are numbered from 0 without gaps",
                           replicas, stages, trace.steps.size()));
    return;
  }
  for (std::int64_t d = 0; d < replicas; ++d) {
    for (std::int64_t s = 0; s < stages; ++s) {
      trace.ranks.push_back({fmt::format("data {}, stage {}", d, s), static_cast<std::int32_t>(d),
                             static_cast<std::int32_t>(s)});
    }
  }
  std::vector<bool> there(per_step * trace.steps.size());
  for (const Row& r : rows_) {
    const auto s = static_cast<std::size_t>(std::ranges::lower_bound(trace.steps, r.step) -
                                            trace.steps.begin());
    there[s * per_step + static_cast<std::size_t>(r.data * stages + r.stage)] = true;
  }
  for (std::size_t i = 0; i < there.size(); ++i) {
    if (there[i]) continue;
    refuse("", fmt::format("step {} has no operation of {}", trace.steps[i / per_step],
                           trace.ranks[i % per_step].name));
  }
}

/// Numbers operations by their begin where the file does not; refuses two of one number.
void TableReader::number(JobTrace& trace) {
  const auto key = [](const TracedOperation& o) { return std::tuple(o.step, o.rank, o.kind); };
  std::ranges::stable_sort(trace.operations, {}, [&](const TracedOperation& o) {
    return std::tuple_cat(key(o), std::tuple(o.sequence, o.begin));
  });
  std::vector<TracedOperation>& all = trace.operations;
  for (std::size_t i = 0, first = 0; i < all.size(); ++i) {
    if (i > 0 && key(all[i]) != key(all[i - 1])) first = i;
    if (i > first && all[i].sequence >= 0 && all[i].sequence == all[i - 1].sequence) {
      refuse("",
             fmt::format("{} stands there twice", describe(trace, static_cast<std::int32_t>(i))));
    }
    all[i].sequence = static_cast<std::int32_t>(i - first);
  }
  std::ranges::stable_sort(all, {}, [](const TracedOperation& o) {
    return std::tuple(o.step, o.rank, o.begin, o.sequence, o.kind);
  });
}

JobTrace TableReader::assemble() {
  JobTrace trace;
  trace.format = "table of operations";
  for (const PipelineKindFacts& f : kPipelineKinds) {
    trace.kinds.push_back({std::string(f.name), f.exchange});
  }
  std::map<std::int64_t, double> earliest;
  for (const Row& r : rows_) {
    const auto [at, inserted] = earliest.try_emplace(r.step, r.begin);
    if (!inserted) at->second = std::min(at->second, r.begin);
  }
  for (const auto& [number, begin] : earliest) trace.steps.push_back(number);
  add_ranks(trace);
  if (wrong_) return trace;
  const auto stages = trace.ranks.back().stage + 1;
  for (const Row& r : rows_) {
    TracedOperation& o = trace.operations.emplace_back();
    o.step = static_cast<std::int32_t>(std::ranges::lower_bound(trace.steps, r.step) -
                                       trace.steps.begin());
    o.rank = static_cast<std::int32_t>(r.data) * stages + static_cast<std::int32_t>(r.stage);
    o.kind = r.kind;
    o.sequence = static_cast<std::int32_t>(r.sequence);
    o.micro_batch = static_cast<std::int32_t>(r.micro_batch);
    o.begin = std::llround((r.begin - earliest.at(r.step)) * kPicosecondsPerMicrosecond);
    o.duration = std::llround(r.duration * kPicosecondsPerMicrosecond);
  }
  number(trace);
  return trace;
}

std::optional<JobTrace> TableReader::read() {
  if (!read_header()) return std::nullopt;
  while (!text_.empty()) {
    ++line_;
    const std::string_view line = take_line(text_);
    if (!line.empty()) read_row(line);
  }
  if (rows_.empty() && !wrong_) refuse("", "expected rows after the header, found none");
  if (wrong_) return std::nullopt;
  JobTrace trace = assemble();
  if (wrong_) return std::nullopt;
  return trace;
}

}  // namespace

bool is_table_trace(std::string_view text) {
  const std::string_view header = take_line(text);
  return header.find("optype") != std::string_view::npos &&
         header.find(',') != std::string_view::npos;
}

std::optional<JobTrace> read_table_trace(std::string_view text, Problems& problems) {
  return TableReader(text, problems).read();
}

}  // namespace forerun::replay
