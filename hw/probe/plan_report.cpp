#include "hw/probe/plan_report.h"

#include <fmt/format.h>

#include <map>
#include <utility>

#include "core/table.h"

namespace forerun::hw {
namespace {

using Align = Table::Align;

struct Sum {
  std::int64_t points = 0;
  Seconds time{};
};

std::string by_family(const ProbePlan& plan) {
  std::map<std::pair<int, ProbeFamily>, Sum> sums;
  for (const ProbePlanned& p : plan.points) {
    Sum& s = sums[{p.round, p.shape.family}];
    ++s.points;
    s.time += p.timing.estimate;
  }
  Table table({{"round", Align::right},
               {"family", Align::left},
               {"shapes", Align::right},
               {"estimate", Align::right}});
  for (const auto& [group, sum] : sums) {
    table.row({fmt::format("{}", group.first), std::string(name(group.second)),
               show_count(static_cast<double>(sum.points)), show(sum.time)});
  }
  return table.text();
}

std::string every_point(const ProbePlan& plan) {
  Table table({{"round", Align::right},
               {"shape", Align::left},
               {"mode", Align::left},
               {"samples", Align::right},
               {"estimate", Align::right}});
  for (const ProbePlanned& p : plan.points) {
    table.row({fmt::format("{}", p.round), text(p.shape), std::string(name(p.mode)),
               fmt::format("{}", p.timing.samples), show(p.timing.estimate)});
  }
  return table.text();
}

std::string left_out_text(const ProbePlan& plan) {
  std::map<std::string, std::int64_t> reasons;
  for (const ProbeLeftOut& l : plan.left_out) {
    ++reasons[l.reason.starts_with("needs ") ? "larger than the memory" : l.reason];
  }
  std::string out;
  for (const auto& [reason, count] : reasons) {
    out += fmt::format("  left out: {} shapes, {}\n", count, reason);
  }
  return out;
}

}  // namespace

std::string plan_text(const ProbePlan& plan, const ProbeMachine& m, Seconds budget,
                      bool every_shape) {
  return fmt::format(
      "What the probe would time on {}, in this order. Times are the planner's estimates; nothing "
      "was measured.\n\n{}\n  {} shapes in about {} of {}\n{}{}",
      m.name, every_shape ? every_point(plan) : by_family(plan), plan.points.size(),
      show(plan.estimate), show(budget), left_out_text(plan),
      m.count < 2 ? "  collectives need at least two accelerators\n" : "");
}

void write_plan(JsonWriter& json, const ProbePlan& plan, const ProbeMachine& m, Seconds budget) {
  json.begin_object().key("machine").value(m.name).key("budget_s").value(budget.base());
  json.key("estimate_s").value(plan.estimate.base()).key("measured").value(false);
  json.key("points").begin_array();
  for (const ProbePlanned& p : plan.points) {
    json.begin_object();
    write_probe_shape(json, p.shape);
    json.key("mode").value(name(p.mode)).key("round").value(std::int64_t{p.round});
    json.key("samples").value(p.timing.samples);
    json.key("estimate_s").value(p.timing.estimate.base()).end_object();
  }
  json.end_array().key("left_out").begin_array();
  for (const ProbeLeftOut& l : plan.left_out) {
    json.begin_object();
    write_probe_shape(json, l.shape);
    json.key("mode").value(name(l.mode)).key("reason").value(l.reason).end_object();
  }
  json.end_array().end_object();
}

}  // namespace forerun::hw
