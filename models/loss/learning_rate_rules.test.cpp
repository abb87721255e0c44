#include "models/loss/learning_rate_rules.h"

#include <doctest/doctest.h>

#include <cmath>
#include <string>
#include <vector>

#include "core/statistics.h"

namespace forerun::models {
namespace {

RuleInputs inputs(double parameters, double tokens, double experts = 1) {
  return {parameters, tokens, 6 * parameters * tokens, experts};
}

double constant(const std::string& law, const std::string& name) {
  return load_law(law).constants.at(name).value;
}

TEST_SUITE("models/loss/learning_rate_rules") {
  TEST_CASE("the files have the constants that are printed") {
    CHECK(constant("rule_step_law", "eta_K") == 1.79);
    CHECK(constant("rule_step_law", "eta_N") == -.713);
    CHECK(constant("rule_step_law", "eta_D") == .307);
    CHECK(constant("rule_step_law", "batch_K") == .58);
    CHECK(constant("rule_step_law", "batch_D") == .571);
    CHECK(constant("rule_deepseek", "eta_K") == .3118);
    CHECK(constant("rule_deepseek", "eta_C") == -.125);
    CHECK(constant("rule_deepseek", "batch_K") == .292);
    CHECK(constant("rule_deepseek", "batch_C") == .3271);
    CHECK(constant("rule_porian", "eta_K") == 3.7);
    CHECK(constant("rule_porian", "eta_N") == -.36);
    CHECK(constant("rule_porian", "batch_K") == .7576);
    CHECK(constant("rule_porian", "batch_N") == .703);
    CHECK(constant("rule_microsoft", "eta_N") == -.23);
    CHECK(constant("rule_microsoft", "eta_D") == -.32);
    CHECK(constant("rule_openai", "eta_K") == .003239);
    CHECK(constant("rule_openai", "eta_ln_N") == -.0001395);
    CHECK(std::log(constant("rule_joint_moe", "eta_K")) == doctest::Approx(8.39).epsilon(1e-7));
    CHECK(constant("rule_joint_moe", "eta_N") == -.81);
    CHECK(constant("rule_joint_moe", "eta_E") == -.25);
  }

  // 1.79 x (7e9)^-0.713 x (1.4e12)^0.307 = 9.166e-4; 0.58 x (1.4e12)^0.571 = 4.9988e6.
  TEST_CASE("the Step law at 7B on 1.4T tokens gives 9.17e-4 and 5.0M tokens, outside its domain") {
    const RuleAnswer a = apply_rule(load_law("rule_step_law"), inputs(7e9, 1.4e12));
    REQUIRE(a.learning_rate);
    REQUIRE(a.batch_tokens);
    CHECK(*a.learning_rate == doctest::Approx(9.166e-4).epsilon(1e-3));
    CHECK(*a.batch_tokens == doctest::Approx(4.9988e6).epsilon(1e-4));
    CHECK(a.outside.size() == 2);
    CHECK(apply_rule(load_law("rule_step_law"), inputs(0.5e9, 20e9)).outside.empty());
  }

  // DeepSeek at 1e19: 0.3118 x 10^-2.375 = 1.3148e-3, 0.292 x 10^6.2149 = 4.789e5. OpenAI at 1e9:
  // 0.003239 - 0.0001395 x 20.723 = 3.481e-4. Experts: exp(8.39 - 0.81 x 20.723 - 0.25 ln 8) =
  // exp(-8.9157) = 1.343e-4. Porian at 1e9: 3.7 x 10^-3.24 = 2.129e-3.
  TEST_CASE("the other rules give what their equations give by hand") {
    RuleInputs at = inputs(1e9, 20e9, 8);
    at.flops = 1e19;
    const RuleAnswer deepseek = apply_rule(load_law("rule_deepseek"), at);
    CHECK(deepseek.learning_rate.value() == doctest::Approx(1.3148e-3).epsilon(1e-3));
    CHECK(deepseek.batch_tokens.value() == doctest::Approx(4.789e5).epsilon(1e-3));
    CHECK(apply_rule(load_law("rule_openai"), at).learning_rate.value() ==
          doctest::Approx(3.481e-4).epsilon(1e-3));
    CHECK(apply_rule(load_law("rule_joint_moe"), at).learning_rate.value() ==
          doctest::Approx(1.343e-4).epsilon(2e-3));
    CHECK(apply_rule(load_law("rule_porian"), at).learning_rate.value() ==
          doctest::Approx(2.129e-3).epsilon(1e-3));
    CHECK_FALSE(apply_rule(load_law("rule_openai"), at).batch_tokens);
  }

  TEST_CASE("a rule whose factor nobody can read is refused, with what was printed") {
    const RuleAnswer a = apply_rule(load_law("rule_microsoft"), inputs(1e9, 1e11));
    CHECK_FALSE(a.learning_rate);
    REQUIRE(a.why_not.size() == 1);
    CHECK(a.why_not[0].find("constant eta_K is not known (the only table read prints 1.3192e-5") ==
          0);
  }

  TEST_CASE("a rule that would turn negative says so") {
    const RuleAnswer a = apply_rule(load_law("rule_openai"), inputs(70e9, 1e12));
    CHECK_FALSE(a.learning_rate);
    REQUIRE(a.why_not.size() == 1);
    CHECK(a.why_not[0] == "not above zero at 7e+10 parameters");
    CHECK_FALSE(a.outside.empty());
  }

  // The middle: sqrt(60e6 x 1.07e9) = 2.5338e8 and sqrt(2e9 x 100e9) = 1.4142e10. At 7e9 and 1.4e12
  // the exponents' deviations (0.1193 / 3.92 = 0.0304 and 0.0739 / 3.92 = 0.0189) make
  // sqrt((0.0304 ln 27.63)^2 + (0.0189 ln 99.0)^2) = sqrt(0.1009^2 + 0.0867^2) = 0.133 in ln eta.
  TEST_CASE("a rule with intervals stands fast in the middle of its domain and spreads outside") {
    const Law rule = load_law("rule_step_law");
    CHECK(has_spread(rule));
    std::vector<double> in, out;
    for (std::uint64_t i = 0; i < 1000; ++i) {
      in.push_back(
          std::log(draw_rule(rule, inputs(2.5338e8, 1.4142e10), 1, i).learning_rate.value()));
      out.push_back(std::log(draw_rule(rule, inputs(7e9, 1.4e12), 1, i).learning_rate.value()));
    }
    CHECK(quantile(in, 0.95) - quantile(in, 0.05) < 1e-3);
    // The central 68.27 % of a normal distribution are two deviations.
    CHECK(0.5 * (quantile(out, 0.8413) - quantile(out, 0.1587)) ==
          doctest::Approx(0.133).epsilon(0.1));
    CHECK_FALSE(has_spread(load_law("rule_deepseek")));
    CHECK(draw_rule(load_law("rule_deepseek"), inputs(1e9, 1e10), 1, 5).learning_rate ==
          apply_rule(load_law("rule_deepseek"), inputs(1e9, 1e10)).learning_rate);
  }

  TEST_CASE("all rules load, and each says what it rests on") {
    const std::vector<Law> rules = training_rules();
    CHECK(rules.size() == 6);
    for (const Law& rule : rules) {
      CAPTURE(rule.name);
      CHECK(rule.form == "training_rule");
      CHECK_FALSE(rule.caveats.empty());
    }
  }
}

}  // namespace
}  // namespace forerun::models
