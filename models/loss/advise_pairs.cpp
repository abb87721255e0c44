#include <algorithm>

#include "models/loss/advise.h"
#include "models/loss/interaction_law.h"

namespace forerun::models {
namespace {

/// `law` has its modalities in an order of its own: `place` says where each of the guide's is.
std::vector<double> losses_of(const InteractionLaw& law, const std::vector<std::size_t>& place,
                              double parameters, std::span<const double> shares,
                              std::span<const double> tokens) {
  std::vector<double> w(place.size()), d(place.size()), out(place.size());
  for (std::size_t i = 0; i < place.size(); ++i) {
    w[place[i]] = shares[i];
    d[place[i]] = tokens[i];
  }
  const MixtureLoss at = final_loss(law, parameters, w, d);
  for (std::size_t i = 0; i < place.size(); ++i) out[i] = at.modalities[place[i]].loss;
  return out;
}

}  // namespace

std::optional<PairModel> pair_model(const Law& law, const std::vector<std::string>& modalities,
                                    std::uint64_t seed, Problems& problems) {
  const std::size_t before = problems.list().size();
  const InteractionLaw central = interaction_law(law, central_values(law), modalities, problems);
  if (problems.list().size() != before) return std::nullopt;
  std::vector<std::size_t> place;
  for (const std::string& m : modalities) {
    const auto it = std::ranges::find(central.modalities, m);
    place.push_back(static_cast<std::size_t>(it - central.modalities.begin()));
  }
  PairModel out;
  out.name = law.name;
  out.evidence = law.weakest_evidence();
  if (modalities.size() > 1) {
    out.source = law.constants.at(pair_name(modalities[0], modalities[1]) + ".C").source;
  }
  out.at = [law, modalities, place, seed](std::optional<std::uint64_t> draw) -> ModalityLosses {
    Problems none;
    const ConstantValues values = draw ? drawn_values(law, seed, *draw) : central_values(law);
    return [terms = interaction_law(law, values, modalities, none), place](
               double parameters, std::span<const double> shares, std::span<const double> tokens) {
      return losses_of(terms, place, parameters, shares, tokens);
    };
  };
  return out;
}

}  // namespace forerun::models
