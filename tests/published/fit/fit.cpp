#include "fit.h"

#include <algorithm>
#include <cmath>
#include <map>
#include <utility>

#include "core/random.h"
#include "experts.h"

namespace forerun::published {
namespace {

constexpr std::uint64_t kDraws = 4000;
constexpr double kLevel = 0.9;

/// The fit without a family, of what its rows feel.
Values without_family(Predictor& predictor, const Rows& fitted_rows, const Fit& full,
                      const Rows& family) {
  Rows rest;
  std::ranges::set_difference(fitted_rows, family, std::back_inserter(rest));
  const Parameters parameters = choose_parameters(predictor, rest, full.feeling);
  const Catalogue& catalogue = predictor.catalogue();
  Values values = full.values;
  for (std::size_t c = 0; c < parameters.unfitted.size(); ++c) {
    const Constant& constant = catalogue.constants[c];
    for (const std::string& name : parameters.unfitted[c]) {
      values[c][name] = catalogue.start(constant, catalogue.subject(constant.of, name)).value;
    }
  }
  std::set<std::string> felt;
  for (const Parameter& p : parameters.fitted) {
    const Of of = catalogue.constants[p.constant].of;
    for (const std::size_t row : family) {
      if (std::ranges::find(p.members, predictor.subject(row, of)) != p.members.end()) {
        felt.insert(p.owner);
        break;
      }
    }
  }
  return search(predictor, rest, parameters, std::move(values), {.rounds = 3, .scan = false},
                &felt);
}

Interval bootstrap(const std::vector<LeftOutGroup>& groups) {
  std::map<std::string, std::vector<double>> by_family;
  for (const LeftOutGroup& g : groups) by_family[g.family].push_back(g.error);
  std::vector<std::vector<double>> families;
  for (const auto& [name, errors] : by_family) families.push_back(errors);
  const Stream stream(1, "published/cross-validation");
  std::vector<double> means;
  for (std::uint64_t draw = 0; draw < kDraws; ++draw) {
    double sum = 0, n = 0;
    for (std::uint64_t i = 0; i < families.size(); ++i) {
      for (const double e : families[stream.below(draw * families.size() + i, families.size())]) {
        sum += e;
        n += 1;
      }
    }
    means.push_back(sum / n);
  }
  return {quantile(means, (1 - kLevel) / 2), quantile(means, (1 + kLevel) / 2)};
}

}  // namespace

Rows rows_of_split(const Predictor& predictor, const std::string& split) {
  Rows rows;
  for (std::size_t i = 0; i < predictor.rows().size(); ++i) {
    if (predictor.rows()[i].split == split) rows.push_back(i);
  }
  return rows;
}

Rows without_experts(const Predictor& predictor, const Rows& rows) {
  Rows kept;
  std::ranges::copy_if(rows, std::back_inserter(kept),
                       [&](std::size_t row) { return !has_experts(predictor.rows()[row]); });
  return kept;
}

Rows thinned(const Predictor& predictor, const Rows& rows) {
  std::map<std::string, Rows> groups;
  for (const std::size_t row : rows) groups[predictor.rows()[row].group].push_back(row);
  Rows kept;
  for (const auto& [group, members] : groups) {
    const std::size_t n = std::min(members.size(), kRowsPerGroup);
    for (std::size_t i = 0; i < n; ++i) kept.push_back(members[i * members.size() / n]);
  }
  std::ranges::sort(kept);
  return kept;
}

Fit fit(Predictor& predictor, const Rows& fitted_rows) {
  Fit result;
  const Values start = start_values(predictor.catalogue());
  result.feeling = feeling(predictor, fitted_rows, start);
  result.parameters = choose_parameters(predictor, fitted_rows, result.feeling);
  result.values = search(predictor, fitted_rows, result.parameters, start, {});
  return result;
}

namespace {

/// Errors by group, and their spread over families.
CrossValidation by_groups(const Predictor& predictor, std::vector<LeftOut> rows) {
  CrossValidation out;
  out.rows = std::move(rows);
  std::ranges::sort(out.rows, {}, &LeftOut::row);
  std::map<std::string, LeftOutGroup> groups;
  for (const LeftOut& r : out.rows) {
    const sim::PublishedRow& row = predictor.rows()[r.row];
    LeftOutGroup& g = groups[row.group];
    g.name = row.group;
    g.family = row.family;
    ++g.rows;
    g.error += std::abs(std::expm1(r.log_error));
  }
  for (auto& [name, g] : groups) {
    g.error /= static_cast<double>(g.rows);
    out.mean_over_groups += g.error / static_cast<double>(groups.size());
    out.groups.push_back(g);
  }
  out.over_families = bootstrap(out.groups);
  return out;
}

void predict(Predictor& predictor, const Rows& rows, const Values& values,
             std::vector<LeftOut>& out) {
  const std::vector<double> errors = predictor.log_errors(rows, values);
  for (std::size_t i = 0; i < rows.size(); ++i) out.push_back({rows[i], errors[i]});
}

/// Rows with experts: tested ones by the experts' constants of all fitted ones, and each fitted
/// family by those of the others.
void predict_experts(const Predictor& predictor, const Rows& rows, const Values& values,
                     std::vector<LeftOut>& out) {
  std::map<std::string, Rows> predicted;  // by the family that is left out; "": none
  Rows fitted;
  for (const std::size_t row : rows) {
    const bool is_fitted = predictor.rows()[row].split == "fit";
    if (is_fitted) fitted.push_back(row);
    predicted[is_fitted ? predictor.rows()[row].family : ""].push_back(row);
  }
  const auto set_rows = [&](const Rows& which) {
    std::vector<sim::PublishedRow> list;
    for (const std::size_t row : which) list.push_back(predictor.row_with(row, values));
    return list;
  };
  for (const auto& [family, own] : predicted) {
    Rows rest;
    std::ranges::set_difference(fitted, own, std::back_inserter(rest));
    const ExpertValues found = fit_experts(set_rows(rest), predictor.threads());
    const std::vector<double> errors = log_errors(set_rows(own), found, predictor.threads());
    for (std::size_t i = 0; i < own.size(); ++i) out.push_back({own[i], errors[i]});
  }
}

}  // namespace

CrossValidation predict_unfitted(Predictor& predictor, const Rows& rows, const Values& values) {
  std::vector<LeftOut> out;
  predict(predictor, rows, values, out);
  return by_groups(predictor, std::move(out));
}

CrossValidation cross_validate(Predictor& predictor, const Rows& fitted_rows, const Fit& full) {
  std::map<std::string, Rows> families;
  Rows others, with_experts;
  for (std::size_t i = 0; i < predictor.rows().size(); ++i) {
    if (std::ranges::binary_search(fitted_rows, i)) {
      families[predictor.rows()[i].family].push_back(i);
    } else {
      (has_experts(predictor.rows()[i]) ? with_experts : others).push_back(i);
    }
  }
  std::vector<LeftOut> out;
  predict(predictor, others, full.values, out);
  predict_experts(predictor, with_experts, full.values, out);
  const Rows fewer = thinned(predictor, fitted_rows);
  for (const auto& [name, rows] : families) {
    predict(predictor, rows, without_family(predictor, fewer, full, rows), out);
  }
  return by_groups(predictor, std::move(out));
}

}  // namespace forerun::published
