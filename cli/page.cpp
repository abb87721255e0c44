#include "cli/page.h"

#include <fmt/format.h>

#include <algorithm>
#include <cctype>
#include <filesystem>
#include <string_view>

#include "core/error.h"
#include "core/file.h"
#include "sim/report/report_page.h"

namespace forerun::cli {
namespace {

/// A word as a POSIX shell reads it back.
std::string quoted(const std::string& word) {
  constexpr std::string_view kPlain = "_./=:,+@%-";
  const bool plain = !word.empty() && std::ranges::all_of(word, [&](char c) {
    return std::isalnum(static_cast<unsigned char>(c)) != 0 || kPlain.find(c) != kPlain.npos;
  });
  if (plain) return word;
  std::string out = "'";
  for (const char c : word) out += c == '\'' ? std::string("'\\''") : std::string(1, c);
  return out + "'";
}

}  // namespace

void check_page_name(const Options& o) {
  if (o.report.empty() || o.report.ends_with(".html")) return;
  throw Error(ExitCode::usage, fmt::format("--report {}: expected a name in .html", o.report));
}

std::string page_command(const Options& o, std::string_view command) {
  std::string out = fmt::format("forerun {} {}", command, quoted(o.arguments.front()));
  if (!o.search.empty()) out += " --search " + quoted(o.search);
  if (!o.goal.empty()) out += " --goal " + quoted(o.goal);
  for (const std::string& set : o.set) out += " --set " + quoted(set);
  if (o.seed) out += fmt::format(" --seed {}", *o.seed);
  if (o.draws) out += fmt::format(" --draws {}", *o.draws);
  if (o.every_kernel) out += " --every-kernel";
  return out + " --report " + quoted(std::filesystem::path(o.report).filename().string());
}

void write_page(const Options& o, const sim::Scenario& s, const sim::Answer& a) {
  if (o.report.empty()) return;
  sim::ReportIdentity id;
  id.version = FORERUN_VERSION;
  id.command = page_command(o);
  write_file(o.report, sim::report_page(s, a, id));
}

}  // namespace forerun::cli
