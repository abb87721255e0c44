#pragma once

/// The sections of a page. Each is empty where the answer has nothing of it.

#include "core/html.h"
#include "sim/report/report_page.h"

namespace forerun::sim::report {

/// What was asked: a sentence, then the facts.
[[nodiscard]] Markup question_header(const Scenario&, const Answer&);
[[nodiscard]] Markup question_facts(const Scenario&, const Answer&);
/// Tiles: time, cost, losses, risk; or that it does not fit.
[[nodiscard]] Markup headline(const Scenario&, const Answer&);

[[nodiscard]] Markup finish_section(const Scenario&, const Answer&);
[[nodiscard]] Markup time_use_section(const Answer&);
[[nodiscard]] Markup interruptions_section(const Answer&);
[[nodiscard]] Markup cost_section(const Answer&);
[[nodiscard]] Markup losses_section(const Scenario&, const Answer&);
[[nodiscard]] Markup stability_section(const Answer&);
[[nodiscard]] Markup step_section(const Scenario&, const Answer&);
[[nodiscard]] Markup timeline_section(const Scenario&, const Answer&);
[[nodiscard]] Markup memory_section(const Answer&);
[[nodiscard]] Markup evidence_section(const Scenario&, const Answer&);
[[nodiscard]] Markup warnings_section(const Answer&);
[[nodiscard]] Markup assumptions_section(const Scenario&, const Answer&);
[[nodiscard]] Markup not_modelled_section(const Scenario&, const Answer&);
[[nodiscard]] Markup sources_section(const Scenario&);
[[nodiscard]] Markup identity_section(const Scenario&, const Answer&, const ReportIdentity&);

/// As the run takes it: simulated, or steps after steps where nothing interrupts them.
struct PlainRun {
  Seconds duration{};
  std::optional<Dollars> price;
};
[[nodiscard]] std::optional<PlainRun> plain_run(const Scenario&, const Answer&);

}  // namespace forerun::sim::report
