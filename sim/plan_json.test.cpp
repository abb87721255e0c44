#include "sim/plan_json.h"

#include <doctest/doctest.h>
#include <rapidcheck.h>

#include <string>

namespace forerun::sim {
namespace {

Plan read(const std::string& json, Problems& problems) {
  const JsonDocument document = JsonDocument::parse(json, problems);
  Reader reader = document.root(problems);
  return read_plan(reader);
}

Plan arbitrary_plan() {
  Plan p;
  p.data = *rc::gen::inRange(1, 4096);
  p.tensor = *rc::gen::inRange(1, 64);
  p.pipeline = *rc::gen::inRange(1, 64);
  p.virtual_stages = *rc::gen::inRange(1, 9);
  p.sequence_parallel = *rc::gen::arbitrary<bool>();
  p.schedule = static_cast<PipelineSchedule>(*rc::gen::inRange(0, 3));
  p.context_exchange = static_cast<models::ContextExchange>(*rc::gen::inRange(0, 3));
  p.sharding = static_cast<ShardingStage>(*rc::gen::inRange(0, 4));
  p.recompute.mode = static_cast<RecomputeMode>(*rc::gen::inRange(0, 3));
  if (p.recompute.mode == RecomputeMode::selective) {
    p.recompute.parts = {static_cast<models::LayerPart>(*rc::gen::inRange(0, 14)),
                         models::LayerPart::core_attention};
  }
  if (p.recompute.mode == RecomputeMode::full) {
    p.recompute.layers_per_stage = *rc::gen::inRange(0, 9);
  }
  p.precision = static_cast<models::PrecisionRecipe>(*rc::gen::inRange(0, 8));
  p.micro_batch = *rc::gen::inRange(1, 100);
  p.global_batch = *rc::gen::inRange(1, 100000);
  p.sequence = *rc::gen::inRange(1, 100000);
  p.embedding_takes_slot = *rc::gen::arbitrary<bool>();
  p.loss_takes_slot = *rc::gen::arbitrary<bool>();
  return p;
}

TEST_SUITE("sim/plan_json") {
  TEST_CASE("what is written reads back as the same plan") {
    CHECK(rc::check([] {
      const Plan p = arbitrary_plan();
      Problems problems;
      const Plan back = read(plan_json(p), problems);
      RC_ASSERT(problems.empty());
      RC_ASSERT(plan_json(back) == plan_json(p));
      RC_ASSERT(back.recompute == p.recompute);
      RC_ASSERT(back.accelerators() == p.accelerators());
    }));
  }

  TEST_CASE("what is left out is one, none or false, and several virtual stages interleave") {
    Problems problems;
    const Plan p = read(R"({"precision": "bf16", "micro_batch": 1, "global_batch": 8,
                            "sequence": 16, "pipeline": 2, "virtual_stages": 2})",
                        problems);
    REQUIRE_MESSAGE(problems.empty(), problems.text("p"));
    CHECK(p.accelerators() == 2);
    CHECK(p.schedule == PipelineSchedule::interleaved);
    CHECK(p.sharding == ShardingStage::none);
    CHECK(p.recompute == Recompute{});
  }

  TEST_CASE("selective recompute names parts that there are, and only then") {
    const std::string rest =
        R"(, "precision": "bf16", "micro_batch": 1, "global_batch": 8, "sequence": 16})";
    Problems missing, misspelt, needless;
    (void)read(R"({"recompute": {"mode": "selective"})" + rest, missing);
    CHECK(missing.text("p") ==
          "p: /recompute/parts: missing: selective recompute names its parts\n");
    (void)read(R"({"recompute": {"mode": "selective", "parts": ["core_atention"]})" + rest,
               misspelt);
    CHECK(misspelt.text("p").find(
              "\"core_atention\" is no part of a layer: did you mean core_attention?") !=
          std::string::npos);
    (void)read(R"({"recompute": {"mode": "full", "parts": ["core_attention"]})" + rest, needless);
    CHECK(needless.text("p") == "p: /recompute/parts: given, but the mode is not selective\n");
  }
}

}  // namespace
}  // namespace forerun::sim
