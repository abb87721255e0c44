#include "core/evidence.h"

#include <array>
#include <cstddef>

namespace forerun {

std::string_view name(Evidence evidence) {
  static constexpr std::array<std::string_view, 5> kNames = {"measured", "published", "fitted",
                                                             "derived", "assumed"};
  return kNames.at(static_cast<std::size_t>(evidence));
}

std::string_view name(DurationEvidence evidence) {
  static constexpr std::array<std::string_view, 4> kNames = {"measured", "interpolated",
                                                             "extrapolated", "modelled"};
  return kNames.at(static_cast<std::size_t>(evidence));
}

}  // namespace forerun
