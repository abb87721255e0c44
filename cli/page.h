#pragma once

/// The page that --report names.

#include <string>
#include <string_view>

#include "cli/command.h"
#include "sim/answer/answer.h"

namespace forerun::cli {

/// Throws Error for a name that a browser would not open as a page.
void check_page_name(const Options&);
/// Writes the page to the file that --report names, if it does.
void write_page(const Options&, const sim::Scenario&, const sim::Answer&);

/// "forerun run SCENARIO --set plan.tensor=4 --report page.html", quoted for a shell: what makes
/// the page again. Of the page's own path only the file's name: it is no part of the answer.
[[nodiscard]] std::string page_command(const Options&, std::string_view command = "run");

}  // namespace forerun::cli
