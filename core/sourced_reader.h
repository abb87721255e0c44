#pragma once

/// Reads numbers that say where they came from. Such a field is an object,
///
///   "link": {"value": "450 GB/s", "evidence": "published", "source": "..."}
///
/// with a source that is not empty; further keys are for whoever reads the field.

#include <cstdint>
#include <map>
#include <string>

#include "core/evidence.h"
#include "core/quantity.h"
#include "core/reader.h"

namespace forerun {

class SourcedReader {
 public:
  /// Reads fields of `object` and notes their evidence and source by name. All three must outlive
  /// it; the caller finishes `object`.
  SourcedReader(Reader& object, std::map<std::string, Evidence>& evidence,
                std::map<std::string, std::string>& source)
      : object_(object), evidence_(evidence), source_(source) {}

  // The field's "value", with the checks of the Reader's function of that name.
  Seconds seconds(const std::string& key);
  Bytes bytes(const std::string& key);
  Bandwidth bandwidth(const std::string& key);
  double number(const std::string& key, double least, double most);
  std::int64_t integer(const std::string& key, std::int64_t least, std::int64_t most);
  bool boolean(const std::string& key);

  /// What `read` makes of the field's object.
  template <class Read>
  auto field(const std::string& key, Read read) {
    Reader field = object_.object(key);
    auto value = read(field);
    note(key, field);
    return value;
  }

 private:
  void note(const std::string& key, Reader& field);

  Reader& object_;
  std::map<std::string, Evidence>& evidence_;
  std::map<std::string, std::string>& source_;
};

}  // namespace forerun
