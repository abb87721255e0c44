#include "core/stated.h"

namespace forerun {

Origin read_origin(Reader& field) {
  Origin origin;
  if (field.has("source")) {
    origin.source = field.text("source");
    if (origin.source.empty()) field.problem("source", "empty: leave it out, or name one");
    origin.evidence = Evidence::published;
  }
  if (field.has("evidence")) {
    origin.evidence = field.evidence("evidence");
    if (origin.evidence != Evidence::assumed && !field.has("source")) {
      field.problem("evidence", "given, but no source: what has none is assumed");
    }
  }
  return origin;
}

}  // namespace forerun
