#pragma once

/// What the answer leaves out, for people: one sentence for each part of it. The headers named say
/// it in full, after "Not modelled:".

#include <span>
#include <string_view>

namespace forerun::sim::report {

struct LeftOut {
  enum class Of : unsigned char { step, memory, run, cost, losses, stability } of;
  std::string_view what;
  std::string_view file;  ///< whose header comment says so
};
[[nodiscard]] std::span<const LeftOut> left_out();

}  // namespace forerun::sim::report
