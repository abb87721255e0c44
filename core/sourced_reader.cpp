#include "core/sourced_reader.h"

namespace forerun {

void SourcedReader::note(const std::string& key, Reader& field) {
  evidence_[key] = field.evidence("evidence");
  const bool stated = field.has("source");
  source_[key] = field.text("source");
  if (stated && source_[key].empty()) field.problem("source", "empty: a number names its source");
  field.finish();
}

Seconds SourcedReader::seconds(const std::string& key) {
  return field(key, [](Reader& r) { return r.seconds("value"); });
}
Bytes SourcedReader::bytes(const std::string& key) {
  return field(key, [](Reader& r) { return r.bytes("value"); });
}
Bandwidth SourcedReader::bandwidth(const std::string& key) {
  return field(key, [](Reader& r) { return r.bandwidth("value"); });
}
double SourcedReader::number(const std::string& key, double least, double most) {
  return field(key, [&](Reader& r) { return r.number("value", least, most); });
}
std::int64_t SourcedReader::integer(const std::string& key, std::int64_t least, std::int64_t most) {
  return field(key, [&](Reader& r) { return r.integer("value", least, most); });
}
bool SourcedReader::boolean(const std::string& key) {
  return field(key, [](Reader& r) { return r.boolean("value"); });
}

}  // namespace forerun
