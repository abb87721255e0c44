#pragma once

/// What `forerun list` shows of one kind of thing.

#include <string>
#include <utility>
#include <vector>

#include "core/table.h"

namespace forerun::cli {

/// As a table for people and as rows for programs.
struct Listing {
  std::string title;
  std::vector<std::pair<std::string, Table::Align>> columns;
  std::vector<std::vector<std::string>> rows;
  bool grouped = false;  ///< people read the first column where it changes only
};

[[nodiscard]] Listing list_profiles();  ///< of accelerators
[[nodiscard]] Listing list_networks();
[[nodiscard]] Listing list_topologies();
/// Offers and machines for sale, a row for each price; those of which none is known have none.
[[nodiscard]] Listing list_clouds();
/// Places and operators: electricity, carbon, PUE.
[[nodiscard]] Listing list_sites();
/// Causes of failure, a row for each; and what slows fleets of jobs.
[[nodiscard]] Listing list_reliability();
[[nodiscard]] Listing list_stragglers();

}  // namespace forerun::cli
