#include "sim/expert_loads.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <cmath>
#include <numeric>
#include <string>
#include <utility>

#include "core/random.h"

namespace forerun::sim {
namespace {

constexpr std::array kKinds = {Choice<LoadKind>{"balanced", LoadKind::balanced},
                               Choice<LoadKind>{"power_law", LoadKind::power_law},
                               Choice<LoadKind>{"dirichlet", LoadKind::dirichlet},
                               Choice<LoadKind>{"given", LoadKind::given}};

/// Draws in a row of a stream that belongs to one layer of one micro-batch of one group.
class Draws {
 public:
  Draws(std::uint64_t seed, std::int64_t group, std::int64_t micro_batch, std::int64_t layer)
      : stream_(seed, "expert loads"),
        next_((static_cast<std::uint64_t>(group) << 44) +
              (static_cast<std::uint64_t>(micro_batch) << 28) +
              (static_cast<std::uint64_t>(layer) << 14) * 4) {}
  double uniform() { return stream_.uniform(next_++); }
  double normal() { return stream_.normal(next_++); }
  std::uint64_t below(std::uint64_t bound) { return stream_.below(next_++, bound); }

 private:
  Stream stream_;
  std::uint64_t next_;
};

/// Marsaglia and Tsang 2000; below a shape of 1 by the usual power of a uniform variate. Their
/// squeeze accepts nearly all without a logarithm, and only what the logarithms would accept.
double gamma_variate(double shape, Draws& draws) {
  if (shape < 1) {
    const double u = draws.uniform();
    return gamma_variate(shape + 1, draws) * std::pow(u, 1 / shape);
  }
  const double d = shape - 1.0 / 3, c = 1 / std::sqrt(9 * d);
  while (true) {
    const double x = draws.normal();
    const double v = (1 + c * x) * (1 + c * x) * (1 + c * x);
    if (v <= 0) continue;
    const double u = draws.uniform();
    if (u < 1 - 0.0331 * (x * x) * (x * x)) return d * v;
    if (std::log(u) < 0.5 * x * x + d - d * v + d * std::log(v)) return d * v;
  }
}

std::vector<double> weights(const ExpertLoads& loads, std::int64_t experts, Draws& draws) {
  const auto n = static_cast<std::size_t>(experts);
  std::vector<double> w(n, 1.0);
  switch (loads.kind) {
    case LoadKind::balanced:
      break;
    case LoadKind::given:
      for (std::size_t i = 0; i < n; ++i) w[i] = loads.shares[i];
      break;
    case LoadKind::power_law:
      for (std::size_t i = 0; i < n; ++i) {
        w[i] = std::pow(static_cast<double>(i + 1), -loads.exponent);
      }
      for (std::size_t i = n; i > 1; --i) std::swap(w[i - 1], w[draws.below(i)]);
      break;
    case LoadKind::dirichlet:
      for (double& each : w) each = gamma_variate(loads.concentration, draws);
      break;
  }
  return w;
}

}  // namespace

ExpertLoads read_expert_loads(Reader& r) {
  ExpertLoads loads;
  loads.kind = r.choice("kind", kKinds);
  if (loads.kind == LoadKind::power_law) loads.exponent = r.number("exponent", 0, 5);
  if (loads.kind == LoadKind::dirichlet) {
    loads.concentration = r.number("concentration", 0.01, 1e9);
  }
  if (loads.kind == LoadKind::given) {
    loads.shares = r.numbers("shares", 0, 1);
    const double sum = std::accumulate(loads.shares.begin(), loads.shares.end(), 0.0);
    if (std::abs(sum - 1) > 1e-9) {
      r.problem("shares", fmt::format("sum to {:.9g}, not to 1", sum));
    }
  }
  r.finish();
  return loads;
}

std::string expert_loads_json(const ExpertLoads& loads) {
  std::string s = fmt::format("{{\"kind\": \"{}\"", name_in(kKinds, loads.kind));
  if (loads.kind == LoadKind::power_law) s += fmt::format(", \"exponent\": {}", loads.exponent);
  if (loads.kind == LoadKind::dirichlet) {
    s += fmt::format(", \"concentration\": {}", loads.concentration);
  }
  if (loads.kind == LoadKind::given) {
    s += fmt::format(", \"shares\": [{}]", fmt::join(loads.shares, ", "));
  }
  return s + "}";
}

GroupLoad group_load(const ExpertLoads& loads, std::int64_t experts, std::int64_t ranks,
                     double capacity_factor, std::uint64_t seed, std::int64_t group,
                     std::int64_t micro_batch, std::int64_t layer) {
  if (loads.kind == LoadKind::balanced) return {};
  Draws draws(seed, group, micro_batch, layer);
  const std::vector<double> w = weights(loads, experts, draws);
  const double sum = std::accumulate(w.begin(), w.end(), 0.0);
  const auto each = static_cast<std::size_t>(experts / ranks);
  GroupLoad out;
  out.worst = out.busiest = 0;
  double kept = 0;
  for (std::size_t r = 0; r < static_cast<std::size_t>(ranks); ++r) {
    double rows = 0;
    for (std::size_t i = r * each; i < (r + 1) * each; ++i) {
      const double load = w[i] / sum * static_cast<double>(experts);
      const double kept_here = capacity_factor > 0 ? std::min(load, capacity_factor) : load;
      rows += kept_here;
      out.busiest = std::max(out.busiest, kept_here);
    }
    kept += rows;
    out.worst = std::max(out.worst, rows / static_cast<double>(each));
  }
  if (capacity_factor > 0) out.dropped = std::max(0.0, 1 - kept / static_cast<double>(experts));
  return out;
}

}  // namespace forerun::sim
