#include "hw/fit/attention_fit.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <cmath>
#include <limits>
#include <set>

#include "core/error.h"
#include "hw/fit/grid_fit.h"
#include "hw/fit/minimise.h"

namespace forerun::hw {

namespace {

constexpr int kRounds = 40;
constexpr double kFar = 0.15;
constexpr std::int64_t kLong = 512;  ///< shorter sequences are few in the tables and weigh less
constexpr double kShortWeight = 0.3;
constexpr std::array<double, 4> kQueryTiles = {64, 128, 192, 256};
constexpr std::size_t kWidths = 9;  ///< of the cache write: log2(kv_heads head_dim) from 6
constexpr double kFirstWidth = 6;

const std::vector<double> kKnotsLength = {4, 6, 8, 9, 10, 10.6, 11, 12, 13, 14};
const std::vector<double> kKnotsBatchHeads = {0,   2, 3,   3.5, 4,   4.5, 5,  5.5, 6,
                                              6.5, 7, 7.5, 8,   8.5, 9,   10, 11,  12};
const std::vector<double> kKnotsGroup = {0, 1, 1.6, 2.3, 3, 4, 6};
constexpr GridSmoothing kSmoothing = {0.02, 0.01, 0.02, 6};

double log2_of(std::int64_t n) { return std::log2(static_cast<double>(n)); }
double weight(const AttentionRow& r) { return r.length >= kLong ? 1 : kShortWeight; }

double digits(double v, int n) {
  const double scale = std::pow(10.0, n - 1 - std::floor(std::log10(v)));
  return std::round(v * scale) / scale;
}

/// Efficiencies by head size, ramp, quantisation, start of the cache write, then its times, as
/// logarithms. The start of the kernel itself cannot be told from that of the cache write.
class TableModel {
 public:
  TableModel(const std::vector<AttentionRow>& rows, FlopRate peak, const AttentionMachine& machine)
      : rows_(rows), peak_(peak), machine_(machine) {
    for (const AttentionRow& r : rows) sizes_.insert(r.head_dim);
    shortest_ = std::ranges::min(rows, {}, &AttentionRow::time).time;
  }

  [[nodiscard]] std::vector<double> first_guess() const {
    std::vector<double> p(sizes_.size(), std::log(0.5));
    for (const double v : {80.0, 0.5, 8.0}) p.push_back(std::log(v));
    for (std::size_t i = 0; i < kWidths; ++i) {
      p.push_back(std::log(0.5 * std::pow(1.3, static_cast<double>(i))));
    }
    return p;
  }

  [[nodiscard]] AttentionFit unpack(const std::vector<double>& p, double query_tile) const {
    AttentionFit fit;
    fit.peak = peak_;
    fit.tabled = true;
    AttentionPassFit pass;
    pass.query_tile = query_tile;
    std::size_t i = 0;
    for (const std::int64_t size : sizes_) pass.efficiency[size] = digits(std::exp(p[i++]), 4);
    pass.ramp = digits(std::exp(p[i++]), 3);
    pass.quantisation = std::min(1.0, digits(std::exp(p[i++]), 3));
    pass.start = kKernelStart;
    fit.cache_start = Seconds(digits(std::exp(p[i++]), 4) * 1e-6);
    for (std::size_t w = 0; w < kWidths; ++w) {
      fit.cache_write[kFirstWidth + static_cast<double>(w)] = digits(std::exp(p[i++]), 3) * 1e-9;
    }
    fit.passes[Pass::forward] = fit.passes[Pass::backward] = pass;
    return fit;
  }

  [[nodiscard]] double loss(const std::vector<double>& p, double query_tile) const {
    const AttentionSurface surface(unpack(p, query_tile), machine_, true);
    double sum = 0, total = 0;
    for (const AttentionRow& r : rows_) {
      sum += weight(r) * robust(std::log(tabled_time(surface, r) / r.time), kFar);
      total += weight(r);
    }
    double wall = 0;  // no head size beats the peak, and no call is shorter than its starts
    for (std::size_t i = 0; i < sizes_.size(); ++i) wall += std::max(0.0, p[i]);
    wall += std::max(0.0, (surface.fit().cache_start + kKernelStart) / shortest_ - 1);
    return sum / total + 100 * wall;
  }

  [[nodiscard]] std::size_t parameters() const { return sizes_.size() + 3 + kWidths; }
  [[nodiscard]] const std::set<std::int64_t>& sizes() const { return sizes_; }

 private:
  const std::vector<AttentionRow>& rows_;
  FlopRate peak_;
  AttentionMachine machine_;
  std::set<std::int64_t> sizes_;
  Seconds shortest_{};
};

std::vector<ChartPoint> select(const std::vector<ChartPoint>& charts, std::string_view kernel,
                               std::string_view accelerator, bool backward) {
  std::vector<ChartPoint> out;
  for (const ChartPoint& p : charts) {
    if (p.kernel == kernel && p.accelerator == accelerator &&
        (p.passes != ChartPoint::Passes::forward) == backward) {
      out.push_back(p);
    }
  }
  return out;
}

/// A kernel that only charts know.
AttentionFit charted(const std::vector<ChartPoint>& charts, std::string_view kernel,
                     std::string_view accelerator, FlopRate peak, const AttentionMachine& machine,
                     double causal_like) {
  AttentionFit fit;
  fit.peak = peak;
  fit.least_keys = 512;
  fit.most_keys = 16384;
  fit.passes[Pass::forward] = fit_charted(Pass::forward, select(charts, kernel, accelerator, false),
                                          fit, machine, causal_like);
  fit.passes[Pass::backward] =
      fit_charted(Pass::backward, select(charts, kernel, accelerator, true), fit, machine,
                  fit.passes[Pass::forward].causal);
  return fit;
}

/// Sets the share of its non-causal rate that the causal mask leaves, the causal rate kept.
void split_causal(AttentionPassFit& pass, double causal) {
  for (auto& entry : pass.efficiency) entry.second = digits(entry.second / causal, 4);
  pass.causal = digits(causal, 4);
}

/// Backward rate over forward rate that points of one kernel and shape give, as a mean.
double backward_ratio(const std::vector<ChartPoint>& charts, std::string_view kernel,
                      std::string_view accelerator) {
  double sum = 0, n = 0;
  for (const ChartPoint& b : select(charts, kernel, accelerator, true)) {
    for (const ChartPoint& f : select(charts, kernel, accelerator, false)) {
      if (f.head_dim != b.head_dim || f.causal != b.causal || f.length != b.length) continue;
      if (b.passes == ChartPoint::Passes::both) continue;
      sum += b.rate / f.rate;
      ++n;
    }
  }
  FORERUN_ASSERT(n > 0, fmt::format("no pairs of {} on {}", kernel, accelerator));
  return sum / n;
}

AttentionPassFit scaled(AttentionPassFit pass, double ratio) {
  for (auto& entry : pass.efficiency) entry.second = digits(entry.second * ratio, 4);
  pass.residual.clear();
  return pass;
}

}  // namespace

AttentionMachine machine_of(const Accelerator& a) {
  return {a.peak.at(Precision::bf16), a.memory_bandwidth * a.streaming_efficiency,
          a.multiprocessors};
}

Seconds tabled_time(const AttentionSurface& surface, const AttentionRow& row) {
  return surface.at(attention_of(row)).time +
         surface.cache_write(row.batch * row.length, row.kv_heads, row.head_dim);
}

AttentionKernel tabled_kernel(const std::string& generation) {
  if (generation == "ampere" || generation == "ada") return AttentionKernel::flash2;
  return generation == "hopper" ? AttentionKernel::flash3 : AttentionKernel::cudnn;
}

AttentionFit fit_tabled(const std::vector<AttentionRow>& rows, FlopRate peak,
                        const AttentionMachine& machine) {
  const TableModel model(rows, peak, machine);
  AttentionFit best;
  double least = std::numeric_limits<double>::infinity();
  for (const double tile : kQueryTiles) {
    const auto loss = [&](const std::vector<double>& p) { return model.loss(p, tile); };
    const std::vector<double> p =
        minimise(model.first_guess(), std::vector<double>(model.parameters(), 0.2), loss, kRounds);
    if (const double l = loss(p); l < least) {
      least = l;
      best = model.unpack(p, tile);
    }
  }
  const AttentionSurface surface(best, machine, true);
  std::map<std::int64_t, std::vector<GridSample>> samples;
  for (const AttentionRow& r : rows) {
    const Seconds kernel = r.time - surface.cache_write(r.batch * r.length, r.kv_heads, r.head_dim);
    const double share = kernel / r.time;
    if (share < 0.2) continue;  // the cache write took the call: nothing to learn
    samples[r.head_dim].push_back(
        {{log2_of(r.length), log2_of(r.batch * r.heads), log2_of(r.heads) - log2_of(r.kv_heads)},
         std::log(kernel / surface.at(attention_of(r)).time),
         weight(r) * share * share});
  }
  for (const auto& [size, values] : samples) {
    best.passes[Pass::forward].residual[size] =
        fit_grid({kKnotsLength, kKnotsBatchHeads, kKnotsGroup}, values, kSmoothing);
  }
  const auto [least_length, most_length] = std::ranges::minmax(rows, {}, &AttentionRow::length);
  best.least_keys = static_cast<double>(least_length.length);
  best.most_keys = static_cast<double>(most_length.length);
  return best;
}

std::map<AttentionKernel, AttentionFit> fit_attention(const Accelerator& accelerator,
                                                      const Accelerator& charted_on,
                                                      const std::vector<AttentionRow>& rows,
                                                      const std::vector<ChartPoint>& charts) {
  const FlopRate peak = accelerator.peak.at(Precision::bf16);
  const AttentionMachine machine = machine_of(accelerator);
  // Charts are of the H100; other Hoppers have the same cores.
  constexpr std::string_view kHopper = "h100-sxm-80gb", kBlackwell = "b200-sxm";
  constexpr double kNoMaskLoss = 1;
  const AttentionMachine charts_machine = machine_of(charted_on);
  const AttentionFit flash2 =
      charted(charts, "flash2", kHopper, charts_machine.rate, charts_machine, kNoMaskLoss);

  std::map<AttentionKernel, AttentionFit> fits;
  AttentionFit own = fit_tabled(rows, peak, machine);
  if (accelerator.generation == "ampere") {
    split_causal(own.passes[Pass::forward], flash2.passes.at(Pass::forward).causal);
    own.passes[Pass::backward] =
        fit_charted(Pass::backward, select(charts, "flash2", "a100-sxm-80gb", true), own, machine,
                    flash2.passes.at(Pass::backward).causal);
  } else if (accelerator.generation == "ada") {
    // No chart is of an Ada: the backward pass by the ratio that FlashAttention-2 has elsewhere.
    split_causal(own.passes[Pass::forward], flash2.passes.at(Pass::forward).causal);
    own.passes[Pass::backward] =
        scaled(own.passes[Pass::forward], backward_ratio(charts, "flash2", kHopper));
  } else if (accelerator.generation == "hopper") {
    fits[AttentionKernel::flash2] = charted(charts, "flash2", kHopper, peak, machine, kNoMaskLoss);
    const AttentionPassFit forward = fit_charted(
        Pass::forward, select(charts, "flash3", kHopper, false), flash2, machine, kNoMaskLoss);
    split_causal(own.passes[Pass::forward], forward.causal);
    const double backward_causal = flash2.passes.at(Pass::backward).causal;
    own.passes[Pass::backward] = fit_charted(
        Pass::backward, select(charts, "flash3", kHopper, true), own, machine, backward_causal);
    AttentionFit& cudnn = fits[AttentionKernel::cudnn] =
        charted(charts, "cudnn", kHopper, peak, machine, kNoMaskLoss);
    cudnn.passes[Pass::backward] = fit_charted(
        Pass::backward, select(charts, "cudnn", kHopper, true), cudnn, machine, backward_causal);
  } else {
    const AttentionPassFit forward = fit_charted(
        Pass::forward, select(charts, "cudnn", "gb200", false), flash2, machine, kNoMaskLoss);
    split_causal(own.passes[Pass::forward], forward.causal);
    own.passes[Pass::backward] =
        scaled(own.passes[Pass::forward], backward_ratio(charts, "flash4", kBlackwell));
    // One point is known of the Triton kernel: its other constants are FlashAttention-2's.
    const std::vector<ChartPoint> points = select(charts, "triton", kBlackwell, false);
    AttentionFit triton = flash2;
    triton.peak = peak;
    const double ratio =
        points.at(0).rate /
        (peak * flash2.passes.at(Pass::forward).efficiency.at(points.at(0).head_dim));
    for (auto& entry : triton.passes) entry.second = scaled(entry.second, ratio);
    fits[AttentionKernel::triton] = triton;
  }
  fits[tabled_kernel(accelerator.generation)] = own;
  return fits;
}

}  // namespace forerun::hw
