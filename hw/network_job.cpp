#include "hw/network_job.h"

#include <fmt/format.h>

#include <array>
#include <set>

namespace forerun::hw {
namespace {

constexpr std::array kAlgorithms = {Choice<FlowAlgorithm>{"ring", FlowAlgorithm::ring},
                                    Choice<FlowAlgorithm>{"tree", FlowAlgorithm::tree}};
constexpr std::array kCollectives = {
    Choice<CollectiveKind>{"all_reduce", CollectiveKind::all_reduce},
    Choice<CollectiveKind>{"all_gather", CollectiveKind::all_gather},
    Choice<CollectiveKind>{"reduce_scatter", CollectiveKind::reduce_scatter},
    Choice<CollectiveKind>{"all_to_all", CollectiveKind::all_to_all},
    Choice<CollectiveKind>{"broadcast", CollectiveKind::broadcast},
    Choice<CollectiveKind>{"send_receive", CollectiveKind::send_receive}};

}  // namespace

NetworkJob read_network_job(Reader& r) {
  NetworkJob j;
  j.name = r.text("name");
  j.kind = r.choice("collective", kCollectives);
  if (r.has("algorithm")) j.algorithm = r.choice("algorithm", kAlgorithms);
  j.bytes = r.bytes("bytes");
  if (j.bytes <= Bytes(0)) r.problem("bytes", "must be above 0");
  if (r.has("first")) j.first = r.integer("first", 0, kMostAccelerators);
  j.count = r.integer("count", 2, kMostAccelerators);
  j.run = r.has("run") ? r.integer("run", 1, kMostAccelerators) : j.count;
  j.stride = r.has("stride") ? r.integer("stride", 1, kMostAccelerators) : j.run;
  if (r.has("groups")) j.groups = r.integer("groups", 1, kMostAccelerators);
  j.group_stride = r.has("group_stride") ? r.integer("group_stride", 1, kMostAccelerators) : 1;
  if (r.has("start")) j.start = r.seconds("start");
  if (j.algorithm == FlowAlgorithm::tree && j.kind != CollectiveKind::all_reduce) {
    r.problem("algorithm", fmt::format("a tree is an all_reduce's, this is {}", name(j.kind)));
  }
  if (j.kind == CollectiveKind::send_receive && j.count != 2) {
    r.problem("count", fmt::format("send_receive is between 2 ranks, not {}", j.count));
  }
  r.finish();
  return j;
}

void check_network_job(Reader& r, const NetworkJob& j, const NetworkGraph& graph) {
  const auto ranks = static_cast<std::int64_t>(graph.accelerators().size());
  const std::int64_t runs = (j.count + j.run - 1) / j.run;
  const std::int64_t last = j.first + (j.groups - 1) * j.group_stride + (runs - 1) * j.stride +
                            (j.count - (runs - 1) * j.run) - 1;
  if (last >= ranks) {
    r.problem("count", fmt::format("rank {} of {}", last, ranks));
    return;
  }
  const std::int64_t pairs =
      j.groups * j.count * (j.kind == CollectiveKind::all_to_all ? j.count : 1);
  if (pairs > kMostPairs) {
    r.problem("count", fmt::format("{} exchanges, at most {}", pairs, kMostPairs));
    return;
  }
  for (std::int64_t g = 0; g < j.groups; ++g) {
    std::set<std::int32_t> domains;
    std::set<std::int64_t> seen;
    std::int32_t before = -1;
    for (const std::int64_t p : places(j, g)) {
      const NodeId id = graph.accelerators()[static_cast<std::size_t>(p)];
      const std::int32_t domain = graph.node(id).domain;
      if (!seen.insert(p).second || (domain != before && !domains.insert(domain).second)) {
        r.problem("stride", fmt::format("{} comes twice or apart from the rest of its domain",
                                        graph.node(id).name));
        return;
      }
      before = domain;
    }
  }
}

std::vector<std::int64_t> places(const NetworkJob& j, std::int64_t group) {
  std::vector<std::int64_t> all;
  for (std::int64_t i = 0; i < j.count; ++i) {
    all.push_back(j.first + group * j.group_stride + i / j.run * j.stride + i % j.run);
  }
  return all;
}

}  // namespace forerun::hw
