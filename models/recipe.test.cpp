#include "models/recipe.h"

#include <doctest/doctest.h>

#include <string>

namespace forerun::models {
namespace {

Recipe read(const std::string& text, Problems& problems) {
  const JsonDocument document = JsonDocument::parse(text, problems);
  Reader top = document.root(problems);
  return read_recipe(top);
}

Recipe right(const std::string& text) {
  Problems problems;
  Recipe recipe = read(text, problems);
  REQUIRE_MESSAGE(problems.empty(), problems.text("recipe"));
  return recipe;
}

TEST_SUITE("models/recipe") {
  TEST_CASE("a cosine rises, passes the middle at half of its range and ends at its share") {
    LearningRate rate;  // 2,000 steps of warm-up, to a tenth
    CHECK(rate.share_at(1000, 12000) == 0.5);
    CHECK(rate.share_at(2000, 12000) == 1.0);
    CHECK(rate.share_at(7000, 12000) == doctest::Approx(0.55));
    CHECK(rate.share_at(12000, 12000) == doctest::Approx(0.1));
  }

  TEST_CASE("a run that ends inside its warm-up never decays") {
    LearningRate rate;
    CHECK(rate.share_at(500, 500) == 0.25);
  }

  TEST_CASE("warm, stable, decay: stays at the peak until the last share of the steps") {
    LearningRate rate;
    rate.shape = ScheduleShape::warm_stable_decay;
    CHECK(rate.share_at(80000, 100000) == 1.0);
    CHECK(rate.share_at(90000, 100000) == doctest::Approx(0.55));  // linear to a tenth
    rate.decay = DecayShape::exponential;
    CHECK(rate.share_at(90000, 100000) == doctest::Approx(0.31623).epsilon(1e-4));  // sqrt(0.1)
    rate.decay = DecayShape::one_minus_sqrt;
    CHECK(rate.share_at(85000, 100000) == doctest::Approx(0.55));  // 1 - 0.9 sqrt(1/4)
    CHECK(rate.corners(100000) == std::vector<double>{2000, 80000});
  }

  TEST_CASE("points are joined by lines, over the steps after warm-up") {
    const Recipe recipe = right(R"({"learning_rate": {"shape": "points", "warm_up_steps": 1000,
      "points": [{"progress": 0, "share": 1}, {"progress": 0.5, "share": 0.2},
                 {"progress": 1, "share": 0}]}})");
    CHECK(recipe.learning_rate.share_at(6000, 21000) == doctest::Approx(0.6));
    CHECK(recipe.learning_rate.share_at(16000, 21000) == doctest::Approx(0.1));
    CHECK(recipe.learning_rate.corners(21000) == std::vector<double>{1000, 11000});
  }

  TEST_CASE("what is written reads back as the same, and what was unstated stays so") {
    const Recipe recipe = right(R"({"learning_rate": {"peak": 1e-4, "shape": "warm_stable_decay",
      "decay": "cosine", "decay_share": 0.1, "warm_up_steps": 4000}, "beta2": 0.98, "z_loss": 1e-5,
      "initialisation": "small", "source": "a paper",
      "batch_ramp": [{"from_tokens": 0, "share": 0.25}, {"from_tokens": 1e11, "share": 1}]})");
    CHECK(right(recipe_json(recipe)) == recipe);
    CHECK(right(recipe_json(default_recipe())).learning_rate == default_recipe().learning_rate);
    CHECK(right("{}") == default_recipe());
  }

  TEST_CASE("wrong recipes are refused with path and rule") {
    const auto says = [](const std::string& text, const std::string& what) {
      Problems problems;
      (void)read(text, problems);
      CHECK_MESSAGE(problems.text("").find(what) != std::string::npos, problems.text(""));
    };
    says(R"({"learning_rate": {"peak": -1}})", "/learning_rate/peak");
    says(R"({"learning_rate": {"shape": "cosin"}})", "cosine");
    says(R"({"beta2": 1.5})", "/beta2");
    says(R"({"qk_norm": true})", "/qk_norm: unknown key");
    says(R"({"learning_rate": {"shape": "points", "points": [{"progress": 0, "share": 1}]}})",
         "/learning_rate/points: must be two or more");
    says(R"({"batch_ramp": [{"from_tokens": 5, "share": 1}]})",
         "/batch_ramp: its first stage must be from_tokens 0");
  }
}

}  // namespace
}  // namespace forerun::models
