#include "core/random.h"

#include <Random123/philox.h>

#include <cmath>
#include <numbers>

#include "core/error.h"

namespace forerun {
namespace {

std::uint32_t low(std::uint64_t v) { return static_cast<std::uint32_t>(v); }
std::uint32_t high(std::uint64_t v) { return static_cast<std::uint32_t>(v >> 32); }
std::uint64_t join(std::uint32_t lo, std::uint32_t hi) {
  return (static_cast<std::uint64_t>(hi) << 32) | lo;
}

/// Odd multiples of 2^-53: the midpoints of 2^52 equal cells. All are exact, so neither 0 nor 1 can
/// come out by rounding.
double open_unit(std::uint64_t bits) { return (static_cast<double>(bits >> 12) + 0.5) * 0x1p-52; }

}  // namespace

Stream::Stream(std::uint64_t seed, std::string_view name) : seed_(seed), name_(hash_text(name)) {}

std::array<std::uint32_t, 4> Stream::block(std::uint64_t draw) const {
  return philox({low(draw), high(draw), low(name_), high(name_)}, {low(seed_), high(seed_)});
}

double Stream::uniform(std::uint64_t draw) const {
  const auto b = block(draw);
  return open_unit(join(b[0], b[1]));
}

double Stream::normal(std::uint64_t draw) const {
  const auto b = block(draw);
  const double radius = std::sqrt(-2.0 * std::log(open_unit(join(b[0], b[1]))));
  return radius * std::cos(2.0 * std::numbers::pi * open_unit(join(b[2], b[3])));
}

double Stream::exponential(std::uint64_t draw) const { return -std::log(uniform(draw)); }

std::uint64_t Stream::below(std::uint64_t draw, std::uint64_t bound) const {
  FORERUN_ASSERT(bound > 0, "bound 0");
  __extension__ using Wide = unsigned __int128;
  const auto b = block(draw);
  // floor(r * bound / 2^128) with 128 random bits r: the bias is below bound / 2^128.
  const Wide upper = static_cast<Wide>(join(b[2], b[3])) * bound;
  const Wide lower = static_cast<Wide>(join(b[0], b[1])) * bound;
  return static_cast<std::uint64_t>((upper + (lower >> 64)) >> 64);
}

std::array<std::uint32_t, 4> philox(std::array<std::uint32_t, 4> counter,
                                    std::array<std::uint32_t, 2> key) {
  const r123::Philox4x32 generator;
  const r123::Philox4x32::ctr_type c = {{counter[0], counter[1], counter[2], counter[3]}};
  const r123::Philox4x32::key_type k = {{key[0], key[1]}};
  const auto r = generator(c, k);
  return {r[0], r[1], r[2], r[3]};
}

std::uint64_t hash_text(std::string_view text) {
  std::uint64_t hash = 0xcbf29ce484222325u;
  for (const char c : text) {
    hash ^= static_cast<unsigned char>(c);
    hash *= 0x100000001b3u;
  }
  return hash;
}

}  // namespace forerun
