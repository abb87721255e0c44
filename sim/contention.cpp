#include "sim/contention.h"

#include <algorithm>
#include <map>

namespace forerun::sim {
namespace {

std::vector<SharedExchanges> exchanges_of(const Program& program, const Execution& execution,
                                          std::size_t rank) {
  std::map<std::int32_t, SharedExchanges> by_label;
  const std::vector<Operation>& operations = program.ranks[rank].operations;
  for (std::size_t i = 0; i < operations.size(); ++i) {
    if (program.links.of[rank][i] < 0) continue;
    const Operation& o = operations[i];
    const Span& span = execution.spans[rank][i];
    SharedExchanges& e = by_label[o.label];
    e.category = o.category;
    ++e.times;
    e.slowed += span.slowed > 0 ? 1 : 0;
    e.alone += to_seconds(Tick{o.duration});
    e.took += to_seconds(Tick{o.duration + span.slowed});
  }
  std::vector<SharedExchanges> all;
  for (auto& [label, e] : by_label) {
    const auto at = static_cast<std::size_t>(label);
    e.name = at < program.labels.size() ? program.labels[at].name : "";
    const auto same = std::ranges::find_if(all, [&](const SharedExchanges& other) {
      return other.name == e.name && other.category == e.category;
    });
    if (same == all.end()) {
      all.push_back(e);
      continue;
    }
    same->times += e.times;
    same->slowed += e.slowed;
    same->alone += e.alone;
    same->took += e.took;
  }
  std::ranges::stable_sort(all, [](const SharedExchanges& a, const SharedExchanges& b) {
    return a.took - a.alone > b.took - b.alone;
  });
  return all;
}

std::vector<FilledLink> filled(const Program& program, Seconds step) {
  const SharedLinks& links = program.links;
  std::vector<double> seconds(links.capacity.size());
  for (std::size_t r = 0; r < program.ranks.size(); ++r) {
    const std::vector<Operation>& operations = program.ranks[r].operations;
    for (std::size_t i = 0; i < operations.size(); ++i) {
      if (links.of[r][i] < 0) continue;
      const SharedFlow& f = links.flows[static_cast<std::size_t>(links.of[r][i])];
      const double moving =
          to_seconds(Tick{operations[i].duration}).base() * (1 - f.latency_share) * f.rate;
      for (const hw::LinkUse& u : links.patterns[static_cast<std::size_t>(f.pattern)]) {
        const auto link = static_cast<std::size_t>(u.link);
        seconds[link] += moving * u.share / links.capacity[link];
      }
    }
  }
  std::vector<FilledLink> all;
  for (std::size_t i = 0; i < seconds.size(); ++i) {
    if (seconds[i] > 0) all.push_back({links.names[i], seconds[i] / step.base()});
  }
  std::ranges::stable_sort(all, std::ranges::greater{}, &FilledLink::share);
  return all;
}

}  // namespace

Contention contention(const Program& program, const Execution& execution, std::int32_t rank) {
  if (program.links.empty() || execution.end <= 0) return {};
  return {exchanges_of(program, execution, static_cast<std::size_t>(rank)),
          filled(program, to_seconds(Tick{execution.end}))};
}

}  // namespace forerun::sim
