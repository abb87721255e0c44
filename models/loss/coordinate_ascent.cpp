#include "models/loss/coordinate_ascent.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>

#include "core/error.h"

namespace forerun::models {
namespace {

/// No modality stands still for more than half of the run: the others need their turns.
constexpr double kMostFlat = 0.5;
/// Before a twentieth of the run all fall too fast to stand still.
constexpr double kFirst = 0.05;
/// Plateaus are within so much of their mean length.
constexpr double kJitter = 0.2;
/// A turn cut shorter than this share of its length is none.
constexpr double kShortest = 0.2;
/// Of a long run the plateaus are taken to be this share of it at least: shorter ones fall between
/// the knots of its course.
constexpr double kFinest = 1.0 / 64;

struct Turn {
  std::size_t holder = 0, from = 0, to = 0, end = 0;  ///< knots
};

class Gates {
 public:
  Gates(const RunCourse& course, const Trajectory& smooth) : course_(course), smooth_(smooth) {
    for (std::size_t i = 0; i < smooth.loss.size(); ++i) weights_.push_back(course.share_of(i));
  }

  /// The turn of `holder` over [from, to], if the others are back on their courses by the end of
  /// the run; its `end` is where they are.
  [[nodiscard]] bool fits(Turn& turn) const {
    if (fall(turn.holder, turn.from, turn.to) <= 0) return false;  // nothing to hold back
    for (turn.end = turn.to; turn.end < course_.step.size(); ++turn.end) {
      bool all = true;
      for (std::size_t j = 0; j < weights_.size(); ++j) {
        if (others(turn, j) && ahead(turn, j, turn.end) > 0) all = false;
      }
      if (all) return true;
    }
    return false;
  }

  /// Adds the turn's departures to `loss`, and its plateaus.
  void apply(const Turn& turn, Trajectory& gated, std::vector<Plateau>& plateaus) const {
    const std::size_t a = turn.holder;
    for (std::size_t k = turn.from; k <= turn.end && k < course_.step.size(); ++k) {
      double sum = 0;
      for (std::size_t j = 0; j < weights_.size(); ++j) {
        if (!others(turn, j)) continue;
        const double by = ahead(turn, j, k);
        gated.loss[j][k] -= by;
        sum += weights_[j] * by;
      }
      gated.loss[a][k] += sum / weights_[a];
    }
    plateaus.push_back({a, course_.step[turn.from], course_.step[turn.to]});
    for (std::size_t j = 0; j < weights_.size(); ++j) {
      if (!others(turn, j)) continue;
      std::size_t k = turn.to;
      while (k < turn.end && ahead(turn, j, k) > 0) ++k;
      if (k > turn.to) plateaus.push_back({j, course_.step[turn.to], course_.step[k]});
    }
  }

 private:
  [[nodiscard]] bool others(const Turn& turn, std::size_t j) const {
    return j != turn.holder && weights_[j] > 0;
  }
  [[nodiscard]] double fall(std::size_t i, std::size_t from, std::size_t to) const {
    return std::max(0.0, smooth_.loss[i][from] - smooth_.loss[i][to]);
  }
  /// How far j is below its course at knot k of the turn, in nats.
  [[nodiscard]] double ahead(const Turn& turn, std::size_t j, std::size_t k) const {
    const std::size_t a = turn.holder;
    double all = 0;
    for (std::size_t i = 0; i < weights_.size(); ++i) {
      if (others(turn, i)) all += weights_[i] * fall(i, turn.from, turn.to);
    }
    if (all <= 0) return 0;
    const double part = fall(j, turn.from, turn.to) / all;  // w_j part_j sums to 1
    const double gained = weights_[a] * fall(a, turn.from, std::min(k, turn.to)) * part;
    return k <= turn.to ? gained : std::max(0.0, gained - fall(j, turn.to, k));
  }

  const RunCourse& course_;
  const Trajectory& smooth_;
  std::vector<double> weights_;
};

/// Whose turn comes when: each modality's plateaus, in an order drawn by chance.
std::vector<std::size_t> order_of_turns(const std::vector<double>& flat, double steps,
                                        double length, const Stream& stream) {
  std::vector<std::size_t> turns;
  for (std::size_t i = 0; i < flat.size(); ++i) {
    const auto count = static_cast<std::size_t>(std::llround(flat[i] * steps / length));
    turns.insert(turns.end(), flat[i] > 0 ? std::max<std::size_t>(1, count) : 0, i);
  }
  for (std::size_t k = turns.size(); k > 1; --k) {
    std::swap(turns[k - 1], turns[stream.below(1000000 + k, k)]);
  }
  return turns;
}

}  // namespace

AscentLaw ascent_law(const Law& law, const ConstantValues& values, Problems& problems) {
  const auto get = [&](const char* name) { return required(law, values, name, problems); };
  return {get("slope"), get("N_c"), get("plateau")};
}

std::vector<double> flat_shares(const AscentLaw& ascent, const InteractionLaw& law,
                                double parameters, const std::vector<double>& shares) {
  std::vector<double> out(shares.size(), 0.0);
  for (std::size_t i = 0; i < shares.size(); ++i) {
    for (std::size_t j = 0; j < shares.size(); ++j) {
      if (i == j || shares[i] <= 0 || shares[j] <= 0) continue;
      const double alpha = law.pairs[law.index(i, j)].alpha;
      out[i] +=
          2 * shares[j] * std::max(0.0, std::pow(ascent.parameters / parameters, alpha) - 1.0);
    }
    out[i] = std::min(kMostFlat, ascent.slope * out[i]);
  }
  return out;
}

Ascent coordinate_ascent(const RunCourse& course, const Trajectory& smooth,
                         const std::vector<double>& flat, double plateau, const Stream& stream) {
  FORERUN_ASSERT(flat.size() == smooth.loss.size() && plateau > 0,
                 fmt::format("{} modalities, {} flat shares", smooth.loss.size(), flat.size()));
  Ascent out;
  out.gated = smooth;
  out.flat_share.assign(flat.size(), 0.0);
  const Gates gates(course, smooth);
  const double steps = course.steps, length = std::max(plateau, kFinest * steps);
  const std::vector<std::size_t> turns = order_of_turns(flat, steps, length, stream);
  const auto knot_at = [&](double step) {
    const auto it = std::ranges::lower_bound(course.step, step);
    return std::min(course.step.size() - 1, static_cast<std::size_t>(it - course.step.begin()));
  };
  double at = kFirst * steps;
  for (std::size_t t = 0; t < turns.size(); ++t) {
    const std::size_t a = turns[t];
    const double wanted =
        std::min(length, flat[a] * steps) * (1.0 + kJitter * (2.0 * stream.uniform(2 * t) - 1.0));
    // The others stand still no longer than a plateau is long, either.
    const double most = length * (1.0 + kJitter * (2.0 * stream.uniform(3000000 + t) - 1.0));
    const double left = steps - at;
    const double pause = stream.uniform(2 * t + 1) * 0.1 * left;
    // Rather later than shorter: where losses fall fast, the others need long to be caught up with.
    bool done = false;
    for (double share = 1.0; !done && share >= kShortest; share *= 0.8) {
      for (double start = at + pause; !done && start < steps; start += 0.05 * left) {
        Turn turn{a, knot_at(start), knot_at(start + share * wanted), 0};
        if (turn.to <= turn.from || !gates.fits(turn)) continue;
        if (course.step[turn.end] - course.step[turn.to] > most) continue;
        gates.apply(turn, out.gated, out.plateaus);
        at = course.step[turn.end];
        done = true;
      }
    }
  }
  std::ranges::sort(out.plateaus, {}, &Plateau::from);
  for (const Plateau& p : out.plateaus) out.flat_share[p.modality] += (p.to - p.from) / steps;
  return out;
}

}  // namespace forerun::models
