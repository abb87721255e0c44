#include "hw/attention_surface.h"

#include <fmt/format.h>

#include <algorithm>
#include <charconv>
#include <cmath>

#include "core/error.h"

namespace forerun::hw {

namespace {

double overlap(double a, double b) {
  const double a2 = a * a, b2 = b * b;
  return std::sqrt(std::sqrt(a2 * a2 + b2 * b2));
}

/// Linear in log2 of the head size between those known, the nearest one's outside.
double efficiency(const std::map<std::int64_t, double>& known, std::int64_t head_dim) {
  const auto right = known.lower_bound(head_dim);
  if (right == known.end()) return known.rbegin()->second;
  if (right->first == head_dim || right == known.begin()) return right->second;
  const auto left = std::prev(right);
  const auto log = [](std::int64_t d) { return std::log2(static_cast<double>(d)); };
  const double w = (log(head_dim) - log(left->first)) / (log(right->first) - log(left->first));
  return left->second + w * (right->second - left->second);
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
    std::int64_t head_dim = 0;
    const auto end = key.data() + key.size();
    if (std::from_chars(key.data(), end, head_dim).ptr != end || head_dim < 1) {
      sizes.problem(key, fmt::format("expected a head size, found \"{}\"", key));
      continue;
    }
    fit.efficiency[head_dim] = sizes.number(key, 1e-3, 1.5);
  }
  if (fit.efficiency.empty()) reader.problem("efficiency", "expected at least one head size");
  if (reader.has("residual")) {
    fit.residual = read_residual_grid(reader.object("residual"),
                                      {"log2_keys", "log2_batch_heads", "log2_head_dim"});
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

AttentionTime AttentionSurface::at(const Attention& attention) const {
  return at(attention, Bytes(0));
}

AttentionTime AttentionSurface::at(const Attention& a, Bytes extra) const {
  FORERUN_ASSERT(a.batch > 0 && a.queries > 0 && a.keys > 0 && a.heads > 0 && a.head_dim > 0,
                 fmt::format("batch {}, {} queries, {} keys, {} heads of {}", a.batch, a.queries,
                             a.keys, a.heads, a.head_dim));
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
  const double memory = (traffic(a) + extra) / machine_.bandwidth.base() / Bytes(1);
  const double body = overlap(compute, memory);
  const double start = fit.start.base();
  const double factor =
      std::exp(fit.residual.at(std::log2(keys), std::log2(batch_heads), std::log2(head_dim)));
  const bool inside = fit_.least_keys <= keys && keys <= fit_.most_keys &&
                      fit.efficiency.contains(a.head_dim) && a.queries == a.keys;
  return {Seconds((start + body) * factor), std::pow(compute / body, 4) * body / (start + body),
          inside};
}

AttentionFit read_attention_fit(Reader reader) {
  AttentionFit fit;
  fit.peak = reader.flop_rate("peak");
  if (!(fit.peak.base() > 0)) reader.problem("peak", "expected more than zero");
  fit.passes[Pass::forward] = read_pass(reader.object("forward"));
  fit.passes[Pass::backward] = read_pass(reader.object("backward"));
  fit.measured = reader.boolean("measured");
  const std::vector<std::int64_t> keys = reader.integers("measured_keys", 1, 1 << 30);
  if (keys.size() == 2) {
    fit.least_keys = static_cast<double>(keys[0]);
    fit.most_keys = static_cast<double>(keys[1]);
  } else {
    reader.problem("measured_keys",
                   fmt::format("expected [least, most], found {} values", keys.size()));
  }
  (void)reader.has("fit");  // what the fit program noted about itself, for people
  reader.finish();
  return fit;
}

}  // namespace forerun::hw
