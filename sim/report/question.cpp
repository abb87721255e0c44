#include <fmt/format.h>

#include "core/table.h"
#include "models/parameters.h"
#include "sim/plan_json.h"
#include "sim/report/page.h"
#include "sim/report/sections.h"

namespace forerun::sim::report {
namespace {

std::string machines(const Scenario& s) {
  if (s.pools.empty()) {
    return fmt::format("{} {}", show_count(static_cast<double>(s.accelerators)),
                       s.accelerator.name);
  }
  std::string out;
  for (std::size_t k = 0; k <= s.pools.size(); ++k) {
    const std::int64_t here = s.accelerators / s.plan.pipeline * stages_of_pool(s, k);
    out += fmt::format("{}{} {}", k == 0 ? "" : " and ", show_count(static_cast<double>(here)),
                       k == 0 ? s.accelerator.name : s.pools[k - 1].accelerator.name);
  }
  return out;
}

std::string networks(const Scenario& s) {
  std::string out = s.network.name;
  if (s.topology) out += fmt::format(", as the graph {}", s.topology_name);
  for (const Pool& p : s.pools) out += fmt::format(" and {}", p.network.name);
  return out;
}

std::string parameters(const Scenario& s) {
  return show_count(static_cast<double>(models::parameters(s.model).total()));
}

}  // namespace

Markup question_header(const Scenario& s, const Answer& a) {
  // A name is not broken at its hyphens.
  const auto name = [](const std::string& n) { return element("span", "class=\"name\"", n); };
  const Markup what = name(s.model.name) + fmt::format(" ({} parameters)", parameters(s));
  const Markup machine = s.pools.empty() ? Markup(show_count(static_cast<double>(s.accelerators))) +
                                               " " + name(s.accelerator.name)
                                         : Markup(machines(s));
  Markup question;
  if (!a.step) {
    question = "Can " + machine + " train " + what + "?";
  } else if (s.training_tokens > 0) {
    question = "What does it take to train " + what + " on " + show_count(s.training_tokens) +
               " tokens with " + machine + "?";
  } else {
    question = "How long is a training step of " + what + " on " + machine + "?";
  }
  return element("header", element("p", "class=\"eyebrow\"", "Forecast of a training run") +
                               element("h1", s.name) +
                               element("p", "class=\"question\"", question) +
                               (s.description.empty() ? Markup() : note(s.description)));
}

Markup question_facts(const Scenario& s, const Answer& a) {
  std::vector<std::pair<Markup, Markup>> rows = {
      {"model", fmt::format("{}, {} parameters", s.model.name, parameters(s))},
      {"machine", machines(s)},
      {"network", networks(s)},
      {"parallel plan", plan_text(s.plan)},
      {"batch", fmt::format("{} sequences of {} tokens a step, {}",
                            show_count(static_cast<double>(s.plan.global_batch)),
                            show_count(static_cast<double>(s.plan.sequence)),
                            models::name(s.plan.precision))},
      {"framework", s.framework.name}};
  if (s.mixture) rows.emplace_back("mixture", s.mixture->name);
  if (s.training_tokens > 0) {
    rows.emplace_back("training",
                      a.steps ? fmt::format("{} tokens in {} steps", show_count(s.training_tokens),
                                            show_count(*a.steps))
                              : show_count(s.training_tokens) + " tokens");
  }
  if (a.run) {
    rows.emplace_back("nodes", fmt::format("{} in the job, {} spare",
                                           show_count(static_cast<double>(a.run->nodes)),
                                           show_count(static_cast<double>(a.run->spares))));
  }
  return card("question", "What was asked", facts(rows));
}

}  // namespace forerun::sim::report
