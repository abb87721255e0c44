#pragma once

/// The formulas that can be fitted: those of law_forms(), at the inputs of runs.

#include <cstdint>
#include <memory>
#include <vector>

#include "models/loss/fit/model.h"
#include "models/loss/schedule_law.h"

namespace forerun::models {

struct PowerInput {
  double parameters = 0, tokens = 0;
};
/// L = E + A / N^alpha + B / D^beta
[[nodiscard]] std::unique_ptr<Model> power_model(const std::vector<PowerInput>&, std::vector<Term>);

/// What a pair's run measured: the mean over its tokens, or the loss of one of both.
enum class PairLoss : std::uint8_t { mean, first, second };
struct PairInput {
  double parameters = 0, tokens = 0;  ///< tokens of both
  double alone_first = 0,
         alone_second = 0;  ///< what either would be alone, by the law of its modality
  PairLoss loss = PairLoss::mean;
  double share_first = 0.5;  ///< w, of the tokens
};
/// The pair's term T = -C + A / N^alpha + B / D^beta as interaction_law.h has it at any shares: of
/// the mean w L_1 + (1 - w) L_2 + 4 w (1 - w) T, of one modality L_1 + 4 s (1 - w) T for the first
/// by name and L_2 + 4 (1 - s) w T for the second. The split s is unknown if a term speaks of one
/// of them.
[[nodiscard]] std::unique_ptr<Model> pair_model(const std::vector<PairInput>&, std::vector<Term>);

struct ExpertInput {
  double parameters = 0, tokens = 0, experts = 1;
};
/// log10 L = a log10 N + b log10 Eh + c log10 N log10 Eh + d, 1 / Eh = 1 / (E - 1 + 1 / (1 /
/// E_start
/// - 1 / E_max)) + 1 / E_max (Clark et al. 2022, arXiv:2202.01169; tokens do not enter).
[[nodiscard]] std::unique_ptr<Model> routed_model(std::vector<ExpertInput>, std::vector<Term>);
/// L = a Eh^delta N^(alpha + gamma ln Eh) + b Eh^omega D^(beta + zeta ln Eh) + c (Ludziejewski et
/// al. 2025, arXiv:2502.05172), Eh as of the routed law.
[[nodiscard]] std::unique_ptr<Model> joint_moe_model(std::vector<ExpertInput>, std::vector<Term>);

/// A curve's schedule: its nodes, and for each term up to which of them it has come.
struct CurveInput {
  std::vector<ScheduleNode> nodes;
  std::vector<std::size_t> ends;  ///< one past the term's node
};
/// The multi-power law (schedule_law.h); terms follow the curves' ends in order.
[[nodiscard]] std::unique_ptr<Model> multi_power_model(std::vector<CurveInput>, std::vector<Term>);

}  // namespace forerun::models
