#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <filesystem>
#include <set>
#include <thread>

#include "cli/command.h"
#include "cli/fit_report.h"
#include "cli/report.h"
#include "core/error.h"
#include "core/file.h"
#include "core/reader.h"
#include "models/loss/fit/fitted_law.h"
#include "models/loss/fit/runs.h"

namespace forerun::cli {
namespace {

/// Beyond, a broken file repeats itself.
constexpr std::size_t kMostShown = 20;
constexpr std::size_t kNextRuns = 3;

[[noreturn]] void refuse_runs(const Problems& problems) {
  const std::vector<Problem>& list = problems.list();
  std::string lines;
  for (std::size_t i = 0; i < std::min(list.size(), kMostShown); ++i) {
    lines += (i == 0 ? "" : "\n") + list[i].where + ": " + list[i].what;
  }
  if (list.size() > kMostShown) lines += fmt::format("\nand {} more", list.size() - kMostShown);
  throw Error(
      ExitCode::wrong,
      list.size() == 1 ? lines : fmt::format("the runs have {} problems\n{}", list.size(), lines),
      "nothing was written");
}

models::RunTable read_files(const std::vector<std::string>& files) {
  models::RunTable table;
  Problems problems;
  std::set<std::string> seen;
  for (const std::string& file : files) {
    if (!seen.insert(std::filesystem::weakly_canonical(file).string()).second) {
      problems.add(file, "given twice: each run counts once");
      continue;
    }
    const std::string name = std::filesystem::path(file).filename().string();
    models::read_runs(read_file(file, kMaxJsonBytes), name, table, problems);
  }
  if (!problems.empty()) refuse_runs(problems);
  return table;
}

models::FitOptions fit_options(const Options& o) {
  models::FitOptions out;
  out.form = o.form.empty() ? "power" : o.form;
  const std::vector<std::string_view> forms(models::kFittedForms.begin(),
                                            models::kFittedForms.end());
  if (std::ranges::find(forms, out.form) == forms.end()) {
    throw Error(ExitCode::usage, fmt::format("there is no law of form \"{}\" to fit", out.form),
                did_you_mean(out.form, forms, fmt::format("{}", fmt::join(forms, ", "))));
  }
  out.loss = o.loss;
  out.delta = o.huber.value_or(out.delta);
  out.bootstrap = o.bootstrap.value_or(out.bootstrap);
  out.seed = o.seed.value_or(0);
  out.threads = o.threads > 0 ? o.threads
                              : static_cast<int>(std::max(1u, std::thread::hardware_concurrency()));
  return out;
}

void check_outputs(const Options& o) {
  std::set<std::filesystem::path> known;
  for (const std::string& file : o.arguments) known.insert(std::filesystem::weakly_canonical(file));
  for (const std::string& file : {o.output, o.plot, o.json}) {
    if (file.empty() || file == "-") continue;
    if (!known.insert(std::filesystem::weakly_canonical(file)).second) {
      throw Error(ExitCode::usage,
                  fmt::format("{} is a file of runs or is to be written twice", file),
                  "give -o, --plot and --json files of their own");
    }
  }
}

double dearest(const models::Stages& stages) {
  double most = 0;
  for (const models::Stage& s : stages.stages) {
    for (std::size_t i = 0; i < s.sizes.size(); ++i) {
      most = std::max(most, 6 * s.sizes[i] * s.tokens[i]);
    }
  }
  return most;
}

/// Proposals for the stage whose weakest constant is the weakest of all.
void propose(const models::Stages& stages, double budget, FitAnswer& a) {
  double widest = 0;
  for (std::size_t s = 0; s < a.fit.stages.size(); ++s) {
    const double width = models::weakest_constant(a.fit.stages[s]).relative_width;
    if (!stages.stages[s].at || width <= widest) continue;
    widest = width;
    a.weakest_stage = s;
  }
  if (widest == 0) return;
  a.budget = budget > 0 ? budget : dearest(stages);
  a.next = models::next_runs(stages.stages[a.weakest_stage], a.fit.stages[a.weakest_stage],
                             a.fit.values, a.budget, kNextRuns);
  if (a.next.empty()) {
    a.warnings.push_back(
        fmt::format("no run of at most {:.3g} FLOPs near those given would do: "
                    "none is proposed",
                    a.budget));
  }
}

}  // namespace

int fit(const Options& o) {
  if (o.output.empty()) {
    throw Error(ExitCode::usage, "forerun fit needs a name for the law",
                "forerun fit RUNS... -o LAW.json");
  }
  check_outputs(o);
  if (!o.plot.empty() && !o.plot.ends_with(".svg") && !o.plot.ends_with(".csv")) {
    throw Error(ExitCode::usage, fmt::format("--plot {}: expected a name in .svg or .csv", o.plot));
  }
  const models::FitOptions options = fit_options(o);
  const models::RunTable table = read_files(o.arguments);
  Problems problems;
  const models::Stages stages = models::stages_of(options.form, options.loss, table, problems);
  if (!problems.empty()) refuse_runs(problems);
  FitAnswer answer{models::fit_stages(stages, options), table.sources, {}, 0, 0, {}, o.output};
  answer.warnings = models::fit_warnings(stages, answer.fit);
  propose(stages, o.budget_flops.value_or(0), answer);

  const std::string from =
      fmt::format("forerun fit of {}{}", fmt::join(table.sources, ", "),
                  options.loss.empty() ? "" : fmt::format(", loss.{}", options.loss));
  const std::string name = std::filesystem::path(o.output).stem().string();
  const models::Law law = models::fitted_law(
      answer.fit, stages, name,
      o.what.empty() ? fmt::format("Fitted to {}", fmt::join(table.sources, ", ")) : o.what, from);
  const std::string text = models::law_json(law);
  (void)value_or_throw(models::read_law(text, problems), problems, o.output,
                       "the law would be wrong; nothing was written");
  write_file(o.output, text);
  if (!o.plot.empty()) {
    write_file(o.plot, o.plot.ends_with(".svg")
                           ? residual_svg(answer.fit, fmt::format("{}: measured and fitted", name))
                           : residual_csv(answer.fit, stages));
  }
  JsonWriter json;
  write_fit(json, answer);
  deliver(o, fit_text(answer), json);
  return 0;
}

}  // namespace forerun::cli
