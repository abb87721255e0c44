#include "core/reader.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <numeric>

#include "core/json_value.h"
#include "core/reading_record.h"
#include "core/unit.h"

namespace forerun {
namespace {

/// More unknown keys than this in one object are a file of another kind; counting them is enough.
constexpr std::size_t kMostUnknownKeys = 20;

template <class T>
std::string range_rule(T least, T most, T lowest, T highest) {
  if (most == highest) return fmt::format("at least {}", least);
  if (least == lowest) return fmt::format("at most {}", most);
  return fmt::format("from {} to {}", least, most);
}

/// The integer that `value` is, or the rule that it breaks.
std::variant<std::int64_t, std::string> integer_of(const json::Value& value, std::int64_t least,
                                                   std::int64_t most) {
  using Limits = std::numeric_limits<std::int64_t>;
  if (const auto* i = std::get_if<std::int64_t>(&value.v); i && *i >= least && *i <= most) {
    return *i;
  }
  if (std::holds_alternative<std::int64_t>(value.v) ||
      std::holds_alternative<std::uint64_t>(value.v)) {
    return fmt::format("must be {}, found {}",
                       range_rule(least, most, Limits::min(), Limits::max()), json::shown(value));
  }
  return "expected an integer, found " + json::shown(value);
}

std::variant<double, std::string> number_of(const json::Value& value, double least, double most) {
  double number = 0.0;
  if (const auto* i = std::get_if<std::int64_t>(&value.v)) {
    number = static_cast<double>(*i);
  } else if (const auto* u = std::get_if<std::uint64_t>(&value.v)) {
    number = static_cast<double>(*u);
  } else if (const auto* r = std::get_if<json::Real>(&value.v)) {
    number = r->value;
  } else {
    return "expected a number, found " + json::shown(value);
  }
  if (number >= least && number <= most) return number;
  constexpr double kInfinity = std::numeric_limits<double>::infinity();
  return fmt::format("must be {}, found {}", range_rule(least, most, -kInfinity, kInfinity),
                     json::shown(value));
}

std::variant<std::string, std::string> text_of(const json::Value& value) {
  using Result = std::variant<std::string, std::string>;
  if (const auto* s = std::get_if<std::string>(&value.v)) return Result(std::in_place_index<0>, *s);
  return Result(std::in_place_index<1>, "expected a text, found " + json::shown(value));
}

/// The quantity that `value` writes, in the base unit, or the rule that it breaks.
std::variant<double, std::string> quantity_of(const json::Value& value, unit::Kind kind) {
  const auto* written = std::get_if<std::string>(&value.v);
  if (written == nullptr) {
    const unit::KindFacts& facts = unit::facts(kind);
    return fmt::format("expected {} with its unit like \"{}\", found {}", facts.name, facts.example,
                       json::shown(value));
  }
  std::variant<double, std::string> base = unit::parse(*written, kind);
  if (base.index() == 1) return base;
  const std::string rule = unit::broken_rule(std::get<0>(base), kind);
  if (rule.empty()) return base;
  return fmt::format("{}, found {}", rule, json::quoted(*written));
}

const json::Value* as_value(const void* p) { return static_cast<const json::Value*>(p); }

}  // namespace

Reader::Reader(const void* object, std::string pointer, Problems* problems)
    : object_(object), pointer_(std::move(pointer)), problems_(problems) {}

const void* Reader::find(std::string_view key) const {
  if (object_ == nullptr) return nullptr;
  known_.emplace(key);
  note_asked(problems_, pointer_, key);
  return std::get<json::Object>(as_value(object_)->v).find(key);
}

const void* Reader::require(std::string_view key) {
  const void* value = find(key);
  if (value == nullptr && object_ != nullptr) refuse(key, "missing");
  return value;
}

bool Reader::has(std::string_view key) const {
  const json::Value* value = as_value(find(key));
  return value != nullptr && !std::holds_alternative<std::nullptr_t>(value->v);
}

void Reader::problem(std::string_view key, std::string what) {
  if (refused_.contains(key)) return;
  std::string where = key.empty() ? pointer_ : pointer_ + json::pointer_part(key);
  note_told(problems_, where);
  problems_->add(std::move(where), std::move(what));
}

void Reader::refuse(std::string_view key, std::string what) {
  problem(key, std::move(what));
  note_refused(problems_, pointer_ + json::pointer_part(key));
  refused_.emplace(key);
}

template <class Result>
auto Reader::take(std::string_view key, Result result) -> std::variant_alternative_t<0, Result> {
  if (result.index() == 0) return std::get<0>(std::move(result));
  refuse(key, std::get<1>(std::move(result)));
  return {};
}

std::string Reader::text(std::string_view key) {
  const void* value = require(key);
  return value == nullptr ? std::string{} : take(key, text_of(*as_value(value)));
}

std::int64_t Reader::integer(std::string_view key, std::int64_t least, std::int64_t most) {
  const void* value = require(key);
  return value == nullptr ? 0 : take(key, integer_of(*as_value(value), least, most));
}

double Reader::number(std::string_view key, double least, double most) {
  const void* value = require(key);
  return value == nullptr ? 0.0 : take(key, number_of(*as_value(value), least, most));
}

bool Reader::boolean(std::string_view key) {
  const void* value = require(key);
  if (value == nullptr) return false;
  if (const auto* b = std::get_if<bool>(&as_value(value)->v)) return *b;
  refuse(key, "expected true or false, found " + json::shown(*as_value(value)));
  return false;
}

double Reader::quantity(std::string_view key, int kind_index) {
  const void* value = require(key);
  if (value == nullptr) return 0.0;
  return take(key, quantity_of(*as_value(value), static_cast<unit::Kind>(kind_index)));
}

Seconds Reader::seconds(std::string_view key) {
  return Seconds(quantity(key, static_cast<int>(unit::Kind::seconds)));
}
Bytes Reader::bytes(std::string_view key) {
  return Bytes(quantity(key, static_cast<int>(unit::Kind::bytes)));
}
Bandwidth Reader::bandwidth(std::string_view key) {
  return Bandwidth(quantity(key, static_cast<int>(unit::Kind::bandwidth)));
}
FlopRate Reader::flop_rate(std::string_view key) {
  return FlopRate(quantity(key, static_cast<int>(unit::Kind::flop_rate)));
}
Watts Reader::watts(std::string_view key) {
  return Watts(quantity(key, static_cast<int>(unit::Kind::watts)));
}
DollarRate Reader::dollar_rate(std::string_view key) {
  return DollarRate(quantity(key, static_cast<int>(unit::Kind::dollar_rate)));
}
Dollars Reader::dollars(std::string_view key) {
  return Dollars(quantity(key, static_cast<int>(unit::Kind::dollars)));
}
EnergyPrice Reader::energy_price(std::string_view key) {
  return EnergyPrice(quantity(key, static_cast<int>(unit::Kind::energy_price)));
}

std::size_t Reader::choice_index(std::string_view key, const std::vector<std::string_view>& names) {
  const void* value = require(key);
  if (value == nullptr) return names.size();
  const auto* word = std::get_if<std::string>(&as_value(value)->v);
  if (word != nullptr) {
    const auto at = std::find(names.begin(), names.end(), *word);
    if (at != names.end()) return static_cast<std::size_t>(at - names.begin());
  }
  const std::string near = word == nullptr ? std::string{} : nearest(*word, names);
  std::string list;
  for (const std::string_view name : names) list += (list.empty() ? "" : ", ") + std::string(name);
  refuse(key, fmt::format("expected one of {}; found {}{}", list, json::shown(*as_value(value)),
                          near.empty() ? "" : fmt::format(" (did you mean \"{}\"?)", near)));
  return names.size();
}

Evidence Reader::evidence(std::string_view key) {
  constexpr std::array kAll = {Evidence::measured, Evidence::published, Evidence::fitted,
                               Evidence::derived, Evidence::assumed};
  std::array<Choice<Evidence>, kAll.size()> choices;
  std::ranges::transform(kAll, choices.begin(),
                         [](Evidence e) { return Choice<Evidence>{name(e), e}; });
  return choice(key, choices);
}

Reader Reader::object(std::string_view key) {
  const json::Value* value = as_value(require(key));
  if (value != nullptr && !std::holds_alternative<json::Object>(value->v)) {
    refuse(key, "expected an object, found " + json::shown(*value));
    value = nullptr;
  }
  return Reader(value, pointer_ + json::pointer_part(key), problems_);
}

template <class Element>
void Reader::each(std::string_view key, Element element) {
  const json::Value* value = as_value(require(key));
  if (value == nullptr) return;
  const auto* array = std::get_if<json::Array>(&value->v);
  if (array == nullptr) {
    refuse(key, "expected an array, found " + json::shown(*value));
    return;
  }
  // Tables have elements by the ten thousand: where one stands is worked out only when asked.
  const std::string inside = pointer_ + json::pointer_part(key);
  for (std::size_t i = 0; i < array->items.size(); ++i) {
    note_element(problems_, inside, i);
    element(array->items[i], [&] { return fmt::format("{}/{}", inside, i); });
  }
}

std::vector<Reader> Reader::objects(std::string_view key) {
  std::vector<Reader> out;
  each(key, [&](const json::Value& item, const auto& place) {
    const bool good = std::holds_alternative<json::Object>(item.v);
    std::string where = place();
    if (!good) {
      note_refused(problems_, where);
      problems_->add(where, "expected an object, found " + json::shown(item));
    }
    out.push_back(Reader(good ? &item : nullptr, std::move(where), problems_));
  });
  return out;
}

template <class T, class Convert>
std::vector<T> Reader::list(std::string_view key, Convert convert) {
  std::vector<T> out;
  each(key, [&](const json::Value& item, const auto& place) {
    auto result = convert(item);
    if (result.index() == 0) {
      out.push_back(std::get<0>(std::move(result)));
    } else {
      note_refused(problems_, place());
      problems_->add(place(), std::get<1>(std::move(result)));
      out.push_back(T{});
    }
  });
  return out;
}

std::vector<double> Reader::numbers(std::string_view key, double least, double most) {
  return list<double>(key, [&](const json::Value& v) { return number_of(v, least, most); });
}
std::vector<std::int64_t> Reader::integers(std::string_view key, std::int64_t least,
                                           std::int64_t most) {
  return list<std::int64_t>(key, [&](const json::Value& v) { return integer_of(v, least, most); });
}
std::vector<std::string> Reader::texts(std::string_view key) {
  return list<std::string>(key, text_of);
}

std::vector<EnergyPrice> Reader::energy_prices(std::string_view key) {
  std::vector<EnergyPrice> out;
  for (const double base : list<double>(
           key, [](const json::Value& v) { return quantity_of(v, unit::Kind::energy_price); })) {
    out.emplace_back(base);
  }
  return out;
}

bool Reader::is_object(std::string_view key) const {
  const json::Value* value = as_value(find(key));
  return value != nullptr && std::holds_alternative<json::Object>(value->v);
}

bool Reader::is_list(std::string_view key) const {
  const json::Value* value = as_value(find(key));
  return value != nullptr && std::holds_alternative<json::Array>(value->v);
}

std::vector<std::string> Reader::keys() {
  std::vector<std::string> out;
  if (object_ == nullptr) return out;
  for (const json::Member& member : std::get<json::Object>(as_value(object_)->v).members) {
    out.push_back(member.key);
    known_.insert(member.key);
    note_asked(problems_, pointer_, member.key);
  }
  return out;
}

void Reader::finish() {
  if (object_ == nullptr) return;
  const std::vector<std::string_view> names(known_.begin(), known_.end());
  std::size_t unknown = 0;
  for (const json::Member& member : std::get<json::Object>(as_value(object_)->v).members) {
    if (known_.contains(member.key) || ++unknown > kMostUnknownKeys) continue;
    const std::string near = nearest(member.key, names);
    problem(member.key,
            near.empty() ? "unknown key" : fmt::format("unknown key (did you mean {}?)", near));
  }
  if (unknown > kMostUnknownKeys) {
    problem("", fmt::format("{} more unknown keys", unknown - kMostUnknownKeys));
  }
}

std::string nearest(std::string_view word, const std::vector<std::string_view>& names) {
  // Optimal string alignment: insert, delete, replace, or swap two neighbours, each for 1. A word
  // longer than any name by more than a third is near none, which also bounds the work.
  std::string best;
  std::size_t best_distance = std::numeric_limits<std::size_t>::max();
  for (const std::string_view name : names) {
    const std::size_t longer = std::max(word.size(), name.size());
    if ((longer - std::min(word.size(), name.size())) * 3 > longer) continue;
    std::vector<std::size_t> before_last(name.size() + 1);
    std::vector<std::size_t> last(name.size() + 1);
    std::vector<std::size_t> row(name.size() + 1);
    std::iota(row.begin(), row.end(), std::size_t{0});
    for (std::size_t i = 1; i <= word.size(); ++i) {
      before_last.swap(last);
      last.swap(row);
      row[0] = i;
      for (std::size_t j = 1; j <= name.size(); ++j) {
        const std::size_t replaced = last[j - 1] + (word[i - 1] == name[j - 1] ? 0u : 1u);
        row[j] = std::min({replaced, last[j] + 1, row[j - 1] + 1});
        if (i > 1 && j > 1 && word[i - 1] == name[j - 2] && word[i - 2] == name[j - 1]) {
          row[j] = std::min(row[j], before_last[j - 2] + 1);
        }
      }
    }
    const std::size_t distance = row[name.size()];
    if (distance * 3 <= longer && distance < best_distance) {
      best = name;
      best_distance = distance;
    }
  }
  return best;
}

std::string did_you_mean(std::string_view word, const std::vector<std::string_view>& names,
                         std::string_view otherwise) {
  const std::string near = nearest(word, names);
  return near.empty() ? std::string(otherwise) : fmt::format("did you mean {}?", near);
}

std::string did_you_mean(std::string_view word, const std::vector<std::string>& names,
                         std::string_view otherwise) {
  return did_you_mean(word, std::vector<std::string_view>(names.begin(), names.end()), otherwise);
}

}  // namespace forerun
