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

constexpr std::array kRepetition = {
    LawConstant{"E", Of::law, 0, 100},           LawConstant{"A", Of::law, 0, 1e12},
    LawConstant{"alpha", Of::law, 0, 2},         LawConstant{"B", Of::law, 0, 1e12},
    LawConstant{"beta", Of::law, 0, 2},          LawConstant{"R_star_D", Of::law, 1e-3, 1e4},
    LawConstant{"R_star_N", Of::law, 1e-3, 1e4}, LawConstant{"scatter", Of::law, 0, 1, true}};

constexpr std::array kFineGrained = {
    LawConstant{"a", Of::law, 0, 1e6},         LawConstant{"alpha", Of::law, 0, 2},
    LawConstant{"b", Of::law, 0, 1e6},         LawConstant{"beta", Of::law, 0, 2},
    LawConstant{"g", Of::law, 0, 1e6},         LawConstant{"gamma", Of::law, 0, 5},
    LawConstant{"c", Of::law, 0, 100},         LawConstant{"dense_a", Of::law, 0, 1e6},
    LawConstant{"dense_alpha", Of::law, 0, 2}, LawConstant{"dense_b", Of::law, 0, 1e6},
    LawConstant{"dense_beta", Of::law, 0, 2},  LawConstant{"dense_c", Of::law, 0, 100}};

constexpr std::array kSparsity = {
    LawConstant{"a", Of::law, 0, 1e9},   LawConstant{"alpha", Of::law, 0, 2},
    LawConstant{"b", Of::law, 0, 1e9},   LawConstant{"beta", Of::law, 0, 2},
    LawConstant{"c", Of::law, 0, 100},   LawConstant{"lambda", Of::law, -2, 2},
    LawConstant{"d", Of::law, 0, 1e6},   LawConstant{"delta", Of::law, -2, 2},
    LawConstant{"gamma", Of::law, 0, 2}, LawConstant{"e", Of::law, 0, 100}};

constexpr std::array kFrontier = {
    LawConstant{"K", Of::modality, 0, 1e6},  LawConstant{"c", Of::modality, -1, 0},
    LawConstant{"a", Of::modality, 0, 2},    LawConstant{"b", Of::modality, 0, 2},
    LawConstant{"d", Of::modality, 0, 5},    LawConstant{"E", Of::modality, 0, 100},
    LawConstant{"A", Of::modality, 0, 1e12}, LawConstant{"alpha", Of::modality, 0, 2},
    LawConstant{"B", Of::modality, 0, 1e12}, LawConstant{"beta", Of::modality, 0, 2}};

constexpr std::array kCriticalBatch = {LawConstant{"B_star", Of::law, 1, 1e15},
                                       LawConstant{"alpha_B", Of::law, 1e-3, 10}};

constexpr std::array kTrainingRule = {
    LawConstant{"eta_K", Of::law, 0, 1e9},         LawConstant{"eta_N", Of::law, -2, 2, true},
    LawConstant{"eta_D", Of::law, -2, 2, true},    LawConstant{"eta_C", Of::law, -2, 2, true},
    LawConstant{"eta_E", Of::law, -2, 2, true},    LawConstant{"eta_ln_N", Of::law, -1, 1, true},
    LawConstant{"batch_K", Of::law, 0, 1e9, true}, LawConstant{"batch_N", Of::law, -2, 2, true},
    LawConstant{"batch_D", Of::law, -2, 2, true},  LawConstant{"batch_C", Of::law, -2, 2, true}};

constexpr std::array kAscent = {LawConstant{"slope", Of::law, 0, 100},
                                LawConstant{"N_c", Of::law, 1e6, 1e15},
                                LawConstant{"plateau", Of::law, 1, 1e9}};

constexpr std::array kForms = {
    LawForm{"coordinate_ascent", "flat_i = slope sum_j 2 w_j max(0, (N_c / N)^alpha_ij - 1)",
            kAscent},
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
            kMultiPower},
    LawForm{"repetition", "L = E + A / N'^alpha + B / D'^beta, D' = U (1 + R* (1 - exp(-R / R*)))",
            kRepetition},
    LawForm{"fine_grained", "L = c + (g / G^gamma + a) / N^alpha + b / D^beta", kFineGrained},
    LawForm{"sparsity",
            "L = a / N^alpha + b / D^beta + c / (1 - S)^lambda + d / ((1 - S)^delta N^gamma) + e",
            kSparsity},
    LawForm{"frontier", "L = K C^c, N ~ C^a, D ~ C^b, D ~ N^d", kFrontier},
    LawForm{"critical_batch", "B_crit = B_star / L^(1 / alpha_B) tokens", kCriticalBatch},
    LawForm{"training_rule",
            "eta = eta_K N^eta_N D^eta_D C^eta_C E^eta_E + eta_ln_N ln N, batch alike",
            kTrainingRule}};

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
