#include "hw/fit/hold_out.h"

#include <fmt/format.h>

#include <string>

#include "core/random.h"

namespace forerun::hw {

namespace {

constexpr double kShare = 0.05;
constexpr std::uint64_t kSeed = 1;

double uniform(const std::string& name) { return Stream(kSeed, name).uniform(0); }

HeldOut choose(const std::string& group, const std::string& shape) {
  if (uniform("held out group " + group) < kShare) return HeldOut::by_group;
  return uniform("held out shape " + shape) < kShare ? HeldOut::by_shape : HeldOut::no;
}

std::string shape(const GemmRow& r) { return fmt::format("{} {} {}", r.m, r.n, r.k); }
std::string group(const AttentionRow& r) {
  return fmt::format("{} {} {} {}", r.batch, r.heads, r.kv_heads, r.head_dim);
}
std::string shape(const AttentionRow& r) { return fmt::format("{} {}", group(r), r.length); }

}  // namespace

HeldOut held_out(const GemmRow& r) { return choose(fmt::format("{} {}", r.n, r.k), shape(r)); }
HeldOut held_out(const AttentionRow& r) { return choose(group(r), shape(r)); }

double draw(const GemmRow& r) { return uniform("sample " + shape(r)); }
double draw(const AttentionRow& r) { return uniform("sample " + shape(r)); }

}  // namespace forerun::hw
