// forerun loss: where the loss of each modality goes, and whether the run survives.

#include <fmt/format.h>

#include <algorithm>
#include <map>

#include "cli/command.h"
#include "cli/load.h"
#include "cli/loss_report.h"
#include "cli/report.h"
#include "core/error.h"
#include "core/file.h"
#include "core/statistics.h"
#include "models/loss/advise.h"
#include "models/stability/optimal_batch.h"
#include "sim/loss_question.h"

namespace forerun::cli {
namespace {

constexpr std::int64_t kDraws = 400;

/// Beside the critical batch, what the pairs' exponents of tokens would make of it.
void move_batch(const sim::Scenario& s, const models::Law& law,
                const std::vector<std::string>& names, models::Advice& advice) {
  const std::map<std::string, double> shares = sim::loss_shares(s);
  std::vector<stability::ModalityShare> modalities;
  double b = 0, weight = 0;
  for (std::size_t i = 0; i < names.size(); ++i) {
    modalities.push_back({names[i], shares.at(names[i]), true});
    for (std::size_t j = i + 1; j < names.size(); ++j) {
      const auto it = law.constants.find(models::pair_name(names[i], names[j]) + ".beta");
      if (it == law.constants.end()) continue;
      const double w = shares.at(names[i]) * shares.at(names[j]);
      b += w * it->second.value;
      weight += w;
    }
  }
  const auto critical = std::ranges::find_if(advice.rows, [](const models::AdviceRow& r) {
    return r.topic == models::AdviceTopic::batch && r.value && r.rule.starts_with("critical");
  });
  if (weight <= 0 || critical == advice.rows.end()) return;
  const stability::BatchShift shift =
      stability::optimal_batch_shift(b / weight, modalities, stability::load_constants());
  models::AdviceRow row = *critical;
  row.rule = "the same, moved by the pairs' beta";
  row.value = *critical->value * shift.factor;
  row.band = Interval{*critical->value * shift.band.low, *critical->value * shift.band.high};
  row.evidence = Evidence::assumed;
  row.source =
      "Aghajanyan et al. 2023, arXiv:2301.03728: the optimal batch goes with beta_ij; its slope "
      "was "
      "not published and is assumed (models/stability/optimal_batch.h)";
  row.notes = {"the band is of the slope alone"};
  advice.rows.insert(std::next(critical), row);
}

/// The guide for the scenario's modalities, at the budget asked for or that of the scenario's run.
int advise(const Options& o, const sim::Scenario& s) {
  Problems problems;
  const std::optional<models::Law> law = sim::loss_law(s);
  if (!law) {
    throw Error(
        ExitCode::wrong,
        fmt::format("{}: no law of its modalities is named: state one under loss.law", s.name),
        "forerun list laws, or forerun fit your own runs");
  }
  models::AdviceRequest request;
  const double parameters = sim::law_parameters(s).count;
  if (!o.budget_flops && s.training_tokens <= 0) {
    throw Error(
        ExitCode::wrong,
        fmt::format("{}: neither training_tokens nor --budget-flops says how much", s.name));
  }
  request.flops = o.budget_flops.value_or(6.0 * parameters * s.training_tokens);
  std::vector<std::string> names;
  for (const auto& [name, share] : sim::loss_shares(s)) names.push_back(name);
  for (const std::string& name : names) {
    const auto unique = s.loss.unique_tokens.find(name);
    request.modalities.push_back(
        {name, *law, law->form == "interaction" ? name : "", 1,
         unique == s.loss.unique_tokens.end() ? std::nullopt : std::optional(unique->second)});
  }
  request.seed = s.seed;
  if (law->form == "interaction") {
    request.model = models::pair_model(*law, names, s.seed, problems);
  }
  std::optional<models::Advice> advice =
      problems.empty() ? models::advise(request, models::published_advice_laws(), problems)
                       : std::nullopt;
  if (!advice) refuse(o.arguments[0], problems);
  move_batch(s, *law, names, *advice);
  const std::string text = fmt::format("{}\nadvice for {:.3g} FLOPs, law {}\n{}", question_text(s),
                                       request.flops, law->name, models::advice_text(*advice));
  if (o.json == "-") {
    fmt::print("{}", models::advice_json(*advice));
    return 0;
  }
  if (!o.json.empty()) write_file(o.json, models::advice_json(*advice));
  fmt::print("{}", text);
  return 0;
}

}  // namespace

int loss(const Options& o) {
  const sim::Scenario s = load_scenario(o);
  if (o.advise) return advise(o, s);
  Problems problems;
  const sim::RunLoss r = sim::run_loss(s, kDraws, o.threads, problems);
  if (!problems.empty()) refuse(o.arguments[0], problems);
  if (!o.plot.empty() && !r.losses) {
    throw Error(ExitCode::wrong, fmt::format("{}: there are no losses to draw", s.name),
                r.unanswered.empty() ? "" : r.unanswered.front());
  }
  const StepTimes times = step_times(s);
  JsonWriter json;
  json.begin_object();
  write_question(json, s);
  write_losses(json, s, r, times, true);
  write_stability(json, r);
  write_identity(json, s);
  json.end_object();
  std::string text = question_text(s);
  for (const std::string& block : {losses_text(s, r), gains_text(s, r, times), stability_text(r),
                                   signal_text(s, r), loss_remarks(r)}) {
    if (!block.empty()) text += "\n" + block;
  }
  if (!o.plot.empty()) write_file(o.plot, losses_svg(s, r));
  deliver(o, text, json);
  return 0;
}

}  // namespace forerun::cli
