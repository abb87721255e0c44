#include <fmt/format.h>

#include <algorithm>
#include <utility>

#include "core/error.h"
#include "models/mixture/mixture.h"

namespace forerun::models {
namespace {

/// The part of a kind's tokens that are the modality's.
double part(const DocumentKind& kind, std::size_t modality) {
  double all = 0, mine = 0;
  for (const SpanSpec& span : kind.spans) {
    all += span.mean_tokens();
    if (span.index == modality) mine += span.mean_tokens();
  }
  return mine / all;
}

/// The shares of the kinds in `group` alone, as they are to one another; equal where all are 0.
std::vector<double> alone(const Mixture& m, const std::vector<bool>& group) {
  double sum = 0, members = 0;
  for (std::size_t k = 0; k < group.size(); ++k) {
    if (!group[k]) continue;
    sum += m.kinds[k].share;
    members += 1;
  }
  std::vector<double> shares;
  for (std::size_t k = 0; k < group.size(); ++k) {
    const double in_group = sum > 0 ? m.kinds[k].share / sum : 1 / members;
    shares.push_back(group[k] ? in_group : 0);
  }
  return shares;
}

}  // namespace

Mixture with_share(Mixture m, std::string_view modality, double share) {
  if (m.recording) {
    throw Error(ExitCode::wrong,
                fmt::format("the recording {} has the shares that it has", m.recording->name),
                "a mixture of kinds of document can have others");
  }
  const auto at = std::ranges::find(m.modalities, modality);
  if (at == m.modalities.end()) {
    throw Error(ExitCode::wrong,
                fmt::format("no document of the mixture has tokens of {}", modality),
                did_you_mean(modality, m.modalities,
                             fmt::format("it has {}", fmt::join(m.modalities, ", "))));
  }
  const auto index = static_cast<std::size_t>(at - m.modalities.begin());
  const double now = mean_shares(m)[index];
  const bool more = share > now;
  std::vector<double> parts;
  for (const DocumentKind& kind : m.kinds) parts.push_back(part(kind, index));
  const double end = more ? *std::ranges::max_element(parts) : *std::ranges::min_element(parts);
  if (!(share >= 0 && share <= 1) || (more ? share > end : share < end)) {
    throw Error(ExitCode::wrong,
                fmt::format("no shares of the kinds of document make {} of the tokens {}'s", share,
                            modality),
                fmt::format("they make {} to {}", *std::ranges::min_element(parts),
                            *std::ranges::max_element(parts)));
  }
  if (share == now) return m;
  std::vector<bool> group;
  for (const double p : parts) group.push_back(p == end);
  const std::vector<double> ends = alone(m, group);
  const double t = (share - now) / (end - now);
  for (std::size_t k = 0; k < m.kinds.size(); ++k) {
    m.kinds[k].share = (1 - t) * m.kinds[k].share + t * ends[k];
  }
  return m;
}

}  // namespace forerun::models
