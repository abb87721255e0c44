#include "models/loss/fit/enough_runs.h"

#include <fmt/format.h>

#include <algorithm>

namespace forerun::models {

std::size_t distinct(std::vector<double> values) {
  std::ranges::sort(values);
  std::size_t count = 0;
  double last = 0;
  for (const double v : values) {
    if (count > 0 && v <= last * 1.02) continue;
    last = v;
    ++count;
  }
  return count;
}

void check_count(const std::string& what, std::size_t runs, std::size_t constants,
                 Problems& problems) {
  if (runs > constants) return;
  problems.add(what, fmt::format("{} run{}: {} constants need at least {}, one more than there are "
                                 "constants, or nothing tells how far the runs scatter",
                                 runs, runs == 1 ? " only" : "s", constants, constants + 1));
}

void check_distinct(const std::string& what, const std::string& of,
                    const std::vector<double>& values, std::size_t least, const std::string& why,
                    Problems& problems) {
  const std::size_t count = distinct(values);
  if (count >= least || count == 0) return;  // that there are none check_count says
  problems.add(what, fmt::format("{} {} among the runs: at least {} are needed, {}",
                                 count == 1 ? "one" : fmt::format("only {} values of the", count),
                                 of, least, why));
}

}  // namespace forerun::models
