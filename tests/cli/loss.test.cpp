/// forerun loss, and what run and compare say of losses.

#include <doctest/doctest.h>

#include <filesystem>
#include <string>
#include <vector>

#include "core/file.h"
#include "core/problem.h"
#include "core/reader.h"
#include "tests/cli/program.h"

namespace forerun::testing {
namespace {

const std::string kPair = "interaction_2_7b_speech_text_64_a100";
const std::string kDense = "speech_text_1_3b_dense_64_a100";
const std::string kMot = "speech_text_1_3b_mot_64_a100";

TEST_SUITE("cli/loss") {
  TEST_CASE("each modality's end has a band, and the barrier stands beside what was published") {
    const Ran r = forerun({"loss", kPair});
    REQUIRE_MESSAGE(r.code == 0, r.err);
    for (const char* what :
         {"law speech_text_demo (assumed)", "80 % band", "stands still", "speech|text: competition",
          "cheapest on the barrier", "28.35B parameters and 45.12B tokens", "assumed: closure",
          "attention logits", "expected spikes", "rollbacks", "signal by depth"}) {
      CHECK_MESSAGE(has(r.out, what), what);
    }
  }

  TEST_CASE("as JSON it has the curves, whose ends are the modalities'") {
    const Ran r = forerun({"loss", kPair, "--json", "-"});
    REQUIRE(r.code == 0);
    Problems problems;
    const JsonDocument document = JsonDocument::parse(r.out, problems);
    Reader loss = document.root(problems).object("loss");
    Reader course = loss.object("course");
    const std::vector<double> hours = course.numbers("hours", 0, 1e9);
    const std::vector<double> steps = course.numbers("step", 0, 1e9);
    CHECK(hours.size() == steps.size());
    std::vector<Reader> curves = course.objects("curves");
    REQUIRE(curves.size() == 3);
    std::vector<Reader> modalities = loss.objects("modalities");
    for (std::size_t i = 0; i < 2; ++i) {
      const double end = curves[i].numbers("loss", 0, 100).back();
      CHECK(end == doctest::Approx(modalities[i].number("loss", 0, 100)).epsilon(1e-9));
      CHECK(curves[i].numbers("low", 0, 100).back() < end);
      CHECK(curves[i].numbers("high", 0, 100).back() > end);
    }
    CHECK_MESSAGE(problems.empty(), problems.text("json"));
  }

  TEST_CASE("the same question has the same answer, whatever the threads") {
    const Ran one = forerun({"loss", kPair, "--threads", "1", "--json", "-"});
    const Ran three = forerun({"loss", kPair, "--threads", "3", "--json", "-"});
    CHECK(one.out == three.out);
  }

  TEST_CASE("towers reach the dense loss sooner, in steps, hours and beside the dense model") {
    const Ran r = forerun({"loss", kMot});
    REQUIRE(r.code == 0);
    CHECK(has(r.out, "when each modality has the loss that the dense model of equal FLOPs ends"));
    CHECK(has(r.out, "of dense time"));
    CHECK(has(r.out, "FLOPs"));
    CHECK(has(r.out, "35.3 tokens a parameter: law step_matching rests on"));
    CHECK_FALSE(has(forerun({"loss", kDense}).out, "of dense time"));
  }

  TEST_CASE("the picture is written whole, and not at all without losses") {
    const Folder folder;
    const std::string file = folder.path("loss.svg");
    REQUIRE(forerun({"loss", kPair, "--plot", file}).code == 0);
    const std::string svg = read_file(file, 10 << 20);
    CHECK(has(svg, "</svg>"));
    CHECK(has(svg, "stands still"));
    CHECK_FALSE(has(svg, "nan"));
    const std::string none = folder.path("none.svg");
    const Ran r = forerun({"loss", "chameleon_7b_1024_a100", "--plot", none});
    CHECK(r.code == 1);
    CHECK(has(r.err, "there are no losses to draw"));
    CHECK_FALSE(std::filesystem::exists(none));
  }

  TEST_CASE("the pictures of the documentation are what the program draws") {
    const Folder folder;
    for (const auto& [scenario, picture] :
         {std::pair{"interaction_350m_speech_text_64_a100", "docs/losses-350m.svg"},
          std::pair{"interaction_30b_speech_text_512_a100", "docs/losses-30b.svg"}}) {
      const std::string file = folder.path("now.svg");
      REQUIRE(forerun({"loss", scenario, "--plot", file}).code == 0);
      CHECK(read_file(file, 10 << 20) == read_file(data_path(picture), 10 << 20));
    }
  }

  TEST_CASE("Chameleon without QK-norm is lost at a fifth of an epoch, with it not") {
    const Ran with = forerun({"loss", "chameleon_7b_1024_a100", "--json", "-"});
    const Ran without =
        forerun({"loss", "chameleon_7b_1024_a100", "--set", "model.qk_norm=false", "--json", "-"});
    const auto lost = [](const Ran& r, const char* key) {
      Problems problems;
      const JsonDocument document = JsonDocument::parse(r.out, problems);
      return document.root(problems).object("stability").number(key, 0, 1);
    };
    CHECK(lost(with, "lost") < 0.05);
    CHECK(lost(without, "lost") > 0.9);
    // 9.2T tokens are 2.1 epochs of 4.4T: a fifth of one is a tenth of the run.
    CHECK(lost(without, "lost_progress") * 9.2 / 4.4 == doctest::Approx(0.2).epsilon(0.5));
  }

  TEST_CASE("run shows the losses, and takes longer where it rolls back") {
    const Ran r = forerun({"run", kPair});
    REQUIRE(r.code == 0);
    CHECK(has(r.out, "loss, speech"));
    CHECK(has(r.out, "loss, mean"));
    CHECK(has(r.out, "steps done again"));
    CHECK(has(r.out, "for the loss's sake"));
    CHECK(has(r.out, "lost by then"));
    CHECK(has(forerun({"run", "mot_443m_64_a100"}).out, "no law of image-text, text is named"));
  }

  TEST_CASE("compare puts losses, plateaus and spikes of architectures side by side") {
    const Ran r = forerun({"compare", kDense, "speech_text_1_3b_moe4x_64_a100", kMot});
    REQUIRE_MESSAGE(r.code == 0, r.err);
    for (const char* what : {"loss, mean", "stands still, speech", "dense loss after, text",
                             "gradient spikes", "run lost", "steps done again"}) {
      CHECK_MESSAGE(has(r.out, what), what);
    }
  }

  TEST_CASE("advice has rules side by side with their bands") {
    const Ran r = forerun({"loss", kPair, "--advise", "--budget-flops", "1e22"});
    REQUIRE_MESSAGE(r.code == 0, r.err);
    for (const char* what : {"share, speech", "rule_step_law", "rule_deepseek", "critical batch",
                             "moved by the pairs' beta", "Outside what a rule rests on"}) {
      CHECK_MESSAGE(has(r.out, what), what);
    }
  }

  TEST_CASE("what is wrong is refused whole, by name") {
    const auto says = [](const std::vector<std::string>& set, const std::string& what) {
      std::vector<std::string> words = {"loss", kPair};
      for (const std::string& s : set) {
        words.emplace_back("--set");
        words.push_back(s);
      }
      const Ran r = forerun(words);
      CHECK(r.code == 1);
      CHECK(r.out.empty());
      CHECK_MESSAGE(has(r.err, what), r.err);
    };
    says({"loss.law=interaction_2023"}, "has 11 problems");
    says({"loss.law=interaction_2023"}, "constant speech|text.C is not known");
    says({"loss.law=speech_text_dem"}, "did you mean speech_text_demo?");
    says({"loss.law=routed_hash"}, "is of form routed");
    says({R"(loss.stages=[{"from_tokens": 0, "shares": {"speech": 0.5, "text": 0.6}}])"},
         "/loss/stages/0/shares: sum to 1.1, not to 1");
    says({R"(loss.unique_tokens={"spech": 1e9})"},
         "/loss/unique_tokens/spech: did you mean speech?");
    says({"recipe.learning_rate.peak=-1"}, "/recipe/learning_rate/peak");
    says({R"(loss.assume={"text.E": {"value": 1.5}})"}, "/loss/assume/text.E/range: missing");
    says({R"(loss.assume={"text.E": {"value": -1, "range": [0, 1], "source": "x"}})"},
         "/loss/assume/text.E/value");
    says({R"(loss.assume={"txt.E": {"value": 1, "range": [0, 2], "source": "x"}})"},
         "/loss/assume/txt.E: did you mean text?");
    says({R"(loss.assume={"text|speech.C": {"value": 1, "range": [0, 2], "source": "x"}})"},
         "speech|text.C");
    says({R"(loss.assume={"speech|text.C": {"value": 50, "range": [40, 60], "source": "x"}})"},
         "gives speech a loss of -47.1 nats");
    says({R"(loss.stages=[{"from_tokens": 0, "mixture": "speech-txt"}])"},
         "/loss/stages/0/mixture: did you mean speech-text?");
    const Ran r = forerun({"loss", "gpt3_175b_korthikanti"});
    CHECK(r.code == 1);
    CHECK(has(r.err, "/training_tokens: missing"));
  }

  TEST_CASE("runs of one step, of millions and with a rate of 10 all have an answer") {
    for (const char* set : {"training_tokens=1", "training_tokens=1e15",
                            "recipe.learning_rate.peak=10", "recipe.learning_rate.peak=1e-12"}) {
      const Ran r = forerun({"loss", kPair, "--set", set});
      CHECK_MESSAGE(r.code == 0, r.err);
      CHECK_FALSE(has(r.out, "nan"));
      CHECK_FALSE(has(r.out, "inf "));
    }
    CHECK(forerun({"loss", kPair, "--advise", "--budget-flops", "1e28"}).code == 0);
  }

  TEST_CASE("an assumption stands in for what nobody published, and the answer says so") {
    const Ran r = forerun(
        {"loss", kPair, "--set",
         R"(loss.assume={"text.E": {"value": 1.5, "range": [1.4, 1.6], "source": "a guess"}})"});
    REQUIRE_MESSAGE(r.code == 0, r.err);
    CHECK(has(r.out, "(assumed)"));
    CHECK(r.out != forerun({"loss", kPair}).out);
  }
}

}  // namespace
}  // namespace forerun::testing
