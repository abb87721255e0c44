#include "sim/report/report_page.h"

#include <fmt/format.h>

#include "core/table.h"
#include "sim/report/page.h"
#include "sim/report/sections.h"

namespace forerun::sim {
namespace report {

Markup identity_section(const Scenario& s, const Answer& a, const ReportIdentity& id) {
  std::vector<std::pair<Markup, Markup>> rows = {
      {"program", "forerun " + id.version},
      {"seed of all random numbers", fmt::format("{}", s.seed)},
      {"hash of the inputs", element("code", fmt::format("{:016x}", s.hash))}};
  if (a.run) {
    rows.emplace_back("simulated runs", show_count(static_cast<double>(a.run->draws.size())));
  }
  if (a.step) {
    rows.emplace_back("events of the step", show_count(static_cast<double>(a.step->events)));
  }
  return card("identity", "How to make this page again",
              command_line(id.command) + facts(rows) +
                  note("The same program, inputs and seed make the same page, byte for byte."));
}

}  // namespace report

std::string report_page(const Scenario& s, const Answer& a, const ReportIdentity& id) {
  using namespace report;
  Markup body = question_header(s, a) + headline(s, a);
  const Markup cost = cost_section(a), survives = stability_section(a);
  const Markup asked = question_facts(s, a);
  // Beside the interruptions stands what is about as short as they are.
  const bool beside = a.run && cost.empty();
  body += laid_out({{Width::half, finish_section(s, a)},
                    {Width::half, time_use_section(a)},
                    {Width::half, interruptions_section(a)},
                    {Width::half, cost},
                    {Width::half, beside ? survives : Markup()},
                    {Width::half, beside && survives.empty() ? asked : Markup()},
                    {Width::whole, losses_section(s, a)},
                    {Width::half, step_section(s, a)},
                    {Width::half, memory_section(a)},
                    {Width::whole, timeline_section(s, a)},
                    {Width::half, beside ? Markup() : survives},
                    {Width::half, beside && survives.empty() ? Markup() : asked},
                    {Width::half, evidence_section(s, a)},
                    {Width::half, not_modelled_section(s, a)},
                    {Width::whole, warnings_section(a)},
                    {Width::whole, assumptions_section(s, a)},
                    {Width::whole, sources_section(s)},
                    {Width::whole, identity_section(s, a, id)}});
  return page(s.name, body);
}

}  // namespace forerun::sim
