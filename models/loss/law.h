#pragma once

/// A law's constants as data: models/laws/NAME.json, or what `forerun fit` writes. Every constant
/// has a value, its evidence, its source and, where it is known, how far it may be off; constants
/// that were fitted together may have joint draws (a bootstrap's), which keep their correlation.
/// A constant that nobody published is absent, with the reason under "missing": whoever needs it is
/// refused by name, and may fit it or assume it.
///
/// What the constants mean says the law's form: "power" (power_law.h), "interaction"
/// (interaction_law.h), and so on; kLawForms has the names and limits of each form's constants.
/// Constants of one modality are "text.E", of a pair "speech|text.C" (names in alphabetical order).

#include <array>
#include <cstdint>
#include <map>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "core/evidence.h"
#include "core/problem.h"
#include "core/random.h"
#include "core/reader.h"

namespace forerun::models {

/// How far a constant may be off. Draws are normal with that standard deviation; of an interval,
/// log-normal where it is all positive, else normal, its middle and width those of the interval;
/// of a range (of an assumption) uniform, in the logarithm where its ends are a factor of three
/// apart or more and both positive.
enum class Spread : std::uint8_t { none, standard_error, interval_90, interval_95, range };

struct Constant {
  double value = 0;
  Evidence evidence = Evidence::assumed;
  std::string source;
  Spread spread = Spread::none;
  double low = 0, high = 0;  ///< ends of the interval or range; the standard error in both
  bool operator==(const Constant&) const = default;
};

/// One set of values of a law's constants, by name.
using ConstantValues = std::map<std::string, double, std::less<>>;

struct Law {
  std::string name, form, what;
  std::map<std::string, Constant, std::less<>> constants;
  std::map<std::string, std::string, std::less<>> missing;  ///< why it is not known
  struct Joint {
    std::vector<std::string> names;
    std::vector<std::vector<double>> draws;  ///< each as long as names
    std::string source;
    bool operator==(const Joint&) const = default;
  };
  std::vector<Joint> joints;
  std::map<std::string, std::array<double, 2>, std::less<>> domain;  ///< least and most, by input
  std::string domain_source;
  std::vector<std::string> caveats;  ///< sentences that go with every answer
  [[nodiscard]] Evidence weakest_evidence() const;
  bool operator==(const Law&) const = default;
};

/// A constant of a form. A suffix ("E" of "text.E") where the form has modalities or pairs.
struct LawConstant {
  std::string_view name;
  enum class Of : std::uint8_t { law, modality, pair } of = Of::law;
  double least = 0, most = 0;
  bool optional = false;
};
struct LawForm {
  std::string_view name, equation;
  std::span<const LawConstant> constants;
};
[[nodiscard]] std::span<const LawForm> law_forms();
/// Asserts that there is one of that name.
[[nodiscard]] const LawForm& law_form(std::string_view name);

/// "speech|text", whatever the order given.
[[nodiscard]] std::string pair_name(std::string_view a, std::string_view b);

[[nodiscard]] std::optional<Law> read_law(const std::string& json_text, Problems&);
[[nodiscard]] std::string law_json(const Law&);
/// models/laws/NAME.json, or the file at a path that ends in ".json". Throws Error naming the
/// nearest if there is none, or with all problems of the file.
[[nodiscard]] Law load_law(const std::string& name);
[[nodiscard]] std::vector<std::string> law_names();

/// States a constant that the law has or lacks: {"value", "range", "source"}, evidence `assumed`.
/// A name that the form has not is a problem at the reader's key. Joint draws lose that constant.
void assume_constant(Law&, const std::string& name, Reader&);

[[nodiscard]] ConstantValues central_values(const Law&);
/// Draw `index` of the constants: each joint's row by the stream "law/NAME/joint/K", the others
/// each by "law/NAME/CONSTANT". Those stay inside the form's limits (a draw outside is held at the
/// limit); a row is one whole, which holding a part of it would break, and is checked as it is
/// read.
[[nodiscard]] ConstantValues drawn_values(const Law&, std::uint64_t seed, std::uint64_t index);

/// The value of `name`; if it is not there, a problem that says why and what can be done.
[[nodiscard]] double required(const Law&, const ConstantValues&, const std::string& name,
                              Problems&);

/// Sentences for each of `inputs` outside the law's domain: "300B tokens, law fitted on 5B to
/// 100B". Inputs the domain does not speak of are left out.
[[nodiscard]] std::vector<std::string> outside_domain(
    const Law&, const std::map<std::string, double, std::less<>>& inputs);

}  // namespace forerun::models
