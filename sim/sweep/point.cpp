#include "sim/sweep/point.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <cmath>
#include <exception>
#include <new>
#include <utility>

#include "core/error.h"
#include "core/json_at.h"
#include "core/table.h"
#include "sim/scenario.h"
#include "sim/sweep/remembered.h"

namespace forerun::sim {
namespace {

/// Steps and losses that are remembered: as many as take some tens of megabytes.
constexpr std::size_t kMostRemembered = 512;

/// Sections of a scenario that no step depends on, and such that no loss does. A section that is
/// missing here costs time and changes no answer. Of losses, what `unanswered` says of stability
/// may depend on them; it is no number of the answer, and is not remembered.
constexpr std::array kBesideSteps = {"/name",   "/description", "/training_tokens",
                                     "/recipe", "/loss",        "/operations",
                                     "/price",  "/cost",        "/published"};
constexpr std::array kBesideLosses = {"/name",  "/description", "/cluster", "/framework",
                                      "/price", "/operations",  "/cost",    "/published"};

/// Of the settings outside these sections.
template <std::size_t N>
std::string key_of(const std::vector<Setting>& settings, std::uint64_t seed,
                   const std::array<const char*, N>& beside) {
  std::string key = fmt::format("{}", seed);
  for (const Setting& one : settings) {
    const std::string pointer = json_pointer(one.path);
    const bool moves = std::ranges::none_of(beside, [&](const char* section) {
      return pointer == section || pointer.starts_with(std::string(section) + "/");
    });
    if (moves) key += fmt::format("\n{} = {}", one.path, one.value);
  }
  return key;
}

/// Without what only pictures need, and what takes most room.
StepResult without_trace(StepResult step) {
  step.program.reset();
  step.execution.reset();
  return step;
}

/// A step, or why there is none.
struct KnownStep {
  MemoryResult memory;
  std::optional<StepResult> step;
};

/// Losses, and what keeps them from being known.
struct KnownLosses {
  RunLoss loss;
  Problems problems;
};

std::string in_one_line(const Problems& problems) {
  std::string out;
  for (const Problem& p : problems.list()) {
    out += (out.empty() ? "" : "; ") + (p.where.empty() ? p.what : p.where + ": " + p.what);
  }
  return out;
}

PointResult refused(std::int64_t point, const Problems& problems) {
  const std::string& where = problems.list().front().where;
  return {
      point, PointStatus::refused, where.empty() ? "scenario" : where, in_one_line(problems), {}};
}

PointResult too_big(std::int64_t point, const MemoryResult& m) {
  const StageMemory& worst = m.stages[m.worst];
  return {point,
          PointStatus::infeasible,
          "memory",
          fmt::format("{} over on stage {} ({} held, {} there)", show(m.over), worst.stage,
                      show(worst.reserved), show(worst.capacity)),
          {}};
}

}  // namespace

struct PointAnswerer::Parts {
  explicit Parts(const Sweep& s) : sweep(s), steps(kMostRemembered), losses(kMostRemembered) {}

  PointResult answer(std::int64_t point) {
    const std::vector<Setting> settings = sweep.settings(point);
    Problems problems;
    const JsonDocument document = point_document(sweep, settings, problems);
    std::optional<Scenario> s = read_scenario(document, problems);
    if (!s || !problems.empty()) return refused(point, problems);
    const bool seeded = std::ranges::any_of(
        settings, [](const Setting& one) { return json_pointer(one.path) == "/seed"; });
    if (!seeded) s->seed = sweep.seed_of(point);
    const auto known = known_step(*s, settings);
    if (!known->step) return too_big(point, known->memory);
    AnswerOptions options;
    options.run_draws = sweep.run_draws;
    options.loss_draws = sweep.loss_draws;
    options.remedies = Remedies::skip;
    std::optional<RunLoss> loss;
    if (s->training_tokens > 0 && sweep.loss_draws > 0) {
      const auto losses_known = known_losses(*s, settings);
      if (!losses_known->problems.empty()) return refused(point, losses_known->problems);
      loss = losses_known->loss;
    }
    const Answer a = sim::answer(*s, options, problems, known->step, std::move(loss));
    if (!problems.empty()) return refused(point, problems);
    PointResult out;
    out.point = point;
    out.metrics = metrics(*s, a);
    // What is not known is not stored; nor is what grows beyond all numbers.
    std::erase_if(out.metrics,
                  [](const Metric& m) { return !m.value || !std::isfinite(*m.value); });
    return out;
  }

  std::shared_ptr<const KnownStep> known_step(const Scenario& s,
                                              const std::vector<Setting>& settings) {
    return steps.get(key_of(settings, s.seed, kBesideSteps), [&] {
      AnswerOptions only_step;
      only_step.remedies = Remedies::skip;
      Scenario one = s;
      one.training_tokens = 0;
      Problems none;
      Answer a = sim::answer(one, only_step, none);
      if (a.step) a.step = without_trace(*std::move(a.step));
      return KnownStep{std::move(a.memory), std::move(a.step)};
    });
  }

  std::shared_ptr<const KnownLosses> known_losses(const Scenario& s,
                                                  const std::vector<Setting>& settings) {
    return losses.get(key_of(settings, s.seed, kBesideLosses), [&] {
      KnownLosses out;
      out.loss = run_loss(s, sweep.loss_draws, 1, out.problems);
      out.loss.unanswered.clear();
      return out;
    });
  }

  const Sweep& sweep;
  Remembered<KnownStep> steps;
  Remembered<KnownLosses> losses;
};

PointAnswerer::PointAnswerer(const Sweep& s) : parts_(std::make_unique<Parts>(s)) {}
PointAnswerer::~PointAnswerer() = default;

PointResult PointAnswerer::answer(std::int64_t point) {
  try {
    return parts_->answer(point);
  } catch (const Error& e) {
    const bool infeasible = e.code() == ExitCode::infeasible;
    return {point,
            infeasible ? PointStatus::infeasible : PointStatus::failed,
            infeasible ? "network" : "simulation",
            e.what(),
            {}};
  } catch (const std::bad_alloc&) {
    throw;  // the machine's state, no property of the point
  } catch (const std::exception& e) {
    return {point, PointStatus::failed, "simulation", e.what(), {}};
  }
}

}  // namespace forerun::sim
