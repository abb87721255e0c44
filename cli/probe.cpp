#include <fmt/format.h>
#include <unistd.h>

#include <cerrno>
#include <cstdio>
#include <filesystem>
#include <string>
#include <system_error>
#include <vector>

#include "cli/command.h"
#include "cli/report.h"
#include "core/error.h"
#include "hw/probe/plan_report.h"
#include "hw/probe/request.h"

namespace forerun::cli {
namespace {

hw::ProbeRequest request_of(const Options& o) {
  hw::ProbeRequest r;
  r.output = o.output;
  if (o.budget) r.budget = Seconds(*o.budget);
  if (o.seed) r.seed = static_cast<std::int64_t>(*o.seed);
  for (const std::string& family : o.families) {
    r.families.push_back(hw::probe_family_named(family));
  }
  r.plan_only = o.plan;
  hw::check_request(r);
  return r;
}

int show_plan(const Options& o, const hw::ProbeRequest& r) {
  const hw::ProbeMachine machine = hw::probe_example_machine();
  const hw::ProbePlan plan = hw::plan_probe(machine, r.budget, r.families);
  JsonWriter json;
  hw::write_plan(json, plan, machine, r.budget);
  deliver(o, hw::plan_text(plan, machine, r.budget, o.rows), json);
  return 0;
}

/// The program stands beside this one: it is a program of its own because it alone needs a CUDA
/// compiler to be built and an accelerator to run.
std::string probe_program() {
  const std::filesystem::path here = std::filesystem::read_symlink("/proc/self/exe").parent_path();
  const std::filesystem::path program = here / "forerun-probe";
  if (std::filesystem::exists(program)) return program.string();
  throw Error(ExitCode::no_device,
              fmt::format("no forerun-probe in {}: it is built where CMake finds nvcc, the CUDA "
                          "compiler",
                          here.string()),
              "forerun probe --plan shows what it would measure");
}

/// Becomes the other program, so that signals and exit code are its own.
[[noreturn]] void become(const std::string& program, std::vector<std::string> words) {
  std::vector<char*> arguments;
  words.insert(words.begin(), program);
  for (std::string& word : words) arguments.push_back(word.data());
  arguments.push_back(nullptr);
  (void)std::fflush(stdout);
  (void)execv(program.c_str(), arguments.data());
  throw Error(ExitCode::wrong,
              fmt::format("can't start {}: {}", program, std::generic_category().message(errno)));
}

}  // namespace

int probe(const Options& o) {
  const hw::ProbeRequest request = request_of(o);
  if (request.plan_only) return show_plan(o, request);
  if (!o.json.empty() || o.rows) {
    throw Error(ExitCode::usage, "--json and --rows are of a plan: measurements go to -o FILE",
                "forerun probe --plan --json -");
  }
  become(probe_program(), hw::request_words(request));
}

}  // namespace forerun::cli
