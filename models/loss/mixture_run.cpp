#include "models/loss/mixture_run.h"

#include <fmt/format.h>

#include <algorithm>
#include <atomic>
#include <cmath>
#include <thread>
#include <utility>

#include "core/error.h"
#include "models/loss/repetition.h"

namespace forerun::models {
namespace {

/// The peak that the schedule law's runs had, their steps, warm-up and mean rate (Luo et al. 2025,
/// arXiv:2503.12811: 24,000 steps of which 2,160 warm up, a cosine from 3e-4 to 3e-5).
constexpr double kPeak = 3e-4, kSteps = 24000, kWarmUp = 2160, kMeanShare = 0.55;

/// All laws' constants: their own values, or one draw of them.
struct Constants {
  InteractionLaw law;
  AscentLaw ascent;
  ArchitectureGain gain;
  MultiPower<double> schedule;
  double noise = 0;
  double repetition = 0;
  double scatter = 0;
};

MultiPower<double> schedule_constants(const Law& law, const ConstantValues& v, Problems& problems) {
  const auto get = [&](const char* name) { return required(law, v, name, problems); };
  return {get("L0"), get("A"), get("alpha"), get("B"), get("C"), get("beta"), get("gamma")};
}

/// B eta_peak over the loss that such a run ends with.
double noise_of(const MultiPower<double>& s) {
  const double area = kPeak * (0.5 * kWarmUp + kMeanShare * (kSteps - kWarmUp));
  const double end = s.floor + s.a * std::pow(area, -s.alpha);
  return end > 0 ? s.b * kPeak / end : 0.0;
}

Constants constants_of(const MixtureRun& run, const CompanionLaws& laws,
                       std::optional<std::uint64_t> draw, Problems& problems) {
  const auto values = [&](const Law& law) {
    return draw ? drawn_values(law, run.seed, *draw) : central_values(law);
  };
  Constants c;
  const ConstantValues own = values(run.law);
  c.law = interaction_law(run.law, own, run.modalities, problems);
  if (const auto it = own.find("scatter"); it != own.end()) c.scatter = it->second;
  c.ascent = ascent_law(laws.ascent, values(laws.ascent), problems);
  c.gain = architecture_gain(laws.gain, values(laws.gain), problems);
  c.schedule = schedule_constants(laws.schedule, values(laws.schedule), problems);
  c.noise = noise_of(c.schedule);
  c.repetition = repetition_law(laws.repetition, values(laws.repetition), problems).tokens;
  return c;
}

struct Ends {
  MixtureLoss dense;
  std::vector<double> shares, effective;
  std::vector<TrajectoryModality> modalities;  ///< with their gains
};

Ends ends_of(const MixtureRun& run, const RunCourse& course, const Constants& c) {
  Ends out;
  const std::size_t n = run.modalities.size();
  for (std::size_t i = 0; i < n; ++i) {
    const double tokens = course.modality_tokens[i].back();
    out.shares.push_back(course.share_of(i));
    out.effective.push_back(run.unique[i] > 0 && tokens > 0
                                ? effective_tokens(tokens, run.unique[i], c.repetition)
                                : tokens);
  }
  out.dense = final_loss(c.law, run.parameters, out.shares, out.effective);
  for (std::size_t i = 0; i < n; ++i) {
    TrajectoryModality m;
    m.end = out.dense.modalities[i];
    m.beta = c.law.own[i].beta;
    // A law may end above a fresh model's loss far outside its domain: it then starts there.
    m.start = std::max(run.start[i], m.end.loss * 1.001);
    if (out.shares[i] > 0) {
      const double fraction = step_fraction(c.gain, run.gains[i], false);
      m.gain = gain_for(course, i, m, c.noise, fraction);
    }
    out.modalities.push_back(m);
  }
  return out;
}

/// What one draw adds to the bands.
struct Drawn {
  std::vector<std::vector<double>> loss;  ///< by modality, then the mean
  std::vector<double> pairs;
  std::vector<std::optional<BarrierPoint>> cheapest;
};

/// What a single run's loss departs from the law by is there from the beginning and in full at the
/// end: it grows with what has been learned.
void scatter(Trajectory& t, const RunCourse& course, double size, const MixtureRun& run,
             std::uint64_t draw) {
  if (size <= 0) return;
  std::ranges::fill(t.mean, 0.0);
  for (std::size_t i = 0; i < t.loss.size(); ++i) {
    const Stream stream(run.seed, fmt::format("law/{}/scatter/{}", run.law.name, i));
    const double factor = std::exp(size * stream.normal(draw)) - 1.0;
    for (std::size_t k = 0; k < t.loss[i].size(); ++k) {
      const double learned = (t.loss[i].front() - t.loss[i][k]) /
                             std::max(1e-12, t.loss[i].front() - t.loss[i].back());
      t.loss[i][k] *= 1.0 + factor * std::clamp(learned, 0.0, 1.0);
      t.mean[k] += course.share_of(i) * t.loss[i][k];
    }
  }
}

/// Weights of its own keep a modality from waiting for the others: what stands still is what still
/// shares its weights.
std::vector<double> flat_of(const MixtureRun& run, const Constants& c, const Ends& ends) {
  std::vector<double> flat = flat_shares(c.ascent, c.law, run.parameters, ends.shares);
  for (std::size_t i = 0; i < flat.size(); ++i) flat[i] *= 1.0 - run.gains[i].own_share;
  return flat;
}

Drawn draw_once(const MixtureRun& run, const CompanionLaws& laws, const RunCourse& course,
                std::uint64_t draw) {
  Problems ignored;  // what is missing was said of the constants' own values
  const Constants c = constants_of(run, laws, draw, ignored);
  const Ends ends = ends_of(run, course, c);
  Trajectory smooth = trajectory(course, ends.modalities, c.noise);
  scatter(smooth, course, c.scatter, run, draw);
  const Stream stream(run.seed, fmt::format("coordinate ascent/{}", draw));
  Ascent ascent =
      coordinate_ascent(course, smooth, flat_of(run, c, ends), c.ascent.plateau, stream);
  Drawn out;
  out.loss = std::move(ascent.gated.loss);
  out.loss.push_back(std::move(smooth.mean));
  for (std::size_t i = 0; i < run.modalities.size(); ++i) {
    for (std::size_t j = i + 1; j < run.modalities.size(); ++j) {
      const PairTerm& term = c.law.pairs[c.law.index(i, j)];
      const double tokens = ends.effective[i] + ends.effective[j];
      out.pairs.push_back(tokens > 0 ? interaction(term, run.parameters, tokens) : 0.0);
      out.cheapest.push_back(cheapest_barrier(term));
    }
  }
  return out;
}

std::vector<Drawn> draw_all(const MixtureRun& run, const CompanionLaws& laws,
                            const RunCourse& course) {
  std::vector<Drawn> out(static_cast<std::size_t>(run.draws));
  std::atomic<std::size_t> next{0};
  const auto work = [&] {
    for (std::size_t d = next++; d < out.size(); d = next++) {
      out[d] = draw_once(run, laws, course, d);
    }
  };
  const unsigned hardware = std::max(1u, std::thread::hardware_concurrency());
  const auto threads = run.threads > 0 ? static_cast<unsigned>(run.threads) : hardware;
  std::vector<std::jthread> pool;
  for (unsigned t = 1; t < threads; ++t) pool.emplace_back(work);
  work();
  pool.clear();
  return out;
}

Band band_of(std::vector<double>& values) {
  if (values.empty()) return {};
  return {quantile(values, 0.1), quantile(values, 0.5), quantile(values, 0.9)};
}

void fill_bands(const std::vector<Drawn>& drawn, MixtureAnswer& a) {
  const std::size_t curves = drawn.front().loss.size(), knots = a.course.step.size();
  a.bands.assign(curves, std::vector<Band>(knots));
  std::vector<double> values(drawn.size());
  for (std::size_t i = 0; i < curves; ++i) {
    for (std::size_t k = 0; k < knots; ++k) {
      for (std::size_t d = 0; d < drawn.size(); ++d) values[d] = drawn[d].loss[i][k];
      a.bands[i][k] = band_of(values);
    }
  }
  for (std::size_t i = 0; i < a.modalities.size(); ++i) a.modalities[i].band = a.bands[i].back();
  a.mean_band = a.bands.back().back();
}

void fill_pairs(const MixtureRun& run, const Constants& c, const Ends& ends,
                const std::vector<Drawn>& drawn, MixtureAnswer& a) {
  std::size_t at = 0;
  for (std::size_t i = 0; i < run.modalities.size(); ++i) {
    for (std::size_t j = i + 1; j < run.modalities.size(); ++j, ++at) {
      if (ends.shares[i] <= 0 || ends.shares[j] <= 0) continue;
      const PairTerm& term = c.law.pairs[at];
      PairAnswer p;
      p.first = i;
      p.second = j;
      const double tokens = ends.effective[i] + ends.effective[j];
      p.interaction = interaction(term, run.parameters, tokens);
      p.barrier_parameters = barrier_parameters(term, tokens);
      p.barrier_tokens = barrier_tokens(term, run.parameters);
      p.cheapest = cheapest_barrier(term);
      std::vector<double> values, parameters, barrier;
      for (const Drawn& d : drawn) {
        values.push_back(d.pairs[at]);
        if (d.pairs[at] < 0) p.synergy_probability += 1.0 / static_cast<double>(drawn.size());
        if (!d.cheapest[at]) continue;
        parameters.push_back(d.cheapest[at]->parameters);
        barrier.push_back(d.cheapest[at]->tokens);
      }
      p.band = band_of(values);
      p.cheapest_parameters = band_of(parameters);
      p.cheapest_tokens = band_of(barrier);
      a.pairs.push_back(p);
    }
  }
}

void fill_modalities(const MixtureRun& run, const Constants& c, const Ends& ends,
                     MixtureAnswer& a) {
  const std::size_t knots = a.course.step.size();
  for (std::size_t i = 0; i < run.modalities.size(); ++i) {
    ModalityAnswer m;
    m.name = run.modalities[i];
    m.share = ends.shares[i];
    m.tokens = a.course.modality_tokens[i].back();
    m.passes = run.unique[i] > 0 ? m.tokens / run.unique[i] : 0.0;
    m.effective_tokens = ends.effective[i];
    m.end = ends.dense.modalities[i];
    m.dense_end = m.end.loss;
    if (m.share > 0) {
      const double end = a.smooth.loss[i][knots - 1];
      m.end.by_tokens -= m.dense_end - end;
      m.end.loss = end;
      m.step_fraction = step_fraction(c.gain, run.gains[i], false);
      if (m.step_fraction < 1)
        m.dense_step = step_reaching(a.course, a.smooth.loss[i], m.dense_end);
      m.flat_share = a.ascent.flat_share[i];
      for (const Plateau& p : a.ascent.plateaus) {
        if (p.modality == i) m.longest_plateau = std::max(m.longest_plateau, p.to - p.from);
      }
    }
    a.modalities.push_back(m);
  }
}

/// Losses that no run can have: the law's constants do not go together, or not so far.
void check_ends(const MixtureRun& run, const Ends& ends, Problems& problems) {
  for (std::size_t i = 0; i < run.modalities.size(); ++i) {
    if (ends.shares[i] <= 0 || ends.dense.modalities[i].loss > 0) continue;
    problems.add(
        fmt::format("law {}", run.law.name),
        fmt::format("gives {} a loss of {:.3g} nats at {:.3g} parameters and {:.3g} tokens: "
                    "its constants do not go together, or do not reach so far",
                    run.modalities[i], ends.dense.modalities[i].loss, run.parameters, run.tokens));
  }
}

/// What makes an end or a course unbelievable though it can be worked out.
void doubt(const MixtureRun& run, const Ends& ends, MixtureAnswer& a) {
  const LearningRate& rate = run.recipe.learning_rate;
  if (rate.warm_up_steps >= a.course.steps) {
    a.warnings.push_back(fmt::format(
        "the warm-up, {:.6g} steps, outlasts the run of {:.6g}: the learning rate never "
        "reaches its peak, and the law speaks of well-tuned runs",
        rate.warm_up_steps, a.course.steps));
  }
  for (std::size_t i = 0; i < run.modalities.size(); ++i) {
    if (ends.shares[i] <= 0) continue;
    const ModalityLoss& end = ends.dense.modalities[i];
    if (end.loss >= run.start[i]) {
      a.warnings.push_back(fmt::format(
          "{}: the law ends at {:.3g} nats, a fresh model begins at {:.3g}: it does not hold here",
          run.modalities[i], end.loss, run.start[i]));
    }
    if (end.by_tokens <= 0 || ends.modalities[i].beta <= 0) {
      a.warnings.push_back(
          fmt::format("{}: nothing in the law falls with tokens, so its loss stands still all run",
                      run.modalities[i]));
    }
    if (a.modalities[i].band.low <= 0) {
      a.warnings.push_back(
          fmt::format("{}: some draws of the constants end below 0 nats: they do "
                      "not reach so far",
                      run.modalities[i]));
    }
  }
}

void judge(const MixtureRun& run, const CompanionLaws& laws, const Ends& ends, MixtureAnswer& a) {
  a.evidence = run.law.weakest_evidence();
  if (run.modalities.size() > 1) {
    a.evidence = weakest(a.evidence, laws.ascent.weakest_evidence());
  }
  for (const ModalityAnswer& m : a.modalities) {
    if (m.step_fraction < 1) a.evidence = weakest(a.evidence, laws.gain.weakest_evidence());
  }
  for (const auto& [name, c] : run.law.constants) {
    const bool drawn = c.spread != Spread::none ||
                       std::ranges::any_of(run.law.joints, [&](const Law::Joint& joint) {
                         return std::ranges::find(joint.names, name) != joint.names.end();
                       });
    if (!drawn) ++a.without_spread;
  }
  a.warnings = run.law.caveats;
  doubt(run, ends, a);
  for (std::string& w :
       outside_domain(run.law, {{"parameters", run.parameters}, {"tokens", run.tokens}})) {
    a.warnings.push_back("outside what the law rests on: " + std::move(w));
  }
  for (std::string& w :
       outside_domain(laws.schedule, {{"parameters", run.parameters}, {"steps", a.course.steps}})) {
    a.assumptions.push_back("the course of the loss between start and end: " + std::move(w));
  }
  const std::size_t n = run.modalities.size();
  if (n > 1) {
    a.assumptions.emplace_back(
        "closure of the interaction law over shares and more than two modalities, and how a pair's "
        "term divides between its two (half each where the law has no split)");
    for (const std::string& c : laws.ascent.caveats) a.assumptions.push_back(c);
    for (std::string& w : outside_domain(laws.ascent, {{"parameters", run.parameters}})) {
      a.assumptions.push_back("plateaus: " + std::move(w));
    }
  }
  for (const ModalityAnswer& m : a.modalities) {
    if (m.passes <= 1) continue;
    for (std::string& w :
         outside_domain(laws.repetition, {{"parameters", run.parameters}, {"passes", m.passes}})) {
      a.warnings.push_back(fmt::format("{}: what repeated tokens are worth: {}", m.name, w));
    }
  }
  for (const double u : run.unique) {
    if (u <= 0 || n < 2) continue;
    a.assumptions.emplace_back("repeated tokens of every modality are worth what text's are");
    break;
  }
  for (const ModalityAnswer& m : a.modalities) {
    if (m.step_fraction >= 1) continue;
    for (const std::string& c : laws.gain.caveats) a.assumptions.push_back(c);
    break;
  }
}

}  // namespace

CompanionLaws load_companion_laws(const std::string& schedule) {
  return {load_law(schedule), load_law("repetition_muennighoff"), load_law("coordinate_ascent"),
          load_law("step_matching")};
}

std::optional<MixtureAnswer> mixture_answer(const MixtureRun& run, const CompanionLaws& laws,
                                            Problems& problems) {
  const std::size_t n = run.modalities.size(), before = problems.list().size();
  FORERUN_ASSERT(n > 0 && run.unique.size() == n && run.start.size() == n &&
                     run.gains.size() == n && run.draws > 0,
                 fmt::format("{} modalities, {} draws", n, run.draws));
  const Constants c = constants_of(run, laws, std::nullopt, problems);
  if (problems.list().size() != before) return std::nullopt;
  MixtureAnswer a;
  CourseQuestion q;
  q.recipe = run.recipe;
  q.tokens = run.tokens;
  q.batch_tokens = run.batch_tokens;
  q.stages = run.stages;
  q.unique = run.unique;
  q.repetition_decay = c.repetition;
  q.annealing = c.schedule;
  q.annealing_peak = kPeak;
  a.course = run_course(q);
  const Ends ends = ends_of(run, a.course, c);
  check_ends(run, ends, problems);
  if (problems.list().size() != before) return std::nullopt;
  a.smooth = trajectory(a.course, ends.modalities, c.noise);
  a.ascent = coordinate_ascent(a.course, a.smooth, flat_of(run, c, ends), c.ascent.plateau,
                               Stream(run.seed, "coordinate ascent"));
  a.mean = a.smooth.mean.back();
  a.dense_mean = ends.dense.mean;
  fill_modalities(run, c, ends, a);
  const std::vector<Drawn> drawn = draw_all(run, laws, a.course);
  fill_bands(drawn, a);
  fill_pairs(run, c, ends, drawn, a);
  judge(run, laws, ends, a);
  return a;
}

}  // namespace forerun::models
