#include <fmt/format.h>

#include <algorithm>
#include <array>

#include "core/error.h"
#include "models/loss/law.h"

namespace forerun::models {
namespace {

using Of = LawConstant::Of;

constexpr std::array kPower = {
    LawConstant{"E", Of::law, 0, 100},   LawConstant{"A", Of::law, 0, 1e12},
    LawConstant{"alpha", Of::law, 0, 2}, LawConstant{"B", Of::law, 0, 1e12},
    LawConstant{"beta", Of::law, 0, 2},  LawConstant{"scatter", Of::law, 0, 1, true}};

constexpr std::array kInteraction = {
    LawConstant{"E", Of::modality, 0, 100},     LawConstant{"A", Of::modality, 0, 1e12},
    LawConstant{"alpha", Of::modality, 0, 2},   LawConstant{"B", Of::modality, 0, 1e12},
    LawConstant{"beta", Of::modality, 0, 2},    LawConstant{"C", Of::pair, 0, 100},
    LawConstant{"A", Of::pair, 0, 1e12},        LawConstant{"alpha", Of::pair, 0, 2},
    LawConstant{"B", Of::pair, 0, 1e12},        LawConstant{"beta", Of::pair, 0, 2},
    LawConstant{"split", Of::pair, 0, 1, true}, LawConstant{"scatter", Of::law, 0, 1, true}};

constexpr std::array kJointMoe = {
    LawConstant{"a", Of::law, 0, 1e12},      LawConstant{"alpha", Of::law, -2, 0},
    LawConstant{"delta", Of::law, -5, 5},    LawConstant{"gamma", Of::law, -1, 1},
    LawConstant{"b", Of::law, 0, 1e12},      LawConstant{"beta", Of::law, -2, 0},
    LawConstant{"omega", Of::law, -5, 5},    LawConstant{"zeta", Of::law, -1, 1},
    LawConstant{"E_start", Of::law, 1, 1e4}, LawConstant{"E_max", Of::law, 1, 1e6},
    LawConstant{"c", Of::law, 0, 100},       LawConstant{"scatter", Of::law, 0, 1, true}};

constexpr std::array kRouted = {
    LawConstant{"a", Of::law, -2, 0},           LawConstant{"b", Of::law, -2, 2},
    LawConstant{"c", Of::law, -1, 1},           LawConstant{"d", Of::law, -10, 10},
    LawConstant{"E_start", Of::law, 1, 1e4},    LawConstant{"E_max", Of::law, 1, 1e6},
    LawConstant{"scatter", Of::law, 0, 1, true}};

constexpr std::array kMultiPower = {
    LawConstant{"L0", Of::law, 0, 100},  LawConstant{"A", Of::law, 0, 1e6},
    LawConstant{"alpha", Of::law, 0, 3}, LawConstant{"B", Of::law, 0, 1e7},
    LawConstant{"C", Of::law, 0, 1e6},   LawConstant{"beta", Of::law, 0, 5},
    LawConstant{"gamma", Of::law, 0, 2}, LawConstant{"scatter", Of::law, 0, 1, true}};

constexpr std::array kStepMatching = {
    LawConstant{"kappa", Of::law, 0, 10},           LawConstant{"mu", Of::law, -2, 2},
    LawConstant{"lambda", Of::law, 0, 10},          LawConstant{"mu_experts", Of::law, -2, 2},
    LawConstant{"embedding_weight", Of::law, 0, 1}, LawConstant{"validation", Of::law, 0, 2}};

constexpr std::array kForms = {
    LawForm{"step_matching", "ln(1/f) = kappa u (D / 1000 N)^mu ln(1/w) + lambda ...",
            kStepMatching},
    LawForm{"power", "L = E + A / N^alpha + B / D^beta", kPower},
    LawForm{"interaction",
            "L = [L_i + L_j] / 2 - C_ij + A_ij / N^alpha_ij + B_ij / (D_i + D_j)^beta_ij",
            kInteraction},
    LawForm{"joint_moe",
            "L = a Eh^delta N^(alpha + gamma ln Eh) + b Eh^omega D^(beta + zeta ln Eh) + c",
            kJointMoe},
    LawForm{"routed", "log10 L = a log10 N + b log10 Eh + c log10 N log10 Eh + d", kRouted},
    LawForm{"multi_power",
            "L(t) = L0 + A S1(t)^-alpha - B sum_k (eta_k-1 - eta_k) G(eta_k^-gamma S_k(t))",
            kMultiPower}};

}  // namespace

std::span<const LawForm> law_forms() { return kForms; }

const LawForm& law_form(std::string_view name) {
  const auto* const it = std::ranges::find(kForms, name, &LawForm::name);
  FORERUN_ASSERT(it != kForms.end(), fmt::format("no law form {}", name));
  return *it;
}

std::string pair_name(std::string_view a, std::string_view b) {
  return a < b ? fmt::format("{}|{}", a, b) : fmt::format("{}|{}", b, a);
}

}  // namespace forerun::models
