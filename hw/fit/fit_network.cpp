/// Fits named constants of a network profile to measured logs:
///
///   fit_network NETWORK LOGS.json LOG[,LOG...] FIELD[,FIELD...]
///
/// Minimises the sum of min(e^2, 0.3 |e|) over e = log(predicted / measured) of every second point
/// (the first, third ...) of the logs, by the simplex of Nelder and Mead (1965) in the logarithms
/// of the constants, and prints the constants, the error on those points and on the points left
/// out.

#include <fmt/core.h>

#include <algorithm>
#include <cmath>
#include <functional>
#include <map>
#include <string>
#include <vector>

#include "core/error.h"
#include "core/file.h"
#include "core/reader.h"
#include "core/report_errors.h"
#include "hw/collective_log.h"
#include "hw/csv.h"

namespace {

using namespace forerun;
using namespace forerun::hw;

struct Constant {
  std::function<double(const Network&)> get;
  std::function<void(Network&, double)> set;
  const char* unit;
};

template <class Q>
Constant constant(Q Network::* member, Q unit, const char* name) {
  return {[=](const Network& n) { return (n.*member).in(unit); },
          [=](Network& n, double v) { n.*member = unit * v; }, name};
}

Constant constant(double Network::* member) {
  return {[=](const Network& n) { return n.*member; },
          [=](Network& n, double v) { n.*member = std::min(v, 1.0); }, ""};
}

const std::map<std::string, Constant>& constants() {
  static const std::map<std::string, Constant> table{
      {"network_efficiency", constant(&Network::network_efficiency)},
      {"tree_efficiency", constant(&Network::tree_efficiency)},
      {"all_to_all_efficiency", constant(&Network::all_to_all_efficiency)},
      {"low_latency", constant(&Network::low_latency, Bandwidth(1e9), "GB/s")},
      {"network_latency", constant(&Network::network_latency, Seconds(1e-6), "us")},
      {"ring_latency", constant(&Network::ring_latency, Seconds(1e-6), "us")},
      {"tree_latency", constant(&Network::tree_latency, Seconds(1e-6), "us")},
      {"collective_latency", constant(&Network::collective_latency, Seconds(1e-6), "us")},
      {"fill", constant(&Network::fill, Bytes(1048576.0), "MiB")},
      {"group_bandwidth", constant(&Network::nic, Bandwidth(1e9), "GB/s")}};
  return table;
}

using Vector = std::vector<double>;

/// Nelder-Mead with the usual coefficients 1, 2, 1/2, 1/2 and a fixed number of steps.
Vector minimise(const std::function<double(const Vector&)>& f, const Vector& start) {
  const std::size_t n = start.size();
  std::vector<std::pair<double, Vector>> simplex;
  for (std::size_t i = 0; i <= n; ++i) {
    Vector x = start;
    if (i < n) x[i] += 0.3;
    simplex.emplace_back(f(x), x);
  }
  for (int step = 0; step < 2000; ++step) {
    std::stable_sort(simplex.begin(), simplex.end(),
                     [](const auto& a, const auto& b) { return a.first < b.first; });
    Vector centre(n, 0.0);
    for (std::size_t i = 0; i < n; ++i) {
      for (std::size_t j = 0; j < n; ++j)
        centre[j] += simplex[i].second[j] / static_cast<double>(n);
    }
    const auto along = [&](double factor) {
      Vector x(n);
      for (std::size_t j = 0; j < n; ++j) {
        x[j] = centre[j] + factor * (simplex[n].second[j] - centre[j]);
      }
      return std::pair(f(x), x);
    };
    const auto reflected = along(-1.0);
    if (reflected.first < simplex[0].first) {
      const auto expanded = along(-2.0);
      simplex[n] = expanded.first < reflected.first ? expanded : reflected;
    } else if (reflected.first < simplex[n - 1].first) {
      simplex[n] = reflected;
    } else if (const auto inner = along(0.5); inner.first < simplex[n].first) {
      simplex[n] = inner;
    } else {
      for (std::size_t i = 1; i <= n; ++i) {
        for (std::size_t j = 0; j < n; ++j) {
          double& x = simplex[i].second[j];
          x = 0.5 * (x + simplex[0].second[j]);
        }
        simplex[i].first = f(simplex[i].second);
      }
    }
  }
  return std::min_element(simplex.begin(), simplex.end(),
                          [](const auto& a, const auto& b) { return a.first < b.first; })
      ->second;
}

int run(const std::vector<std::string>& args) {
  if (args.size() != 4) {
    fmt::print(stderr, "usage: fit_network NETWORK LOGS.json LOG[,LOG...] FIELD[,FIELD...]\n");
    return static_cast<int>(ExitCode::usage);
  }
  const Network base = load_network(args[0]);
  Problems problems;
  const auto logs = read_collective_logs(read_file(args[1], kMaxJsonBytes), problems);
  if (!logs) throw Error(ExitCode::wrong, problems.text(args[1]));
  std::vector<CollectiveLog> chosen;
  for (const std::string& name : split(args[2])) {
    const auto it = std::find_if(logs->begin(), logs->end(),
                                 [&](const CollectiveLog& l) { return l.name == name; });
    if (it == logs->end()) throw Error(ExitCode::wrong, fmt::format("no log is named {}", name));
    chosen.push_back(*it);
  }
  std::vector<Constant> free;
  Vector start;
  const std::vector<std::string> names = split(args[3]);
  for (const std::string& name : names) {
    const auto it = constants().find(name);
    if (it == constants().end()) {
      throw Error(ExitCode::wrong, fmt::format("no constant is named {}", name));
    }
    free.push_back(it->second);
    start.push_back(std::log(it->second.get(base)));
  }
  const auto with = [&](const Vector& x) {
    Network n = base;
    for (std::size_t i = 0; i < free.size(); ++i) free[i].set(n, std::exp(x[i]));
    return n;
  };
  const auto cost = [&](const Vector& x) {
    const Network n = with(x);
    double sum = 0;
    for (const CollectiveLog& log : chosen) {
      const std::vector<double> e = errors(log, n);
      for (std::size_t i = 0; i < e.size(); i += 2) {
        const double v = std::log1p(e[i]);
        sum += std::min(v * v, 0.3 * std::abs(v));
      }
    }
    return sum;
  };
  const Vector best = minimise(cost, minimise(cost, start));
  const Network fitted = with(best);
  for (std::size_t i = 0; i < free.size(); ++i) {
    fmt::print("{:24} {:10.4g} {}\n", names[i], free[i].get(fitted), free[i].unit);
  }
  for (const CollectiveLog& log : chosen) {
    const std::vector<double> e = errors(log, fitted);
    std::vector<double> used, left;
    for (std::size_t i = 0; i < e.size(); ++i) (i % 2 == 0 ? used : left).push_back(e[i]);
    const ErrorSummary u = summary(used), l = summary(left);
    fmt::print(
        "{:28} used {:3} points: median {:5.1f} %, p95 {:5.1f} %; left out {:3}: median {:5.1f} %, "
        "p95 {:5.1f} %\n",
        log.name, u.count, 100 * u.median, 100 * u.p95, l.count, 100 * l.median, 100 * l.p95);
  }
  return 0;
}

}  // namespace

int main(int argc, char** argv) {
  return forerun::report_errors([&] { return run({argv + 1, argv + argc}); });
}
