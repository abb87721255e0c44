#pragma once

/// How unevenly tokens choose experts: the share of each expert in each layer of each micro-batch
/// of an expert-parallel group.
///
///   balanced   every expert as many (what benchmarks force, and what good balancing nears)
///   power_law  shares proportional to r^-exponent, r = 1, 2 ... in an order drawn anew for every
///              layer, micro-batch and group
///   dirichlet  drawn from a symmetric Dirichlet distribution of that concentration, likewise anew;
///              the coefficient of variation of a share is close to 1 / sqrt(concentration)
///   given      the same shares everywhere, as measured; experts in order, equally many a rank
///
/// A group's exchange and its products wait for the rank with the most rows, so a layer of it takes
/// as long as that rank does: `worst` below. A capacity cuts each expert at capacity_factor times
/// the fair share; what is beyond is dropped.
///
/// Not modelled: experts that stay popular over micro-batches (but `given`), and how balancing
/// losses change loads during training.

#include <cstdint>
#include <vector>

#include "core/reader.h"

namespace forerun::sim {

enum class LoadKind : std::uint8_t { balanced, power_law, dirichlet, given };

struct ExpertLoads {
  LoadKind kind = LoadKind::balanced;
  double exponent = 0, concentration = 0;
  std::vector<double> shares;  ///< given: of each expert; they sum to 1
  bool operator==(const ExpertLoads&) const = default;
};

/// {"kind": "power_law", "exponent": 1.2} ...; calls finish() on the reader.
[[nodiscard]] ExpertLoads read_expert_loads(Reader&);
[[nodiscard]] std::string expert_loads_json(const ExpertLoads&);

struct GroupLoad {
  double worst = 1;    ///< rows of the most loaded of the group's ranks over the fair share
  double busiest = 1;  ///< of the most loaded expert over an expert's fair share
  double dropped = 0;  ///< share of the copies that a capacity drops
};

/// The load of `experts` experts over `ranks` ranks, in one layer of one micro-batch of one group.
/// `capacity_factor` 0: dropless. A pure function of its arguments; `layer`, `micro_batch` and
/// `group` only tell draws apart.
[[nodiscard]] GroupLoad group_load(const ExpertLoads&, std::int64_t experts, std::int64_t ranks,
                                   double capacity_factor, std::uint64_t seed, std::int64_t group,
                                   std::int64_t micro_batch, std::int64_t layer);

}  // namespace forerun::sim
