#include "sim/provenance.h"

#include <doctest/doctest.h>

#include "core/file.h"

namespace forerun::sim {
namespace {

Scenario scenario(const std::string& name) {
  Problems problems;
  const JsonDocument document =
      JsonDocument::load(data_path("scenarios/" + name + ".json"), problems);
  const std::optional<Scenario> s = read_scenario(document, problems);
  REQUIRE_MESSAGE(s, problems.text(name));
  return *s;
}

TEST_SUITE("sim/provenance") {
  TEST_CASE("an answer's inputs are those of model, accelerator, network and framework") {
    const Scenario s = scenario("gpt3_175b_korthikanti");
    const Provenance p = provenance(s);
    CHECK(p.facts.size() == s.model.evidence.size() + s.accelerator.evidence.size() +
                                s.network.evidence.size() + s.framework.evidence.size());
    // The preset's attention kernel is assumed: nothing stronger than that holds for the answer.
    CHECK(p.weakest == Evidence::assumed);
    for (const InputFact& f : p.facts) CHECK_MESSAGE(!f.source.empty(), f.owner << " " << f.fact);
  }
}

}  // namespace
}  // namespace forerun::sim
