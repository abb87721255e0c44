#pragma once

/// The constants that may be fitted on published rows, as constants.json states them, and how the
/// search sees them: in standard deviations z of the prior from the start value.
///
///   ratio       value = start exp(spread z)
///   difference  value = start + spread z
///   overhead    value = start + spread sinh(z): linear near the start, ratios far from it
///
/// each cut to [least, most]. Values are those of the profile's or preset's file: rounded to three
/// digits (or to whole `step`s), so that what is fitted is what is read back.

#include <cstdint>
#include <string>
#include <vector>

#include "core/evidence.h"

namespace forerun::published {

enum class Of : std::uint8_t { accelerator, framework };
enum class Scale : std::uint8_t { ratio, difference, overhead };

/// Where the search starts; `applies_to` is an accelerator, a generation, a framework or "*".
struct Start {
  std::string applies_to;
  double value = 0;
  Evidence evidence = Evidence::assumed;
  std::string source;
};

struct Constant {
  std::string name;
  Of of = Of::accelerator;
  bool whole_generation = false;  ///< a fact of the cores, which a generation's accelerators share
  std::string what, unit;         ///< `unit` as the file writes it after the number, or empty
  Scale scale = Scale::ratio;
  double least = 0, most = 0, spread = 0;
  double step = 0;  ///< of the value, 0: three significant digits
  std::vector<Start> starts;

  [[nodiscard]] double value(double start, double z) const;
  [[nodiscard]] double z(double start, double value) const;
};

struct Relative {
  std::string name, relative, why;
  std::vector<std::string> constants;  ///< that the two have in common; empty: all
};

/// An accelerator or a framework preset: what constants belong to.
struct Subject {
  Of of = Of::accelerator;
  std::string name, generation;  ///< a framework's generation is empty
};

struct Catalogue {
  std::vector<Constant> constants;
  std::vector<Relative> relatives;
  /// The profiles of the generations that published rows are of (others keep what they say), then
  /// all presets, each sorted by name.
  std::vector<Subject> subjects;

  /// The entry for the subject itself, else for its generation, else "*".
  [[nodiscard]] const Start& start(const Constant&, const Subject&) const;
  /// For that constant; empty if there is none.
  [[nodiscard]] std::string relative(const std::string& framework, const Constant&) const;
  [[nodiscard]] const Subject& subject(Of, const std::string& name) const;
};

/// Reads tests/published/fit/constants.json and the names of all profiles and presets. Throws
/// Error.
[[nodiscard]] Catalogue load_catalogue();

}  // namespace forerun::published
