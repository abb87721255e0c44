#pragma once

/// A number that somebody states, with its source or without: a plain value is assumed, and
///
///   {"value": "2.10 USD/h", "most": "2.60 USD/h", "evidence": "published", "source": "an offer"}
///
/// is what its source says. "most" is the upper end of a range that begins at "value". Evidence is
/// "published" where only a source is given; evidence without a source is refused.

#include <optional>
#include <string>
#include <string_view>

#include "core/evidence.h"
#include "core/reader.h"

namespace forerun {

/// Where a stated number comes from.
struct Origin {
  Evidence evidence = Evidence::assumed;
  std::string source;  ///< empty: none was given
  bool operator==(const Origin&) const = default;
};

template <class T>
struct Stated {
  T value{};
  std::optional<T> most;
  Origin origin;
  bool operator==(const Stated&) const = default;
};

/// "evidence" and "source" of an object, both of which may be left out.
[[nodiscard]] Origin read_origin(Reader& field);

/// The number at `key`, plain or as an object; `read(reader, key)` reads its value.
template <class Read>
auto read_stated(Reader& at, std::string_view key, Read read) {
  Stated<decltype(read(at, key))> stated;
  if (!at.is_object(key)) {
    stated.value = read(at, key);
    return stated;
  }
  Reader field = at.object(key);
  stated.value = read(field, std::string_view("value"));
  if (field.has("most")) {
    stated.most = read(field, std::string_view("most"));
    if (!(stated.value < *stated.most)) {
      field.problem("most", "must be above the lower end of the range");
    }
  }
  stated.origin = read_origin(field);
  field.finish();
  return stated;
}

}  // namespace forerun
