#pragma once

/// What a scenario says of its losses: its "loss", beside its "recipe" (models/recipe.h).
/// Everything may be left out; a mixture of several modalities then has no law, and its losses are
/// not known.
///
///   "loss": {
///     "law": "speech_text_demo",             one of models/laws, or the path of a file
///     "assume": {"text.E": {"value": 1.5, "range": [1.2, 1.8], "source": "why"}},
///     "schedule": "schedule_luo_100m",       how learning rates move the loss along the run
///     "unique_tokens": {"text": 1.8e11},     beyond, a modality's data repeat
///     "stages": [{"from_tokens": 0, "shares": {"image": 0.5, "text": 0.5}},
///                {"from_tokens": 3.5e12, "mixture": "chameleon"}]
///   }

#include <map>
#include <string>
#include <vector>

#include "core/problem.h"
#include "core/reader.h"
#include "models/loss/law.h"

namespace forerun::sim {

/// Tokens of a run, at most.
inline constexpr double kMostTokens = 1e18;

struct LossStage {
  double from_tokens = 0;
  std::map<std::string, double> shares;  ///< by the law's modalities; they sum to 1
  bool operator==(const LossStage&) const = default;
};

struct LossSection {
  std::string law;                    ///< empty: the default
  std::optional<models::Law> stated;  ///< that law with what is assumed; none: the default
  std::vector<std::string> assumed;   ///< names of constants that the scenario assumes
  std::string schedule = "schedule_luo_100m";
  std::map<std::string, double> unique_tokens;
  std::vector<LossStage> stages;  ///< empty: the scenario's mixture throughout
  [[nodiscard]] bool empty() const { return *this == LossSection{}; }
  bool operator==(const LossSection&) const = default;
};

[[nodiscard]] LossSection read_loss_section(Reader&);
/// The text that read_loss_section reads back as the same.
[[nodiscard]] std::string loss_section_json(const LossSection&);

}  // namespace forerun::sim
