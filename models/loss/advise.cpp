#include "models/loss/advise.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <map>
#include <numeric>

#include "core/error.h"
#include "core/table.h"
#include "models/loss/critical_batch.h"
#include "models/loss/learning_rate_rules.h"
#include "models/loss/power_law.h"
#include "models/loss/repetition.h"

namespace forerun::models {
namespace {

constexpr double kLow = 0.1, kHigh = 0.9;  // of the 80 % band

/// The values of one quantity in every draw.
std::optional<Interval> band(const std::vector<double>& draws) {
  if (draws.empty()) return std::nullopt;
  const Interval out{quantile(draws, kLow), quantile(draws, kHigh)};
  if (!(out.high > out.low)) return std::nullopt;
  return out;
}

template <class Of>
std::vector<double> each(const std::vector<MixtureOptimum>& draws, Of of) {
  std::vector<double> out;
  for (const MixtureOptimum& d : draws) out.push_back(of(d));
  return out;
}

/// Where the constants of `of` come from: the source of the first of them.
std::string source_of(const Law& law, const std::string& of) {
  for (const auto& [name, c] : law.constants) {
    if (of.empty() || name.starts_with(of + ".")) return c.source;
  }
  return {};
}

Evidence evidence_of(const Law& law, const std::string& of) {
  Evidence worst = Evidence::measured;
  for (const auto& [name, c] : law.constants) {
    if (of.empty() || name.starts_with(of + ".")) worst = weakest(worst, c.evidence);
  }
  return worst;
}

ConstantValues values_of(const Law& law, std::uint64_t seed, std::optional<std::uint64_t> draw) {
  return draw ? drawn_values(law, seed, *draw) : central_values(law);
}

class Guide {
 public:
  Guide(const AdviceRequest& request, const AdviceLaws& laws) : request_(request), laws_(laws) {
    problem_.flops = request.flops;
    problem_.least_share = request.least_share;
    problem_.parameters = request.parameters;
    for (const AdvisedModality& m : request.modalities) problem_.weights.push_back(m.weight);
    total_ = std::accumulate(problem_.weights.begin(), problem_.weights.end(), 0.0);
    central_ = optimal_mixture(problem_, losses({}));
    MixtureProblem near = problem_;
    near.from = central_.parameters / 100;
    near.to = central_.parameters * 100;
    near.precision = 2e-3;  // of bands much wider
    for (std::uint64_t i = 0; i < request.draws; ++i) {
      draws_.push_back(optimal_mixture(near, losses(i)));
    }
    out_.flops = request.flops;
  }

  Advice all() {
    assumptions();
    optimum_rows();
    alone_rows();
    loss_rows();
    passes_rows();
    critical_rows();
    for (const Law& rule : laws_.rules) rule_rows(rule);
    std::ranges::stable_sort(out_.rows, {}, &AdviceRow::topic);
    return std::move(out_);
  }

 private:
  /// By the caller's model, or each modality's own law; of tokens that repeat their worth.
  [[nodiscard]] ModalityLosses losses(std::optional<std::uint64_t> draw) const {
    std::vector<PowerLaw> own;
    Problems none;
    for (const AdvisedModality& m : request_.modalities) {
      own.push_back(power_law(m.law, values_of(m.law, request_.seed, draw), m.of, none));
    }
    const ModalityLosses inner = request_.model ? request_.model->at(draw) : ModalityLosses{};
    const double decay = required(
        laws_.repetition, values_of(laws_.repetition, request_.seed, draw), "R_star_D", none);
    FORERUN_ASSERT(none.empty(), none.text("advise"));
    return [this, own = std::move(own), inner, decay](
               double parameters, std::span<const double> shares, std::span<const double> tokens) {
      std::vector<double> worth(tokens.begin(), tokens.end());
      for (std::size_t i = 0; i < worth.size(); ++i) {
        const auto& unique = request_.modalities[i].unique_tokens;
        if (unique) worth[i] = effective_tokens(worth[i], *unique, decay);
      }
      if (inner) return inner(parameters, shares, worth);
      std::vector<double> out;
      for (std::size_t i = 0; i < own.size(); ++i) {
        out.push_back(final_loss(own[i], parameters, worth[i]).loss);
      }
      return out;
    };
  }

  void assumptions() {
    auto& a = out_.assumptions;
    a.emplace_back("training takes 6 FLOPs a parameter in use and token");
    const bool equal = std::ranges::all_of(request_.modalities, [&](const auto& m) {
      return m.weight * static_cast<double>(request_.modalities.size()) == total_;
    });
    if (request_.modalities.size() > 1) {
      a.emplace_back(equal ? "the loss of each modality counts equally, whatever its share"
                           : "the losses of the modalities count by the weights given, whatever "
                             "their shares");
      if (!request_.model) {
        a.emplace_back("modalities neither help nor hinder each other: no pair terms were given");
      }
    }
    if (request_.parameters) a.emplace_back("the size is given");
    a.emplace_back("rules for batch and learning rate rest on text alone");
  }

  AdviceRow optimum_row(AdviceTopic topic, const std::string& of, double value,
                        const std::vector<double>& draws) const {
    AdviceRow row;
    row.topic = topic;
    row.of = of;
    row.rule = request_.parameters ? "mixture, size given" : "mixture optimum";
    row.value = value;
    row.band = band(draws);
    row.evidence = evidence();
    row.source = request_.model ? request_.model->source : own_sources();
    warn(row, topic != AdviceTopic::tokens, topic != AdviceTopic::size);
    return row;
  }

  /// Where the optimum lies outside what the modalities' laws rest on.
  void warn(AdviceRow& row, bool size, bool tokens) const {
    for (std::size_t i = 0; i < request_.modalities.size(); ++i) {
      const AdvisedModality& m = request_.modalities[i];
      std::map<std::string, double, std::less<>> inputs;
      if (size) inputs["parameters"] = central_.parameters;
      if (tokens) inputs["tokens"] = central_.tokens * central_.shares[i];
      for (const auto& [input, value] : inputs) {
        row.domain_known = row.domain_known && m.law.domain.contains(input);
      }
      for (const std::string& o : outside_domain(m.law, inputs)) {
        row.outside.push_back(fmt::format("{}: {}", m.name, o));
      }
    }
  }

  [[nodiscard]] Evidence evidence() const {
    Evidence worst = request_.model ? request_.model->evidence : Evidence::measured;
    for (const AdvisedModality& m : request_.modalities) {
      worst = weakest(worst, evidence_of(m.law, m.of));
    }
    return worst;
  }

  [[nodiscard]] std::string own_sources() const {
    std::vector<std::string> sources;
    for (const AdvisedModality& m : request_.modalities) {
      const std::string source = source_of(m.law, m.of);
      if (std::ranges::find(sources, source) == sources.end()) sources.push_back(source);
    }
    return fmt::format("{}", fmt::join(sources, "; "));
  }

  void optimum_rows() {
    AdviceRow size = optimum_row(AdviceTopic::size, "", central_.parameters,
                                 each(draws_, [](const auto& d) { return d.parameters; }));
    AdviceRow tokens = optimum_row(AdviceTopic::tokens, "", central_.tokens,
                                   each(draws_, [](const auto& d) { return d.tokens; }));
    for (const AdvisedModality& m : request_.modalities) {
      tokens.notes.insert(tokens.notes.end(), m.law.caveats.begin(), m.law.caveats.end());
    }
    if (std::min(central_.parameters / problem_.from, problem_.to / central_.parameters) < 1.01) {
      size.notes.emplace_back("at the end of the sizes that were tried");
    }
    if (request_.parameters) size.band.reset();
    out_.rows.push_back(std::move(size));
    out_.rows.push_back(std::move(tokens));
    if (request_.modalities.size() < 2) return;
    for (std::size_t i = 0; i < request_.modalities.size(); ++i) {
      AdviceRow share =
          optimum_row(AdviceTopic::share, request_.modalities[i].name, central_.shares[i],
                      each(draws_, [i](const auto& d) { return d.shares[i]; }));
      if (central_.shares[i] <= request_.least_share * 1.0001) {
        share.notes.emplace_back("at the least share allowed");
      }
      out_.rows.push_back(std::move(share));
    }
  }

  /// What the budget would buy if all of it went to one modality, or to text.
  void alone_rows() {
    for (const AdvisedModality& m : request_.modalities) alone(m.law, m.of, m.name);
    for (const Law& law : laws_.text) {
      const bool already = std::ranges::any_of(
          request_.modalities, [&](const AdvisedModality& m) { return m.law.name == law.name; });
      if (!already) alone(law, "", "text");
    }
  }

  void alone(const Law& law, const std::string& of, const std::string& modality) {
    Problems none;
    const auto at = [&](std::optional<std::uint64_t> draw) {
      return compute_optimum(power_law(law, values_of(law, request_.seed, draw), of, none),
                             request_.flops);
    };
    const ComputeOptimum best = at({});
    std::vector<double> sizes, tokens;
    for (std::uint64_t i = 0; i < request_.draws; ++i) {
      const ComputeOptimum o = at(i);
      sizes.push_back(o.parameters);
      tokens.push_back(o.tokens);
    }
    AdviceRow row;
    row.rule = fmt::format("{} alone, {}", modality, law.name);
    row.evidence = evidence_of(law, of);
    row.source = source_of(law, of);
    row.notes = law.caveats;
    row.topic = AdviceTopic::size;
    row.value = best.parameters;
    row.band = band(sizes);
    row.outside = outside_domain(law, {{"parameters", best.parameters}});
    row.domain_known = law.domain.contains("parameters");
    out_.rows.push_back(row);
    row.topic = AdviceTopic::tokens;
    row.value = best.tokens;
    row.band = band(tokens);
    row.outside = outside_domain(law, {{"tokens", best.tokens}});
    row.domain_known = law.domain.contains("tokens");
    out_.rows.push_back(std::move(row));
  }

  void loss_rows() {
    for (std::size_t i = 0; i < request_.modalities.size(); ++i) {
      out_.rows.push_back(optimum_row(AdviceTopic::loss, request_.modalities[i].name,
                                      central_.losses[i],
                                      each(draws_, [i](const auto& d) { return d.losses[i]; })));
    }
    if (request_.modalities.size() < 2) return;
    out_.rows.push_back(optimum_row(AdviceTopic::loss, "", central_.loss,
                                    each(draws_, [](const auto& d) { return d.loss; })));
  }

  void passes_rows() {
    for (std::size_t i = 0; i < request_.modalities.size(); ++i) {
      const AdvisedModality& m = request_.modalities[i];
      if (!m.unique_tokens) continue;
      const double unique = *m.unique_tokens;
      const auto passes = [&](const MixtureOptimum& o) { return o.tokens * o.shares[i] / unique; };
      AdviceRow row =
          optimum_row(AdviceTopic::passes, m.name, passes(central_), each(draws_, passes));
      row.rule = laws_.repetition.name;
      row.source = laws_.repetition.constants.at("R_star_D").source;
      const double decay = laws_.repetition.constants.at("R_star_D").value;
      const double tokens = *row.value * unique;
      if (*row.value > 1) {
        row.notes.push_back(
            fmt::format("{} passes are worth {} of new tokens; one more token {} of a new one",
                        significant(*row.value, 3),
                        significant(effective_tokens(tokens, unique, decay) / unique, 3),
                        show_percent(marginal_worth(tokens, unique, decay), 0)));
      }
      if (m.name != "text") {
        row.evidence = Evidence::assumed;
        row.notes.emplace_back("the decay of a repeated token's worth is that of text");
      }
      row.domain_known = true;
      row.outside = outside_domain(laws_.repetition, {{"passes", std::max(*row.value, 1.0)},
                                                      {"parameters", central_.parameters}});
      out_.rows.push_back(std::move(row));
    }
  }

  void critical_rows() {
    const auto text = std::ranges::find(request_.modalities, "text", &AdvisedModality::name);
    const bool has_text = text != request_.modalities.end();
    const auto index = static_cast<std::size_t>(text - request_.modalities.begin());
    const auto loss = [&](const MixtureOptimum& o) { return has_text ? o.losses[index] : o.loss; };
    Problems none;
    const auto at = [&](std::optional<std::uint64_t> draw, const MixtureOptimum& o) {
      return critical_batch(
          critical_batch_law(laws_.critical_batch,
                             values_of(laws_.critical_batch, request_.seed, draw), none),
          loss(o));
    };
    // A law of pairs may fall below zero far outside its domain: there is no batch there.
    if (loss(central_) <= 0) return;
    std::vector<double> draws;
    for (std::size_t i = 0; i < draws_.size(); ++i) {
      if (loss(draws_[i]) > 0) draws.push_back(at(i, draws_[i]));
    }
    AdviceRow row = optimum_row(AdviceTopic::batch, "", at({}, central_), draws);
    row.rule = fmt::format("critical batch at the end, {}", laws_.critical_batch.name);
    row.source = source_of(laws_.critical_batch, "");
    row.evidence = weakest(row.evidence, laws_.critical_batch.weakest_evidence());
    row.notes = laws_.critical_batch.caveats;
    row.notes.emplace_back(
        "there a run takes twice the tokens of the smallest batch and twice the "
        "steps of the largest; it is smaller early in the run");
    if (draws.size() < draws_.size()) {
      row.notes.push_back(
          fmt::format("its band leaves out {} of {} draws, whose loss is below zero",
                      draws_.size() - draws.size(), draws_.size()));
    }
    if (!has_text) {
      row.evidence = Evidence::assumed;
      row.notes.emplace_back("of the weighted loss, though the rule is one of text");
    }
    row.domain_known = true;
    row.outside = outside_domain(laws_.critical_batch, {{"parameters", central_.parameters}});
    out_.rows.push_back(std::move(row));
  }

  void rule_rows(const Law& rule) {
    const auto inputs = [&](const MixtureOptimum& o) {
      return RuleInputs{o.parameters, o.tokens, request_.flops, request_.experts};
    };
    const RuleAnswer answer = apply_rule(rule, inputs(central_));
    std::vector<double> rates, batches;
    for (std::size_t i = 0; i < draws_.size(); ++i) {
      const RuleAnswer drawn = draw_rule(rule, inputs(draws_[i]), request_.seed, i);
      if (drawn.learning_rate) rates.push_back(*drawn.learning_rate);
      if (drawn.batch_tokens) batches.push_back(*drawn.batch_tokens);
    }
    AdviceRow row;
    row.rule = rule.name;
    row.source = source_of(rule, "");
    row.evidence = weakest(rule.weakest_evidence(), evidence());
    row.outside = answer.outside;
    row.domain_known = !rule.domain.empty();
    row.notes = rule.caveats;
    if (answer.batch_tokens) {
      row.topic = AdviceTopic::batch;
      row.value = answer.batch_tokens;
      row.band = band(batches);
      out_.rows.push_back(row);
    }
    row.topic = AdviceTopic::learning_rate;
    row.value = answer.learning_rate;
    row.band = answer.learning_rate ? band(rates) : std::nullopt;
    row.notes.insert(row.notes.end(), answer.why_not.begin(), answer.why_not.end());
    if (answer.learning_rate && rates.size() < draws_.size()) {
      const double none =
          1.0 - static_cast<double>(rates.size()) / static_cast<double>(draws_.size());
      row.notes.push_back(fmt::format("gives none in {} of the draws, which its band leaves out",
                                      show_percent(none, 0)));
    }
    out_.rows.push_back(std::move(row));
  }

  const AdviceRequest& request_;
  const AdviceLaws& laws_;
  MixtureProblem problem_;
  double total_ = 0;
  MixtureOptimum central_;
  std::vector<MixtureOptimum> draws_;
  Advice out_;
};

}  // namespace

AdviceLaws published_advice_laws() {
  return {load_law("repetition_muennighoff"),
          load_law("critical_batch_kaplan"),
          training_rules(),
          {load_law("chinchilla_epoch"), load_law("chinchilla_hoffmann")}};
}

std::optional<Advice> advise(const AdviceRequest& request, const AdviceLaws& laws,
                             Problems& problems) {
  const std::size_t before = problems.list().size();
  check_advice(request, laws, problems);
  if (problems.list().size() != before) return std::nullopt;
  return Guide(request, laws).all();
}

}  // namespace forerun::models
