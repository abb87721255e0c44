#include "sim/scoreboard.h"

#include <algorithm>
#include <cmath>
#include <map>
#include <set>
#include <utility>

namespace forerun::sim {
namespace {

/// A predicted memory this near to capacity, relative, could fall on either side.
constexpr double kNear = 0.1;
constexpr double kPeakLeast = 0.8;
constexpr double kRefusedError = 1.0;

using Rows = std::vector<const RowOutcome*>;

template <class Key>
std::map<std::string, Rows> grouped(const std::vector<RowOutcome>& outcomes, Key key) {
  std::map<std::string, Rows> groups;
  for (const RowOutcome& o : outcomes) {
    const std::string name = key(o);
    if (!name.empty() && !o.out_of_scope) groups[name].push_back(&o);
  }
  return groups;
}

GroupScore score(const std::string& name, const Rows& rows) {
  GroupScore g;
  g.name = name;
  for (const RowOutcome* o : rows) {
    if (o->measured.step_time && o->not_scored.empty()) {
      ++g.rows;
      if (!o->step_time) ++g.refused;
      const double error = o->step_time ? o->step_time_error() : kRefusedError;
      g.error += std::abs(error);
      g.bias += error;
      g.worst = std::max(g.worst, std::abs(error));
    }
    if (o->measured.memory && o->memory) {
      ++g.memory_rows;
      g.memory_error += std::abs(*o->memory / *o->measured.memory - 1.0);
    }
  }
  if (g.rows > 0) {
    g.error /= static_cast<double>(g.rows);
    g.bias /= static_cast<double>(g.rows);
  }
  if (g.memory_rows > 0) g.memory_error /= static_cast<double>(g.memory_rows);
  return g;
}

template <class Key>
std::vector<GroupScore> scores(const std::vector<RowOutcome>& outcomes, Key key) {
  std::vector<GroupScore> out;
  for (const auto& [name, rows] : grouped(outcomes, key)) {
    const GroupScore g = score(name, rows);
    if (g.rows > 0 || g.memory_rows > 0) out.push_back(g);
  }
  return out;
}

std::vector<double> errors_of(const std::vector<GroupScore>& groups) {
  std::vector<double> errors;
  for (const GroupScore& g : groups) {
    if (g.rows > 0) errors.push_back(g.error);
  }
  return errors;
}

/// Accelerator-seconds a token.
double cost(Seconds step, const RowOutcome& o) {
  return step.base() * static_cast<double>(o.accelerators) / o.tokens;
}

ChoiceScore choice(const std::string& group, const Rows& plans) {
  ChoiceScore c;
  c.group = group;
  c.plans = static_cast<std::int64_t>(plans.size());
  std::vector<double> measured, predicted;
  for (const RowOutcome* o : plans) {
    measured.push_back(cost(*o->measured.step_time, *o));
    predicted.push_back(cost(*o->step_time, *o));
  }
  const auto chosen = std::min_element(predicted.begin(), predicted.end()) - predicted.begin();
  c.regret = measured[static_cast<std::size_t>(chosen)] /
                 *std::min_element(measured.begin(), measured.end()) -
             1.0;
  c.spearman = spearman(measured, predicted);
  return c;
}

void score_choices(const std::vector<RowOutcome>& outcomes, Scoreboard& board) {
  std::vector<double> regrets, correlations;
  for (const auto& [name, rows] : grouped(outcomes, [](const RowOutcome& o) { return o.group; })) {
    Rows plans;
    for (const RowOutcome* o : rows) {
      if (o->scored()) plans.push_back(o);
    }
    if (static_cast<std::int64_t>(plans.size()) < kLeastPlans) continue;
    board.choices.push_back(choice(name, plans));
    regrets.push_back(board.choices.back().regret);
    correlations.push_back(board.choices.back().spearman);
  }
  if (regrets.empty()) return;
  board.median_regret = median(regrets);
  board.mean_regret = mean(regrets);
  board.median_spearman = median(correlations);
}

void count(FitScore& f, const RowOutcome& o) {
  if (o.measured.out_of_memory) {
    ++f.out_of_memory;
    if (!*o.fits) ++f.out_right;
  } else {
    ++f.ran;
    if (*o.fits) ++f.ran_right;
  }
}

void score_fit(const std::vector<RowOutcome>& outcomes, Scoreboard& board) {
  std::set<std::pair<std::string, std::string>> swept;
  for (const RowOutcome& o : outcomes) {
    if (o.measured.out_of_memory) swept.emplace(o.framework, o.accelerator);
  }
  for (const RowOutcome& o : outcomes) {
    if (!o.fits || !swept.contains({o.framework, o.accelerator})) continue;
    count(board.fit, o);
    const bool near = std::abs(*o.reserved / o.capacity - 1.0) < kNear;
    count(near ? board.fit_near : board.fit_clear, o);
  }
}

void score_memory(const std::vector<RowOutcome>& outcomes, Scoreboard& board) {
  std::vector<double> groups, after;
  for (const GroupScore& g : board.groups) {
    if (g.memory_rows > 0) groups.push_back(g.memory_error);
  }
  std::int64_t reserved_rows = 0, inside = 0;
  for (const RowOutcome& o : outcomes) {
    if (o.measured.after_step && o.after_step) {
      after.push_back(std::abs(*o.after_step / *o.measured.after_step - 1.0));
    }
    if (o.measured.reserved && o.peak) {
      ++reserved_rows;
      const double share = *o.peak / *o.measured.reserved;
      if (share >= kPeakLeast && share <= 1.0) ++inside;
    }
  }
  if (!groups.empty()) board.memory_error = mean(groups);
  if (!after.empty()) board.after_step_error = mean(after);
  if (reserved_rows > 0) {
    board.peak_in_reserved = static_cast<double>(inside) / static_cast<double>(reserved_rows);
  }
}

void score_bands(const std::vector<RowOutcome>& outcomes, Scoreboard& board) {
  const bool split = std::any_of(outcomes.begin(), outcomes.end(),
                                 [](const RowOutcome& o) { return o.split == "test"; });
  std::int64_t banded = 0, inside = 0;
  for (const RowOutcome& o : outcomes) {
    if (!o.scored() || !o.band || (split && o.split != "test")) continue;
    ++banded;
    if (*o.measured.step_time >= o.band->low && *o.measured.step_time <= o.band->high) ++inside;
    board.band_level = o.band->level;
  }
  if (banded > 0) board.in_band = static_cast<double>(inside) / static_cast<double>(banded);
}

/// The cheapest measured row of each model and accelerator, and what was predicted for it: what
/// somebody who chooses between machines compares.
void score_ratios(const std::vector<RowOutcome>& outcomes, Scoreboard& board) {
  std::map<std::string, std::map<std::string, const RowOutcome*>> best;
  for (const RowOutcome& o : outcomes) {
    if (!o.scored()) continue;
    const RowOutcome*& kept = best[o.model][o.accelerator];
    if (kept == nullptr ||
        cost(*o.measured.step_time, o) < cost(*kept->measured.step_time, *kept)) {
      kept = &o;
    }
  }
  std::vector<double> errors;
  for (const auto& [model, by_accelerator] : best) {
    for (auto a = by_accelerator.begin(); a != by_accelerator.end(); ++a) {
      for (auto b = std::next(a); b != by_accelerator.end(); ++b) {
        RatioScore r{model, a->first, b->first, 0, 0};
        r.measured = cost(*a->second->measured.step_time, *a->second) /
                     cost(*b->second->measured.step_time, *b->second);
        r.predicted =
            cost(*a->second->step_time, *a->second) / cost(*b->second->step_time, *b->second);
        errors.push_back(std::abs(r.predicted / r.measured - 1.0));
        board.ratios.push_back(r);
      }
    }
  }
  if (!errors.empty()) board.ratio_error = mean(errors);
}

}  // namespace

std::optional<double> FitScore::balanced() const {
  if (ran == 0 || out_of_memory == 0) return std::nullopt;
  return 0.5 * (static_cast<double>(ran_right) / static_cast<double>(ran) +
                static_cast<double>(out_right) / static_cast<double>(out_of_memory));
}

Scoreboard make_scoreboard(const std::vector<RowOutcome>& outcomes, std::uint64_t seed) {
  Scoreboard board;
  board.rows = static_cast<std::int64_t>(outcomes.size());
  std::vector<double> rows;
  for (const RowOutcome& o : outcomes) {
    if (o.out_of_scope) {
      ++board.out_of_scope;
    } else if (!o.reason.empty()) {
      ++board.refused;
    }
    if (o.scored()) ++board.scored;
    if (!o.out_of_scope && o.measured.step_time) {
      rows.push_back(o.step_time ? std::abs(o.step_time_error()) : kRefusedError);
    }
  }
  board.groups = scores(outcomes, [](const RowOutcome& o) { return o.group; });
  board.frameworks = scores(outcomes, [](const RowOutcome& o) {
    return o.framework.empty() ? std::string("refused") : o.framework + " on " + o.accelerator;
  });
  board.families = scores(outcomes, [](const RowOutcome& o) { return o.family; });
  const std::vector<double> groups = errors_of(board.groups);
  if (!groups.empty()) {
    board.mean_over_groups = mean(groups);
    board.median_over_groups = median(groups);
    board.mean_over_rows = mean(rows);
  }
  const std::vector<double> families = errors_of(board.families);
  if (families.size() > 1) {
    board.over_families = bootstrap_mean(families, 0.9, Stream(seed, "scoreboard/families"));
  }
  const std::vector<double> tested = errors_of(scores(
      outcomes, [](const RowOutcome& o) { return o.split == "test" ? o.group : std::string{}; }));
  if (!tested.empty()) board.tested = mean(tested);
  score_bands(outcomes, board);
  score_memory(outcomes, board);
  score_fit(outcomes, board);
  score_choices(outcomes, board);
  score_ratios(outcomes, board);
  return board;
}

void add_left_out(Scoreboard& board, const std::map<std::string, LeftOutError>& recorded,
                  std::uint64_t seed) {
  std::vector<double> errors;
  std::map<std::string, std::vector<double>> families;
  for (const GroupScore& g : board.groups) {
    if (g.rows == 0) continue;
    const auto found = recorded.find(g.name);
    if (found == recorded.end()) return;
    errors.push_back(found->second.error);
    families[found->second.family].push_back(found->second.error);
  }
  if (errors.empty()) return;
  board.left_out = mean(errors);
  std::vector<double> means;
  for (const auto& [name, of_family] : families) means.push_back(mean(of_family));
  if (means.size() > 1) {
    board.left_out_families = bootstrap_mean(means, 0.9, Stream(seed, "scoreboard/left out"));
  }
}

}  // namespace forerun::sim
