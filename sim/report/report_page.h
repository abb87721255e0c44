#pragma once

/// An answer as one page to hand to whoever signs: HTML that needs nothing but itself (no script,
/// no network), readable on a phone, in the dark and on paper, the same bytes for the same answer.
///
/// Headline (days, cost, losses, risk), when it is done, where the time goes, what interrupts it,
/// what it costs, the losses' course, one step taken apart and drawn, memory by stage, the evidence
/// of it all, what is not modelled, and how to make the page again. A part that the answer does not
/// have is not on the page. An answer that does not fit in memory is a page that says so, by how
/// much, and what would fit.

#include <string>

#include "sim/answer/answer.h"

namespace forerun::sim {

/// What the page says of how it was made.
struct ReportIdentity {
  std::string version;  ///< of the program
  std::string command;  ///< that makes the same page, as a shell reads it
};

/// Reads sim/bands.json for the band of the step's time.
[[nodiscard]] std::string report_page(const Scenario&, const Answer&, const ReportIdentity&);

}  // namespace forerun::sim
