#include "sim/provenance.h"

#include <map>

#include "hw/topology.h"

namespace forerun::sim {
namespace {

using Evidences = std::map<std::string, Evidence>;
using Sources = std::map<std::string, std::string>;

void add(Provenance& p, const std::string& owner, const Evidences& evidence,
         const Sources& source) {
  for (const auto& [fact, strength] : evidence) {
    const auto found = source.find(fact);
    p.facts.push_back(
        {owner, fact, strength, found == source.end() ? std::string{} : found->second});
    ++p.by_evidence[static_cast<std::size_t>(strength)];
    p.weakest = weakest(p.weakest, strength);
  }
}

}  // namespace

Provenance provenance(const Scenario& s) {
  Provenance p;
  add(p, "model " + s.model.name, s.model.evidence, s.model.source);
  // A model's other fields are as published.
  p.weakest = weakest(p.weakest, s.model.evidence_of("all"));
  add(p, "accelerator " + s.accelerator.name, s.accelerator.evidence, s.accelerator.source);
  add(p, "network " + s.network.name, s.network.evidence, s.network.source);
  if (s.topology) add(p, "topology " + s.topology->name, s.topology->evidence, s.topology->source);
  for (const Pool& pool : s.pools) {
    add(p, "accelerator " + pool.accelerator.name, pool.accelerator.evidence,
        pool.accelerator.source);
    add(p, "network " + pool.network.name, pool.network.evidence, pool.network.source);
  }
  add(p, "framework " + s.framework.name, s.framework.evidence, s.framework.source);
  return p;
}

}  // namespace forerun::sim
