#include "sim/scenario.h"

#include <doctest/doctest.h>

#include <algorithm>
#include <filesystem>
#include <string>

#include "core/file.h"
#include "sim/plan_json.h"
#include "sim/step.h"

namespace forerun::sim {
namespace {

/// A small scenario without a mistake; `from` is replaced by `to` to make one.
std::string scenario_text(const std::string& from = {}, const std::string& to = {}) {
  std::string text = R"({
    "schema": 1, "name": "small",
    "model": {"base": "llama3-8b"},
    "cluster": {"accelerator": "h100-sxm-80gb", "accelerators": 16,
                "network": {"domain": 8, "per_node": 8, "network": "400 Gb/s"}},
    "plan": {"data": 4, "tensor": 2, "pipeline": 2, "precision": "bf16",
             "micro_batch": 1, "global_batch": 32, "sequence": 8192},
    "framework": {"base": "megatron-core"}
  })";
  if (!from.empty()) {
    const std::size_t at = text.find(from);
    REQUIRE(at != std::string::npos);
    text.replace(at, from.size(), to);
  }
  return text;
}

std::string problems_of(const std::string& text) {
  Problems problems;
  const JsonDocument document = JsonDocument::parse(text, problems);
  const std::optional<Scenario> scenario = read_scenario(document, problems);
  CHECK(scenario.has_value() == problems.empty());
  return problems.text("s");
}

TEST_SUITE("sim/scenario") {
  TEST_CASE("a scenario that is right has no problems and reads what it says") {
    Problems problems;
    const JsonDocument document = JsonDocument::parse(scenario_text(), problems);
    const std::optional<Scenario> s = read_scenario(document, problems);
    REQUIRE_MESSAGE(s, problems.text("s"));
    CHECK(s->model.layers == 32);
    CHECK(s->accelerator.name == "h100-sxm-80gb");
    CHECK(s->plan.micro_batches() == 8);
    CHECK(s->framework.name == "megatron-core");
    CHECK(s->network.network.in(1.0_Gbps) == doctest::Approx(400));
    CHECK(s->training_tokens == 0);
    CHECK_FALSE(s->price);
  }

  TEST_CASE("every mistake is told with path, value and rule") {
    CHECK(problems_of(scenario_text("\"tensor\": 2", "\"tensr\": 2")) ==
          "s: /plan/tensr: unknown key (did you mean tensor?)\n");
    CHECK(problems_of(scenario_text("\"400 Gb/s\"", "\"400 GiB\""))
              .starts_with("s: /cluster/network/network: "));
    CHECK(problems_of(scenario_text("\"400 Gb/s\"", "400")) ==
          "s: /cluster/network/network: expected a bandwidth with its unit like \"400 Gb/s\", "
          "found 400\n");
    CHECK(problems_of(scenario_text("\"accelerators\": 16", "\"accelerators\": -16")) ==
          "s: /cluster/accelerators: must be from 1 to 16777216, found -16\n");
    CHECK(problems_of(scenario_text("\"accelerators\": 16", "\"accelerators\": 16.5")) ==
          "s: /cluster/accelerators: expected an integer, found 16.5\n");
    CHECK(problems_of(scenario_text("h100-sxm-80gb", "h100-sxm-80g")) ==
          "s: /cluster/accelerator: \"h100-sxm-80g\" is no accelerator profile: did you mean "
          "h100-sxm-80gb?\n");
    CHECK(problems_of(scenario_text("megatron-core", "megatron-cor")) ==
          "s: /framework/base: \"megatron-cor\" is no framework preset: did you mean "
          "megatron-core?\n");
  }

  TEST_CASE("all mistakes of a file come at once") {
    std::string text = scenario_text("\"tensor\": 2", "\"tensr\": 2");
    text.replace(text.find("\"schema\": 1"), 11, "\"schema\": 9");
    const std::string problems = problems_of(text);
    CHECK(problems.find("/schema") != std::string::npos);
    CHECK(problems.find("/plan/tensr") != std::string::npos);
  }

  TEST_CASE("a plan that does not multiply to the cluster is refused with the product") {
    CHECK(problems_of(scenario_text("\"accelerators\": 16", "\"accelerators\": 32")) ==
          "s: /plan: data 4 x tensor 2 x pipeline 2 x context 1 = 16 accelerators, but "
          "/cluster/accelerators is 32\n");
  }

  TEST_CASE("rules across fields name the field, the value and what it must fit") {
    // 32 heads, feed-forward 14336 = 3 x 4778.7, 8 kv heads: none is divided by 3.
    const std::string tensor = problems_of(scenario_text("\"tensor\": 2", "\"tensor\": 3"));
    CHECK(tensor.find("/plan/tensor: 3 does not divide the model's heads, 32") !=
          std::string::npos);
    CHECK(problems_of(scenario_text("\"global_batch\": 32", "\"global_batch\": 33")) ==
          "s: /plan/global_batch: 33 is no multiple of data x micro_batch = 4 x 1 = 4\n");
    CHECK(
        problems_of(scenario_text("\"pipeline\": 2", "\"pipeline\": 2, \"virtual_stages\": 17")) ==
        "s: /plan/pipeline: 32 layers cannot fill 2 stages of 17 virtual stages\n");
    CHECK(problems_of(
              scenario_text("\"sequence\": 8192", "\"sequence\": 8192, \"shard_group\": 2")) ==
          "s: /plan/shard_group: 2, but nothing is sharded\n");
    CHECK(problems_of(scenario_text("\"precision\": \"bf16\"", "\"precision\": \"nvfp4\"")) ==
          "s: /plan/precision: nvfp4: h100-sxm-80gb has no nvfp4 products\n");
    CHECK(problems_of(scenario_text("\"pipeline\": 2",
                                    "\"pipeline\": 2, \"virtual_stages\": 2, "
                                    "\"schedule\": \"one_forward_one_backward\""))
              .find("/plan/schedule: one_forward_one_backward has one stage a rank, virtual_stages "
                    "is 2") != std::string::npos);
    // Slots of a language model that has no chunk are not divided by none.
    CHECK(
        problems_of(scenario_text("\"pipeline\": 2",
                                  "\"pipeline\": 2, \"encoder_stages\": 2, "
                                  "\"embedding_takes_slot\": true"))
            .find("/plan/encoder_stages: 2 of 2 model chunks leave none for the language model") !=
        std::string::npos);
    CHECK(problems_of(scenario_text("\"pipeline\": 2",
                                    "\"pipeline\": 2, \"schedule\": \"zero_bubble_h1\", "
                                    "\"sharding\": \"gradients\"")) ==
          "s: /plan/schedule: zero_bubble_h1 puts weight gradients off, so it goes with sharding "
          "none or optimizer, not with gradients\n");
    CHECK(problems_of(scenario_text("\"global_batch\": 32",
                                    "\"global_batch\": 8, \"schedule\": \"dualpipe\"")) ==
          "s: /plan/schedule: ranks 2, micro-batches 2: dualpipe needs an even number of ranks and "
          "an even number of micro-batches, at least twice as many\n");
  }

  TEST_CASE("a power cap lies between idle power and the board's own cap, and slows a step") {
    const auto capped = [](const std::string& cap) {
      return scenario_text("\"accelerators\": 16,",
                           "\"accelerators\": 16, \"power_cap\": " + cap + ",");
    };
    CHECK(problems_of(capped("\"900 W\"")) ==
          "s: /cluster/power_cap: 900 W: must be above the 117 W that the board draws idle and at "
          "most its own cap, 700 W\n");
    CHECK(problems_of(capped("\"100 W\"")).starts_with("s: /cluster/power_cap: 100 W: must be"));
    CHECK(problems_of(capped("700")).starts_with("s: /cluster/power_cap: expected"));
    Problems problems;
    const auto read = [&](const std::string& text) {
      return read_scenario(JsonDocument::parse(text, problems), problems);
    };
    const std::optional<Scenario> free = read(scenario_text());
    const std::optional<Scenario> low = read(capped("\"300 W\""));
    REQUIRE_MESSAGE(problems.empty(), problems.text("s"));
    CHECK(low->accelerator.power.cap == 300.0_W);
    CHECK(scenario_json(*low).find("\"power_cap\": \"300 W\"") != std::string::npos);
    CHECK(step_time(*low) > 1.1 * step_time(*free));
  }

  TEST_CASE("a value that was refused breaks no second rule") {
    CHECK(problems_of(scenario_text("\"accelerators\": 16,",
                                    "\"accelerators\": 16, \"power_cap\": 700,")) ==
          "s: /cluster/power_cap: expected a power with its unit like \"700 W\", found 700\n");
    CHECK(problems_of(scenario_text("\"megatron-core\"",
                                    "\"megatron-core\", \"vocabulary_multiple\": \"x\"")) ==
          "s: /framework/vocabulary_multiple: expected an integer, found \"x\"\n");
  }

  TEST_CASE("zero is no measured value and no bandwidth of a network") {
    const std::string published = problems_of(scenario_text(
        "\"schema\": 1,",
        R"("schema": 1, "published": {"step_time": "0 s", "memory": "0 GiB", "source": "x"},)"));
    CHECK(published ==
          "s: /published/step_time: must be above 0\ns: /published/memory: must be above 0\n");
    CHECK(problems_of(scenario_text("400 Gb/s", "0 GB/s")) ==
          "s: /cluster/network/network: must be above 0; without it, it is the generation's usual "
          "NIC\n");
  }

  TEST_CASE("a step of more operations than are simulated is refused with the most that are") {
    // 2 stages, 2 x 4 operations a micro-batch each: 4,000,000 / 16 = 250,000 micro-batches of 4
    // data ranks.
    CHECK(problems_of(scenario_text("\"global_batch\": 32", "\"global_batch\": 1000000")) == "");
    CHECK(problems_of(scenario_text("\"global_batch\": 32", "\"global_batch\": 1000004")) ==
          "s: /plan/global_batch: 250001 micro-batches of 16 operations each (2 stages x 1 virtual "
          "stages), but at most 4000000 operations are simulated, 250000 micro-batches of this "
          "plan\n");
    // 16 + 6 x 32 layers = 208 operations: 19,230 micro-batches.
    std::string sharded = scenario_text("\"global_batch\": 32", "\"global_batch\": 76924");
    sharded.insert(sharded.find("\"data\": 4"), "\"sharding\": \"parameters\", ");
    CHECK(problems_of(sharded).find("19231 micro-batches of 208 operations each (2 stages x 1 "
                                    "virtual stages, 32 sharded layers)") != std::string::npos);
    CHECK(problems_of(scenario_text("\"global_batch\": 32", "\"global_batch\": 4294967296"))
              .find("/plan/global_batch: 1073741824 micro-batches") != std::string::npos);
  }

  // The ready recording has 64 micro-batches of 8,192 tokens; the small scenario's are of one
  // sequence of so many, 32 a step.
  TEST_CASE("a recording is read for the plan's micro-batches, and what is assumed of it told") {
    const std::string recorded = scenario_text(
        "\"framework\"", "\"mixture\": {\"recording\": \"chameleon-2x4096\"}, \"framework\"");
    Problems problems;
    std::optional<Scenario> s = read_scenario(JsonDocument::parse(recorded, problems), problems);
    REQUIRE_MESSAGE(s, problems.text("s"));
    REQUIRE(s->assumptions.size() == 1);
    CHECK(s->assumptions[0].starts_with(
        "the recorded micro-batches, chameleon-2x4096: no log of a run: "));
    const JsonDocument written = JsonDocument::parse(scenario_json(*s), problems);
    const std::optional<Scenario> back = read_scenario(written, problems);
    REQUIRE_MESSAGE(back, problems.text("written"));
    CHECK(back->mixture == s->mixture);
    s->plan.micro_batch = 2;
    check_scenario(*s, problems);
    CHECK(
        problems.text("s") ==
        "s: /mixture/recording: of micro-batches of 8192 tokens, but the plan's are of 2 x 8192\n");

    std::string other = recorded;
    other.replace(other.find("8192"), 4, "2048");
    CHECK(problems_of(other).starts_with(
        "s: /mixture/recording: chameleon-2x4096: line 2: /tokens/image: must be from 0 to 2048"));
    other = recorded;
    other.replace(other.find("chameleon-2x"), 12, "cameleon-2x");
    CHECK(problems_of(other) ==
          "s: /mixture/recording: \"cameleon-2x4096\" is no file and no recording: did you mean "
          "chameleon-2x4096?\n");
    other = recorded;
    other.replace(other.find("\"global_batch\": 32"), 18, "\"global_batch\": 512");
    problems = {};
    s = read_scenario(JsonDocument::parse(other, problems), problems);
    REQUIRE_MESSAGE(s, problems.text("s"));
    CHECK(s->assumptions.back() ==
          "the 64 recorded micro-batches of chameleon-2x4096 are dealt again and again to the "
          "step's 512");
  }

  TEST_CASE("text that is cut off or nested too deeply is one problem") {
    const std::string whole = scenario_text();
    const std::string cut = problems_of(whole.substr(0, whole.size() / 2));
    CHECK(std::count(cut.begin(), cut.end(), '\n') == 1);
    std::string deep = "{\"a\":";
    for (int i = 0; i < 10'000; ++i) deep += "[";
    const std::string nested = problems_of(deep);
    CHECK(std::count(nested.begin(), nested.end(), '\n') == 1);
    CHECK(nested.find("64") != std::string::npos);
  }

  TEST_CASE("a network that is a graph is checked against the job and its neighbours") {
    const std::string given = R"({"domain": 8, "per_node": 8, "network": "400 Gb/s"})";
    const auto with = [&](const std::string& network) {
      return problems_of(scenario_text(given, network));
    };
    CHECK(with(R"({"topology": "h100-two-jobs"})").empty());
    CHECK(with(R"({"topology": "h100-two-jobs", "fidelity": "analytic"})").empty());
    CHECK(with(R"({"topology": "h100-two-job"})") ==
          "s: /cluster/network/topology: \"h100-two-job\" is no topology: did you mean "
          "h100-two-jobs?\n");
    CHECK(
        with(R"({"topology": "h100-two-jobs", "fidelity": "flo"})") ==
        "s: /cluster/network/fidelity: expected one of analytic, flow; found \"flo\" (did you mean "
        "\"flow\"?)\n");
    CHECK(with(R"({"topology": "tpu-v4-cube"})")
              .starts_with("s: /cluster/network/topology: tpu-v4-"));
    CHECK(
        with(R"({"topology": "h100-two-jobs", "placement": {"first": 2, "every": 14}})") ==
        "s: /cluster/network/topology: h100-two-jobs has 16 domains of 8, and 16 accelerators need "
        "2 as placed\n");
    const std::string job =
        R"("beside": [{"name": "n", "collective": "all_reduce", "bytes": "1 GiB", "count": 8, )";
    CHECK(with(R"({"topology": "h100-two-jobs", )" + job + R"("first": 16}]})").empty());
    CHECK(with(R"({"topology": "h100-two-jobs", )" + job + R"("first": 8}]})") ==
          "s: /cluster/network/beside/0: accelerator 8 is one of the model's 2 domains\n");
    CHECK(with(R"({"topology": "h100-two-jobs", "placement": {"first": 0, "every": 2}, )" + job +
               R"("first": 8}]})")
              .empty());
    CHECK(with(R"({"topology": "h100-two-jobs", )" + job + R"("first": 16, "start": "1 s"}]})") ==
          "s: /cluster/network/beside/0/start: other jobs' collectives run over and over here\n");
    CHECK(with(R"({"topology": "h100-two-jobs", "fidelity": "analytic", "placement": {"first": 1,
                   "every": 1}})") ==
          "s: /cluster/network/placement: where the model is matters to the fidelity \"flow\" "
          "alone\n");
    CHECK(with(R"({"topology": "h100-two-jobs", "fidelity": "analytic", )" + job +
               R"("first": 16}]})") ==
          "s: /cluster/network/beside: other jobs' traffic needs the fidelity \"flow\"\n");
  }

  TEST_CASE("writing a scenario and reading it gives the same question") {
    for (const auto& entry : std::filesystem::directory_iterator(data_path("scenarios"))) {
      if (entry.is_directory()) continue;  // sweeps and searches
      CAPTURE(entry.path().string());
      Problems problems;
      const JsonDocument document = JsonDocument::load(entry.path().string(), problems);
      const std::optional<Scenario> s = read_scenario(document, problems);
      REQUIRE_MESSAGE(s, problems.text("s"));
      CHECK(s->name == entry.path().stem().string());
      CHECK_FALSE(s->description.empty());
      const std::string text = scenario_json(*s);
      const JsonDocument again = JsonDocument::parse(text, problems);
      const std::optional<Scenario> back = read_scenario(again, problems);
      REQUIRE_MESSAGE(back, problems.text("written"));
      CHECK(scenario_json(*back) == text);
      CHECK(plan_json(back->plan) == plan_json(s->plan));
      CHECK(models::architecture_json(back->model) == models::architecture_json(s->model));
      CHECK(back->published.step_time == s->published.step_time);
      CHECK(back->price == s->price);
    }
  }
}

}  // namespace
}  // namespace forerun::sim
