#pragma once

/// Named random streams. Draw i of a stream depends on (seed, name, i) and on nothing else, so
/// adding a consumer or a thread disturbs no other. Philox 4x32-10 (Salmon et al. 2011, Random123),
/// key = seed, counter = (draw, hash of name). The distributions are ours: the standard library's
/// differ between compilers. Seeds reproduce within a version of forerun, not between versions.

#include <array>
#include <cstdint>
#include <string_view>

namespace forerun {

class Stream {
 public:
  Stream(std::uint64_t seed, std::string_view name);
  [[nodiscard]] std::array<std::uint32_t, 4> block(std::uint64_t draw) const;
  [[nodiscard]] double uniform(std::uint64_t draw) const;      ///< in (0, 1), never 0 or 1
  [[nodiscard]] double normal(std::uint64_t draw) const;       ///< mean 0, variance 1 (Box-Muller)
  [[nodiscard]] double exponential(std::uint64_t draw) const;  ///< mean 1
  [[nodiscard]] std::uint64_t below(std::uint64_t draw,
                                    std::uint64_t bound) const;  ///< in [0, bound)

 private:
  std::uint64_t seed_;
  std::uint64_t name_;
};

/// The generator itself, for its known-answer test: one block of Philox 4x32 with 10 rounds.
[[nodiscard]] std::array<std::uint32_t, 4> philox(std::array<std::uint32_t, 4> counter,
                                                  std::array<std::uint32_t, 2> key);

/// FNV-1a, 64 bits: names of streams and hashes of inputs.
[[nodiscard]] std::uint64_t hash_text(std::string_view text);

}  // namespace forerun
