#pragma once

/// The runs that a law is fitted to: tables (CSV) or JSON lines of finished runs, or of whole
/// curves. Columns, and keys of JSON lines, are
///
///   name, note         text, either may be absent
///   parameters         N
///   tokens             D, or tokens.MODALITY each (empty or 0: not in that run)
///   loss               in nats a token, or loss.MODALITY each, or loss.mean of a mixture; with
///                      plain tokens loss.SET of several validation sets
///   experts            routed experts, 1 for a dense model
///   weight or standard_error (of the loss)   how much a run counts
///
/// and of curves: run, step, learning_rate and loss a row, the rows of a run together and from step
/// 0 on; rows without loss tell the schedule alone (the rate is linear between rows). In JSON lines
/// a curve is a line with "run" and lists "step", "learning_rate" and "loss" (0: not measured).
///
/// Everything wrong is a problem with its file, line and column.

#include <map>
#include <optional>
#include <string>
#include <vector>

#include "core/problem.h"

namespace forerun::models {

using ByName = std::map<std::string, double, std::less<>>;

struct Run {
  std::string name;   ///< or "line 7"
  std::string where;  ///< "runs.csv: line 7"
  double parameters = 0;
  ByName tokens;  ///< by modality, above zero; "" where there are no modalities
  ByName losses;  ///< by modality or validation set; "" where there is one, "mean" of a mixture
  std::optional<double> experts, weight, standard_error;
  [[nodiscard]] double all_tokens() const;
};

struct Curve {
  std::string name, where;
  struct Row {
    double step = 0, rate = 0;
    std::optional<double> loss;
  };
  std::vector<Row> rows;
};

struct RunTable {
  std::vector<Run> runs;
  std::vector<Curve> curves;
  std::vector<std::string> sources;  ///< "runs.csv (234 runs, 9f86d081884c7d65)": file, rows, hash
};

/// Adds what stands in `text`; `file` is its name in messages and sources.
void read_runs(const std::string& text, const std::string& file, RunTable&, Problems&);

}  // namespace forerun::models
