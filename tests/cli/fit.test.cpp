// forerun fit, as somebody at a terminal would run it.

#include <doctest/doctest.h>

#include <filesystem>
#include <string>

#include "core/file.h"
#include "core/reader.h"
#include "tests/cli/program.h"

namespace forerun::testing {
namespace {

bool exists(const std::string& path) { return std::filesystem::exists(path); }

/// L = 1.8 + 400 / N^0.35 + 1500 / D^0.36 at four sizes and four numbers of tokens, to four digits.
const char* const kRuns =
    "name,parameters,tokens,loss\n"
    "a1,1e8,1e9,3.2971\na2,1e8,4e9,2.9580\na3,1e8,1.6e10,2.7521\na4,1e8,6.4e10,2.6271\n"
    "b1,4e8,1e9,3.0534\nb2,4e8,4e9,2.7143\nb3,4e8,1.6e10,2.5084\nb4,4e8,6.4e10,2.3834\n"
    "c1,1.6e9,1e9,2.9034\nc2,1.6e9,4e9,2.5642\nc3,1.6e9,1.6e10,2.3584\nc4,1.6e9,6.4e10,2.2334\n"
    "d1,6.4e9,1e9,2.8110\nd2,6.4e9,4e9,2.4719\nd3,6.4e9,1.6e10,2.2660\nd4,6.4e9,6.4e10,2.1410\n";

std::string replaced(std::string text, const std::string& from, const std::string& to) {
  const std::size_t at = text.find(from);
  REQUIRE(at != std::string::npos);
  return text.replace(at, from.size(), to);
}

/// What fitting this text says on standard error; nothing may be written.
std::string refusal(const std::string& text, const std::string& name = "runs.csv",
                    const std::vector<std::string>& more = {}) {
  const Folder folder;
  std::vector<std::string> words = {"fit",    folder.file(name, text),
                                    "-o",     folder.path("law.json"),
                                    "--plot", folder.path("fit.csv")};
  words.insert(words.end(), more.begin(), more.end());
  const Ran r = forerun(words);
  CHECK(r.code == 1);
  CHECK(r.out.empty());
  CHECK_FALSE(exists(folder.path("law.json")));
  CHECK_FALSE(exists(folder.path("fit.csv")));
  return r.err;
}

TEST_SUITE("cli/fit") {
  TEST_CASE("fit writes a law that reads back, a table, warnings and the runs to do next") {
    const Folder folder;
    const std::string law = folder.path("mine.json"), plot = folder.path("fit.csv");
    const Ran r = forerun({"fit", folder.file("runs.csv", kRuns), "-o", law, "--bootstrap", "50",
                           "--plot", plot, "--budget-flops", "1e21"});
    CHECK(r.code == 0);
    CHECK_MESSAGE(r.err.empty(), r.err);
    for (const char* part :
         {"runs.csv (16 runs", "90 % interval", "alpha", "starts that agree", "move together",
          "One more run of at most 1e+21", "mine.json written"}) {
      CHECK_MESSAGE(has(r.out, part), part);
    }
    const std::string text = read_file(law, 1 << 20);
    for (const char* part : {"\"form\": \"power\"", "\"evidence\": \"fitted\"", "interval_90",
                             "joint_draws", "runs.csv (16 runs"}) {
      CHECK_MESSAGE(has(text, part), part);
    }
    CHECK(read_file(plot, 1 << 20).starts_with("stage,run,measured,fitted,residual\nthe runs,a1,"));
  }

  TEST_CASE("fit draws fitted against measured losses") {
    const Folder folder;
    const std::string plot = folder.path("fit.svg");
    CHECK(forerun({"fit", folder.file("runs.csv", kRuns), "-o", folder.path("mine.json"),
                   "--bootstrap", "0", "--plot", plot})
              .code == 0);
    const std::string svg = read_file(plot, 1 << 20);
    CHECK(svg.starts_with("<svg"));
    CHECK(has(svg, "mine: measured and fitted"));
    CHECK(has(svg, "measured loss, nats a token"));
    CHECK(has(svg, "16 losses"));
    CHECK(svg.ends_with("</svg>\n"));
  }

  TEST_CASE("fit gives the same bytes for any number of threads, and others for another seed") {
    const Folder folder;
    const std::string runs = folder.file("runs.csv", kRuns);
    std::vector<std::string> laws;
    for (const std::string words : {"1 0", "3 0", "1 7"}) {
      const std::string path = folder.path("law.json");
      CHECK(forerun({"fit", runs, "-o", path, "--bootstrap", "20", "--threads", words.substr(0, 1),
                     "--seed", words.substr(2)})
                .code == 0);
      laws.push_back(read_file(path, 1 << 20));
    }
    CHECK(laws[0] == laws[1]);
    CHECK(laws[0] != laws[2]);
  }

  TEST_CASE("the constants that made the runs come back, as JSON") {
    const Folder folder;
    const Ran r = forerun({"fit", folder.file("runs.csv", kRuns), "-o", folder.path("law.json"),
                           "--bootstrap", "0", "--json", "-"});
    CHECK(r.code == 0);
    Problems problems;
    const JsonDocument document = JsonDocument::parse(r.out, problems);
    REQUIRE_MESSAGE(problems.empty(), problems.text("out"));
    Reader top = document.root(problems);
    Reader constants = top.objects("stages").front().object("constants");
    CHECK(constants.object("alpha").number("value", 0, 2) == doctest::Approx(0.35).epsilon(0.05));
    CHECK(constants.object("beta").number("value", 0, 2) == doctest::Approx(0.36).epsilon(0.05));
    CHECK(constants.object("E").number("value", 0, 9) == doctest::Approx(1.8).epsilon(0.02));
  }

  TEST_CASE("a loss that is none is refused by line, column and value") {
    CHECK(has(refusal(replaced(kRuns, "2.7143", "-2.7143")),
              "runs.csv: line 7, loss: expected a loss above 0 and at most 1000, found -2.7143"));
    CHECK(has(refusal(replaced(kRuns, "2.7143", "0")), "line 7, loss: expected a loss above 0"));
    CHECK(has(refusal(replaced(kRuns, "2.7143", "NaN")),
              "runs.csv: line 7, loss: expected a number, found \"NaN\""));
    CHECK(has(refusal(replaced(kRuns, "2.7143", "")), "runs.csv: line 7: no loss"));
  }

  TEST_CASE("all that is wrong is said at once") {
    const std::string err =
        refusal(replaced(replaced(kRuns, "2.7143", "-1"), "c2,1.6e9,4e9", "c2,-5,4e9"));
    CHECK(has(err, "the runs have 2 problems"));
    CHECK(has(err, "line 7, loss"));
    CHECK(has(err, "line 11, parameters: expected a number of parameters above 0"));
    CHECK(has(err, "nothing was written"));
  }

  TEST_CASE("a misspelt column is named with the nearest, a missing one by its name") {
    CHECK(has(refusal(replaced(kRuns, "parameters", "paramters")),
              "\"paramters\" is no column of runs: did you mean parameters?"));
    CHECK(has(refusal(replaced(kRuns, "tokens,", "tokns.text,")), "did you mean tokens.text?"));
    CHECK(has(refusal("name,tokens,loss\na,1e9,3\n"), "runs.csv: line 1: no column parameters"));
  }

  TEST_CASE("one run only, one size and one number of tokens are too little, and why is said") {
    const std::string one = refusal("parameters,tokens,loss\n1e8,1e9,3.3\n");
    CHECK(has(one, "1 run only: 5 constants need at least 6"));
    CHECK(has(one, "one number of parameters among the runs: at least 3 are needed"));
    const std::string same = refusal(
        "parameters,tokens,loss\n1e8,1e9,3.3\n1e8,2e9,3.1\n1e8,4e9,3\n1e8,8e9,2.9\n"
        "1e8,16e9,2.8\n1e8,32e9,2.7\n");
    CHECK(has(same, "one number of parameters"));
    CHECK_FALSE(has(same, "number of tokens"));
  }

  TEST_CASE("the same run twice is refused with where it was") {
    CHECK(has(refusal(replaced(kRuns, "b2,", "b1,")), "run b1 again: it is in runs.csv: line 6"));
    CHECK(has(refusal(std::string("parameters,tokens,loss\n1e8,1e9,3.3\n1e8,1e9,3.3\n")),
              "line 3: the same numbers as runs.csv: line 2"));
  }

  TEST_CASE("a mixture's run without the loss of one of its modalities is refused") {
    const std::string runs =
        "parameters,tokens.text,tokens.speech,loss.text,loss.speech\n1e8,1e9,1e9,3.3,\n";
    CHECK(has(refusal(runs, "pairs.csv", {"--form", "interaction"}),
              "pairs.csv: line 2: 1e+09 tokens.speech but no loss.speech: state it, or loss.mean"));
    CHECK(has(refusal("parameters,tokens.text,loss.txet\n1e8,1e9,3.3\n"),
              "loss.txet without tokens.txet: did you mean text?"));
  }

  TEST_CASE("pairs without runs of each modality alone are refused by the modality's name") {
    const std::string runs =
        "parameters,tokens.text,tokens.speech,loss.mean\n1e8,1e9,1e9,3.3\n1e8,2e9,2e9,3.2\n";
    const std::string err = refusal(runs, "pairs.csv", {"--form", "interaction"});
    CHECK(has(err, "text alone: 0 runs: 5 constants need at least 6"));
    CHECK(has(err, "speech alone: 0 runs"));
  }

  TEST_CASE("several losses ask which, and a wrong name gets the nearest") {
    const std::string runs = "parameters,tokens,loss.c4,loss.ptb\n1e8,1e9,3.3,3.4\n";
    CHECK(has(refusal(runs), "2 losses (c4, ptb): say which with --loss"));
    CHECK(has(refusal(runs, "runs.csv", {"--loss", "pbt"}), "no loss.pbt: did you mean ptb?"));
    CHECK(has(refusal(kRuns, "runs.csv", {"--loss", "c4"}), "no loss.c4: its loss has no name"));
  }

  TEST_CASE("a curve without its warm-up is refused, since the law counts it") {
    const std::string curve = "run,step,learning_rate,loss\na,2160,3e-4,4.1\na,2288,3e-4,4.0\n";
    CHECK(has(refusal(curve, "curves.csv", {"--form", "multi_power"}),
              "run a begins at step 2160: the law counts every change of the learning rate"));
  }

  TEST_CASE("lines of JSON are refused by line and pointer") {
    CHECK(has(refusal("{\"parameters\": 1e8, \"tokens\": 1e9, \"loss\": -3}\n", "runs.jsonl"),
              "runs.jsonl: line 1 /loss: expected a loss above 0"));
    CHECK(has(refusal("{\"parameters\": 1e8, \"tokens\": 1e9, \"loss\": \"3\"}\n", "runs.jsonl"),
              "runs.jsonl: line 1 /loss"));
    CHECK(has(refusal("{\"parameters\": 1e8, \"tokens\": 1e9, \"los\": 3}\n", "runs.jsonl"),
              "did you mean loss?"));
  }

  TEST_CASE("wrong usage names the flag or the file and writes nothing") {
    const Folder folder;
    const std::string runs = folder.file("runs.csv", kRuns);
    CHECK(forerun({"fit", runs}).code == 2);
    CHECK(forerun({"fit", runs, "-o", runs}).code == 2);
    CHECK(read_file(runs, 1 << 20) == kRuns);
    const Ran form = forerun({"fit", runs, "-o", folder.path("l.json"), "--form", "powr"});
    CHECK(form.code == 2);
    CHECK(has(form.err, "did you mean power?"));
    for (const std::string flag : {"--huber", "--budget-flops"}) {
      for (const std::string value : {"nan", "inf", "0", "-1", "1x"}) {
        const Ran r = forerun({"fit", runs, "-o", folder.path("l.json"), flag, value});
        CHECK(r.code == 2);
        CHECK_MESSAGE(has(r.err, flag + ": expected a number from 1"), r.err);
        CHECK(has(r.err, "found " + value));
      }
    }
    const Ran absent = forerun({"fit", folder.path("none.csv"), "-o", folder.path("l.json")});
    CHECK(absent.code == 1);
    CHECK(has(absent.err, "none.csv"));
    CHECK_FALSE(exists(folder.path("l.json")));
  }
}

}  // namespace
}  // namespace forerun::testing
