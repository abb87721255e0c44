/// What holds of every file in models/laws: a constant taken away is missed by name, and an input
/// outside the stated domain is said.

#include <doctest/doctest.h>

#include <algorithm>
#include <string>

#include "models/loss/law.h"

namespace forerun::models {
namespace {

bool has(const std::string& text, const std::string& part) {
  return text.find(part) != std::string::npos;
}

}  // namespace

TEST_SUITE("models/laws") {
  TEST_CASE("a file without one of its form's constants is refused by that name") {
    for (const std::string& file : law_names()) {
      const Law law = load_law(file);
      for (const LawConstant& c : law_form(law.form).constants) {
        const std::string name(c.name);
        if (c.of != LawConstant::Of::law || c.optional || !law.constants.contains(name)) continue;
        CAPTURE(file);
        CAPTURE(name);
        Law lacking = law;
        lacking.constants.erase(name);
        lacking.joints.clear();
        Problems problems;
        CHECK_FALSE(read_law(law_json(lacking), problems));
        CHECK(has(problems.text(""), "/constants/" + name + ": missing"));
      }
    }
  }

  TEST_CASE("a constant is stated or missing with a reason, never both") {
    for (const std::string& file : law_names()) {
      const Law law = load_law(file);
      CAPTURE(file);
      CHECK_FALSE(law.constants.empty());
      for (const auto& [name, why] : law.missing) {
        CHECK_FALSE(law.constants.contains(name));
        CHECK(why.size() > 5);
      }
    }
  }

  TEST_CASE("each end of each domain is inside it, and beyond it is said with the law's name") {
    for (const std::string& file : law_names()) {
      const Law law = load_law(file);
      CAPTURE(file);
      for (const auto& [input, ends] : law.domain) {
        CAPTURE(input);
        CHECK(outside_domain(law, {{input, ends[0]}}).empty());
        CHECK(outside_domain(law, {{input, ends[1]}}).empty());
        const auto above = outside_domain(law, {{input, ends[1] * 1.1}});
        REQUIRE(above.size() == 1);
        CHECK(has(above[0], law.name));
        CHECK(has(above[0], input));
        if (ends[0] > 0) CHECK(outside_domain(law, {{input, ends[0] / 1.1}}).size() == 1);
      }
    }
  }

  TEST_CASE("every published constant says where it was read") {
    for (const std::string& file : law_names()) {
      const Law law = load_law(file);
      for (const auto& [name, c] : law.constants) {
        CAPTURE(file);
        CAPTURE(name);
        if (c.evidence != Evidence::published) continue;
        const bool said = has(c.source, "et al. 20") || has(c.source, "-AI 20");
        CHECK(said);
      }
    }
  }
}

}  // namespace forerun::models
