// forerun plan, as somebody at a terminal would run it.

#include <doctest/doctest.h>

#include <string>

#include "core/file.h"
#include "core/reader.h"
#include "tests/cli/program.h"

namespace forerun::testing {
namespace {

constexpr const char* kFew =
    R"("plan": {"tensor": [4, 8], "pipeline": [8, 16], "virtual_stages": [1, 3, 6], "micro_batch": [1]})";

std::string search(const std::string& rest) { return "{\"schema\": 1, " + rest + "}"; }

double number_at(Reader top, const char* object, const char* key) {
  return top.object(object).number(key, 0, 1e18);
}

TEST_SUITE("cli/plan") {
  TEST_CASE("plan prints the best plan, the front, why others lost and how to run it") {
    const Folder folder;
    const Ran r = forerun({"plan", "gpt3_175b_korthikanti", "--search",
                           folder.file("few.json", search(kFew)), "--threads", "1"});
    CHECK(r.code == 0);
    CHECK(r.err.empty());
    for (const char* part :
         {"best plan: ", "the scenario's own plan takes 14.04 s", "the front: ", "why others lost",
          "bounded away", "forerun run gpt3_175b_korthikanti", "--set plan."}) {
      CHECK_MESSAGE(has(r.out, part), part);
    }
  }

  TEST_CASE("-o writes the scenario whose step is the best that was found, and --json says it") {
    const Folder folder;
    const std::string few = folder.file("few.json", search(kFew)), best = folder.path("best.json");
    const Ran r =
        forerun({"plan", "gpt3_175b_korthikanti", "--search", few, "--json", "-", "-o", best});
    CHECK(r.code == 0);
    Problems problems;
    const JsonDocument plan = JsonDocument::parse(r.out, problems);
    const Ran step = forerun({"step", best, "--json", "-"});
    CHECK(step.code == 0);
    const JsonDocument taken = JsonDocument::parse(step.out, problems);
    REQUIRE(problems.empty());
    CHECK(taken.root(problems).number("step_time_s", 0, 1e6) ==
          doctest::Approx(number_at(plan.root(problems), "best", "step_time_s")));
    // Threads change nothing.
    CHECK(
        forerun({"plan", "gpt3_175b_korthikanti", "--search", few, "--json", "-", "--threads", "1"})
            .out ==
        forerun({"plan", "gpt3_175b_korthikanti", "--search", few, "--json", "-", "--threads", "3"})
            .out);
  }

  TEST_CASE("choices are crossed, ranked and taken apart, with what the decision hangs on") {
    const Folder folder;
    const std::string file = folder.file("choices.json", search(R"(
      "goal": "cost", "loss_at_most": 2.1, "free_tokens": true,
      "plan": {"tensor": [1, 2], "pipeline": [1], "micro_batch": [1, 2]},
      "choices": [
        {"of": "machine", "options": [
          {"name": "8 H100", "set": []},
          {"name": "16 A100", "set": ["cluster.accelerator=a100-sxm-80gb",
            "cluster.accelerators=16", "cluster.network={\"name\": \"dgx-a100\"}",
            "price={\"accelerator_hour\": \"1.2 USD/h\", \"source\": \"the test\"}"]}]},
        {"of": "model", "options": [
          {"name": "8B", "set": []},
          {"name": "7B", "set": ["model={\"base\": \"llama2-7b\"}", "plan.sequence=4096"]}]}])"));
    const std::string best = folder.path("best.json");
    const std::string page = folder.path("plan.html");
    const Ran r =
        forerun({"plan", "llama3_8b_torchtitan", "--search", file, "-o", best, "--report", page});
    CHECK(r.code == 0);
    for (const char* part : {"least cost, mean loss at most 2.100 nats", "on the front", "lost to",
                             "what the decision hangs on", "price of ",
                             "of law chinchilla_refit together", "--set training_tokens="}) {
      CHECK_MESSAGE(has(r.out, part), part);
    }
    CHECK(forerun({"check", best}).code == 0);
    const std::string html = read_file(page, 1 << 24);
    for (const char* part :
         {"least cost", "8 H100, 8B", "What the decision hangs on", "--search"}) {
      CHECK_MESSAGE(has(html, part), part);
    }
    // The machine that costs least is the one that a list of the points' costs says.
    const Ran json = forerun({"plan", "llama3_8b_torchtitan", "--search", file, "--json", "-"});
    Problems problems;
    const JsonDocument document = JsonDocument::parse(json.out, problems);
    Reader top = document.root(problems);
    double least = 1e18;
    std::int64_t winner = -1, at = 0;
    for (Reader& point : top.objects("points")) {
      const double cost = point.object("outcome").number("cost_usd", 0, 1e18);
      if (cost < least) least = cost, winner = at;
      ++at;
    }
    CHECK(at == 4);
    CHECK(top.integers("ranking", 0, 100).front() == winner);
  }

  TEST_CASE("where nothing fits the exit code is 3 and the nearest plan is named") {
    const Ran r = forerun({"plan", "llama3_70b_does_not_fit"});
    CHECK(r.code == 3);
    CHECK(has(r.out, "infeasible: none of "));
    CHECK(has(r.out, "the nearest is "));
    const Folder folder;
    const Ran limits = forerun(
        {"plan", "llama3_8b_torchtitan", "--goal", "cost", "--search",
         folder.file("budget.json", search(R"("budget": "10 USD", "plan": {"tensor": [1]})"))});
    CHECK(limits.code == 3);
    CHECK(has(limits.out, "infeasible: costs "));
  }

  TEST_CASE("wrong searches are refused with file, path and rule") {
    const Folder folder;
    const auto refused = [&](const std::string& rest, const std::string& what) {
      const Ran r = forerun(
          {"plan", "llama3_8b_torchtitan", "--search", folder.file("wrong.json", search(rest))});
      CHECK(r.code == 1);
      CHECK_MESSAGE(has(r.err, what), r.err);
    };
    refused(R"("budget": "-3 USD")", "/budget: ");
    refused(R"("finish_by": "2020-01-01", "goal": "cost")", "/finish_by: 2020-01-01 is past");
    refused(R"("plan": {"tenser": [1]})", "/plan/tenser: unknown key (did you mean tensor?)");
    refused(R"("plan": {"tensor": []})", "/plan/tensor: no value to search");
    refused(R"("plan": {"tensor": [3]})", "8 accelerators");
    refused(R"("choices": [{"of": "a", "options": [{"name": "b", "set": ["cluster.acc=1"]}]}])",
            "/choices/0/options/0: \"b\": /cluster/acc: unknown key");
    const Ran goal = forerun({"plan", "llama3_8b_torchtitan", "--goal", "costs"});
    CHECK(goal.code == 2);
    CHECK(has(goal.err, "did you mean cost?"));
  }

  TEST_CASE("limits that limit nothing, or that the best plan breaks, are an answer") {
    const Folder folder;
    const auto answer = [&](const std::string& rest, const std::vector<std::string>& more) {
      std::vector<std::string> words = {"plan", "llama2_70b_64_h100", "--search",
                                        folder.file("s.json", search(rest))};
      words.insert(words.end(), more.begin(), more.end());
      return forerun(words);
    };
    const std::string free = R"("goal": "loss", "free_tokens": true, "budget": )";
    const Ran rich = answer(free + R"("1e12 USD")", {});
    CHECK(rich.code == 3);
    CHECK(has(rich.out, "they limit nothing"));
    const Ran gift = answer(free + R"("1e5 USD")",
                            {"--set", R"(price={"accelerator_hour": "0 USD/h", "source": "x"})"});
    CHECK(gift.code == 3);
    const Ran bounded = answer(free + R"("1e5 USD")", {});
    CHECK(bounded.code == 0);
    CHECK(has(bounded.out, "--set training_tokens="));
    const Ran poor =
        answer(R"("goal": "cost", "budget": "1000 USD")", {"--report", folder.path("page.html")});
    CHECK(poor.code == 3);
    CHECK(has(read_file(folder.path("page.html"), 1 << 20), "Not within the limits"));
    CHECK(has(answer(R"("goal": "cost")", {"--set", "price=null"}).out, "no price"));
    // A choice that costs nothing: what swings is said without a number that is none.
    CHECK(answer(R"("goal": "cost", "choices": [{"of": "price", "options": [
                    {"name": "free", "set": ["price={\"accelerator_hour\": \"0 USD/h\", \"source\": \"x\"}"]},
                    {"name": "list", "set": []}]}])",
                 {"--json", "-"})
              .code == 0);
  }

  TEST_CASE("the shipped search of networks is answered") {
    const Ran r = forerun({"plan", "llama2_70b_64_h100", "--search",
                           data_path("scenarios/searches/llama2_70b_network.json")});
    CHECK(r.code == 0);
    CHECK(has(r.out, "least cost: 400 Gb/s an accelerator"));
  }
}

}  // namespace
}  // namespace forerun::testing
