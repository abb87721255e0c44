#pragma once

/// Many questions that differ from one in stated ways: a base scenario, and designs of points that
/// set some of its values.
///
///   {
///     "schema": 1,
///     "name": "what_a_network_is_worth",
///     "description": "...",
///     "base": "mot_7b_256_a100",             a scenario's name, its file, or the object itself
///     "designs": [...],                      sim/sweep/design.h, sim/sweep/axis.h
///     "seed": 1,                             of the designs and of every point's scenario; without
///                                            it the base's
///     "seeds": "same",                       or "independent": a seed of its own for each point
///     "answer": {"run_draws": 200, "loss_draws": 200}
///   }
///
/// Points are numbered from 0 through the designs in their order. With the same seed for all, two
/// points meet the same failures as far as their machines are alike, so their difference is seen
/// with fewer draws (common random numbers). An axis may be "seed" itself.

#include <array>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "core/problem.h"
#include "core/reader.h"
#include "sim/sweep/design.h"

namespace forerun::sim {

enum class SeedKind : std::uint8_t { same, independent };
inline constexpr std::array kSeedKinds = {Choice<SeedKind>{"same", SeedKind::same},
                                          Choice<SeedKind>{"independent", SeedKind::independent}};

struct Sweep {
  std::string name, description;
  std::string text;       ///< of the file
  std::string base_name;  ///< as the file names it; "inline" where it holds it
  std::string base;       ///< the scenario's text
  std::vector<Design> designs;
  std::uint64_t seed = 1;
  SeedKind seeds = SeedKind::same;
  std::int64_t run_draws = 200, loss_draws = 200;
  /// Objects that the base lacks and that axes reach into ("/operations"), outer ones first.
  std::vector<std::string> made;
  /// Paths that are set anywhere, in the order of the designs and axes.
  std::vector<std::string> paths;
  std::uint64_t hash = 0;  ///< of file, base, and files of the asker's own (own_files.h)

  [[nodiscard]] std::int64_t points() const;
  [[nodiscard]] const Design& design_of(std::int64_t point) const;
  [[nodiscard]] std::vector<Setting> settings(std::int64_t point) const;
  /// Of the point's scenario, unless an axis sets it.
  [[nodiscard]] std::uint64_t seed_of(std::int64_t point) const;
};

/// Reads a sweep whole and checks every path and value of its axes against the format of scenarios
/// (sim/sweep/check_paths.h). Throws Error if the base's file can't be read.
[[nodiscard]] std::optional<Sweep> read_sweep(const std::string& text, Problems&);

/// The base with these settings; problems where a place can't be set.
[[nodiscard]] JsonDocument point_document(const Sweep&, const std::vector<Setting>&, Problems&);

/// {"plan.tensor": 8, ...}: the settings as JSON.
[[nodiscard]] std::string settings_json(const std::vector<Setting>&);

}  // namespace forerun::sim
