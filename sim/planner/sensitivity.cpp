#include "sim/planner/sensitivity.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <functional>
#include <map>
#include <set>

#include "core/table.h"
#include "sim/error_band.h"
#include "sim/loss_question.h"
#include "sim/step.h"

namespace forerun::sim {
namespace {

constexpr std::size_t kFinalists = 8;
constexpr double kEndOfNormal = 1.645;  ///< standard deviations from 5 to 95 %
constexpr std::uint64_t kLawDraws = 40, kLawSeed = 1;

template <class T>
void scale(Stated<T>& stated, double factor) {
  stated.value *= factor;
  if (stated.most) *stated.most *= factor;
}

/// What is otherwise than stated, for each finalist.
struct Nudge {
  std::function<double(const Scenario&)> time = [](const Scenario&) { return 1.0; };
  std::function<double(const Scenario&)> price = [](const Scenario&) { return 1.0; };
  std::function<void(Scenario&)> change = [](Scenario&) {};
  std::optional<models::Law> law;  ///< in place of the law of that name
};

struct Decided {
  std::optional<double> of_winner;
  std::size_t winner = 0;
};

class Finalists {
 public:
  Finalists(const DecisionQuestion& q, const Decision& d) : q_(q), d_(d) {
    for (std::size_t i = 0; i < std::min(kFinalists, d.ranking.size()); ++i) {
      of_.push_back(d.ranking[i]);
    }
  }
  [[nodiscard]] const std::vector<std::size_t>& list() const { return of_; }
  [[nodiscard]] const Scenario& scenario(std::size_t i) const { return *d_.points[i].scenario; }
  [[nodiscard]] Seconds time(std::size_t i) const { return d_.points[i].step->time; }
  [[nodiscard]] double base() const { return *worth(q_.goal, d_.points[of_.front()].outcome); }
  [[nodiscard]] bool losses_matter() const { return q_.goal == Goal::loss || q_.loss_at_most; }
  [[nodiscard]] const std::string& modality() const { return q_.modality; }

  [[nodiscard]] std::optional<double> of_winner(const Nudge& nudge) const {
    return worth_of(of_.front(), nudge);
  }

  [[nodiscard]] Decided decide(const Nudge& nudge) const {
    Decided out;
    out.winner = of_.front();
    std::optional<double> least;
    for (const std::size_t i : of_) {
      const std::optional<double> value = worth_of(i, nudge);
      if (i == of_.front()) out.of_winner = value;
      if (value && (!least || *value < *least)) {
        least = value;
        out.winner = i;
      }
    }
    return out;
  }

 private:
  [[nodiscard]] std::optional<double> worth_of(std::size_t i, const Nudge& nudge) const {
    Scenario s = scenario(i);
    const double dearer = nudge.price(s);
    if (s.price) *s.price *= dearer;
    if (s.cost.rent) scale(s.cost.rent->accelerator_hour, dearer);
    if (s.cost.buy) scale(s.cost.buy->price, dearer);
    nudge.change(s);
    const StepFacts step{time(i) * nudge.time(s), d_.points[i].power};
    std::optional<models::Law> law = loss_law(s);
    if (nudge.law && law && law->name == nudge.law->name) law = nudge.law;
    const EndLoss loss(s, q_.modality, law);
    if (q_.goal == Goal::time && !q_.free_tokens && s.training_tokens <= 0) {
      return step.time.base();
    }
    const Outcome& stated = d_.points[i].outcome;
    // Tokens to a loss, and the loss of so many, follow from the law alone.
    const bool same_law = !nudge.law || !law || law->name != nudge.law->name;
    std::string why;
    const std::optional<double> tokens = same_law && q_.loss_at_most
                                             ? std::optional(stated.tokens)
                                             : tokens_of(q_, s, step, loss, why, stated.tokens);
    if (!tokens) return std::nullopt;
    const bool same_loss = same_law && *tokens == stated.tokens;
    Outcome o = outcome(s, step, *tokens, losses_matter() && !same_loss ? &loss : nullptr);
    if (same_loss) o.loss = stated.loss;
    if (!broken_limit(q_, o, loss).empty()) return std::nullopt;
    return worth(q_.goal, o);
  }

  const DecisionQuestion& q_;
  const Decision& d_;
  std::vector<std::size_t> of_;
};

void add(const Finalists& finalists, SensitivityRow row, const Nudge& low, const Nudge& high,
         std::vector<SensitivityRow>& rows) {
  const Decided at_low = finalists.decide(low), at_high = finalists.decide(high);
  row.at_low = at_low.of_winner;
  row.at_high = at_high.of_winner;
  row.winner_at_low = at_low.winner;
  row.winner_at_high = at_high.winner;
  if (!row.at_low || !row.at_high) {
    row.swing = 1;
  } else if (const double moved = std::abs(*row.at_high - *row.at_low); moved > 0) {
    // Of nothing, everything is a whole.
    row.swing = finalists.base() == 0 ? 1 : moved / std::abs(finalists.base());
  }
  rows.push_back(std::move(row));
}

void add_times(const Finalists& finalists, std::vector<SensitivityRow>& rows) {
  const ErrorBands bands = load_error_bands();
  const auto key = [&](const Scenario& s) {
    const std::optional<TimeBand> band = time_band(bands, s, Seconds(1));
    return fmt::format("{} with {}{}", s.accelerator.generation, s.framework.name,
                       band ? fmt::format(" ({})", band->rests_on) : "");
  };
  std::map<std::string, TimeBand> kinds;
  for (const std::size_t i : finalists.list()) {
    const Scenario& s = finalists.scenario(i);
    if (const auto band = time_band(bands, s, Seconds(1))) kinds.emplace(key(s), *band);
  }
  for (const auto& [kind, band] : kinds) {
    const auto times = [&key, &kind](Seconds factor) {
      Nudge n;
      n.time = [&key, &kind, factor](const Scenario& s) {
        return key(s) == kind ? factor.base() : 1.0;
      };
      return n;
    };
    SensitivityRow row;
    row.input = "step time of " + kind;
    row.low = fmt::format("{:.3f} times", band.low.base());
    row.high = fmt::format("{:.3f} times", band.high.base());
    row.evidence = Evidence::derived;
    add(finalists, row, times(band.low), times(band.high), rows);
  }
}

void add_networks(const Finalists& finalists, double share, std::vector<SensitivityRow>& rows) {
  std::set<std::string> names;
  for (const std::size_t i : finalists.list()) {
    const Scenario& s = finalists.scenario(i);
    if (s.accelerators > s.network.domain) names.insert(s.network.name);
  }
  for (const std::string& name : names) {
    const auto wide = [&](double factor) {
      // Asked once for each finalist, whose step is then simulated again.
      Nudge n;
      n.time = [&name, factor](const Scenario& s) {
        if (s.network.name != name || s.accelerators <= s.network.domain) return 1.0;
        Scenario other = s;
        other.network.network *= factor;
        other.network.nic *= factor;
        return step_time(other) / step_time(s);
      };
      return n;
    };
    SensitivityRow row;
    row.input = "bandwidth of network " + name;
    row.low = fmt::format("{:.2f} times", 1 - share);
    row.high = fmt::format("{:.2f} times", 1 + share);
    add(finalists, row, wide(1 - share), wide(1 + share), rows);
  }
}

/// Of one profile at one end of every rate.
Nudge failing(const std::string& name, double Range::* end) {
  Nudge n;
  n.change = [&name, end](Scenario& s) {
    hw::Reliability& r = s.operations.reliability;
    if (r.name != name) return;
    const auto hold = [end](Range& rate) { rate.low = rate.high = rate.*end; };
    for (hw::FailureCause& cause : r.causes) hold(cause.per_1000_node_days);
    for (hw::SlowNodes& slow : r.slow) hold(slow.per_1000_node_days);
  };
  return n;
}

void add_failures(const Finalists& finalists, std::vector<SensitivityRow>& rows) {
  std::map<std::string, Range> profiles;  ///< events of a thousand node-days that stop a job
  for (const std::size_t i : finalists.list()) {
    const hw::Reliability& r = finalists.scenario(i).operations.reliability;
    Range all;
    for (const hw::FailureCause& cause : r.causes) {
      all.low += cause.per_1000_node_days.low;
      all.high += cause.per_1000_node_days.high;
    }
    if (all.high > all.low) profiles.emplace(r.name, all);
  }
  for (const auto& [name, all] : profiles) {
    SensitivityRow row;
    row.input = fmt::format("failures of {}, 1000 node-days", name);
    row.low = significant(all.low, 3);
    row.high = significant(all.high, 3);
    add(finalists, row, failing(name, &Range::low), failing(name, &Range::high), rows);
  }
}

void add_prices(const Finalists& finalists, double share, std::vector<SensitivityRow>& rows) {
  std::map<std::string, std::optional<DollarRate>> prices;
  for (const std::size_t i : finalists.list()) {
    const Scenario& s = finalists.scenario(i);
    if (s.price || s.cost.buy) prices.emplace(s.accelerator.name, s.price);
  }
  for (const auto& [name, price] : prices) {
    const auto dear = [&name](double factor) {
      Nudge n;
      n.price = [&name, factor](const Scenario& s) {
        return s.accelerator.name == name ? factor : 1.0;
      };
      return n;
    };
    SensitivityRow row;
    row.input = "price of " + name;
    const auto shown = [&, rate = price](double factor) {
      return rate ? fmt::format("{:.2f} USD/h", rate->in(1.0_usd_per_h) * factor)
                  : fmt::format("{:.2f} times", factor);
    };
    row.low = shown(1 - share);
    row.high = shown(1 + share);
    add(finalists, row, dear(1 - share), dear(1 + share), rows);
  }
}

models::Law with_values(models::Law law, const models::ConstantValues& values) {
  for (const auto& [name, value] : values) law.constants.find(name)->second.value = value;
  return law;
}

/// All constants of a law as its draws have them: those at 10 and 90 % by what the winner is worth.
void add_drawn_law(const Finalists& finalists, const models::Law& law,
                   std::vector<SensitivityRow>& rows) {
  struct Draw {
    models::Law law;
    double worth = 0;
  };
  std::vector<Draw> draws;
  for (std::uint64_t d = 0; d < kLawDraws; ++d) {
    Nudge n;
    n.law = with_values(law, models::drawn_values(law, kLawSeed, d));
    const std::optional<double> worth = finalists.of_winner(n);
    draws.push_back({*std::move(n.law), worth.value_or(INFINITY)});
  }
  std::ranges::stable_sort(draws, {}, &Draw::worth);
  Nudge low, high;
  low.law = draws[draws.size() / 10].law;
  high.law = draws[draws.size() - 1 - draws.size() / 10].law;
  SensitivityRow row;
  row.input = fmt::format("constants of law {} together", law.name);
  row.low = "best tenth";
  row.high = "worst tenth";
  row.evidence = law.weakest_evidence();
  add(finalists, row, low, high, rows);
}

void add_laws(const Finalists& finalists, std::vector<SensitivityRow>& rows) {
  std::map<std::string, models::Law> laws;
  for (const std::size_t i : finalists.list()) {
    if (const std::optional<models::Law> law = loss_law(finalists.scenario(i))) {
      laws.emplace(law->name, *law);
    }
  }
  for (const auto& [name, law] : laws) {
    if (!law.joints.empty()) {
      add_drawn_law(finalists, law, rows);
      continue;
    }
    for (const auto& [constant, c] : law.constants) {
      if (c.spread == models::Spread::none) continue;
      const bool error = c.spread == models::Spread::standard_error;
      const double low = error ? c.value - kEndOfNormal * c.low : c.low;
      const double high = error ? c.value + kEndOfNormal * c.high : c.high;
      const auto with = [&law, &constant](double value) {
        Nudge n;
        n.law = law;
        n.law->constants.find(constant)->second.value = value;
        return n;
      };
      SensitivityRow row;
      row.input = fmt::format("{} of law {}", constant, name);
      row.low = significant(low, 4);
      row.high = significant(high, 4);
      row.evidence = c.evidence;
      add(finalists, row, with(low), with(high), rows);
    }
  }
}

}  // namespace

std::vector<SensitivityRow> sensitivity(const DecisionQuestion& q, const Decision& d,
                                        const UncertainShares& shares) {
  std::vector<SensitivityRow> rows;
  if (d.ranking.empty()) return rows;
  const Finalists finalists(q, d);
  add_times(finalists, rows);
  add_networks(finalists, shares.network, rows);
  if (q.goal != Goal::time) add_failures(finalists, rows);
  if (q.goal == Goal::cost || q.budget) add_prices(finalists, shares.price, rows);
  if (finalists.losses_matter()) add_laws(finalists, rows);
  const std::size_t winner = d.ranking.front();
  std::ranges::stable_sort(rows, [&](const SensitivityRow& a, const SensitivityRow& b) {
    if (a.changes(winner) != b.changes(winner)) return a.changes(winner);
    return a.swing > b.swing;
  });
  return rows;
}

}  // namespace forerun::sim
