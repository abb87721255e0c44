#include "sim/sweep/sweep.h"

#include <doctest/doctest.h>

#include "core/json_at.h"
#include "sim/scenario.h"
#include "sim/sweep/made_sweep.h"
#include "tests/replaced.h"

namespace forerun::sim {
namespace {

TEST_SUITE("sim/sweep/sweep") {
  /// The problems of a sweep about llama3_8b_torchtitan with these axes, one a line.
  std::string problems_of(const std::string& axes,
                          const std::string& base = "\"llama3_8b_torchtitan\"") {
    Problems problems;
    (void)read_sweep(R"({"schema": 1, "name": "x", "base": )" + base +
                         R"(, "designs": [{"kind": "grid", "axes": [)" + axes + "]}]}",
                     problems);
    std::string out;
    for (const Problem& p : problems.list()) out += p.where + ": " + p.what + "\n";
    return out;
  }

  TEST_CASE("points are numbered through the designs") {
    const Sweep s = made_sweep();
    CHECK(s.points() == 9);
    CHECK(settings_json(s.settings(0)) == R"({"plan.micro_batch": 1, "training_tokens": 2e8})");
    CHECK(settings_json(s.settings(3)) == R"({"plan.micro_batch": 2, "training_tokens": 4e8})");
    CHECK(s.design_of(5).name() == "grid");
    CHECK(s.design_of(6).name() == "drawn");
    CHECK(s.settings(6)[0].path == "operations.spares");
    CHECK(s.paths ==
          std::vector<std::string>{"plan.micro_batch", "training_tokens", "operations.spares"});
    CHECK(s.seed_of(0) == 5);
    CHECK(s.seed_of(8) == 5);
  }

  TEST_CASE("each point may have a seed of its own") {
    const Sweep s = made_sweep(
        replaced(sweep_text(), "\"seed\": 5", "\"seed\": 5, \"seeds\": \"independent\""));
    CHECK(s.seed_of(0) != s.seed_of(1));
    CHECK(s.seed_of(1) == made_sweep(s.text).seed_of(1));
    CHECK(s.seed_of(1) < std::uint64_t{1} << 63);
  }

  TEST_CASE("without a seed the base's is taken") {
    CHECK(made_sweep(replaced(sweep_text(), "\"seed\": 5,", "")).seed == 1);
  }

  TEST_CASE("a point's document is the base with its settings, objects made where they lack") {
    const Sweep s = made_sweep();
    CHECK(s.made == std::vector<std::string>{"/operations"});
    Problems problems;
    const std::optional<Scenario> drawn =
        read_scenario(point_document(s, s.settings(6), problems), problems);
    REQUIRE_MESSAGE(drawn.has_value(), problems.text("point"));
    CHECK(drawn->operations.spares.has_value());
    CHECK(drawn->plan.micro_batch == 2);
    const std::optional<Scenario> grid =
        read_scenario(point_document(s, s.settings(0), problems), problems);
    REQUIRE(grid.has_value());
    CHECK(grid->plan.micro_batch == 1);
    CHECK(grid->training_tokens == 2e8);
    CHECK_FALSE(grid->operations.spares.has_value());
  }

  TEST_CASE("hashes differ with the file and with the base") {
    const std::uint64_t hash = made_sweep().hash;
    CHECK(hash == made_sweep().hash);
    CHECK(hash != made_sweep(replaced(sweep_text(), "2e8", "3e8")).hash);
    CHECK(hash !=
          made_sweep(replaced(sweep_text(), "llama3_8b_torchtitan", "llama2_70b_64_h100")).hash);
  }

  TEST_CASE("a path that is none of a scenario is refused with the nearest that is") {
    CHECK(problems_of(R"({"path": "plan.tensr", "values": [1, 2]})") ==
          "/designs/0/axes/0/path: \"plan.tensr\" is no path of this scenario (did you mean "
          "plan.tensor?)\n");
    CHECK(problems_of(R"({"path": "pln.tensor", "values": [1, 2]})") ==
          "/designs/0/axes/0/path: \"pln.tensor\" is no path of this scenario (did you mean "
          "plan.tensor?)\n");
    CHECK(problems_of(R"({"path": "accelerators", "values": [8]})") ==
          "/designs/0/axes/0/path: \"accelerators\" is no path of this scenario (did you mean "
          "cluster.accelerators?)\n");
    CHECK(problems_of(R"({"path": "operations.spres", "values": [8]})") ==
          "/designs/0/axes/0/path: \"operations.spres\" is no path of this scenario (did you mean "
          "operations.spares?)\n");
    CHECK(problems_of(R"({"paths": ["plan.data", "plan.zzzzzzzz"], "values": [[8, 1]]})") ==
          "/designs/0/axes/0/paths: \"plan.zzzzzzzz\" is no path of this scenario\n");
    // A name in place of an object has nothing inside.
    CHECK(problems_of(R"({"path": "name.first", "values": ["x"]})").find("no path") !=
          std::string::npos);
  }

  TEST_CASE("a value that the path cannot take is refused, and every one of them") {
    CHECK(problems_of(R"({"path": "plan.tensor", "values": [1, "two", 2.5, -3, 2]})") ==
          "/designs/0/axes/0/values/1: plan.tensor: expected an integer, found \"two\"\n"
          "/designs/0/axes/0/values/2: plan.tensor: expected an integer, found 2.5\n"
          "/designs/0/axes/0/values/3: plan.tensor: must be from 1 to 16777216, found -3\n");
    CHECK(problems_of(R"({"path": "plan.precision", "values": ["bf16", "fp61"]})")
              .starts_with("/designs/0/axes/0/values/1: plan.precision: expected one of bf16"));
    CHECK(
        problems_of(R"({"path": "plan.tensor", "from": 0.5, "to": 4, "count": 3})")
            .starts_with("/designs/0/axes/0/from: plan.tensor: expected an integer, found 0.5\n"));
    CHECK(problems_of(R"({"path": "price.accelerator_hour", "from": 1, "to": 4, "count": 3})")
              .starts_with("/designs/0/axes/0/from: price.accelerator_hour: expected a price"));
    CHECK(problems_of(R"({"path": "price.accelerator_hour", "from": -1, "to": 4, "count": 3,
                          "unit": "USD/h"})")
              .starts_with("/designs/0/axes/0/from: price.accelerator_hour: must be at least 0"));
    CHECK(problems_of(
              R"({"path": "cluster.accelerator", "values": ["a100-sxm-80gb", "a100-xsm-80gb"]})")
              .starts_with("/designs/0/axes/0/values/1: cluster.accelerator: "));
    CHECK(
        problems_of(R"({"path": "plan.recompute", "values": [{"mode": "full"}, {"mode": "fll"}]})")
            .starts_with("/designs/0/axes/0/values/1: plan.recompute: plan.recompute.mode: "));
  }

  TEST_CASE("a rule across fields is no mistake of the sweep") {
    CHECK(problems_of(R"({"path": "plan.tensor", "values": [1, 3, 7]})").empty());
    // A cap above the board's own is a rule of the board.
    CHECK(problems_of(R"({"path": "cluster.power_cap", "from": 300, "to": 500, "count": 3,
                          "unit": "W"})")
              .empty());
  }

  TEST_CASE("what is wrong with the base is told, unless the sweep sets it") {
    const std::string text = R"({"schema": 1, "name": "b", "model": {"base": "llama3-8b"},
      "cluster": {"accelerator": "h100-sxm-80gb", "accelerators": 8, "network": {"name": "dgx-h100"}},
      "plan": {"data": 8, "precision": "bf16", "micro_batch": 1, "global_batch": 8},
      "framework": {"base": "generic"}})";
    CHECK(problems_of(R"({"path": "plan.sequence", "values": [2048]})", text).empty());
    CHECK(problems_of(R"({"path": "plan.data", "values": [8]})", text) ==
          "/base/plan/sequence: missing\n");
    CHECK(problems_of(R"({"path": "plan.data", "values": [8]})", "\"llama3_8b_torchtitn\"") ==
          "/base: \"llama3_8b_torchtitn\" is no file and no scenario's name (did you mean "
          "llama3_8b_torchtitan?)\n");
  }

  TEST_CASE("numbers of a list are tried at their ends, so that long lists are read in no time") {
    std::string values;
    for (int i = 1; i <= 20000; ++i) values += (i > 1 ? ", " : "") + std::to_string(i);
    CHECK(problems_of(R"({"path": "plan.micro_batch", "values": [)" + values + "]}").empty());
    CHECK_FALSE(
        problems_of(R"({"path": "plan.micro_batch", "values": [)" + values + ", 0]}").empty());
  }

  TEST_CASE("numbers below the least normal one are tried like others") {
    CHECK(problems_of(R"({"path": "operations.error.none", "values": [1e-320, 4e-324]})")
              .find("no path") != std::string::npos);
    CHECK(problems_of(R"({"path": "recipe.learning_rate.peak", "values": [1e-320, 1e-4, -1e-320]})")
              .starts_with("/designs/0/axes/0/values/2: recipe.learning_rate.peak: "));
  }

  TEST_CASE("other mistakes of a sweep are told by name, all of them") {
    Problems problems;
    CHECK_FALSE(read_sweep(R"({"schema": 2, "name": "x", "base": "llama3_8b_torchtitan",
        "sed": 1, "seeds": "some", "answer": {"run_draws": 0, "los": 1},
        "designs": [{"name": "a", "kind": "grid", "axes": [{"path": "seed", "values": [1]}]},
                    {"name": "a", "kind": "grid", "axes": [{"path": "s\"", "values": [1]}]}]})",
                           problems));
    std::string all;
    for (const Problem& p : problems.list()) all += p.where + ": " + p.what + "\n";
    for (const char* part :
         {"/schema: ", "/sed: unknown key (did you mean seed", "/seeds: expected one of same",
          "/answer/run_draws: must be", "/answer/los: unknown key",
          "/designs/1/name: \"a\" is another design's name",
          "/designs/1/axes/0/path: has a quote"}) {
      CHECK_MESSAGE(all.find(part) != std::string::npos, part, "\n", all);
    }
  }
}

}  // namespace
}  // namespace forerun::sim
