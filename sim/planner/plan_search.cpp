#include "sim/planner/plan_search.h"

#include <algorithm>
#include <array>
#include <memory>
#include <numeric>
#include <tuple>

#include "core/error.h"
#include "sim/memory.h"
#include "sim/memory_peak.h"
#include "sim/planner/candidates.h"
#include "sim/planner/parallel.h"
#include "sim/planner/step_bound.h"
#include "sim/step.h"
#include "sim/step_cache.h"

namespace forerun::sim {
namespace {

/// Neighbours share most of what is cached, so a thread takes so many at a time.
constexpr std::size_t kGrain = 128;
/// Simulations of a wave begin with the same knowledge, whatever thread runs them.
constexpr std::size_t kWave = 32;

struct Assessed {
  enum class What : std::uint8_t { refused, too_big, fits };
  What what = What::refused;
  Seconds bound{}, time{};
  Bytes memory{}, spare{};
  bool simulated = false;
};

/// What one thread needs to answer for plans of a scenario.
class Bench {
 public:
  Bench(const Scenario& scenario, const SearchSpace& space)
      : scenario_(scenario), base_(scenario.plan), space_(space), cache_(scenario_) {}
  Bench(const Bench&) = delete;
  Bench& operator=(const Bench&) = delete;

  /// `refusals` counts by field.
  Assessed assess(const Candidate& c, std::map<std::string, std::int64_t>& refusals) {
    put(c, space_, base_, scenario_.plan);
    return assess_plan(refusals);
  }
  Assessed assess_plan(std::map<std::string, std::int64_t>& refusals) {
    Assessed a;
    Problems problems;
    check_scenario(scenario_, problems);
    if (!problems.empty()) {
      ++refusals[problems.list().front().where];
      return a;
    }
    try {
      lay_out();
      const Variation variation(scenario_, layout_);
      const MemoryPeak memory = memory_peak(scenario_, layout_, variation);
      a.memory = memory.reserved;
      a.spare = memory.capacity - memory.reserved;
      a.what = memory.fits() ? Assessed::What::fits : Assessed::What::too_big;
      if (memory.fits()) a.bound = step_bound(scenario_, layout_, variation, cache_);
    } catch (const Error& e) {
      // A step that cannot be timed: an operation of hours, a kernel that the accelerator lacks.
      ++refusals[e.what()];
      a.what = Assessed::What::refused;
    }
    return a;
  }
  Seconds time(const Candidate& c) {
    put(c, space_, base_, scenario_.plan);
    return time_plan();
  }
  Seconds time_plan() {
    lay_out();
    return step_time(scenario_, layout_, Variation(scenario_, layout_), cache_);
  }
  Scenario& scenario() { return scenario_; }

 private:
  void lay_out() { layout_ = make_layout(scenario_); }

  Scenario scenario_;
  const Plan base_;
  const SearchSpace& space_;
  StepCache cache_;
  Layout layout_;
};

class Search {
 public:
  Search(const Scenario& s, const SearchSpace& space, const SearchOptions& options)
      : s_(s),
        space_(space),
        options_(options),
        benches_(static_cast<std::size_t>(std::max(1, options.threads))) {}

  PlanSearch run() {
    Candidates made = candidates(space_, s_);
    out_.counts.crossed = made.crossed;
    out_.counts.same = made.same;
    out_.counts.refused = made.impossible;
    list_ = std::move(made.list);
    assess();
    for (std::size_t i = 0; i < list_.size(); ++i) {
      if (assessed_[i].what == Assessed::What::fits) by_bound_.push_back(i);
    }
    std::ranges::sort(by_bound_, [&](std::size_t a, std::size_t b) {
      return std::tie(assessed_[a].bound, a) < std::tie(assessed_[b].bound, b);
    });
    if (by_bound_.empty()) {
      find_nearest();
    } else {
      simulate();
    }
    if (!options_.bounds_only) answer_own();
    return std::move(out_);
  }

 private:
  [[nodiscard]] bool stopped() const { return options_.stop != nullptr && *options_.stop; }
  Bench& bench(std::size_t thread) {
    if (!benches_[thread]) benches_[thread] = std::make_unique<Bench>(s_, space_);
    return *benches_[thread];
  }

  void assess() {
    assessed_.resize(list_.size());
    const std::size_t pieces = (list_.size() + kGrain - 1) / kGrain;
    std::vector<std::map<std::string, std::int64_t>> refusals(benches_.size());
    std::atomic<std::size_t> done = 0;
    in_parallel(pieces, options_.threads, [&](std::size_t thread, std::size_t piece) {
      if (stopped()) return;
      const std::size_t end = std::min(list_.size(), (piece + 1) * kGrain);
      for (std::size_t i = piece * kGrain; i < end; ++i) {
        assessed_[i] = bench(thread).assess(list_[i], refusals[thread]);
      }
      done += end - piece * kGrain;
      if (options_.progress) options_.progress("bounding", done, list_.size());
    });
    if (stopped()) out_.complete = false;
    for (const auto& of_thread : refusals) {
      for (const auto& [field, times] : of_thread) {
        out_.refusals[field] += times;
        out_.counts.refused += times;
      }
    }
    out_.counts.too_big = std::ranges::count(assessed_, Assessed::What::too_big, &Assessed::what);
  }

  /// Simulates, least bound first, what `beaten` does not say to be hopeless by what was found so
  /// far.
  template <class Beaten, class Found>
  void branch(const Beaten& beaten, const Found& found) {
    std::vector<std::size_t> wave;
    std::size_t at = 0;
    while (at < by_bound_.size() && !stopped()) {
      wave.clear();
      for (; at < by_bound_.size() && wave.size() < kWave; ++at) {
        const std::size_t i = by_bound_[at];
        if (!assessed_[i].simulated && (options_.exhaustive || !beaten(i))) wave.push_back(i);
      }
      in_parallel(wave.size(), options_.threads, [&](std::size_t thread, std::size_t k) {
        Assessed& a = assessed_[wave[k]];
        a.time = bench(thread).time(list_[wave[k]]);
        a.simulated = true;
      });
      for (const std::size_t i : wave) found(i);
      out_.counts.simulated += std::ssize(wave);
      if (options_.progress) options_.progress("simulating", at, by_bound_.size());
    }
    if (stopped()) out_.complete = false;
  }

  /// Keeps the front: by rising time, falling memory.
  void keep_front(std::size_t i) {
    const Assessed& a = assessed_[i];
    const auto better = [&](std::size_t x) {
      return assessed_[x].time <= a.time && assessed_[x].memory <= a.memory;
    };
    if (std::ranges::any_of(front_, better)) return;
    std::erase_if(front_, [&](std::size_t x) {
      return a.time <= assessed_[x].time && a.memory <= assessed_[x].memory;
    });
    const auto place =
        std::ranges::find_if(front_, [&](std::size_t x) { return assessed_[x].time > a.time; });
    front_.insert(place, i);
  }

  void simulate() {
    out_.counts.bounded_away = std::ssize(by_bound_);
    if (options_.bounds_only) return;
    const auto beaten = [&](std::size_t i) {
      const Assessed& a = assessed_[i];
      return std::ranges::any_of(front_, [&](std::size_t x) {
        return assessed_[x].time <= a.bound && (!options_.front || assessed_[x].memory <= a.memory);
      });
    };
    branch(beaten, [&](std::size_t i) { keep_front(i); });
    if (!options_.front && !front_.empty()) front_.erase(front_.begin() + 1, front_.end());
    for (const std::size_t i : front_) out_.front.push_back(step_of(i));
    if (options_.front && !front_.empty()) {
      for (int k = 0; k < kKnobs; ++k) runner_up(static_cast<Knob>(k));
      std::ranges::stable_sort(out_.runners_up, {},
                               [](const PlanSearch::RunnerUp& r) { return r.step.time; });
    }
    out_.counts.bounded_away = std::ssize(by_bound_) - out_.counts.simulated;
  }

  void runner_up(Knob knob) {
    const Plan best = out_.front.front().plan;
    std::vector<bool> other(list_.size());
    Plan plan = s_.plan;
    std::size_t least = list_.size();
    const auto faster = [&](std::size_t i) {
      return least == list_.size() ||
             std::tie(assessed_[i].time, i) < std::tie(assessed_[least].time, least);
    };
    bool any = false;
    for (const std::size_t i : by_bound_) {
      put(list_[i], space_, s_.plan, plan);
      other[i] = !same_knob(knob, best, plan);
      any = any || other[i];
      if (other[i] && assessed_[i].simulated && faster(i)) least = i;
    }
    if (!any) return;
    const auto beaten = [&](std::size_t i) {
      return !other[i] || (least < list_.size() && assessed_[least].time <= assessed_[i].bound);
    };
    branch(beaten, [&](std::size_t i) {
      if (faster(i)) least = i;
    });
    if (least < list_.size()) out_.runners_up.push_back({knob, step_of(least)});
  }

  PlannedStep step_of(std::size_t i) {
    PlannedStep step;
    step.plan = s_.plan;
    put(list_[i], space_, s_.plan, step.plan);
    const Assessed& a = assessed_[i];
    step.time = a.time;
    step.bound = a.bound;
    step.memory = a.memory;
    step.spare = a.spare;
    return step;
  }

  void find_nearest() {
    const Assessed* nearest = nullptr;
    for (std::size_t i = 0; i < list_.size(); ++i) {
      const Assessed& a = assessed_[i];
      if (a.what != Assessed::What::too_big || (nearest != nullptr && a.spare <= nearest->spare)) {
        continue;
      }
      nearest = &a;
      out_.nearest = s_.plan;
      put(list_[i], space_, s_.plan, *out_.nearest);
      out_.over = -a.spare;
    }
  }

  void answer_own() {
    if (stopped()) return;
    Bench own(s_, space_);
    std::map<std::string, std::int64_t> ignored;
    const Assessed a = own.assess_plan(ignored);
    if (a.what != Assessed::What::fits) return;
    out_.own = PlannedStep{s_.plan, own.time_plan(), a.bound, a.memory, a.spare};
  }

  const Scenario& s_;
  const SearchSpace& space_;
  const SearchOptions& options_;
  std::vector<std::unique_ptr<Bench>> benches_;  ///< by thread
  std::vector<Candidate> list_;
  std::vector<Assessed> assessed_;
  std::vector<std::size_t> by_bound_;  ///< those that fit
  std::vector<std::size_t> front_;
  PlanSearch out_;
};

}  // namespace

const char* name(Knob k) {
  static constexpr std::array<const char*, kKnobs> kNames{
      "tensor",   "pipeline",    "context",           "experts",  "virtual stages",
      "schedule", "micro-batch", "sequence parallel", "sharding", "recompute"};
  return kNames[static_cast<std::size_t>(k)];
}

bool same_knob(Knob k, const Plan& a, const Plan& b) {
  switch (k) {
    case Knob::tensor:
      return a.tensor == b.tensor;
    case Knob::pipeline:
      return a.pipeline == b.pipeline;
    case Knob::context:
      return a.context == b.context;
    case Knob::experts:
      return a.expert == b.expert && a.expert_tensor == b.expert_tensor;
    case Knob::virtual_stages:
      return a.virtual_stages == b.virtual_stages;
    case Knob::schedule:
      return a.schedule == b.schedule;
    case Knob::micro_batch:
      return a.micro_batch == b.micro_batch;
    case Knob::sequence_parallel:
      return a.sequence_parallel == b.sequence_parallel;
    case Knob::sharding:
      return a.sharding == b.sharding;
    case Knob::recompute:
      return a.recompute == b.recompute;
  }
  return false;
}

namespace {

/// Whether a step of it is as long as one whose micro-batches are all alike, alone on its network.
bool is_simple(const Scenario& s) {
  const bool compositions = s.mixture && !s.mean_compositions;
  const bool loads = s.model.experts && s.expert_loads.kind != LoadKind::balanced;
  return !compositions && !loads && !s.topology;
}

Scenario simplified(const Scenario& s) {
  Scenario simple = s;
  simple.topology.reset();
  simple.beside.clear();
  simple.mean_compositions = simple.mixture.has_value();
  simple.expert_loads = {};
  return simple;
}

/// What a plan takes as it is; without a time, and below zero to spare, if it does not fit after
/// all. Nothing if it breaks a rule that only the question as it is has.
std::optional<PlannedStep> as_it_is(const Scenario& s, const PlannedStep& step) {
  Scenario planned = s;
  planned.plan = step.plan;
  Problems problems;
  check_scenario(planned, problems);
  if (!problems.empty()) return std::nullopt;
  const MemoryResult memory = step_memory(planned, make_layout(planned), Remedies::skip);
  PlannedStep real = step;
  real.memory = memory.stages[memory.worst].reserved;
  real.spare = memory.capacity - real.memory;
  real.time = memory.fits ? step_time(planned) : Seconds(0);
  return real;
}

/// Those that fit; of the others the one with the least too much is the nearest.
void drop_too_big(std::vector<std::optional<PlannedStep>>& real, PlanSearch& search) {
  for (std::optional<PlannedStep>& r : real) {
    if (!r || r->spare >= Bytes(0)) continue;
    if (!search.nearest || -r->spare < search.over) {
      search.nearest = r->plan;
      search.over = -r->spare;
    }
    r.reset();
  }
}

/// The answer to a simplified question, its plans simulated as they are.
void make_real(const Scenario& s, const SearchOptions& options, PlanSearch& search) {
  std::vector<PlannedStep> steps = std::move(search.front);
  for (const PlanSearch::RunnerUp& r : search.runners_up) steps.push_back(r.step);
  const bool has_own = search.own.has_value();
  if (has_own) steps.push_back(*search.own);
  std::vector<std::optional<PlannedStep>> real(steps.size());
  const auto stopped = [&] { return options.stop != nullptr && *options.stop; };
  const auto fits = [](const std::optional<PlannedStep>& r) { return r && r->spare >= Bytes(0); };
  in_parallel(steps.size(), options.threads, [&](std::size_t, std::size_t i) {
    if (!stopped()) real[i] = as_it_is(s, steps[i]);
  });
  // Whoever stopped it still wants the best that was found, and no more of it.
  for (std::size_t i = 0; i < steps.size() && std::ranges::none_of(real, fits); ++i) {
    if (!real[i]) real[i] = as_it_is(s, steps[i]);
  }
  if (stopped()) search.complete = false;
  search.simplified = true;
  search.front.clear();
  search.own.reset();
  drop_too_big(real, search);
  for (const std::optional<PlannedStep>& r : real) {
    const bool beaten = !r || std::ranges::any_of(real, [&](const auto& other) {
      return other && &other != &r && other->time <= r->time && other->memory <= r->memory &&
             (other->time < r->time || other->memory < r->memory || &other < &r);
    });
    if (!beaten) search.front.push_back(*r);
  }
  std::ranges::stable_sort(search.front, {}, &PlannedStep::time);
  if (!search.front.empty()) search.nearest.reset();
  if (has_own) search.own = real.back();
  // Of each knob the fastest of those with another value than the best has now.
  search.runners_up.clear();
  for (int k = 0; k < kKnobs && !search.front.empty(); ++k) {
    const auto knob = static_cast<Knob>(k);
    const PlannedStep* fastest = nullptr;
    for (const std::optional<PlannedStep>& r : real) {
      if (!r || same_knob(knob, r->plan, search.best().plan)) continue;
      if (fastest == nullptr || r->time < fastest->time) fastest = &*r;
    }
    if (fastest != nullptr) search.runners_up.push_back({knob, *fastest});
  }
  std::ranges::stable_sort(search.runners_up, {},
                           [](const PlanSearch::RunnerUp& r) { return r.step.time; });
  if (!options.front && search.front.size() > 1) {
    search.front.erase(search.front.begin() + 1, search.front.end());
  }
}

}  // namespace

PlanSearch search_plans(const Scenario& s, const SearchSpace& space, const SearchOptions& options) {
  if (is_simple(s)) return Search(s, space, options).run();
  const Scenario simple = simplified(s);
  SearchOptions all = options;
  all.front = true;  // several, as the best may not fit as it is
  PlanSearch search = Search(simple, space, all).run();
  make_real(s, options, search);
  return search;
}

}  // namespace forerun::sim
