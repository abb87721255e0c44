#include "sim/row_outcome.h"

#include <fmt/format.h>

#include <algorithm>
#include <atomic>
#include <thread>

#include "core/error.h"
#include "core/table.h"
#include "sim/layout.h"
#include "sim/memory.h"
#include "sim/provenance.h"
#include "sim/step.h"

namespace forerun::sim {
namespace {

void take_memory(const MemoryResult& m, RowOutcome& out) {
  const StageMemory& reporting = m.stages[m.reporting];
  out.memory = reporting.reported;
  out.peak = reporting.peak;
  out.after_step = reporting.after_step;
  out.reserved = m.stages[m.worst].reserved;
  out.capacity = m.capacity;
  out.fits = m.fits;
}

std::string evidence_text(const Scenario& scenario, const StepResult& step) {
  Seconds total{};
  for (const Seconds part : step.by_evidence) total += part;
  std::size_t most = 0;
  for (std::size_t i = 1; i < step.by_evidence.size(); ++i) {
    if (step.by_evidence[i] > step.by_evidence[most]) most = i;
  }
  const double share = total.base() > 0 ? step.by_evidence[most] / total : 0.0;
  return fmt::format("{}, {} of kernel time; inputs {}", name(static_cast<DurationEvidence>(most)),
                     show_percent(share, 0), name(provenance(scenario).weakest));
}

}  // namespace

RowOutcome refused_outcome(const RefusedRow& row) {
  RowOutcome out;
  out.id = row.id;
  out.group = row.group;
  out.reason = row.reason;
  out.out_of_scope = row.out_of_scope;
  out.measured = row.measured;
  return out;
}

RowOutcome predict(const PublishedRow& row, const ErrorBands& bands) {
  const Scenario& s = row.scenario;
  RowOutcome out;
  out.id = row.id;
  out.group = row.group;
  out.family = row.family;
  out.split = row.split;
  out.not_scored = row.not_scored;
  out.framework = s.framework.name;
  out.accelerator = s.accelerator.name;
  out.measured = row.measured;
  out.assumptions = s.assumptions;
  out.model = s.model.name;
  out.accelerators = s.accelerators;
  out.tokens = tokens_per_step(s);
  if (row.measured.out_of_memory) {
    take_memory(step_memory(s, make_layout(s), Remedies::skip), out);
    out.evidence = "a liveness walk";
    return out;
  }
  const StepResult step = simulate_step(s);
  out.step_time = step.time;
  out.band = time_band(bands, s, step.time);
  take_memory(step.memory, out);
  out.evidence = evidence_text(s, step);
  return out;
}

namespace {

/// A row whose step cannot be simulated is refused with the reason and does not stop the others.
RowOutcome predict_or_refuse(const PublishedRow& row, const ErrorBands& bands) {
  try {
    return predict(row, bands);
  } catch (const Error& e) {
    RefusedRow refused;
    refused.id = row.id;
    refused.group = row.group;
    refused.reason = e.what();
    refused.measured = row.measured;
    return refused_outcome(refused);
  }
}

}  // namespace

std::vector<RowOutcome> predict_rows(
    const std::vector<std::variant<PublishedRow, RefusedRow>>& rows, const ErrorBands& bands,
    int threads, const std::function<void(std::size_t)>& progress) {
  std::vector<RowOutcome> outcomes(rows.size());
  std::atomic<std::size_t> next = 0, done = 0;
  const auto work = [&] {
    for (std::size_t i = next++; i < rows.size(); i = next++) {
      const auto* row = std::get_if<PublishedRow>(&rows[i]);
      outcomes[i] = row != nullptr ? predict_or_refuse(*row, bands)
                                   : refused_outcome(std::get<RefusedRow>(rows[i]));
      const std::size_t finished = ++done;
      if (progress) progress(finished);
    }
  };
  std::vector<std::thread> pool;
  for (int t = 1; t < threads; ++t) pool.emplace_back(work);
  work();
  for (std::thread& t : pool) t.join();
  return outcomes;
}

}  // namespace forerun::sim
