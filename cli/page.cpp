#include "cli/page.h"

#include <fmt/format.h>

#include <filesystem>
#include <string_view>

#include "cli/shell.h"
#include "core/error.h"
#include "core/file.h"
#include "sim/report/report_page.h"

namespace forerun::cli {
void check_page_name(const Options& o) {
  if (o.report.empty() || o.report.ends_with(".html")) return;
  throw Error(ExitCode::usage, fmt::format("--report {}: expected a name in .html", o.report));
}

std::string page_command(const Options& o, std::string_view command) {
  std::string out = fmt::format("forerun {} {}", command, shell_quoted(o.arguments.front()));
  if (!o.search.empty()) out += " --search " + shell_quoted(o.search);
  if (!o.goal.empty()) out += " --goal " + shell_quoted(o.goal);
  for (const std::string& set : o.set) out += " --set " + shell_quoted(set);
  if (o.seed) out += fmt::format(" --seed {}", *o.seed);
  if (o.draws) out += fmt::format(" --draws {}", *o.draws);
  if (o.every_kernel) out += " --every-kernel";
  return out + " --report " + shell_quoted(std::filesystem::path(o.report).filename().string());
}

void write_page(const Options& o, const sim::Scenario& s, const sim::Answer& a) {
  if (o.report.empty()) return;
  sim::ReportIdentity id;
  id.version = FORERUN_VERSION;
  id.command = page_command(o);
  write_file(o.report, sim::report_page(s, a, id));
}

}  // namespace forerun::cli
