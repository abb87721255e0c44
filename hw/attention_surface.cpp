#include "hw/attention_surface.h"

#include <fmt/format.h>

#include <algorithm>
#include <charconv>
#include <cmath>
#include <iterator>
#include <limits>
#include <optional>
#include <string>
#include <vector>

#include "core/error.h"

namespace forerun::hw {

namespace {

double overlap(double a, double b) {
  const double a2 = a * a, b2 = b * b;
  return std::sqrt(std::sqrt(a2 * a2 + b2 * b2));
}

double log2_of(std::int64_t count) { return std::log2(static_cast<double>(count)); }

/// Linear in log2 of the head size between those known, the nearest one's outside.
double efficiency(const std::map<std::int64_t, double>& known, std::int64_t head_dim) {
  const auto right = known.lower_bound(head_dim);
  if (right == known.end()) return known.rbegin()->second;
  if (right->first == head_dim || right == known.begin()) return right->second;
  const auto left = std::prev(right);
  const double w =
      (log2_of(head_dim) - log2_of(left->first)) / (log2_of(right->first) - log2_of(left->first));
  return left->second + w * (right->second - left->second);
}

/// The grid of the head size whose logarithm is nearest, or null if there is none.
const ResidualGrid* nearest_grid(const std::map<std::int64_t, ResidualGrid>& grids,
                                 std::int64_t head_dim) {
  const ResidualGrid* best = nullptr;
  double least = std::numeric_limits<double>::infinity();
  for (const auto& [size, grid] : grids) {
    const double distance = std::abs(log2_of(size) - log2_of(head_dim));
    if (distance < least) {
      least = distance;
      best = &grid;
    }
  }
  return best;
}

/// The head size that a key of a map by head size stands for; a wrong one is reported.
std::optional<std::int64_t> head_size(Reader& reader, const std::string& key) {
  std::int64_t size = 0;
  const char* const end = key.data() + key.size();
  const auto [rest, error] = std::from_chars(key.data(), end, size);
  if (error == std::errc{} && rest == end && size > 0) return size;
  reader.problem(key, fmt::format("expected a head size, found \"{}\"", key));
  return std::nullopt;
}

AttentionPassFit read_pass(Reader reader) {
  AttentionPassFit fit;
  fit.query_tile = reader.number("query_tile", 16, 1024);
  fit.ramp = reader.number("ramp", 0, 1e5);
  fit.quantisation = reader.number("quantisation", 0, 1);
  fit.causal = reader.number("causal", 0.1, 2);
  fit.start = reader.seconds("start");
  Reader sizes = reader.object("efficiency");
  for (const std::string& key : sizes.keys()) {
    const auto size = head_size(sizes, key);
    if (size) fit.efficiency[*size] = sizes.number(key, 1e-3, 1.5);
  }
  if (fit.efficiency.empty()) reader.problem("efficiency", "expected at least one head size");
  if (reader.has("residual")) {
    Reader grids = reader.object("residual");
    for (const std::string& key : grids.keys()) {
      const auto size = head_size(grids, key);
      if (!size) continue;
      fit.residual[*size] =
          read_residual_grid(grids.object(key), {"log2_keys", "log2_batch_heads", "log2_group"});
    }
  }
  reader.finish();
  return fit;
}

}  // namespace

AttentionSurface::AttentionSurface(AttentionFit fit, const AttentionMachine& machine, bool own)
    : fit_(std::move(fit)), machine_(machine), own_(own) {
  FORERUN_ASSERT(machine_.multiprocessors > 0 && machine_.rate.base() > 0,
                 fmt::format("{} multiprocessors", machine_.multiprocessors));
  for (const Pass pass : {Pass::forward, Pass::backward}) {
    FORERUN_ASSERT(fit_.passes.contains(pass) && !fit_.passes.at(pass).efficiency.empty(),
                   fmt::format("pass {}", static_cast<int>(pass)));
  }
}

AttentionTime AttentionSurface::at(const Attention& a) const {
  FORERUN_ASSERT(
      a.batch > 0 && a.queries > 0 && a.keys > 0 && a.heads > 0 && a.kv_heads > 0 && a.head_dim > 0,
      fmt::format("batch {}, {} queries, {} keys, {} heads of {}", a.batch, a.queries, a.keys,
                  a.heads, a.head_dim));
  const AttentionPassFit& fit = fit_.passes.at(a.pass);
  const double queries = static_cast<double>(a.queries), keys = static_cast<double>(a.keys);
  const double batch_heads = static_cast<double>(a.batch * a.heads);
  const double head_dim = static_cast<double>(a.head_dim);
  const double cores = machine_.multiprocessors;
  const double per_query =
      flops(a).base() / ((a.pass == Pass::forward ? 4.0 : 10.0) * batch_heads * queries * head_dim);
  const double masked = a.causal ? std::min(fit.query_tile, keys) / 2 : 0;
  const double rate = efficiency(fit.efficiency, a.head_dim) * (a.causal ? fit.causal : 1) *
                      machine_.rate.base() / cores;
  const double key_time = (a.pass == Pass::forward ? 4.0 : 10.0) * fit.query_tile * head_dim / rate;
  const double tile = key_time * (per_query + masked + fit.ramp);
  const double w = batch_heads * std::ceil(queries / fit.query_tile) / cores;
  const double spread = w + fit.quantisation * (std::ceil(w) - w);
  const double compute = std::max(tile * spread, key_time * (keys + fit.ramp));
  const double memory = traffic(a) / machine_.bandwidth / Seconds(1);
  const double body = overlap(compute, memory);
  const double start = fit.start.base();
  const ResidualGrid* grid = nearest_grid(fit.residual, a.head_dim);
  const double residual = grid == nullptr ? 0
                                          : grid->at(std::log2(keys), std::log2(batch_heads),
                                                     log2_of(a.heads) - log2_of(a.kv_heads));
  const double square = compute / body * (compute / body);
  const bool inside = fit_.least_keys <= keys && keys <= fit_.most_keys &&
                      fit.efficiency.contains(a.head_dim) && a.queries == a.keys;
  return {Seconds((start + body) * std::exp(residual)), square * square * body / (start + body),
          inside};
}

Seconds AttentionSurface::cache_write(std::int64_t tokens, std::int64_t kv_heads,
                                      std::int64_t head_dim) const {
  if (fit_.cache_write.empty()) return Seconds(0);
  const double width = log2_of(kv_heads * head_dim);
  auto right = fit_.cache_write.lower_bound(width);
  if (right == fit_.cache_write.end()) right = std::prev(right);
  if (right == fit_.cache_write.begin()) ++right;
  const auto left = std::prev(right);
  const double w = (width - left->first) / (right->first - left->first);
  const double per_token = std::exp(std::log(left->second) * (1 - w) + std::log(right->second) * w);
  return fit_.cache_start + Seconds(per_token * static_cast<double>(tokens));
}

AttentionFit read_attention_fit(Reader reader) {
  AttentionFit fit;
  fit.peak = reader.flop_rate("peak");
  if (!(fit.peak.base() > 0)) reader.problem("peak", "expected more than zero");
  fit.passes[Pass::forward] = read_pass(reader.object("forward"));
  fit.passes[Pass::backward] = read_pass(reader.object("backward"));
  fit.tabled = reader.boolean("tabled");
  const std::vector<std::int64_t> keys = reader.integers("measured_keys", 1, 1 << 30);
  if (keys.size() == 2) {
    fit.least_keys = static_cast<double>(keys[0]);
    fit.most_keys = static_cast<double>(keys[1]);
  } else {
    reader.problem("measured_keys",
                   fmt::format("expected [least, most], found {} values", keys.size()));
  }
  if (reader.has("cache_write")) {
    Reader cache = reader.object("cache_write");
    fit.cache_start = cache.seconds("start");
    const std::vector<double> widths = cache.numbers("log2_width", 0, 40);
    const std::vector<double> times = cache.numbers("nanoseconds_per_token", 1e-3, 1e6);
    if (widths.size() != times.size() || widths.size() < 2) {
      cache.problem("log2_width", fmt::format("expected two or more, one for each time, found {} "
                                              "and {} times",
                                              widths.size(), times.size()));
    }
    for (std::size_t i = 0; i < std::min(widths.size(), times.size()); ++i) {
      fit.cache_write[widths[i]] = times[i] * 1e-9;
    }
    cache.finish();
  }
  (void)reader.has("fit");  // what the fit program noted about itself, for people
  reader.finish();
  return fit;
}

}  // namespace forerun::hw
