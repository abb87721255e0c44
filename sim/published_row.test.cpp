#include "sim/published_row.h"

#include <doctest/doctest.h>

#include <algorithm>
#include <string>

#include "sim/row_outcome.h"
#include "tests/replaced.h"

namespace forerun::sim {
namespace {

using models::LayerPart;

/// A row without a mistake; `from` is replaced by `to`.
std::string row_text(const std::string& from = {}, const std::string& to = {}) {
  std::string text =
      R"({"id":"r1","group":"g","family":"f","split":"test","source":"somebody",)"
      R"("model":{"name":"Llama 3.1 405B","kind":"dense","layers":126,"hidden":16384,"heads":128,)"
      R"("kv_heads":8,"head_dim":128,"ffn":53248,"gated_mlp":true,"vocab":128256},"seq_len":8192,)"
      R"("cluster":{"accelerator":"gb300","accelerators":256,"per_node":4,"nvlink_domain":72,)"
      R"("network_gbps_per_accelerator":800},"precision":"fp8-delayed",)"
      R"("parallelism":{"dp":8,"tp":4,"pp":8,"vp":4,"cp":1,"sp":true},"sharding":{"stage":1},)"
      R"("recompute":{"mode":"none"},"micro_batch":1,"global_batch":1536,)"
      R"("framework":"megatron-bridge","software":{"recipe":"X_GB300_FP8_CS_V2"},)"
      R"("measured":{"step_time_s":46.9,"memory_gib":200.5}})";
  return from.empty() ? text : replaced(text, from, to);
}

PublishedRow read(const std::string& text) {
  PublishedRowReader reader;
  const auto row = reader.read(text);
  const auto* refused = std::get_if<RefusedRow>(&row);
  REQUIRE_MESSAGE(refused == nullptr, refused->reason);
  return std::get<PublishedRow>(row);
}

RefusedRow refuse(const std::string& text) {
  PublishedRowReader reader;
  const auto row = reader.read(text);
  REQUIRE(std::holds_alternative<RefusedRow>(row));
  return std::get<RefusedRow>(row);
}

bool assumes(const Scenario& s, const std::string& words) {
  return std::any_of(s.assumptions.begin(), s.assumptions.end(),
                     [&](const std::string& a) { return a.find(words) != std::string::npos; });
}

TEST_SUITE("sim/published_row") {
  TEST_CASE("a row whose step cannot be simulated is refused and does not stop the others") {
    PublishedRow slow = read(row_text());
    slow.scenario.framework.step_overhead = Seconds(7200.0);
    const std::vector<RowOutcome> outcomes = predict_rows({slow, read(row_text())}, {}, 2);
    CHECK(outcomes[0].id == "r1");
    CHECK(outcomes[0].reason.starts_with("one operation of the step takes 7200 s"));
    CHECK_FALSE(outcomes[0].step_time);
    CHECK(outcomes[0].measured.step_time);
    CHECK(outcomes[1].reason.empty());
    CHECK(outcomes[1].step_time);
  }

  TEST_CASE("a row becomes the scenario that it describes") {
    const PublishedRow row = read(row_text());
    const Scenario& s = row.scenario;
    CHECK(row.split == "test");
    CHECK(row.measured.step_time->base() == 46.9);
    CHECK(row.measured.memory->in(1.0_GiB) == doctest::Approx(200.5));
    CHECK(s.plan.accelerators() == 256);
    CHECK(s.plan.schedule == PipelineSchedule::interleaved);
    CHECK(s.plan.sharding == ShardingStage::optimizer);
    CHECK(s.plan.micro_batches() == 192);
    CHECK(s.network.name == "gb300-nvl72");
    CHECK(s.framework.name == "megatron-bridge");
    // What the row does not say of the model is the zoo's, and assumed.
    CHECK(s.model.activation == models::Activation::swiglu);
    CHECK(s.model.evidence_of("activation") == Evidence::assumed);
    CHECK(assumes(s, "model activation"));
  }

  TEST_CASE("layers that do not divide count embedding and loss as layers") {
    // 126 + 2 = 128 = 8 stages x 4 virtual stages x 4 layers.
    const Scenario s = read(row_text()).scenario;
    CHECK(s.plan.embedding_takes_slot);
    CHECK(s.plan.loss_takes_slot);
    const Scenario divides = read(row_text("\"layers\":126", "\"layers\":128")).scenario;
    CHECK_FALSE(divides.plan.embedding_takes_slot);
  }

  TEST_CASE("a recipe's name says how fp8 is scaled") {
    CHECK(read(row_text()).scenario.plan.precision == models::PrecisionRecipe::fp8_current);
    CHECK(read(row_text("_FP8_CS_", "_FP8_DS_")).scenario.plan.precision ==
          models::PrecisionRecipe::fp8_delayed);
  }

  TEST_CASE("a batch that is no whole number of micro-batches is rounded to one, aloud") {
    // Interleaved over 8 stages, rounds of 8 micro-batches of 8 replicas: 1540 / 64 = 24.06.
    // Without interleaving, 1540 / 8 = 192.5: the nearest whole number, upwards at a half, is 193.
    const Scenario s = read(row_text("\"global_batch\":1536", "\"global_batch\":1540")).scenario;
    CHECK(s.plan.global_batch == 24 * 64);
    CHECK(assumes(s, "global batch 1540 is no whole number"));
    const std::string uneven = row_text("\"global_batch\":1536", "\"global_batch\":1540");
    CHECK(read(replaced(uneven, "\"vp\":4", "\"vp\":1")).scenario.plan.global_batch == 193 * 8);
  }

  TEST_CASE("an unknown framework gets the generic preset, aloud") {
    const Scenario s = read(row_text("megatron-bridge", "homegrown")).scenario;
    CHECK(s.framework.name == "generic");
    CHECK(assumes(s, "\"homegrown\" is not known"));
  }

  TEST_CASE("what the software object states replaces the preset's fact") {
    const auto software = [](const std::string& json) {
      return read(row_text(R"("software":{"recipe":"X_GB300_FP8_CS_V2"})", "\"software\":" + json))
          .scenario.framework;
    };
    CHECK_FALSE(software(R"({"tp_comm_overlap":false})").tensor_overlap);
    CHECK(software(R"({"tp_comm_overlap":false})").source.at("tensor_overlap") ==
          "stated by the row");
    CHECK(software(R"({"overlap_grad_sync":false})").gradient_exchange ==
          GradientExchange::after_backward);
    CHECK(
        software(R"({"cuda_graph_impl":"local","cuda_graph_scope":"full_iteration"})").cuda_graphs);
    CHECK_FALSE(
        software(R"({"cuda_graph_impl":"none","cuda_graph_scope":"full_iteration"})").cuda_graphs);
    CHECK(software(R"({"cuda_graph_impl":"transformer_engine","cuda_graph_scope":"mlp"})")
              .graphed_share == doctest::Approx(0.4));
    CHECK(software(R"({"fsdp_mixed_precision":"PURE"})").gradient_exchange_bytes == 2);
    CHECK(software(R"({"fsdp_mixed_precision":"DEFAULT"})").gradient_exchange_bytes == 4);
    CHECK(software(R"({"defer_embedding_wgrad":50})").deferred_embedding_gradients == 50);
  }

  TEST_CASE("recompute by names becomes parts of a layer") {
    const auto parts = [](const std::string& json) {
      return read(row_text(R"("recompute":{"mode":"none"})", "\"recompute\":" + json))
          .scenario.plan.recompute.parts;
    };
    CHECK(parts(R"({"mode":"selective","recomputes":["core_attention"]})") ==
          std::set<LayerPart>{LayerPart::core_attention});
    const std::set<LayerPart> titan =
        parts(R"({"mode":"selective","keeps":["every_second_matmul","attention","collectives"]})");
    for (const LayerPart kept : {LayerPart::query, LayerPart::value, LayerPart::core_attention,
                                 LayerPart::ffn_gate, LayerPart::ffn_down}) {
      CHECK_FALSE(titan.contains(kept));
    }
    for (const LayerPart redone :
         {LayerPart::key, LayerPart::attention_output, LayerPart::ffn_up, LayerPart::attention_norm,
          LayerPart::rotary, LayerPart::activation}) {
      CHECK(titan.contains(redone));
    }
    const std::set<LayerPart> jax = parts(R"({"mode":"selective","keeps":["qkv_proj"]})");
    CHECK_FALSE(jax.contains(LayerPart::key));
    CHECK(jax.contains(LayerPart::core_attention));
  }

  TEST_CASE("the same framework's name stands for different presets by machine and publisher") {
    CHECK(read(row_text("\"framework\":\"megatron-bridge\"", "\"framework\":\"megatron-lm\""))
              .scenario.framework.name == "megatron-lm");
    const std::string vtrain = replaced(
        row_text("\"framework\":\"megatron-bridge\"", "\"framework\":\"megatron-deepspeed\""),
        "somebody", "vTrain, measured times");
    CHECK(read(vtrain).scenario.framework.name == "megatron-deepspeed-vtrain");
  }

  TEST_CASE("a model that is not simulated at all is out of scope; a mistake is not") {
    const RefusedRow other = refuse(replaced(
        row_text("\"kind\":\"dense\"", "\"kind\":\"recurrent\""), "Llama 3.1 405B", "Griffin"));
    CHECK(other.out_of_scope);
    CHECK(other.id == "r1");
    CHECK(other.reason == "a recurrent model, and the zoo has no Griffin");
    const RefusedRow card =
        refuse(row_text("\"accelerator\":\"gb300\"", "\"accelerator\":\"gb30\""));
    CHECK_FALSE(card.out_of_scope);
    CHECK(card.reason.find("\"gb30\" has no profile") != std::string::npos);
    CHECK(refuse(row_text("\"accelerators\":256", "\"accelerators\":128"))
              .reason.find("= 256 accelerators, but /cluster/accelerators is 128") !=
          std::string::npos);
    CHECK(refuse("{\"id\": \"x\"").reason.find("1:") != std::string::npos);
  }

  TEST_CASE("reading a row twice gives the same scenario") {
    PublishedRowReader reader;
    const std::string first =
        scenario_json(std::get<PublishedRow>(reader.read(row_text())).scenario);
    CHECK(scenario_json(std::get<PublishedRow>(reader.read(row_text())).scenario) == first);
  }
}

}  // namespace
}  // namespace forerun::sim
