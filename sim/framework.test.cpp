#include "sim/framework.h"

#include <doctest/doctest.h>

#include <algorithm>
#include <string>

#include "core/error.h"
#include "core/file.h"

namespace forerun::sim {
namespace {

Framework choice(const std::string& json, Problems& problems) {
  const JsonDocument document = JsonDocument::parse(json, problems);
  Reader reader = document.root(problems);
  return read_framework_choice(reader);
}

TEST_SUITE("sim/framework") {
  TEST_CASE("every preset states every fact, with evidence and source") {
    const std::vector<std::string> names = framework_names();
    CHECK(names.size() >= 15);
    const Framework first = load_framework(names.front());
    for (const std::string& name : names) {
      CAPTURE(name);
      const Framework f = load_framework(name);
      CHECK_FALSE(f.description.empty());
      CHECK(f.evidence.size() == first.evidence.size());
      for (const auto& [fact, source] : f.source) CHECK_MESSAGE(!source.empty(), fact);
    }
  }

  TEST_CASE("a preset without one of its facts is refused by name") {
    std::string text = read_file(data_path("sim/frameworks/generic.json"), kMaxJsonBytes);
    const std::size_t at = text.find("\"dropout\"");
    text.replace(at, 9, "\"droput\"");
    Problems problems;
    CHECK_FALSE(read_framework(text, problems));
    CHECK(problems.text("f").find("/dropout: missing") != std::string::npos);
    CHECK(problems.text("f").find("/droput: unknown key (did you mean dropout?)") !=
          std::string::npos);
  }

  TEST_CASE("a choice starts from a preset and replaces what it names") {
    Problems problems;
    const Framework f =
        choice(R"({"base": "generic", "tensor_overlap": true, "launch": "3 us"})", problems);
    REQUIRE_MESSAGE(problems.empty(), problems.text("c"));
    CHECK(f.tensor_overlap);
    CHECK(f.launch.in(1.0_us) == doctest::Approx(3));
    CHECK(f.evidence.at("launch") == Evidence::derived);
    CHECK(f.evidence.at("dropout") == load_framework("generic").evidence.at("dropout"));
    const std::string written = framework_choice_json(f);
    CHECK(framework_choice_json(choice(written, problems)) == written);
    CHECK(problems.empty());
  }

  TEST_CASE("a choice that differs from its base in many facts reads back as it was written") {
    for (const std::string& name : framework_names()) {
      Framework f = load_framework(name);
      f.name = "generic";
      const std::string written = framework_choice_json(f);
      Problems problems;
      const Framework back = choice(written, problems);
      REQUIRE_MESSAGE(problems.empty(), problems.text(name));
      CHECK(framework_choice_json(back) == written);
    }
  }

  TEST_CASE("a misspelt preset or fact is refused with the nearest") {
    Problems problems;
    (void)choice(R"({"base": "nanotrn"})", problems);
    CHECK(problems.text("c") ==
          "c: /base: \"nanotrn\" is no framework preset: did you mean nanotron?\n");
    Problems others;
    (void)choice(R"({"base": "nanotron", "tensor_overlp": true})", others);
    CHECK(others.text("c") == "c: /tensor_overlp: unknown key (did you mean tensor_overlap?)\n");
    CHECK_THROWS_AS((void)load_framework("nanotrn"), Error);
  }

  TEST_CASE("partial graphs inside whole ones are refused") {
    Problems problems;
    (void)choice(R"({"base": "generic", "cuda_graphs": true, "graphed_share": 0.4})", problems);
    CHECK(problems.text("c").find("/graphed_share") != std::string::npos);
  }

  TEST_CASE(
      "parameters are gathered in 8 bit only under recipes that scale whole tensors or blocks") {
    Framework f;
    f.parameter_gather_bytes = 2;
    f.fp8_parameter_gather_bytes = 1;
    using models::PrecisionRecipe;
    for (const auto recipe : {PrecisionRecipe::fp8_delayed, PrecisionRecipe::fp8_current,
                              PrecisionRecipe::fp8_tensorwise, PrecisionRecipe::mxfp8}) {
      CHECK(gather_bytes(f, recipe) == 1);
    }
    for (const auto recipe : {PrecisionRecipe::bf16, PrecisionRecipe::fp16,
                              PrecisionRecipe::fp8_rowwise, PrecisionRecipe::nvfp4}) {
      CHECK(gather_bytes(f, recipe) == 2);
    }
  }
}

}  // namespace
}  // namespace forerun::sim
