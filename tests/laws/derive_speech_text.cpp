/// Makes models/laws/speech_text_demo.json, a demonstration law of speech and text from what could
/// be found of Aghajanyan et al. 2023 (arXiv:2301.03728) in public text: the exponents of each
/// modality, the law's perplexity ratios at three sizes drawn in figure 5, and nothing of the
/// pair's own constants.
///
///   derive_speech_text [--write]
///
/// Ratios, read as exp(loss of the pair - mean loss of the two alone) at 45,000 updates of 1M
/// tokens, give alpha_ij, A_ij and C_ij - B_ij / D^beta_ij: three equations, three unknowns. How
/// far the reading may be off is taken from how far the figure's observed ratios lie from the law's
/// own (standard deviation of their logarithms, 0.036). How tokens trade for parameters the figure
/// does not say: beta_ij is assumed, and that the barrier's cheapest point has the figure's 45B
/// tokens, or up to three times more or fewer. The paper's own statement of that point, 28.35B
/// parameters and 45.12B tokens, is NOT used: the law's own is printed beside it. E, A and B of the
/// two modalities are assumed, round, of the size that losses of such tokens have.

#include <fmt/format.h>

#include <array>
#include <cmath>
#include <cstdio>
#include <optional>
#include <string_view>
#include <vector>

#include "core/error.h"
#include "core/file.h"
#include "core/random.h"
#include "core/statistics.h"
#include "models/loss/interaction_law.h"

namespace {

using namespace forerun;
using models::PairTerm;

constexpr std::array<double, 3> kSizes = {350e6, 2.7e9, 30e9};
constexpr std::array<double, 3> kLaw = {1.6797, 1.2399, 0.9599};
constexpr double kReading = 0.036;
constexpr double kTokens = 45e9, kStatedTokens = 45.12e9, kStatedParameters = 28.35e9;
constexpr double kTokensFactor = 3;
constexpr double kBeta = 0.24, kBetaLeast = 0.12, kBetaMost = 0.48;
constexpr int kDraws = 256;

/// The pair term with those logarithms of ratios at kTokens and the cheapest point of its barrier
/// at `cheapest` tokens, or nothing if none has them.
std::optional<PairTerm> solve(const std::array<double, 3>& log_ratio, double beta,
                              double cheapest) {
  // (r1 - r2) / (r2 - r3) = (N1^-a - N2^-a) / (N2^-a - N3^-a), which rises with a.
  const double wanted = (log_ratio[0] - log_ratio[1]) / (log_ratio[1] - log_ratio[2]);
  const auto term = [](std::size_t i, double a) { return std::pow(kSizes[i], -a); };
  double low = 1e-4, high = 1.5;
  const auto ratio = [&](double a) {
    return (term(0, a) - term(1, a)) / (term(1, a) - term(2, a));
  };
  if (!(log_ratio[0] > log_ratio[1] && log_ratio[1] > log_ratio[2]) || wanted < ratio(low) ||
      wanted > ratio(high)) {
    return std::nullopt;
  }
  for (int i = 0; i < 200; ++i) {
    const double middle = 0.5 * (low + high);
    (ratio(middle) < wanted ? low : high) = middle;
  }
  PairTerm p;
  p.alpha = low;
  p.a = (log_ratio[0] - log_ratio[2]) / (term(0, low) - term(2, low));
  const double net = p.a * term(2, low) - log_ratio[2];  // C - B / D^beta at kTokens
  if (net <= 0) return std::nullopt;
  // At the cheapest point terms are X of parameters and Y of tokens, alpha X = beta Y, X + Y = C,
  // and at kTokens C is net + Y (cheapest / kTokens)^beta.
  const double left = beta / p.alpha + 1.0 - std::pow(cheapest / kTokens, beta);
  if (left <= 0) return std::nullopt;
  p.beta = beta;
  p.b = net / left * std::pow(cheapest, beta);
  p.synergy = net + p.b / std::pow(kTokens, beta);
  return p;
}

models::Constant assumed(double value, double low, double high, const char* source) {
  return {value, Evidence::assumed, source, models::Spread::range, low, high};
}
models::Constant derived(double value, std::vector<double> column) {
  return {value,
          Evidence::derived,
          "tests/laws/derive_speech_text: from the law's ratios in figure 5 of Aghajanyan et al. "
          "2023, arXiv:2301.03728 (digitised)",
          models::Spread::interval_90,
          quantile(column, 0.05),
          quantile(column, 0.95)};
}

models::Law law_of(const PairTerm& centre, const std::vector<std::vector<double>>& draws) {
  models::Law law;
  law.name = "speech_text_demo";
  law.form = "interaction";
  law.what =
      "DEMONSTRATION: speech and text by what could be found of the interaction-law paper; orders "
      "of "
      "magnitude, for trying forerun out and not for plans";
  const char* const size =
      "round numbers of the size that losses of such tokens have; none of the "
      "paper's E, A and B was found";
  const auto published = [](double v) {
    return models::Constant{v,
                            Evidence::published,
                            "Aghajanyan et al. 2023, arXiv:2301.03728, table 1 (read in a "
                            "transcription)",
                            models::Spread::none,
                            0,
                            0};
  };
  law.constants["speech.E"] = assumed(1.2, 0.8, 1.6, size);
  law.constants["speech.A"] = assumed(110, 55, 220, size);
  law.constants["speech.B"] = assumed(110, 55, 220, size);
  law.constants["speech.alpha"] = published(0.31);
  law.constants["speech.beta"] = published(0.24);
  law.constants["text.E"] = assumed(1.4, 1.1, 1.7, size);
  law.constants["text.A"] = assumed(20, 10, 40, size);
  law.constants["text.B"] = assumed(80, 40, 160, size);
  law.constants["text.alpha"] = published(0.18);
  law.constants["text.beta"] = published(0.22);
  const std::vector<std::string> names = {"speech|text.C", "speech|text.A", "speech|text.alpha",
                                          "speech|text.B", "speech|text.beta"};
  const std::array<double, 5> values = {centre.synergy, centre.a, centre.alpha, centre.b,
                                        centre.beta};
  for (std::size_t i = 0; i < names.size(); ++i) {
    std::vector<double> column;
    for (const auto& row : draws) column.push_back(row[i]);
    law.constants[names[i]] = derived(values[i], column);
  }
  law.constants["speech|text.beta"] = assumed(
      kBeta, kBetaLeast, kBetaMost, "as the paper's exponents of tokens are, doubled and halved");
  law.joints.push_back(
      {names, draws,
       "ratios read 3.6 % off (standard deviation); beta_ij from 0.12 to 0.48 and the tokens of "
       "the barrier's cheapest point from 15B to 135B, even in the logarithm"});
  law.domain["parameters"] = {8e6, 30e9};
  law.domain["tokens"] = {5e9, 100e9};
  law.domain_source = "Aghajanyan et al. 2023, arXiv:2301.03728: sizes and tokens of its runs";
  law.caveats = {
      "a demonstration: the pair's constants come from three ratios in a figure, and each "
      "modality's "
      "own E, A and B are assumed",
      "the paper states 28.35B parameters and 45.12B tokens as the compute-optimal point on the "
      "barrier; the figure's ratios put the barrier at 19B for as many tokens: they contradict "
      "each "
      "other, and the bands hold both"};
  return law;
}

}  // namespace

int main(int argc, char** argv) {
  const bool write = argc > 1 && std::string_view(argv[1]) == "--write";
  try {
    std::array<double, 3> centre{};
    for (std::size_t i = 0; i < 3; ++i) centre[i] = std::log(kLaw[i]);
    const std::optional<PairTerm> p = solve(centre, kBeta, kTokens);
    FORERUN_ASSERT(p, "the figure's own ratios have a law");
    std::vector<std::vector<double>> draws;
    std::vector<double> barrier, parameters, tokens;
    const Stream stream(1, "speech text demo");
    for (std::uint64_t draw = 0; draws.size() < kDraws; ++draw) {
      std::array<double, 3> r{};
      for (std::size_t i = 0; i < 3; ++i) r[i] = centre[i] + kReading * stream.normal(5 * draw + i);
      const double beta =
          kBetaLeast * std::pow(kBetaMost / kBetaLeast, stream.uniform(5 * draw + 3));
      const double at = kTokens * std::pow(kTokensFactor, 2 * stream.uniform(5 * draw + 4) - 1);
      const std::optional<PairTerm> d = solve(r, beta, at);
      // Beyond the form's limits: two of three ratios almost alike, and no slope to speak of.
      if (!d || d->a > 1e6 || d->synergy > 100) continue;
      draws.push_back({d->synergy, d->a, d->alpha, d->b, d->beta});
      barrier.push_back(models::barrier_parameters(*d, kStatedTokens).value_or(1e15));
      const auto cheapest = models::cheapest_barrier(*d).value();
      parameters.push_back(cheapest.parameters);
      tokens.push_back(cheapest.tokens);
    }
    const auto cheapest = models::cheapest_barrier(*p).value();
    fmt::print("alpha {:.3f}  A {:.1f}  C {:.3f}  B {:.1f}  beta {:.2f}\n", p->alpha, p->a,
               p->synergy, p->b, p->beta);
    fmt::print(
        "barrier at {:.2f}B tokens: {:.1f}B parameters, 90 % {:.1f}B to {:.1f}B; stated "
        "{:.2f}B\n",
        kStatedTokens / 1e9, models::barrier_parameters(*p, kStatedTokens).value() / 1e9,
        quantile(barrier, 0.05) / 1e9, quantile(barrier, 0.95) / 1e9, kStatedParameters / 1e9);
    fmt::print(
        "cheapest point of the barrier: {:.1f}B parameters (90 % {:.1f}B to {:.1f}B), {:.1f}B "
        "tokens (90 % {:.1f}B to {:.1f}B)\n",
        cheapest.parameters / 1e9, quantile(parameters, 0.05) / 1e9,
        quantile(parameters, 0.95) / 1e9, cheapest.tokens / 1e9, quantile(tokens, 0.05) / 1e9,
        quantile(tokens, 0.95) / 1e9);
    if (write) {
      write_file(data_path("models/laws") + "/speech_text_demo.json",
                 models::law_json(law_of(*p, draws)));
    }
  } catch (const Error& e) {
    fmt::print(stderr, "error: {}\n", e.what());
    return 1;
  }
  return 0;
}
