// The program from end to end: what it prints, where, and with which exit code.

#include <doctest/doctest.h>

#include <fstream>
#include <string>

#include "core/file.h"
#include "core/reader.h"
#include "tests/cli/program.h"
#include "tests/replaced.h"

namespace forerun::testing {
namespace {

const std::string kScenario = "llama3_8b_torchtitan";

TEST_SUITE("cli") {
  TEST_CASE("run answers a published run beside its measured value and nothing on standard error") {
    const Ran r = forerun({"run", kScenario});
    CHECK(r.code == 0);
    CHECK(r.err.empty());
    for (const char* part :
         {"step time", "published 2.458 s", "GPU-hours", "energy", "rent: ", "loss, text",
          "utilisation", "memory", "assumed of framework", "seed 1, forerun "}) {
      CHECK_MESSAGE(has(r.out, part), part);
    }
  }

  TEST_CASE("run --json - writes only JSON, with what the text says") {
    const Ran r = forerun({"run", kScenario, "--json", "-"});
    CHECK(r.code == 0);
    Problems problems;
    const JsonDocument document = JsonDocument::parse(r.out, problems);
    REQUIRE_MESSAGE(problems.empty(), problems.text("out"));
    Reader top = document.root(problems);
    CHECK(top.number("step_time_s", 0.1, 100) > 1.0);
    CHECK(top.number("days", 1, 10000) > 1.0);
    CHECK(top.boolean("feasible"));
    CHECK(top.text("version") != "");
    CHECK(top.text("input_hash").size() == 16);
    CHECK(problems.empty());
  }

  TEST_CASE("--json FILE writes the file and still prints the text") {
    const Folder folder;
    const Ran r = forerun({"step", kScenario, "--json", folder.path("step.json")});
    CHECK(r.code == 0);
    CHECK(has(r.out, "the 20 kernels that take longest"));
    Problems problems;
    (void)JsonDocument::load(folder.path("step.json"), problems);
    CHECK_MESSAGE(problems.empty(), problems.text("step.json"));
  }

  TEST_CASE("the same question has the same answer and hash, another one has another hash") {
    const auto hash = [](const std::vector<std::string>& more) {
      std::vector<std::string> words = {"run", kScenario, "--json", "-"};
      words.insert(words.end(), more.begin(), more.end());
      return forerun(words).out;
    };
    CHECK(hash({}) == hash({}));
    CHECK(hash({}) != hash({"--seed", "2"}));
    CHECK(hash({"--set", "plan.global_batch=32"}) != hash({}));
    // Files that the scenario names are part of the question.
    const Folder folder;
    const auto copy = [&](const std::string& data, const std::string& name) {
      return folder.file(name, read_file(data_path(data), 1 << 26));
    };
    const std::string chip = copy("hw/profiles/accelerators/h100-sxm-80gb.json", "chip.json");
    const std::string net = copy("hw/profiles/topologies/b200-4x8.json", "net.json");
    const std::string law = copy("models/laws/chinchilla_refit.json", "law.json");
    const auto with_files = [&] {
      return hash({"--set", "cluster.accelerator=\"" + chip + "\"", "--set",
                   "cluster.network={\"topology\": \"" + net + "\"}", "--set",
                   "loss.law=\"" + law + "\""});
    };
    for (const std::string& file : {chip, net, law}) {
      const std::string before = with_files();
      write_file(file, read_file(file, 1 << 26) + "\n");
      CHECK_MESSAGE(before != with_files(), file);
    }
  }

  TEST_CASE("--set replaces values, and a wrong one is told with its path") {
    CHECK(has(forerun({"run", kScenario, "--set", "plan.global_batch=32"}).out, "32 sequences"));
    const Ran wrong = forerun({"run", kScenario, "--set", "plan.data=3"});
    CHECK(wrong.code == 1);
    CHECK(wrong.out.empty());
    CHECK(has(wrong.err, "/plan: data 3 x tensor 1 x pipeline 1 x context 1 = 3 accelerators"));
    const Ran half = forerun({"run", kScenario, "--set", "plan.data"});
    CHECK(half.code == 2);
    CHECK(has(half.err, "expected PATH=VALUE"));
  }

  TEST_CASE("a plan that is out of memory exits 3 and says by how much") {
    for (const char* command : {"run", "step"}) {
      const Ran r = forerun({command, "llama3_70b_does_not_fit"});
      CHECK(r.code == 3);
      CHECK(r.err.empty());
      CHECK(has(r.out, "infeasible: "));
      CHECK(has(r.out, " over on stage 0"));
      CHECK(has(r.out, "optimiser states"));
    }
    const Ran json = forerun({"run", "llama3_70b_does_not_fit", "--json", "-"});
    CHECK(json.code == 3);
    CHECK(has(json.out, "\"feasible\": false"));
  }

  TEST_CASE("what would make a plan fit is named, and does") {
    // Four sequences at a time are too many, two at a time are the run that was published.
    const Ran r =
        forerun({"run", kScenario, "--set", "plan.micro_batch=4", "--set", "plan.global_batch=32"});
    CHECK(r.code == 3);
    REQUIRE(has(r.out, "it fits with\n"));
    CHECK(has(r.out, "micro_batch 4 -> 2"));
    CHECK(
        forerun({"run", kScenario, "--set", "plan.micro_batch=2", "--set", "plan.global_batch=32"})
            .code == 0);
  }

  TEST_CASE("wrong input is a clear message, exit 1, in under a second") {
    const Folder folder;
    const std::string good = read_file(data_path("scenarios/" + kScenario + ".json"), 1 << 20);
    const auto refused = [](const std::string& path, const std::string& words) {
      const Ran r = forerun({"run", path});
      CHECK(r.code == 1);
      CHECK(r.out.empty());
      CHECK(r.err.starts_with("error: "));
      CHECK_MESSAGE(has(r.err, words), r.err);
      CHECK(r.seconds < 1.0);
    };
    refused(folder.path("absent.json"), "absent.json");
    refused(folder.file("cut.json", good.substr(0, good.size() / 2)), "cut.json");
    std::string deep = "{\"a\": ";
    for (int i = 0; i < 10'000; ++i) deep += "[";
    refused(folder.file("deep.json", deep), "64");
    refused(folder.file("unknown.json", replaced(good, "\"cluster\"", "\"clustr\"")),
            "did you mean cluster?");
    refused(
        folder.file("count.json", replaced(good, "\"accelerators\": 8", "\"accelerators\": -8")),
        "/cluster/accelerators: must be from 1");
    refused(folder.file("unit.json", replaced(good, "2.95 USD/h", "2.95 GB/h")),
            "/price/accelerator_hour");
    refused("llama3_8b_torchtitn", "did you mean llama3_8b_torchtitan?");
  }

  TEST_CASE("times beyond what can be simulated are refused, not our bug") {
    const auto refused = [](const std::string& set, const std::string& words) {
      const Ran r = forerun({"run", kScenario, "--set", set});
      CHECK(r.code == 1);
      CHECK_MESSAGE(has(r.err, words), r.err);
      CHECK_FALSE(has(r.err, "mistake in forerun"));
    };
    refused("framework.launch=1e300 s", "/framework/launch: must be at most 1 days, found");
    refused("framework.step_overhead=1e9 s", "must be at most 1 days, found");
    refused("framework.step_overhead=2 h",
            "one operation of the step takes 7200 s; at most 3600 s");
    refused("framework.launch=1 h", "one after the other; less than 53 are simulated");
    refused("framework.launch=1 h", "hint: look for a bandwidth that is too small");
    refused(R"(cluster.network={"domain":8,"per_node":8,"network":"1 B/s"})",
            "/cluster/network/network: must be at least 1 MB/s, found \"1 B/s\"");
    refused(R"(cluster.network={"domain":8,"per_node":8,"network":"0 GB/s"})",
            "/cluster/network/network: must be above 0");
    refused("plan.global_batch=4294967296", "operations are simulated");
    const Ran kernels = forerun({"step", kScenario, "--every-kernel", "--set", "plan.micro_batch=1",
                                 "--set", "plan.global_batch=160000"});
    CHECK(kernels.code == 1);
    CHECK(has(kernels.err,
              "kernels; at most 20000000 are simulated one by one\nhint: without "
              "--every-kernel the passes are folded"));
  }

  TEST_CASE("output that cannot be written is an error") {
    for (const std::vector<std::string>& words :
         {std::vector<std::string>{"run", kScenario}, {"list"}, {"--help"}}) {
      const Ran r = forerun_into("/dev/full", words);
      CHECK(r.code == 1);
      CHECK_MESSAGE(has(r.err, "error: "), r.err);
      CHECK_MESSAGE(has(r.err, "No space left on device"), r.err);
    }
  }

  TEST_CASE("a cap that the least clock does not hold is told beside the mean power") {
    // The board draws 117 W idle: 120 W leave nothing for work at half the clock.
    CHECK(has(forerun({"step", kScenario, "--set", "cluster.power_cap=120 W"}).out,
              ": the cap of 120 W cannot be held at the least clock"));
    CHECK_FALSE(has(forerun({"step", kScenario}).out, "cannot be held"));
  }

  TEST_CASE("a file over the size limit is refused before it is read") {
    const Folder folder;
    const std::string path = folder.path("large.json");
    {
      std::ofstream file(path);
      file.seekp(static_cast<std::streamoff>(kMaxJsonBytes));
      file << "{}";
    }
    const Ran r = forerun({"run", path});
    CHECK(r.code == 1);
    CHECK(has(r.err, "large.json"));
    CHECK(r.seconds < 1.0);
  }

  TEST_CASE("wrong usage exits 2 and suggests the nearest command or flag") {
    const Ran command = forerun({"rnu", kScenario});
    CHECK(command.code == 2);
    CHECK(command.err == "error: there is no command \"rnu\"\nhint: did you mean run?\n");
    const Ran flag = forerun({"run", kScenario, "--jsn", "-"});
    CHECK(flag.code == 2);
    CHECK(flag.err == "error: forerun run has no flag --jsn\nhint: did you mean --json?\n");
    CHECK(forerun({"run"}).code == 2);
    CHECK(forerun({"run", kScenario, kScenario}).code == 2);
    CHECK(forerun({"run", kScenario, "--json"}).code == 2);
    CHECK(forerun({"validate", "--threads", "0", "x"}).code == 2);
    for (const char* seed : {"-1", "1.5", "9223372036854775808", "x"}) {
      CHECK_MESSAGE(forerun({"run", kScenario, "--seed", seed}).code == 2, seed);
    }
    CHECK(forerun({"list", "profles"}).err.find("did you mean profiles?") != std::string::npos);
  }

  TEST_CASE("help comes on standard output from every command") {
    CHECK(has(forerun({}).out, "validate"));
    CHECK(has(forerun({"--help"}).out, "Exit codes: 0 done"));
    for (const char* command : {"run", "step", "validate", "check", "list"}) {
      const Ran r = forerun({command, "--help"});
      CHECK(r.code == 0);
      CHECK(r.err.empty());
      CHECK(has(r.out, std::string("Usage: forerun ") + command));
      CHECK(has(r.out, "Examples:"));
      CHECK(forerun({"help", command}).out == r.out);
    }
    CHECK(has(forerun({"--version"}).out, "forerun "));
  }

  TEST_CASE("what imbalance costs is told where something is uneven, and nowhere else") {
    const Ran uneven = forerun({"step", "mm1_3b_moe_256_h100"});
    for (const char* part : {"imbalance costs ", "uneven experts (", "uneven compositions (",
                             "copies of tokens in a layer", "the others wait"}) {
      CHECK_MESSAGE(has(uneven.out, part), part);
    }
    const Ran even = forerun({"step", "mixtral_8x7b_64_h100"});
    CHECK(has(even.out, "each works on 8,192 copies of tokens"));
    CHECK_FALSE(has(even.out, "imbalance costs"));
    CHECK_FALSE(has(even.out, "the others wait"));
    const Ran dense = forerun({"step", kScenario});
    for (const char* part : {"imbalance", "experts", "modalities"}) {
      CHECK_FALSE_MESSAGE(has(dense.out, "\n" + std::string(part)), part);
    }
    const Ran json = forerun({"step", "mm1_3b_moe_256_h100", "--json", "-"});
    CHECK(has(json.out, "\"imbalance_cost_s\""));
    CHECK(has(json.out, "\"waits_s\""));
  }

  TEST_CASE("a trace is written as JSON with the step's kernels") {
    const Folder folder;
    const Ran r = forerun({"step", kScenario, "--trace", folder.path("trace.json")});
    CHECK(r.code == 0);
    Problems problems;
    const JsonDocument document = JsonDocument::load(folder.path("trace.json"), problems);
    REQUIRE_MESSAGE(problems.empty(), problems.text("trace"));
    Reader top = document.root(problems);
    CHECK(top.objects("traceEvents").size() > 10);
  }

  TEST_CASE("check names the kind of what is right and every problem of what is not") {
    const Folder folder;
    const Ran right =
        forerun({"check", data_path("scenarios/" + kScenario + ".json"),
                 data_path("sim/frameworks/generic.json"), data_path("models/zoo/llama3-8b.json"),
                 data_path("models/laws/chinchilla_epoch.json"),
                 data_path("hw/profiles/networks/dgx-h100.json"),
                 data_path("hw/profiles/accelerators/h100-sxm-80gb.json")});
    CHECK_MESSAGE(right.code == 0, right.err);
    for (const char* kind : {": scenario", ": framework preset", ": model", ": loss law",
                             ": network profile", ": accelerator profile"}) {
      CHECK_MESSAGE(has(right.out, kind), kind);
    }
    const Ran wrong = forerun({"check", folder.file("x.json", "{\"plan\": {\"tensr\": 1}}")});
    CHECK(wrong.code == 1);
    CHECK(has(wrong.err, "/plan/tensr: unknown key"));
    CHECK(has(wrong.err, "/model: missing"));
  }

  TEST_CASE("check goes on after a file that is not there, and answers as JSON too") {
    const Folder folder;
    const std::string scenario = data_path("scenarios/" + kScenario + ".json");
    const std::string wrong = folder.file("x.json", "{\"plan\": {\"tensr\": 1}}");
    const Ran r = forerun({"check", folder.path("absent.json"), wrong, scenario, "--json", "-"});
    CHECK(r.code == 1);
    CHECK_MESSAGE(has(r.err, "absent.json: can't"), r.err);
    CHECK(has(r.err, "/plan/tensr: unknown key"));
    Problems problems;
    const JsonDocument document = JsonDocument::parse(r.out, problems);
    Reader top = document.root(problems);
    std::vector<Reader> files = top.objects("files");
    REQUIRE(files.size() == 3);
    CHECK_FALSE(files[0].boolean("right"));
    CHECK_FALSE(files[0].has("kind"));
    CHECK(files[1].text("kind") == "scenario");
    CHECK(files[1].objects("problems").at(0).text("where").starts_with("/"));
    CHECK(files[2].boolean("right"));
    CHECK(files[2].text("file") == scenario);
    CHECK(files[2].objects("problems").empty());
    CHECK_MESSAGE(problems.empty(), problems.text("out"));
  }

  TEST_CASE("list shows every kind, as text and as JSON") {
    const Ran text = forerun({"list"});
    CHECK(text.code == 0);
    for (const char* part : {"h100-sxm-80gb", "dgx-a100", "bloom-176b", "nanotron", "Megatron"}) {
      CHECK_MESSAGE(has(text.out, part), part);
    }
    Problems problems;
    const JsonDocument document =
        JsonDocument::parse(forerun({"list", "models", "--json", "-"}).out, problems);
    Reader top = document.root(problems);
    CHECK(top.objects("models").size() > 40);
    CHECK(problems.empty());
  }
}

}  // namespace
}  // namespace forerun::testing
