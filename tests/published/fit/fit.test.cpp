// The fit finds constants that are known because the simulator itself made the rows, and fits none
// that the rows cannot tell.

#include "fit.h"

#include <doctest/doctest.h>

#include <algorithm>
#include <cmath>
#include <map>

#include "core/error.h"
#include "experts.h"
#include "fact_text.h"
#include "write_back.h"

namespace forerun::published {
namespace {

/// The first `each` fitted rows with few micro-batches, so quick to simulate, of every group of the
/// frameworks.
std::vector<sim::PublishedRow> some_rows(const std::vector<std::string>& frameworks,
                                         std::size_t each) {
  std::vector<sim::PublishedRow> rows;
  std::map<std::string, std::size_t> taken;
  for (sim::PublishedRow& r : load_rows()) {
    const sim::Scenario& s = r.scenario;
    if (r.split != "fit" || has_experts(r) || s.plan.micro_batches() > 32) continue;
    if (std::ranges::find(frameworks, s.framework.name) == frameworks.end()) continue;
    if (++taken[r.group] <= each) rows.push_back(std::move(r));
  }
  return rows;
}

std::size_t index_of(const Catalogue& c, const std::string& name) {
  const auto found = std::ranges::find(c.constants, name, &Constant::name);
  REQUIRE(found != c.constants.end());
  return static_cast<std::size_t>(found - c.constants.begin());
}

/// The rows as they would have been measured with `values`.
std::vector<sim::PublishedRow> as_measured(const Catalogue& catalogue,
                                           std::vector<sim::PublishedRow> rows,
                                           const Values& values) {
  Predictor predictor(catalogue, rows, 1);
  Rows all(rows.size());
  for (std::size_t i = 0; i < all.size(); ++i) all[i] = i;
  const std::vector<double> errors = predictor.log_errors(all, values);
  for (std::size_t i = 0; i < rows.size(); ++i) {
    rows[i].measured.step_time = *rows[i].measured.step_time * std::exp(errors[i]);
  }
  return rows;
}

/// The fitted rows with experts.
std::vector<sim::PublishedRow> expert_rows() {
  std::vector<sim::PublishedRow> rows;
  for (sim::PublishedRow& r : load_rows()) {
    if (r.split == "fit" && has_experts(r)) rows.push_back(std::move(r));
  }
  return rows;
}

const Parameter* parameter(const Parameters& p, std::size_t constant, const std::string& member) {
  for (const Parameter& q : p.fitted) {
    if (q.constant == constant && std::ranges::find(q.members, member) != q.members.end())
      return &q;
  }
  return nullptr;
}

}  // namespace

TEST_SUITE("tests/published/fit") {
  TEST_CASE("constants that made the rows are found again from them, whatever the threads") {
    const Catalogue catalogue = load_catalogue();
    const std::string chip = "h100-sxm-80gb", preset = "nanotron";
    const std::size_t rate = index_of(catalogue, "in_job_rate");
    const std::size_t traffic = index_of(catalogue, "elementwise_traffic");
    const std::size_t launch = index_of(catalogue, "launch");
    Values truth = start_values(catalogue);
    truth[rate][chip] = 0.87;
    truth[traffic][preset] = 1.4;
    truth[launch][preset] = 14;
    const std::vector<sim::PublishedRow> rows =
        as_measured(catalogue, some_rows({preset}, 3), truth);
    REQUIRE(rows.size() >= 12);

    Predictor predictor(catalogue, rows, 1), threaded(catalogue, rows, 3);
    const Rows all = rows_of_split(predictor, "fit");
    CHECK(mean_error(predictor, all, start_values(catalogue)) > 0.05);
    const Fit found = fit(predictor, all);
    CHECK(mean_error(predictor, all, found.values) < 0.006);
    CHECK(found.values[rate].at(chip) == doctest::Approx(0.87).epsilon(0.02));
    // One framework on one accelerator tells of bytes and bandwidth only the ratio.
    const std::size_t memory = index_of(catalogue, "memory_efficiency");
    CHECK(found.values[traffic].at(preset) / found.values[memory].at(chip) ==
          doctest::Approx(1.4 / truth[memory].at(chip)).epsilon(0.1));
    CHECK(found.values[launch].at(preset) == doctest::Approx(14).epsilon(0.1));
    CHECK(fit(threaded, all).values == found.values);
  }

  TEST_CASE("a constant that too few groups feel is its relative's, and else keeps its start") {
    const Catalogue catalogue = load_catalogue();
    // nemo-1 has two fitted groups, nemo-2 three or more; maxtext one and no relative.
    Predictor predictor(catalogue, some_rows({"nemo-1", "nemo-2", "maxtext"}, 1), 1);
    const Rows all = rows_of_split(predictor, "fit");
    const Feeling all_feel(catalogue.constants.size(), std::vector<bool>(all.size(), true));
    const Parameters p = choose_parameters(predictor, all, all_feel);
    const std::size_t launch = index_of(catalogue, "launch");
    REQUIRE(parameter(p, launch, "nemo-1") != nullptr);
    CHECK(parameter(p, launch, "nemo-1")->owner == "nemo-2");
    CHECK(parameter(p, launch, "nemo-1") == parameter(p, launch, "nemo-2"));
    CHECK(p.unfitted[launch].contains("maxtext"));
    CHECK(p.unfitted[launch].contains("nanotron"));

    const Feeling none_feel(catalogue.constants.size(), std::vector<bool>(all.size(), false));
    CHECK(choose_parameters(predictor, all, none_feel).fitted.empty());
  }

  TEST_CASE("constants of experts that made the rows are found again from them") {
    std::vector<sim::PublishedRow> rows = expert_rows();
    const ExpertValues truth = {30, 1.6, 0.9};
    const std::vector<double> errors = log_errors(rows, truth, 1);
    for (std::size_t i = 0; i < rows.size(); ++i) {
      rows[i].measured.step_time = *rows[i].measured.step_time * std::exp(errors[i]);
    }
    const ExpertValues found = fit_experts(rows, 1);
    // The prior draws each a little towards its start value.
    CHECK(found[0] == doctest::Approx(truth[0]).epsilon(0.1));
    CHECK(found[1] == doctest::Approx(truth[1]).epsilon(0.1));
    CHECK(found[2] == doctest::Approx(truth[2]).epsilon(0.1));
    CHECK(fit_experts(rows, 3) == found);
  }

  TEST_CASE("what was measured of a family with experts has no part in its left-out prediction") {
    const Catalogue catalogue = load_catalogue();
    std::vector<sim::PublishedRow> rows = expert_rows();
    Fit full;
    full.values = current_values(catalogue);
    Predictor before(catalogue, rows, 1);
    const CrossValidation as_it_is = cross_validate(before, {}, full);
    for (sim::PublishedRow& r : rows) {
      if (r.family == "qwen3-30b-a3b") r.measured.step_time = *r.measured.step_time * 2.0;
    }
    Predictor after(catalogue, rows, 1);
    const CrossValidation doubled = cross_validate(after, {}, full);
    REQUIRE(doubled.rows.size() == rows.size());
    bool others_moved = false;
    for (std::size_t i = 0; i < rows.size(); ++i) {
      const double change = doubled.rows[i].log_error - as_it_is.rows[i].log_error;
      if (rows[doubled.rows[i].row].family == "qwen3-30b-a3b") {
        CHECK(change == doctest::Approx(-std::log(2.0)));
      } else {
        others_moved = others_moved || std::abs(change) > 0.01;
      }
    }
    CHECK(others_moved);
  }

  TEST_CASE("values are cut to their bounds and rounded as files hold them") {
    Constant c;
    c.least = 0.5;
    c.most = 2;
    c.spread = 0.1;
    CHECK(c.value(1.0, 3.0) == 1.35);  // exp(0.3) = 1.34986
    CHECK(c.value(1.0, 9.0) == 2.0);
    CHECK(c.z(1.0, std::exp(0.3)) == doctest::Approx(3));
    c.scale = Scale::overhead;
    c.least = 0;
    c.most = 1e6;
    c.spread = 200;
    CHECK(c.value(0.0, 0.0) == 0.0);
    CHECK(c.value(0.0, -1.0) == 0.0);
    CHECK(c.value(0.0, 5.0) == 14800.0);  // 200 sinh 5 = 14840.6
    c.scale = Scale::difference;
    c.step = 0.01;
    c.spread = 0.05;
    CHECK(c.value(0.1, 0.5) == doctest::Approx(0.13).epsilon(1e-12));
  }

  TEST_CASE("one fact of a file is changed and every other byte stays") {
    const std::string text =
        R"({"a": {"value": 1, "evidence": "assumed", "source": "with \"launch\" in it"},)"
        "\n \"launch\": {\n  \"value\": \"6 us\",\n  \"evidence\": \"assumed\", \"source\": "
        "\"x\"\n }}\n";
    CHECK(with_fact(text, "launch", "\"7.5 us\"", "fitted", "say \"3\" rows") ==
          R"({"a": {"value": 1, "evidence": "assumed", "source": "with \"launch\" in it"},)"
          "\n \"launch\": {\n  \"value\": \"7.5 us\",\n  \"evidence\": \"fitted\", \"source\": "
          "\"say \\\"3\\\" rows\"\n }}\n");
    CHECK_THROWS_WITH_AS(static_cast<void>(with_value(text, "tax", "1")),
                         "there is no fact \"tax\"", Error);
  }

  TEST_CASE("every profile and preset holds the constants, within their bounds") {
    const Catalogue catalogue = load_catalogue();
    const Values now = current_values(catalogue);
    for (std::size_t c = 0; c < now.size(); ++c) {
      for (const auto& [name, value] : now[c]) {
        CHECK_MESSAGE(value >= catalogue.constants[c].least, name);
        CHECK_MESSAGE(value <= catalogue.constants[c].most, name);
      }
    }
  }
}

}  // namespace forerun::published
