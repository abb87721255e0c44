#include "sim/loss_question.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>

#include "core/error.h"
#include "models/layers.h"
#include "models/loss/moe_law.h"

namespace forerun::sim {
namespace {

/// Of the scenario's own mixture, all its run long.
std::map<std::string, double> own_shares(const Scenario& s) {
  if (s.mixture) return models::law_shares(*s.mixture);
  std::map<std::string, double> shares;
  for (const ModalityShare& m : s.modality_shares) {
    if (m.share > 0) shares[m.modality] = m.share;
  }
  if (shares.empty()) shares["text"] = 1.0;
  return shares;
}

std::vector<LossStage> stages_of(const Scenario& s) {
  if (!s.loss.stages.empty()) return s.loss.stages;
  return {{0.0, own_shares(s)}};
}

double start_of(const std::string& modality, const Scenario& s) {
  const std::vector<std::string> names = models::modality_names();
  if (std::ranges::find(names, modality) == names.end()) {
    return std::log(static_cast<double>(std::max<std::int64_t>(2, s.model.vocab)));
  }
  const models::Modality m = models::load_modality(modality);
  if (m.objective == models::Objective::diffusion) return 1.0;
  return std::log(static_cast<double>(std::max<std::int64_t>(2, m.vocabulary)));
}

/// As the model names the modality, which the law may name after a kind of document.
std::string model_name(const std::string& modality, const std::vector<std::string>& known) {
  if (std::ranges::find(known, modality) != known.end() || known.empty()) return modality;
  // "image-text" documents are mostly images, "speech-text" mostly speech.
  const std::string first = modality.substr(0, modality.find('-'));
  return std::ranges::find(known, first) != known.end() ? first : modality;
}

/// A constant is assumed of modalities that the run has ("text.E", "speech|text.C"): a name written
/// wrong would change nothing.
void check_assumed(const std::string& constant, const std::vector<std::string>& modalities,
                   Problems& problems) {
  const std::size_t dot = constant.find('.'), bar = constant.find('|');
  if (dot == constant.npos) return;
  std::vector<std::string> of = {constant.substr(0, std::min(dot, bar))};
  if (bar < dot) of.push_back(constant.substr(bar + 1, dot - bar - 1));
  for (const std::string& name : of) {
    if (std::ranges::find(modalities, name) != modalities.end()) continue;
    problems.add(
        "/loss/assume/" + constant,
        did_you_mean(name, modalities, fmt::format("the run has {}", fmt::join(modalities, ", "))));
  }
}

}  // namespace

std::optional<models::Law> loss_law(const Scenario& s) {
  if (s.loss.stated) return s.loss.stated;
  const std::map<std::string, double> shares = loss_shares(s);
  if (shares.size() == 1 && shares.begin()->first == "text") {
    return models::load_law("chinchilla_refit");
  }
  return std::nullopt;
}

std::map<std::string, double> loss_shares(const Scenario& s) {
  std::map<std::string, double> shares;
  const std::vector<LossStage> stages = stages_of(s);
  const double end = s.training_tokens > 0 ? s.training_tokens : stages.back().from_tokens + 1;
  for (std::size_t i = 0; i < stages.size(); ++i) {
    const double to = i + 1 < stages.size() ? std::min(end, stages[i + 1].from_tokens) : end;
    const double part = std::max(0.0, to - stages[i].from_tokens) / end;
    for (const auto& [name, share] : stages[i].shares) {
      if (share * part > 0) shares[name] += share * part;
    }
  }
  return shares;
}

std::map<std::string, double> model_shares(const Scenario& s) {
  std::map<std::string, double> shares;
  if (s.loss.stages.empty() && s.mixture) {
    const std::vector<double> mean = models::mean_shares(*s.mixture);
    for (std::size_t i = 0; i < mean.size(); ++i) shares[s.mixture->modalities[i]] = mean[i];
    return shares;
  }
  const std::vector<std::string> known = models::modalities_of(s.model);
  for (const auto& [name, share] : loss_shares(s)) shares[model_name(name, known)] += share;
  return shares;
}

bool is_diffused(const Scenario& s) {
  if (!s.mixture) return false;
  for (const models::DocumentKind& kind : s.mixture->kinds) {
    for (const models::SpanSpec& span : kind.spans) {
      const models::Modality m = models::load_modality(span.modality);
      if (m.objective == models::Objective::diffusion) return true;
    }
  }
  return false;
}

LawParameters law_parameters(const Scenario& s) {
  const models::ParametersInLaw p = models::parameters_in_law(s.model);
  const models::ModalityParameters& first = p.modalities.front();
  LawParameters out;
  out.count = first.active + p.embedding;
  if (first.experts.expansion > 1 && loss_shares(s).size() == 1) {
    const models::Law joint = models::load_law("joint_moe_ludziejewski");
    const models::Law routed = models::load_law("routed_published_s_base");
    Problems problems;
    const models::DenseEquivalent dense = models::dense_equivalent(
        first, p.embedding, std::max(1.0, s.training_tokens),
        models::joint_moe_law(joint, models::central_values(joint), problems),
        models::routed_law(routed, models::central_values(routed), problems));
    if (dense.joint) {
      out.notes.push_back(fmt::format(
          "experts: {:.3g} parameters a token uses are worth a dense model of {:.3g} by the joint "
          "law of Ludziejewski et al. 2025 (by Clark et al. 2022: {:.3g})",
          out.count, *dense.joint, dense.routed + p.embedding));
      out.count = *dense.joint;
    }
    out.notes.insert(out.notes.end(), dense.caveats.begin(), dense.caveats.end());
  }
  if (!s.model.encoders.empty()) {
    out.notes.emplace_back("encoders are not counted in the law's parameters");
  }
  return out;
}

std::vector<models::GainInput> gain_inputs(const Scenario& s,
                                           const std::vector<std::string>& modalities) {
  const models::ParametersInLaw p = models::parameters_in_law(s.model);
  const std::vector<std::string> known = models::modalities_of(s.model);
  const std::map<std::string, double> by_model = model_shares(s);
  const bool diffused = is_diffused(s);
  std::vector<models::GainInput> out;
  for (const std::string& modality : modalities) {
    models::GainInput in =
        models::gain_input(p, model_name(modality, known), by_model, s.training_tokens);
    // One modality alone: its experts are in the law's parameters.
    if (modalities.size() == 1 || diffused) in.expert_share = 0;
    if (diffused) in.own_share = 0;
    if (in.share <= 0) in.share = 1;
    out.push_back(in);
  }
  return out;
}

std::optional<models::MixtureRun> mixture_run(const Scenario& s, const models::Law& law,
                                              Problems& problems) {
  const std::size_t before = problems.list().size();
  if (s.training_tokens <= 0) {
    problems.add("/training_tokens", "missing: how long is the run whose losses are asked?");
    return std::nullopt;
  }
  models::MixtureRun run;
  run.law = law;
  for (const auto& [name, share] : loss_shares(s)) run.modalities.push_back(name);
  for (const LossStage& stage : stages_of(s)) {
    if (stage.from_tokens >= s.training_tokens) {
      problems.add("/loss/stages", fmt::format("a stage from {:.4g} tokens on, but the run has "
                                               "{:.4g}",
                                               stage.from_tokens, s.training_tokens));
      continue;
    }
    models::MixtureStage m{stage.from_tokens, {}};
    for (const std::string& name : run.modalities) {
      const auto it = stage.shares.find(name);
      m.shares.push_back(it == stage.shares.end() ? 0.0 : it->second);
    }
    run.stages.push_back(std::move(m));
  }
  run.unique.assign(run.modalities.size(), 0.0);
  for (const auto& [name, tokens] : s.loss.unique_tokens) {
    const auto it = std::ranges::find(run.modalities, name);
    if (it == run.modalities.end()) {
      problems.add("/loss/unique_tokens/" + name,
                   did_you_mean(name, run.modalities,
                                fmt::format("the run has {}", fmt::join(run.modalities, ", "))));
      continue;
    }
    run.unique[static_cast<std::size_t>(it - run.modalities.begin())] = tokens;
  }
  for (const std::string& name : s.loss.assumed) check_assumed(name, run.modalities, problems);
  for (const std::string& name : run.modalities) run.start.push_back(start_of(name, s));
  run.parameters = law_parameters(s).count;
  run.recipe = s.recipe;
  run.tokens = s.training_tokens;
  run.batch_tokens = tokens_per_step(s);
  run.gains = gain_inputs(s, run.modalities);
  run.seed = s.seed;
  if (problems.list().size() != before) return std::nullopt;
  return run;
}

std::optional<stability::StabilityCase> stability_case(const Scenario& s, const models::Law* law,
                                                       Problems& problems) {
  stability::StabilityCase c;
  c.architecture = s.model;
  c.recipe = s.recipe;
  const models::ParametersInLaw p = models::parameters_in_law(s.model);
  c.parameters = p.modalities.front().active + p.embedding;
  c.tokens = s.training_tokens;
  if (s.training_tokens <= 0) {
    problems.add("/training_tokens", "missing: how long is the run whose stability is asked?");
    return std::nullopt;
  }
  c.steps = static_cast<std::int64_t>(
      std::ceil(models::steps_for(s.recipe, s.training_tokens, tokens_per_step(s))));
  const std::map<std::string, double> shares = loss_shares(s);
  if (shares.size() > 1) {
    for (const auto& [name, share] : shares) {
      // What an encoder reads is not predicted.
      const bool read_only = std::ranges::any_of(
          s.model.encoders, [&](const models::Encoder& e) { return e.modality == name; });
      c.modalities.push_back({name, share, !read_only});
    }
    std::vector<stability::PairAlpha> alphas;
    for (auto i = shares.begin(); law != nullptr && i != shares.end(); ++i) {
      for (auto j = std::next(i); j != shares.end(); ++j) {
        const auto it = law->constants.find(models::pair_name(i->first, j->first) + ".alpha");
        if (it != law->constants.end()) alphas.push_back({i->first, j->first, it->second.value});
      }
    }
    c.alpha = stability::mean_alpha(c.modalities, alphas);
  }
  using models::PrecisionRecipe;
  const PrecisionRecipe format = s.plan.precision;
  c.format = format == PrecisionRecipe::bf16   ? stability::TrainingFormat::bf16
             : format == PrecisionRecipe::fp16 ? stability::TrainingFormat::fp16
                                               : stability::TrainingFormat::fp8;
  const std::size_t before = problems.list().size();
  stability::check(c, problems);
  if (problems.list().size() != before) return std::nullopt;
  return c;
}

}  // namespace forerun::sim
