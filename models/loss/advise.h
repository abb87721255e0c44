#pragma once

/// The hyper-parameter guide: for a budget of FLOPs the size, tokens, mixture, batch and learning
/// rate, each with its 80 % band, the rule it comes from, the rule's source and evidence, and
/// whether the answer lies inside what the rule rests on. Rules that compete stand side by side;
/// the guide doesn't choose between them.
///
/// Size, tokens and mixture: the least weighted loss (mixture_optimum.h) of the modalities' own
/// laws, with the pair terms that the caller's loss model brings; beside it each modality's own
/// compute optimum and the text laws'. Repeated tokens count as repetition.h says. Bands: constants
/// drawn by drawn_values(), the optimum sought anew for each draw. Batch and learning rate: the
/// rules at that optimum, drawn with it.
///
/// NOT in it: time and price (6 N D is all it knows of a machine), architecture other than
/// parameters in use and experts, the stability of what it advises.

#include <cstdint>
#include <functional>
#include <optional>
#include <string>
#include <vector>

#include "core/statistics.h"
#include "models/loss/law.h"
#include "models/loss/mixture_optimum.h"

namespace forerun::models {

struct AdvisedModality {
  std::string name;
  Law law;         ///< of form power, repetition or interaction
  std::string of;  ///< which of the law's modalities; empty: the law has one
  double weight = 1;
  std::optional<double> unique_tokens{};  ///< how many there are; unknown: enough
};

/// Losses with pair terms. `at` gives them for draw `i` of the constants, or for their central
/// values; each draw must be of the same constants as the modalities' own.
struct PairModel {
  std::function<ModalityLosses(std::optional<std::uint64_t> draw)> at;
  std::string name;
  Evidence evidence = Evidence::assumed;
  std::string source;
};

/// That of a law of form "interaction", its constants drawn as those of its modalities. Every
/// constant of these modalities and their pairs that it lacks is a problem.
[[nodiscard]] std::optional<PairModel> pair_model(const Law&,
                                                  const std::vector<std::string>& modalities,
                                                  std::uint64_t seed, Problems&);

struct AdviceRequest {
  double flops = 0;
  std::vector<AdvisedModality> modalities;
  std::optional<PairModel> model;    ///< none: modalities neither help nor hinder each other
  std::optional<double> parameters;  ///< a size that is fixed
  double experts = 1;
  double least_share = 0.01;
  std::uint64_t seed = 1;
  std::uint64_t draws = 200;
};

/// What every guide compares with.
struct AdviceLaws {
  Law repetition, critical_batch;
  std::vector<Law> rules;  ///< of form training_rule
  std::vector<Law> text;   ///< power laws of text, for its compute optimum
};
[[nodiscard]] AdviceLaws published_advice_laws();

enum class AdviceTopic : std::uint8_t { size, tokens, share, loss, passes, batch, learning_rate };
[[nodiscard]] std::string_view name(AdviceTopic);

struct AdviceRow {
  AdviceTopic topic = AdviceTopic::size;
  std::string of;  ///< a modality; empty: the whole
  std::string rule;
  std::optional<double> value;   ///< nothing: refused, `notes` says why
  std::optional<Interval> band;  ///< 80 %; nothing where its constants have no spread
  Evidence evidence = Evidence::assumed;
  std::string source;
  bool domain_known = true;          ///< whether anybody said what the rule rests on
  std::vector<std::string> outside;  ///< of its domain
  std::vector<std::string> notes;
};

struct Advice {
  double flops = 0;
  std::vector<AdviceRow> rows;
  std::vector<std::string> assumptions;
};
/// What is wrong with a request, or missing from a law that it needs.
void check_advice(const AdviceRequest&, const AdviceLaws&, Problems&);
/// Nothing, with the problems, if the request is wrong or a law lacks a constant.
[[nodiscard]] std::optional<Advice> advise(const AdviceRequest&, const AdviceLaws&, Problems&);

/// A table of the rows, then what lies outside, what was refused and what was assumed.
[[nodiscard]] std::string advice_text(const Advice&);
[[nodiscard]] std::string advice_json(const Advice&);

}  // namespace forerun::models
