#include "sim/scenario_modalities.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <numeric>

#include "models/layers.h"

namespace forerun::sim {
namespace {

/// Documents to draw from, or a recording of the plan's micro-batches.
models::Mixture read_mixture_choice(Reader& at, const Scenario& s) {
  if (!at.has("recording")) return models::read_mixture(at);
  std::vector<std::string> modalities = models::modalities_of(s.model);
  if (modalities.empty()) modalities = models::modality_names();
  return models::read_recorded_mixture(at, s.plan.sequence, s.plan.micro_batch, modalities);
}

/// Read for this plan, a recording fits; the plan may have been changed since.
void check_recording(const Scenario& s, Problems& problems) {
  if (!s.mixture || !s.mixture->recording) return;
  const models::Composition& c = s.mixture->recording->compositions.front();
  const std::int64_t recorded =
      std::accumulate(c.tokens.begin(), c.tokens.end(), std::int64_t{0}) + c.padding;
  if (recorded == s.plan.micro_batch * s.plan.sequence) return;
  problems.add("/mixture/recording", fmt::format("of micro-batches of {} tokens, but the plan's "
                                                 "are of {} x {}",
                                                 recorded, s.plan.micro_batch, s.plan.sequence));
}

}  // namespace

void read_modalities(Reader& top, Scenario& s) {
  if (top.has("modality_shares")) {
    Reader shares = top.object("modality_shares");
    for (const std::string& name : shares.keys()) {
      s.modality_shares.push_back({name, shares.number(name, 0, 1)});
    }
  }
  if (top.has("mixture")) {
    Reader mixture = top.object("mixture");
    s.mixture = read_mixture_choice(mixture, s);
  }
  if (top.has("mean_compositions")) s.mean_compositions = top.boolean("mean_compositions");
}

namespace {

/// `known`: modalities that the model tells apart; if it tells none, shares are for reports and
/// name any.
void check_shares(const Scenario& s, const std::vector<std::string>& known, Problems& problems) {
  if (s.modality_shares.empty()) return;
  const std::vector<std::string> all = known.empty() ? models::modality_names() : known;
  double sum = 0;
  for (const ModalityShare& m : s.modality_shares) {
    sum += m.share;
    if (std::find(all.begin(), all.end(), m.modality) != all.end()) continue;
    const std::string near = did_you_mean(m.modality, all, "");
    problems.add(fmt::format("/modality_shares/{}", m.modality),
                 fmt::format("{} {}{}{}",
                             known.empty() ? "there is no such modality; there are"
                                           : "the model has no weights for it; it has for",
                             fmt::join(all, ", "), near.empty() ? "" : ": ", near));
  }
  if (std::abs(sum - 1) > 1e-9) {
    problems.add("/modality_shares", fmt::format("sum to {:.9g}, not to 1", sum));
  }
}

}  // namespace

void check_modalities(const Scenario& s, Problems& problems) {
  const std::vector<std::string> known = models::modalities_of(s.model);
  if (s.mixture && !s.modality_shares.empty()) {
    problems.add("/modality_shares", "given, and so is mixture: a scenario has one of them");
  }
  if (s.mean_compositions && !s.mixture) {
    problems.add("/mean_compositions", "given, but there is no mixture to take the mean of");
  }
  check_recording(s, problems);
  check_shares(s, known, problems);
  if (known.empty()) return;
  if (s.mixture) {
    for (const std::string& name : s.mixture->modalities) {
      if (std::find(known.begin(), known.end(), name) != known.end()) continue;
      problems.add("/mixture", fmt::format("the model has no weights for {}; it has for {} (a "
                                           "span says `as` which its tokens are)",
                                           name, fmt::join(known, ", ")));
    }
    return;
  }
  if (s.modality_shares.empty()) {
    problems.add("/modality_shares",
                 fmt::format("missing, and so is mixture: the model has weights of its own for {}",
                             fmt::join(known, ", ")));
    return;
  }
}

void assume_recorded(Scenario& s) {
  if (!s.mixture || !s.mixture->recording) return;
  const models::Recording& recording = *s.mixture->recording;
  if (recording.evidence == Evidence::assumed) {
    s.assumptions.push_back(
        fmt::format("the recorded micro-batches, {}: {}", recording.name, recording.source));
  }
  const std::int64_t of_step = s.plan.data * s.plan.micro_batches();
  if (std::ssize(recording.compositions) < of_step) {
    s.assumptions.push_back(fmt::format(
        "the {} recorded micro-batches of {} are dealt again and again to the step's {}",
        recording.compositions.size(), recording.name, of_step));
  }
}

}  // namespace forerun::sim
