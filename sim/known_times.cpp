#include "sim/known_times.h"

#include <bit>
#include <variant>

namespace forerun::sim {
namespace {

/// FNV-1a over whole words: few keys, and most of their bits differ.
class Mixed {
 public:
  template <class... Words>
  explicit Mixed(Words... words) {
    (add(words), ...);
  }
  void add(std::int64_t word) {
    hash_ = (hash_ ^ static_cast<std::uint64_t>(word)) * 0x100000001b3u;
    hash_ ^= hash_ >> 29;
  }
  void add(double number) { add(std::bit_cast<std::int64_t>(number)); }
  void add(int word) { add(std::int64_t{word}); }
  [[nodiscard]] std::size_t hash() const { return hash_; }

 private:
  std::uint64_t hash_ = 0xcbf29ce484222325u;
};

struct HashKernel {
  std::size_t operator()(const hw::Gemm& g) const {
    return Mixed(g.m, g.n, g.k, g.batch, static_cast<int>(g.precision), int{g.accumulates},
                 int{g.promotes})
        .hash();
  }
  std::size_t operator()(const hw::Attention& a) const {
    return Mixed(static_cast<int>(a.pass), a.batch, a.queries, a.keys, a.heads, a.kv_heads,
                 a.head_dim, a.window, a.pairs_share)
        .hash();
  }
  std::size_t operator()(const hw::MemoryBound& m) const {
    return Mixed(m.read.base(), m.written.base(), int{m.plain}).hash();
  }
  std::size_t operator()(const hw::Gather& g) const { return Mixed(g.rows, g.row.base()).hash(); }
  std::size_t operator()(const hw::GroupedGemm& g) const {
    return Mixed(g.groups, g.rows, g.n, g.k, static_cast<int>(g.pass)).hash();
  }
};

}  // namespace

std::size_t KnownTimes::Hash::operator()(const hw::Kernel& kernel) const {
  return std::visit(HashKernel{}, kernel);
}

std::size_t KnownTimes::Hash::operator()(const Collective& c) const {
  return Mixed(static_cast<int>(c.kind), c.bytes.base(), c.group.ranks, c.group.per_domain,
               c.group.sharing)
      .hash();
}

const hw::KernelTime& KnownTimes::kernel(const hw::Kernel& kernel) {
  const auto [at, inserted] = kernels_.try_emplace(kernel);
  if (inserted) {
    at->second =
        hw::at_burst_clock(hw::kernel_time(kernel, accelerator_), kernel, accelerator_.power);
  }
  return at->second;
}

const hw::CollectiveTime& KnownTimes::collective(hw::CollectiveKind kind, Bytes bytes,
                                                 const hw::Group& group) {
  const auto [at, inserted] = collectives_.try_emplace({kind, bytes, group});
  if (inserted) at->second = hw::collective_time(kind, bytes, group, network_);
  return at->second;
}

}  // namespace forerun::sim
