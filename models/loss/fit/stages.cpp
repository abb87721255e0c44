#include "models/loss/fit/stages.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <set>

#include "core/error.h"
#include "core/reader.h"
#include "models/loss/fit/curve_stage.h"
#include "models/loss/fit/enough_runs.h"
#include "models/loss/fit/models.h"
#include "models/loss/power_law.h"

namespace forerun::models {
namespace {

/// Weights with mean 1: as stated, or of the stated standard errors of the losses.
std::vector<double> run_weights(const std::vector<Run>& runs) {
  std::vector<double> weights;
  double sum = 0;
  for (const Run& run : runs) {
    double w = run.weight.value_or(1);
    if (run.standard_error) {
      const double relative = *run.standard_error / run.losses.begin()->second;
      w = 1 / (relative * relative);
    }
    weights.push_back(w);
    sum += w;
  }
  for (double& w : weights) w *= static_cast<double>(runs.size()) / sum;
  return weights;
}

void check_weights(const std::vector<Run>& runs, Problems& problems) {
  const auto have = [&](auto member) {
    return std::ranges::count_if(runs, [&](const Run& r) { return (r.*member).has_value(); });
  };
  const auto all = static_cast<std::ptrdiff_t>(runs.size());
  const auto errors = have(&Run::standard_error), weights = have(&Run::weight);
  if ((errors != 0 && errors != all) || (weights != 0 && weights != all)) {
    problems.add("runs", fmt::format("{} of {} have a {}: all or none", std::max(errors, weights),
                                     all, errors != 0 ? "standard_error" : "weight"));
  }
}

void note_inputs(Stage& stage, const Run& run, double tokens) {
  stage.sizes.push_back(run.parameters);
  stage.tokens.push_back(tokens);
  stage.experts.push_back(run.experts.value_or(1));
}

constexpr const char* kThreeSizes =
    "because a floor and a slope with its exponent fit any two exactly";

void check_power_inputs(const Stage& stage, Problems& problems) {
  check_distinct(stage.what, "number of parameters", stage.sizes, 3, kThreeSizes, problems);
  check_distinct(stage.what, "number of tokens", stage.tokens, 3, kThreeSizes, problems);
}

/// The one loss of a run that `loss` names; a problem if it has it not, or several.
std::optional<double> the_loss(const Run& run, const std::string& loss, Problems& problems) {
  std::vector<std::string> names;
  for (const auto& [name, v] : run.losses) names.push_back(name);
  if (!loss.empty()) {
    const auto it = run.losses.find(loss);
    if (it != run.losses.end()) return it->second;
    std::erase(names, "");
    problems.add(
        run.where,
        fmt::format(
            "no loss.{}: {}", loss,
            names.empty()
                ? "its loss has no name"
                : did_you_mean(loss, names, fmt::format("there are {}", fmt::join(names, ", ")))));
    return std::nullopt;
  }
  if (names.size() == 1) return run.losses.begin()->second;
  if (run.losses.contains("mean")) return run.losses.at("mean");
  problems.add(run.where, fmt::format("{} losses ({}): say which with --loss", names.size(),
                                      fmt::join(names, ", ")));
  return std::nullopt;
}

/// A stage of all runs and one loss each.
struct OneLoss {
  Stage stage;
  std::vector<Term> terms;
};
OneLoss one_loss(const std::vector<Run>& runs, const std::string& loss, Problems& problems) {
  OneLoss out;
  const std::vector<double> weights = run_weights(runs);
  for (std::size_t i = 0; i < runs.size(); ++i) {
    const auto value = the_loss(runs[i], loss, problems);
    if (!value) {
      if (problems.list().size() > 20) break;
      continue;
    }
    out.terms.push_back({std::log(*value), weights[i], i});
    out.stage.terms.push_back(runs[i].name);
    out.stage.blocks.push_back(i);
    note_inputs(out.stage, runs[i], runs[i].all_tokens());
  }
  return out;
}

std::vector<PowerInput> power_inputs(const std::vector<DesignPoint>& points) {
  std::vector<PowerInput> inputs;
  for (const DesignPoint& p : points) inputs.push_back({p.parameters, p.tokens});
  return inputs;
}
std::vector<ExpertInput> expert_inputs(const std::vector<DesignPoint>& points) {
  std::vector<ExpertInput> inputs;
  for (const DesignPoint& p : points) inputs.push_back({p.parameters, p.tokens, p.experts});
  return inputs;
}
std::vector<Term> blank_terms(std::size_t count) {
  std::vector<Term> terms(count);
  for (std::size_t i = 0; i < count; ++i) terms[i].block = i;
  return terms;
}
std::vector<DesignPoint> points_of(const Stage& stage) {
  std::vector<DesignPoint> points;
  for (std::size_t i = 0; i < stage.sizes.size(); ++i) {
    points.push_back({stage.sizes[i], stage.tokens[i], stage.experts[i]});
  }
  return points;
}

Stage power_stage(OneLoss from) {
  Stage stage = std::move(from.stage);
  stage.model = [inputs = power_inputs(points_of(stage)), terms = std::move(from.terms)](
                    const ConstantValues&) { return power_model(inputs, terms); };
  stage.at = [](const ConstantValues&, const std::vector<DesignPoint>& points) {
    return power_model(power_inputs(points), blank_terms(points.size()));
  };
  return stage;
}

Stage expert_stage(OneLoss from, bool routed) {
  const auto make = routed ? routed_model : joint_moe_model;
  Stage stage = std::move(from.stage);
  stage.model = [make, inputs = expert_inputs(points_of(stage)), terms = std::move(from.terms)](
                    const ConstantValues&) { return make(inputs, terms); };
  stage.at = [make](const ConstantValues&, const std::vector<DesignPoint>& points) {
    return make(expert_inputs(points), blank_terms(points.size()));
  };
  return stage;
}

/// A run of two modalities as the pair's stage sees it.
struct PairTerm {
  double parameters, tokens_first, tokens_second;
  PairLoss loss;
};

double alone(const ConstantValues& values, const std::string& modality, double parameters,
             double tokens) {
  const auto get = [&](const char* name) { return values.at(modality + "." + name); };
  return final_loss({get("E"), get("A"), get("alpha"), get("B"), get("beta")}, parameters, tokens)
      .loss;
}

std::vector<PairInput> pair_inputs(const std::vector<PairTerm>& terms, const std::string& first,
                                   const std::string& second, const ConstantValues& values) {
  std::vector<PairInput> inputs;
  for (const PairTerm& t : terms) {
    const double tokens = t.tokens_first + t.tokens_second;
    inputs.push_back({t.parameters, tokens, alone(values, first, t.parameters, t.tokens_first),
                      alone(values, second, t.parameters, t.tokens_second), t.loss,
                      t.tokens_first / tokens});
  }
  return inputs;
}

Stage pair_stage(const std::vector<Run>& runs, const std::vector<double>& weights,
                 const std::string& first, const std::string& second, Problems& problems) {
  Stage stage;
  stage.prefix = pair_name(first, second) + ".";
  stage.what = pair_name(first, second);
  std::vector<PairTerm> places;
  std::vector<Term> terms;
  std::size_t count = 0;
  bool split = false;
  const auto add = [&](std::size_t i, PairLoss which, double loss, const std::string& of) {
    const Run& run = runs[i];
    places.push_back({run.parameters, run.tokens.at(first), run.tokens.at(second), which});
    terms.push_back({std::log(loss), weights[i], i});
    stage.terms.push_back(run.name + of);
  };
  for (std::size_t i = 0; i < runs.size(); ++i) {
    const Run& run = runs[i];
    if (run.tokens.size() != 2 || !run.tokens.contains(first) || !run.tokens.contains(second)) {
      continue;
    }
    ++count;
    stage.blocks.push_back(i);
    note_inputs(stage, run, run.all_tokens());
    if (run.losses.contains(first) && run.losses.contains(second)) {
      add(i, PairLoss::first, run.losses.at(first), ", " + first);
      add(i, PairLoss::second, run.losses.at(second), ", " + second);
      split = true;
    } else {
      add(i, PairLoss::mean,
          run.losses.contains("mean") ? run.losses.at("mean") : run.losses.at(""), "");
    }
  }
  check_count(stage.what, count, split ? 6 : 5, problems);
  check_power_inputs(stage, problems);
  stage.model = [places, terms, first, second](const ConstantValues& values) {
    return pair_model(pair_inputs(places, first, second, values), terms);
  };
  stage.at = [split, first, second](const ConstantValues& values,
                                    const std::vector<DesignPoint>& points) {
    std::vector<PairTerm> each;
    std::vector<Term> blank;
    for (std::size_t i = 0; i < points.size(); ++i) {
      const double half = 0.5 * points[i].tokens;
      for (const PairLoss loss :
           split ? std::vector{PairLoss::first, PairLoss::second} : std::vector{PairLoss::mean}) {
        each.push_back({points[i].parameters, half, half, loss});
        blank.push_back({0, 1, i});
      }
    }
    return pair_model(pair_inputs(each, first, second, values), std::move(blank));
  };
  return stage;
}

void interaction_stages(const std::vector<Run>& runs, Stages& out, Problems& problems) {
  const std::vector<double> weights = run_weights(runs);
  std::set<std::string> modalities;
  std::set<std::array<std::string, 2>> pairs;
  for (const Run& run : runs) {
    if (run.tokens.contains("")) {
      problems.add(run.where, "tokens of no modality: an interaction law needs tokens.MODALITY");
      continue;
    }
    for (const auto& [name, count] : run.tokens) modalities.insert(name);
    if (run.tokens.size() == 2) {
      pairs.insert({run.tokens.begin()->first, run.tokens.rbegin()->first});
    } else if (run.tokens.size() > 2) {
      problems.add(run.where, fmt::format("{} modalities: the law is fitted to runs of one and of "
                                          "two; more follow from the pairs",
                                          run.tokens.size()));
    }
  }
  if (!problems.empty()) return;
  for (const std::string& modality : modalities) {
    OneLoss one;
    one.stage.prefix = modality + ".";
    one.stage.what = modality + " alone";
    for (std::size_t i = 0; i < runs.size(); ++i) {
      const Run& run = runs[i];
      if (run.tokens.size() != 1 || !run.tokens.contains(modality)) continue;
      const auto loss = the_loss(run, run.losses.contains(modality) ? modality : "", problems);
      one.terms.push_back({std::log(loss.value_or(1)), weights[i], i});
      one.stage.terms.push_back(run.name);
      one.stage.blocks.push_back(i);
      note_inputs(one.stage, run, run.all_tokens());
    }
    check_count(one.stage.what, one.terms.size(), 5, problems);
    check_power_inputs(one.stage, problems);
    out.stages.push_back(power_stage(std::move(one)));
  }
  const bool uneven = std::ranges::any_of(runs, [](const Run& run) {
    return run.tokens.size() == 2 &&
           std::abs(run.tokens.begin()->second / run.all_tokens() - 0.5) > 0.01;
  });
  if (uneven) {
    out.caveats.emplace_back(
        "some runs of two modalities have uneven shares: how the pair's term falls with them is "
        "assumed (4 w_i w_j), not fitted");
  }
  for (const auto& [first, second] : pairs) {
    out.stages.push_back(pair_stage(runs, weights, first, second, problems));
  }
}

void expert_checks(const Stage& stage, bool routed, Problems& problems) {
  check_count(stage.what, stage.terms.size(), routed ? 6 : 11, problems);
  check_distinct(stage.what, "number of parameters", stage.sizes, routed ? 2 : 3,
                 routed ? "because the slopes in them are unknown" : kThreeSizes, problems);
  if (!routed) {
    check_distinct(stage.what, "number of tokens", stage.tokens, 3, kThreeSizes, problems);
  }
  check_distinct(stage.what, "number of experts", stage.experts, 4,
                 "because both ends of their saturation and the slope between are unknown",
                 problems);
}

void note_range(Stages& out, const char* name, double value) {
  const auto [it, fresh] = out.domain.try_emplace(name, std::array{value, value});
  it->second[0] = std::min(it->second[0], value);
  it->second[1] = std::max(it->second[1], value);
}

}  // namespace

Stages stages_of(const std::string& form, const std::string& loss, const RunTable& table,
                 Problems& problems) {
  Stages out;
  if (form == "multi_power") {
    if (!table.runs.empty()) {
      problems.add(table.runs.front().where,
                   "a finished run: a multi_power law is fitted to curves (run, step, "
                   "learning_rate, loss)");
      return out;
    }
    out.blocks = table.curves.size();
    out.stages.push_back(curve_stage(table.curves, problems));
    for (const Curve& curve : table.curves) {
      for (const Curve::Row& row : curve.rows) {
        if (row.loss) note_range(out, "steps", row.step);
        if (row.rate > 0) note_range(out, "learning_rate", row.rate);
      }
    }
    return out;
  }
  if (!table.curves.empty()) {
    problems.add(table.curves.front().where,
                 fmt::format("a curve: a {} law is fitted to finished runs (a curve to form "
                             "multi_power)",
                             form));
    return out;
  }
  check_weights(table.runs, problems);
  if (!problems.empty()) return out;
  out.blocks = table.runs.size();
  if (form == "interaction") {
    interaction_stages(table.runs, out, problems);
  } else {
    OneLoss all = one_loss(table.runs, loss, problems);
    if (!problems.empty()) return out;
    all.stage.what = "the runs";
    if (form == "power") {
      check_count(all.stage.what, all.terms.size(), 5, problems);
      check_power_inputs(all.stage, problems);
      out.stages.push_back(power_stage(std::move(all)));
    } else {
      FORERUN_ASSERT(form == "routed" || form == "joint_moe", form);
      expert_checks(all.stage, form == "routed", problems);
      out.stages.push_back(expert_stage(std::move(all), form == "routed"));
    }
  }
  for (const Run& run : table.runs) {
    note_range(out, "parameters", run.parameters);
    note_range(out, "tokens", run.all_tokens());
    if (run.experts) note_range(out, "experts", *run.experts);
  }
  return out;
}

}  // namespace forerun::models
