#include "sim/report/timeline.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <map>
#include <string_view>

#include "sim/attribution.h"
#include "sim/causality.h"
#include "sim/report/palette.h"
#include "sim/report/words.h"
#include "sim/schedule.h"

namespace forerun::sim::report {
namespace {

constexpr double kSecond = 1e12, kMillisecond = 1e9;  // ticks
constexpr double kSeen = 1e-3;                        // of a row: less is not in the legend

constexpr std::array kPasses = {
    TimelineKey{"forward", 0},
    TimelineKey{"backward", 5},
    TimelineKey{"gradients of activations", 5},
    TimelineKey{"gradients of weights", 8},
    TimelineKey{"forward and backward together", 6},
};

/// The pass that a folded run of kernels is, by its label; kernels on their own are computing.
const TimelineKey* pass_of(std::string_view label) {
  if (label == name(PassKind::forward)) return &kPasses[0];
  if (label == name(PassKind::backward)) return &kPasses[1];
  if (label == name(PassKind::input_gradient)) return &kPasses[2];
  if (label == name(PassKind::weight_gradient)) return &kPasses[3];
  if (label == "forward and backward") return &kPasses[4];
  return nullptr;
}

class Builder {
 public:
  Builder(const Program& program, const Execution& execution, double unit)
      : program_(program), execution_(execution), unit_(unit), causality_(program, execution) {}

  GanttRow row(std::size_t rank) {
    GanttRow row;
    const RankProgram& p = program_.ranks[rank];
    for (std::size_t i = 0; i < p.operations.size(); ++i) {
      const Operation& o = p.operations[i];
      const Span& s = execution_.spans[rank][i];
      if (o.duration <= 0 || s.begin == s.end) continue;
      if (o.stream == StreamKind::compute) {
        row.spans.push_back(coloured(s.begin, s.end, key_of(o)));
      } else {
        row.strip.push_back(coloured(s.begin, s.end, category(o.category)));
      }
    }
    for (const Idle& idle : idle_intervals(causality_, static_cast<std::int32_t>(rank))) {
      const TimelineKey key = category(idle.category);
      const GanttSpan span = coloured(idle.begin, idle.end, key);
      if (key.colour != kIdleColour) row.spans.push_back(span);  // else the ground shows it
    }
    return row;
  }

  /// What is seen of the rows: passes first, then the rest as the step's breakdown has it.
  std::vector<TimelineKey> keys() const {
    std::vector<TimelineKey> all(kPasses.begin(), kPasses.end());
    for (int c = 0; c < kCategories; ++c) all.push_back(category(static_cast<Category>(c)));
    std::vector<TimelineKey> out;
    for (const TimelineKey& key : all) {
      const auto found = used_.find(key.words);
      if (found == used_.end() || found->second < kSeen * static_cast<double>(execution_.end))
        continue;
      if (std::ranges::none_of(out, [&](const TimelineKey& k) { return k.colour == key.colour; })) {
        out.push_back(key);
      }
    }
    return out;
  }

 private:
  static TimelineKey category(Category c) {
    const Named named = words_of(c);
    return {named.words, named.colour};
  }
  TimelineKey key_of(const Operation& o) const {
    const TimelineKey* pass = pass_of(program_.labels[static_cast<std::size_t>(o.label)].name);
    return pass != nullptr ? *pass : category(o.category);
  }
  GanttSpan coloured(std::int64_t begin, std::int64_t end, const TimelineKey& key) {
    used_[key.words] += static_cast<double>(end - begin);
    return {static_cast<double>(begin) / unit_, static_cast<double>(end) / unit_, key.colour};
  }

  const Program& program_;
  const Execution& execution_;
  double unit_;  // ticks
  Causality causality_;
  std::map<std::string_view, double> used_;  // ticks, by words
};

}  // namespace

Timeline timeline(const Program& program, const Execution& execution, std::int64_t rank,
                  std::size_t stages, std::size_t most) {
  Timeline out;
  const bool lanes = stages == 1;
  const std::size_t first = lanes ? 0 : static_cast<std::size_t>(rank) / stages * stages;
  const std::size_t all = lanes ? program.ranks.size() : stages;
  const std::size_t drawn = std::min(all, most);
  const bool seconds = static_cast<double>(execution.end) >= kSecond;
  const double unit = seconds ? kSecond : kMillisecond;
  Builder builder(program, execution, unit);
  for (std::size_t i = 0; i < drawn; ++i) {
    const std::size_t at = first + (drawn == 1 ? 0 : i * (all - 1) / (drawn - 1));
    GanttRow row = builder.row(at);
    // "stage 3, replica 7": what all rows share is left out.
    const std::string& name = program.ranks[at].name;
    const std::size_t comma = std::min(name.find(", "), name.size());
    row.name = lanes && comma < name.size() ? name.substr(comma + 2) : name.substr(0, comma);
    out.chart.rows.push_back(std::move(row));
  }
  out.chart.to = static_cast<double>(execution.end) / unit;
  out.chart.x_label =
      fmt::format("{} from the beginning of the step", seconds ? "seconds" : "milliseconds");
  out.chart.idle_colour = kIdleColour;
  out.keys = builder.keys();
  out.left_out = all - drawn;
  return out;
}

}  // namespace forerun::sim::report
