#include "sim/run/run_setup.h"

#include <doctest/doctest.h>

#include <algorithm>
#include <cmath>

#include "core/error.h"
#include "core/file.h"
#include "sim/run/young_daly.h"
#include "sim/step.h"

TEST_SUITE("sim/run_setup") {
  using namespace forerun;
  using namespace forerun::sim;
  using namespace forerun::literals;
  using doctest::Approx;

  static Scenario scenario(const char* name,
                           const std::vector<std::pair<std::string, std::string>>& set = {}) {
    Problems problems;
    JsonDocument document =
        JsonDocument::load(data_path(std::string("scenarios/") + name + ".json"), problems);
    for (const auto& [path, value] : set) document.set(path, value, problems);
    std::optional<Scenario> s = read_scenario(document, problems);
    CAPTURE((problems.empty() ? "" : problems.list()[0].where + " " + problems.list()[0].what));
    REQUIRE(s);
    return *std::move(s);
  }

  TEST_CASE(
      "a checkpoint's size, and how long it takes, against BLOOM's published 2.3 TB in 40 s") {
    const Scenario s = scenario(
        "bloom_176b_jean_zay",
        {{"operations", "{}"}, {"operations.storage", R"({"write_per_node": "1.2 GB/s"})"}});
    // 176.2e9 parameters with 14 bytes are 2.47 TB: bf16 weights, an fp32 copy and two moments.
    CHECK(checkpoint_bytes(s).in(Bytes(1e12)) == Approx(2.47).epsilon(0.01));
    const TierTimes t = tier_times(s, {}, 100.0_s, 10.0_h);
    CHECK(t.behind.base() == Approx(2470 / (1.2 * 48)).epsilon(0.01));
    CHECK(t.blocked.base() == Approx(0.5 + 2470.0 / 384 / 25).epsilon(0.01));
    CheckpointTier sync;
    sync.mode = CheckpointMode::synchronous;
    sync.every = 3.0_h;
    const TierTimes whole = tier_times(s, sync, 100.0_s, 10.0_h);
    CHECK(whole.behind.base() == 0);
    CHECK(whole.blocked.base() == Approx(t.blocked.base() + t.behind.base()));
    CHECK(whole.every_steps == 108);
  }

  TEST_CASE("the optimal interval is Daly's, but never shorter than the writing takes") {
    const Scenario s = scenario("llama3_405b_16384_h100");
    const TierTimes t = tier_times(s, {}, 6.5_s, 3.0_h);
    CHECK(t.every_steps == std::round(300 / 6.5));
    CheckpointTier stops;
    stops.blocks = 60.0_s;
    const TierTimes longer = tier_times(s, stops, 6.5_s, 3.0_h);
    CHECK(longer.every_steps * 6.5 ==
          Approx(daly_interval(longer.blocked, 3.0_h).base()).epsilon(0.05));
    Scenario slow = s;
    slow.operations.storage.write = 2.0_GBps;
    const TierTimes bound = tier_times(slow, {}, 6.5_s, 3.0_h);
    CHECK(bound.every_steps * 6.5 >= 0.99 * bound.behind.base());
  }

  TEST_CASE("steps of a batch ramp are simulated at their batch") {
    const Scenario plain = scenario("gpt3_175b_korthikanti", {{"training_tokens", "3e11"}});
    const Seconds full = step_time(plain);
    const RunSetup one = run_setup(plain, full, std::nullopt);
    REQUIRE(one.phases.size() == 1);
    const Scenario s = scenario(
        "gpt3_175b_korthikanti",
        {{"training_tokens", "3e11"},
         {"recipe",
          R"({"learning_rate": {"peak": 6e-5}, "batch_ramp": [{"from_tokens": 0, "share": 0.5}, {"from_tokens": 1e11, "share": 1}]})"}});
    const RunSetup two = run_setup(s, full, std::nullopt);
    REQUIRE(two.phases.size() == 2);
    // Half of the micro-batches and the same fill: more than half of the time.
    CHECK(two.phases[0].step > 0.5 * full);
    CHECK(two.phases[0].step < 0.8 * full);
    CHECK(two.phases[1].step == full);
    CHECK(two.phases[1].from_step == Approx(1e11 / (0.5 * tokens_per_step(s))).epsilon(1e-3));
    CHECK(two.steps == Approx(one.steps * 4 / 3).epsilon(1e-3));
  }

  TEST_CASE("a batch of a ramp that is no whole number of micro-batches is rounded, and said") {
    const Scenario s = scenario(
        "llama2_70b_64_h100_spot",
        {{"recipe",
          R"({"batch_ramp": [{"from_tokens": 0, "share": 0.5}, {"from_tokens": 1e11, "share": 1}]})"}});
    // 64 replicas of 2 sequences: 128 is the least.
    const RunSetup setup = run_setup(s, 7.0_s, std::nullopt);
    CHECK(setup.phases[0].tokens_per_step == tokens_per_step(s));
    CHECK(setup.steps == Approx(2e11 / tokens_per_step(s)).epsilon(1e-4));
    const bool said = std::ranges::any_of(setup.assumptions, [](const std::string& a) {
      return a.find("rounded to 128 sequences") != std::string::npos;
    });
    CHECK(said);
  }

  TEST_CASE("stops that are announced in time do not set the interval") {
    Scenario s = scenario("llama2_70b_64_h100_spot");
    const RunSetup calm = run_setup(s, 7.0_s, std::nullopt);
    s.cost.rent->preemptions->per_1000_node_days = {1000, 1000};
    s.cost.rent->preemptions->notice = 1.0_s;
    const RunSetup rough = run_setup(s, 7.0_s, std::nullopt);
    CHECK(rough.tiers[0].every_steps < calm.tiers[0].every_steps / 4);
    CHECK(*mean_time_to_loss(rough) < 3.1_h);
    s.cost.rent->preemptions->notice = 3600.0_s;
    CHECK(run_setup(s, 7.0_s, std::nullopt).tiers[0].every_steps ==
          run_setup(scenario("llama2_70b_64_h100_spot", {{"cost", "{}"}}), 7.0_s, std::nullopt)
              .tiers[0]
              .every_steps);
  }

  TEST_CASE("a run of thousands of years is refused") {
    Scenario s = scenario("llama3_405b_16384_h100");
    s.training_tokens = 1e18;
    CHECK_THROWS_WITH_AS((void)run_setup(s, 7.0_s, std::nullopt),
                         doctest::Contains("years undisturbed"), Error);
  }

  TEST_CASE("machines on spot are taken back, told or not") {
    Scenario s = scenario("llama2_70b_64_h100_spot");
    REQUIRE(s.cost.rent);
    REQUIRE(s.cost.rent->preemptions);
    const RunSetup setup = run_setup(s, 7.0_s, std::nullopt);
    const hw::FailureCause& last = setup.reliability.causes.back();
    CHECK(last.name == "taken back by their owner");
    CHECK(last.per_1000_node_days == s.cost.rent->preemptions->per_1000_node_days);
    CHECK(last.notice == s.cost.rent->preemptions->notice);
  }

  TEST_CASE("decoding binds where it is slower than the step") {
    Scenario s = scenario("chameleon_7b_1024_a100");
    DataLoading d;
    d.bytes_per_token = 4;
    d.read = 1.0_GBps;
    s.operations.data = d;
    const RunSetup read = run_setup(s, 1.0_s, std::nullopt);
    CHECK(read.phases[0].data.base() == Approx(tokens_per_step(s) * 4 / 1e9));
    s.operations.data->decode["image"] = 1;
    const RunSetup decoded = run_setup(s, 1.0_s, std::nullopt);
    CHECK(decoded.phases[0].data > read.phases[0].data);
  }
}
