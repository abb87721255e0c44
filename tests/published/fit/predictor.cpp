#include "predictor.h"

#include <fmt/format.h>

#include <algorithm>
#include <chrono>
#include <cmath>
#include <sstream>

#include "core/error.h"
#include "core/file.h"
#include "fact_text.h"
#include "parallel.h"
#include "sim/step.h"

namespace forerun::published {
namespace {

/// The constants that a row can feel, in the order of a setting.
enum Slot : std::size_t { rate, memory, scale_up, launch, traffic, step };
constexpr std::array<const char*, Predictor::kConstants> kSlots = {
    "in_job_rate", "memory_efficiency",   "scale_up_in_job",
    "launch",      "elementwise_traffic", "step_overhead"};

std::size_t slot_of(const std::string& name) {
  const auto found = std::ranges::find(kSlots, name);
  FORERUN_ASSERT(found != kSlots.end(), name);
  return static_cast<std::size_t>(found - kSlots.begin());
}

}  // namespace

Values start_values(const Catalogue& catalogue) {
  Values values(catalogue.constants.size());
  for (std::size_t c = 0; c < values.size(); ++c) {
    for (const Subject& s : catalogue.subjects) {
      if (s.of != catalogue.constants[c].of) continue;
      values[c][s.name] = catalogue.start(catalogue.constants[c], s).value;
    }
  }
  return values;
}

Values current_values(const Catalogue& catalogue) {
  Values values(catalogue.constants.size());
  for (const Subject& s : catalogue.subjects) {
    std::array<double, Predictor::kConstants> now{};
    if (s.of == Of::accelerator) {
      const hw::Accelerator a = hw::load_accelerator(s.name);
      now[rate] = a.in_job_rate;
      now[memory] = a.memory_efficiency;
      now[scale_up] = a.scale_up_in_job;
    } else {
      const sim::Framework f = sim::load_framework(s.name);
      now[launch] = f.launch.in(1.0_us);
      now[traffic] = f.elementwise_traffic;
      now[step] = f.step_overhead.in(1.0_us);
    }
    for (std::size_t c = 0; c < values.size(); ++c) {
      const Constant& constant = catalogue.constants[c];
      if (constant.of == s.of) values[c][s.name] = now[slot_of(constant.name)];
    }
  }
  return values;
}

Predictor::Predictor(const Catalogue& catalogue, std::vector<sim::PublishedRow> rows, int threads)
    : catalogue_(catalogue),
      rows_(std::move(rows)),
      threads_(threads),
      cost_(rows_.size(), 0.0),
      known_(rows_.size()) {
  FORERUN_ASSERT(catalogue.constants.size() == kConstants,
                 fmt::format("{} constants", catalogue.constants.size()));
  for (const sim::PublishedRow& r : rows_) FORERUN_ASSERT(r.measured.step_time.has_value(), r.id);
}

const std::string& Predictor::subject(std::size_t row, Of of) const {
  const sim::Scenario& s = rows_[row].scenario;
  return of == Of::accelerator ? s.accelerator.name : s.framework.name;
}

Predictor::Setting Predictor::setting(std::size_t row, const Values& values) const {
  Setting setting{};
  for (std::size_t c = 0; c < values.size(); ++c) {
    const Constant& constant = catalogue_.constants[c];
    setting[slot_of(constant.name)] = values[c].at(subject(row, constant.of));
  }
  return setting;
}

void Predictor::apply(const Setting& to, sim::Scenario& s) {
  s.accelerator.memory_efficiency = to[memory];
  s.accelerator.in_job_rate = to[rate];
  s.accelerator.scale_up_in_job = to[scale_up];
  s.framework.launch = to[launch] * 1.0_us;
  s.framework.elementwise_traffic = to[traffic];
  s.framework.step_overhead = to[step] * 1.0_us;
}

sim::PublishedRow Predictor::row_with(std::size_t row, const Values& values) const {
  sim::PublishedRow copy = rows_[row];
  apply(setting(row, values), copy.scenario);
  return copy;
}

double Predictor::simulate(std::size_t row, const Setting& to) {
  sim::Scenario& s = rows_[row].scenario;
  apply(to, s);
  return std::log(sim::step_time(s) / *rows_[row].measured.step_time);
}

std::vector<double> Predictor::log_errors(const Rows& which, const Values& values) {
  struct Job {
    std::size_t row;
    Setting setting;
    double error = 0;
  };
  std::vector<Job> jobs;
  for (const std::size_t row : which) {
    const Setting to = setting(row, values);
    if (known_[row].contains(to)) continue;
    jobs.push_back({row, to});
  }
  // The longest first, so that no thread ends long after the others.
  std::ranges::stable_sort(jobs,
                           [&](const Job& a, const Job& b) { return cost_[a.row] > cost_[b.row]; });
  in_parallel(jobs.size(), threads_, [&](std::size_t i) {
    using Clock = std::chrono::steady_clock;
    const auto began = Clock::now();
    jobs[i].error = simulate(jobs[i].row, jobs[i].setting);
    cost_[jobs[i].row] = std::chrono::duration<double>(Clock::now() - began).count();
  });
  simulated_ += jobs.size();
  for (const Job& job : jobs) known_[job.row].emplace(job.setting, job.error);

  std::vector<double> errors;
  for (const std::size_t row : which) errors.push_back(known_[row].at(setting(row, values)));
  return errors;
}

std::vector<sim::PublishedRow> load_rows() {
  sim::PublishedRowReader reader;
  std::vector<sim::PublishedRow> rows;
  for (const char* file :
       {"published", "sparse", "vtrain_a100_multi", "vtrain_a100_single", "nanotron_h100"}) {
    std::istringstream lines(
        read_file(data_path(fmt::format("tests/published/rows/{}.jsonl", file)), kMaxJsonBytes));
    std::string line;
    while (std::getline(lines, line)) {
      auto read = reader.read(line);
      auto* row = std::get_if<sim::PublishedRow>(&read);
      if (row == nullptr || !row->measured.step_time || !row->not_scored.empty()) continue;
      if (row->split == "fit" && row->id.starts_with("korthikanti-")) {
        throw Error(ExitCode::wrong, fmt::format("{} is marked for the fit", row->id),
                    "Korthikanti's rows are never fitted");
      }
      rows.push_back(std::move(*row));
    }
  }
  return rows;
}

}  // namespace forerun::published
