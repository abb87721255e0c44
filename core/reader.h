#pragma once

/// A strict reader of JSON objects. It never throws on wrong input and never guesses: a missing
/// key, an unknown key (with the nearest valid one), a wrong type, a value outside its range, a
/// number where a quantity with unit belongs, two equal keys, nesting deeper than kMaxJsonDepth and
/// truncated text all become a `Problem` with JSON pointer, value and rule; reading goes on, with a
/// value-initialised result, so that all mistakes of a file are reported together.
///
///   Problems problems;
///   JsonDocument document = JsonDocument::parse(text, problems);
///   Reader top = document.root(problems);
///   spec.nodes = top.integer("nodes", 1, 100000);
///   spec.link = top.bandwidth("link");            // "400 Gb/s"
///   top.finish();                                 // unknown keys are problems
///
/// Integers are exact: 3.7, 1e30 and -1 for a count are refused rather than converted.

#include <array>
#include <cstdint>
#include <functional>
#include <limits>
#include <memory>
#include <set>
#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <variant>
#include <vector>

#include "core/error.h"
#include "core/evidence.h"
#include "core/problem.h"
#include "core/quantity.h"

namespace forerun {

inline constexpr int kMaxJsonDepth = 64;
inline constexpr std::uint64_t kMaxJsonBytes = 64ull << 20;

class Reader;

/// An enumerator and its name in files.
template <class E>
using Choice = std::pair<std::string_view, E>;

/// The name of `value` in `choices`; asserts that it has one.
template <class E, std::size_t N>
[[nodiscard]] std::string_view name_in(const std::array<Choice<E>, N>& choices, E value) {
  for (const auto& [text, candidate] : choices) {
    if (candidate == value) return text;
  }
  FORERUN_ASSERT(false, "an enumerator without a name");
}

/// A parsed document; owns the text's values. Readers refer to it and must not outlive it.
class JsonDocument {
 public:
  /// Text that can't be read, or whose top is no object, is one problem (a syntax error at
  /// LINE:COLUMN in place of a pointer); root() then reads as missing and adds no more.
  [[nodiscard]] static JsonDocument parse(std::string_view text, Problems& problems);
  /// Refuses a file over kMaxJsonBytes before reading it; throws Error if it can't be opened.
  [[nodiscard]] static JsonDocument load(const std::string& path, Problems& problems);
  [[nodiscard]] Reader root(Problems& problems) const;
  /// False if parse() could not read the text, and said so: rules across fields mean nothing then.
  [[nodiscard]] bool readable() const;
  /// Set the value at a JSON pointer or dotted path (`--set plan.tensor=8`): `value` is JSON text,
  /// or a bare word taken as a string. The parent object must exist.
  void set(std::string_view path, std::string_view value, Problems& problems);

  JsonDocument(JsonDocument&&) noexcept;
  JsonDocument& operator=(JsonDocument&&) noexcept;
  ~JsonDocument();

 private:
  struct Impl;
  explicit JsonDocument(std::unique_ptr<Impl> impl);
  std::unique_ptr<Impl> impl_;
};

/// One object of a document, with the pointer that leads to it.
class Reader {
 public:
  [[nodiscard]] bool has(std::string_view key) const;  ///< present and not null; marks it as known

  std::string text(std::string_view key);
  std::int64_t integer(std::string_view key, std::int64_t least, std::int64_t most);
  double number(std::string_view key, double least, double most);
  bool boolean(std::string_view key);

  // Quantities are strings with unit: "80 GiB", "400 Gb/s", "989.4 TFLOP/s", "5 us", "700 W",
  // "2.95 USD/h", "310000 USD", "0.08 USD/kWh". Each must be finite, at least zero and at most what
  // core/unit.cpp says of its kind, far above any machine's; a bandwidth that is not zero is at
  // least 1 MB/s. Seconds are at most a day.
  Seconds seconds(std::string_view key);
  Bytes bytes(std::string_view key);
  Bandwidth bandwidth(std::string_view key);
  FlopRate flop_rate(std::string_view key);
  Watts watts(std::string_view key);
  DollarRate dollar_rate(std::string_view key);
  Dollars dollars(std::string_view key);
  EnergyPrice energy_price(std::string_view key);

  /// One of the names in `choices`; a wrong name is reported with the nearest one.
  template <class E>
  E choice(std::string_view key, std::span<const Choice<E>> choices) {
    std::vector<std::string_view> names;
    for (const auto& c : choices) names.push_back(c.first);
    const std::size_t i = choice_index(key, names);
    return i < choices.size() ? choices[i].second : E{};
  }
  template <class E, std::size_t N>
  E choice(std::string_view key, const std::array<Choice<E>, N>& choices) {
    return choice(key, std::span<const Choice<E>>(choices));
  }
  Evidence evidence(std::string_view key);  ///< by its name()

  Reader object(std::string_view key);  ///< a missing one reads as empty, reported once
  std::vector<Reader> objects(std::string_view key);  ///< an array of objects
  std::vector<double> numbers(std::string_view key, double least, double most);
  std::vector<std::int64_t> integers(std::string_view key, std::int64_t least, std::int64_t most);
  std::vector<std::string> texts(std::string_view key);
  std::vector<EnergyPrice> energy_prices(std::string_view key);
  [[nodiscard]] bool is_list(std::string_view key) const;    ///< whether it is there as an array
  [[nodiscard]] bool is_object(std::string_view key) const;  ///< likewise as an object
  /// All keys of this object in the file's order, marked as known (for maps with free names).
  std::vector<std::string> keys();

  /// Reports `what` at `key` of this object (empty: the object itself), for rules across fields. A
  /// key whose own value was refused gets no second problem: what was read in its place is
  /// nobody's.
  void problem(std::string_view key, std::string what);
  /// Reports every key that was not asked for, with the nearest that was.
  void finish();
  [[nodiscard]] const std::string& pointer() const { return pointer_; }

 private:
  friend class JsonDocument;
  Reader(const void* object, std::string pointer, Problems* problems);
  std::size_t choice_index(std::string_view key, const std::vector<std::string_view>& names);
  const void* find(std::string_view key) const;         ///< null if absent; marks key as known
  const void* require(std::string_view key);            ///< reports `missing`
  void refuse(std::string_view key, std::string what);  ///< reports the key's own value
  double quantity(std::string_view key, int kind);
  template <class Result>
  auto take(std::string_view key, Result result) -> std::variant_alternative_t<0, Result>;
  template <class Element>
  void each(std::string_view key, Element element);
  template <class T, class Convert>
  std::vector<T> list(std::string_view key, Convert convert);

  const void* object_;  // the JSON object, or null for "missing": then fields report nothing more
  std::string pointer_;
  Problems* problems_;
  mutable std::set<std::string, std::less<>> known_;  // what was asked for; no part of the value
  std::set<std::string, std::less<>> refused_;        // keys whose own value was a problem
};

/// The nearest of `names` to `word` by edit distance, or empty if none is near (more than a third
/// of the letters differ).
[[nodiscard]] std::string nearest(std::string_view word,
                                  const std::vector<std::string_view>& names);

/// A hint for a name that is none of `names`: "did you mean NEAREST?", or `otherwise` if none is
/// near.
[[nodiscard]] std::string did_you_mean(std::string_view word,
                                       const std::vector<std::string_view>& names,
                                       std::string_view otherwise);
[[nodiscard]] std::string did_you_mean(std::string_view word, const std::vector<std::string>& names,
                                       std::string_view otherwise);

}  // namespace forerun
