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

constexpr double kSecond = 1e12;  // ticks

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
  Builder(const Program& program, const Execution& execution)
      : program_(program), execution_(execution), causality_(program, execution) {}

  GanttRow row(std::size_t rank) {
    GanttRow row;
    const RankProgram& p = program_.ranks[rank];
    row.name = p.name.substr(0, p.name.find(','));  // without the replica: one lane is drawn
    for (std::size_t i = 0; i < p.operations.size(); ++i) {
      const Operation& o = p.operations[i];
      const Span& s = execution_.spans[rank][i];
      if (o.duration <= 0 || s.begin == s.end) continue;
      const GanttSpan span = at(s.begin, s.end);
      if (o.stream == StreamKind::compute) {
        row.spans.push_back(coloured(span, key_of(o)));
      } else {
        row.strip.push_back(coloured(span, category(o.category)));
      }
    }
    for (const Idle& idle : idle_intervals(causality_, static_cast<std::int32_t>(rank))) {
      const TimelineKey key = category(idle.category);
      if (key.colour == kIdleColour) {
        used_[key.colour] = key.words;
        continue;  // the ground shows it
      }
      row.spans.push_back(coloured(at(idle.begin, idle.end), key));
    }
    return row;
  }

  std::vector<TimelineKey> keys() const {
    std::vector<TimelineKey> out;
    for (const auto& [colour, words] : used_) out.push_back({words, colour});
    return out;
  }

 private:
  static GanttSpan at(std::int64_t begin, std::int64_t end) {
    return {static_cast<double>(begin) / kSecond, static_cast<double>(end) / kSecond, 0};
  }
  static TimelineKey category(Category c) {
    const Named named = words_of(c);
    return {named.words, named.colour};
  }
  TimelineKey key_of(const Operation& o) const {
    const TimelineKey* pass = pass_of(program_.labels[static_cast<std::size_t>(o.label)].name);
    return pass != nullptr ? *pass : category(o.category);
  }
  GanttSpan coloured(GanttSpan span, const TimelineKey& key) {
    span.colour = key.colour;
    used_.try_emplace(key.colour, key.words);
    return span;
  }

  const Program& program_;
  const Execution& execution_;
  Causality causality_;
  std::map<std::size_t, const char*> used_;  // by colour
};

}  // namespace

Timeline timeline(const Program& program, const Execution& execution, std::int64_t rank,
                  std::size_t stages, std::size_t most) {
  Timeline out;
  const std::size_t first = static_cast<std::size_t>(rank) / stages * stages;
  const std::size_t drawn = std::min(stages, most);
  Builder builder(program, execution);
  for (std::size_t i = 0; i < drawn; ++i) {
    const std::size_t stage =
        drawn == 1 ? static_cast<std::size_t>(rank) - first : i * (stages - 1) / (drawn - 1);
    out.chart.rows.push_back(builder.row(first + stage));
  }
  out.chart.to = static_cast<double>(execution.end) / kSecond;
  out.chart.x_label = "seconds from the beginning of the step";
  out.chart.idle_colour = kIdleColour;
  out.keys = builder.keys();
  out.left_out = stages - drawn;
  return out;
}

}  // namespace forerun::sim::report
