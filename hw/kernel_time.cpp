#include "hw/kernel_time.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>

#include "core/error.h"
#include "hw/attention_surface.h"
#include "hw/gemm_surface.h"
#include "hw/power.h"

namespace forerun::hw {

namespace {

/// Keys of a tile: a window's two edges fall inside tiles.
constexpr std::int64_t kWindowTile = 128;

/// Rate of attention whose values are narrower than its queries over that of attention with one
/// head size, work for work. Fitted by `fit_surfaces latent` to the latent-attention tables of
/// A100, H100 and H200 (aiconfigurator); those of B200 and GB200 were seen by no fit.
constexpr double kTwoHeadSizesRate = 0.758;

DurationEvidence evidence(bool own, bool inside) {
  if (!own) return DurationEvidence::modelled;
  return inside ? DurationEvidence::interpolated : DurationEvidence::extrapolated;
}

struct TimeOf {
  const Accelerator& a;

  /// Streaming: ramp + bytes / sustained bandwidth. Saturation by size follows from the ramp: half
  /// of the sustained bandwidth at ramp x bandwidth bytes.
  [[nodiscard]] KernelTime streaming(Bytes bytes) const {
    return streaming(bytes, a.memory_efficiency);
  }
  [[nodiscard]] KernelTime streaming(Bytes bytes, double efficiency) const {
    const Seconds time = a.memory_ramp + bytes / (efficiency * a.memory_bandwidth);
    return {time, Seconds(0), DurationEvidence::modelled};
  }

  [[nodiscard]] const GemmSurface& surface_of(Precision precision) const {
    const auto surface = a.gemm.find(precision);
    if (surface == a.gemm.end()) {
      throw Error(ExitCode::wrong,
                  fmt::format("{} has no matrix products in {}", a.name, name(precision)),
                  "choose a precision that its profile lists under \"gemm\"");
    }
    return *surface->second;
  }

  void promote(Precision precision, KernelTime& result) const {
    if (precision != Precision::fp8) return;
    const Seconds more = result.compute_bound * (1.0 / a.promotion_rate - 1.0);
    result.time += more;
    result.compute_bound += more;
    // No table holds such a product where promotion costs anything.
    if (more > Seconds(0)) result.evidence = DurationEvidence::modelled;
  }

  /// Of `elements` of a 32-bit C.
  void accumulate(double elements, KernelTime& result) const {
    const Bytes more(6.0 * elements);  // 8 bytes read and written in place of 2 written
    result.time += a.accumulation_exposed * (more / (a.memory_efficiency * a.memory_bandwidth));
  }

  KernelTime operator()(const Gemm& g) const {
    const GemmSurface& surface = surface_of(g.precision);
    if (g.m == 0 || g.n == 0 || g.k == 0 || g.batch == 0) return {};
    const GemmTime t = surface.at(g.m, g.n, g.k, g.batch);
    KernelTime result{t.time, t.time * t.compute_share, evidence(surface.own(), t.inside)};
    if (g.promotes) promote(g.precision, result);
    if (g.accumulates) {
      accumulate(static_cast<double>(g.m) * static_cast<double>(g.n) * static_cast<double>(g.batch),
                 result);
    }
    return result;
  }

  KernelTime operator()(const GroupedGemm& g) const {
    const GemmSurface& surface = surface_of(g.precision);
    if (!(g.rows > 0) || g.n == 0 || g.k == 0 || g.groups == 0) return {};
    const auto mean =
        std::max<std::int64_t>(1, std::llround(g.rows / static_cast<double>(g.groups)));
    const GemmTime t = [&] {
      switch (g.pass) {
        case GroupedPass::forward:
          return surface.at(mean, g.n, g.k, g.groups);
        case GroupedPass::input_gradient:
          return surface.at(mean, g.k, g.n, g.groups);
        default:
          return surface.at(g.n, g.k, mean, g.groups);
      }
    }();
    KernelTime result{t.time, t.time * t.compute_share, DurationEvidence::modelled};
    if (g.promotes) promote(g.precision, result);
    if (g.accumulates) {
      accumulate(
          static_cast<double>(g.groups) * static_cast<double>(g.n) * static_cast<double>(g.k),
          result);
    }
    return result;
  }

  KernelTime operator()(const Attention& attention) const {
    const auto surface = a.attention.find(attention.kernel);
    if (surface == a.attention.end()) {
      throw Error(ExitCode::wrong,
                  fmt::format("{} has no attention kernel {}", a.name, name(attention.kernel)),
                  "choose a kernel that its profile lists under \"attention\"");
    }
    if (attention.batch == 0 || attention.queries == 0 || attention.heads == 0) return {};
    const AttentionTime t = masked(*surface->second, attention);
    const bool own =
        surface->second->own() && surface->second->fit().tabled && attention.pass == Pass::forward;
    return {t.time, t.time * t.compute_share, evidence(own, t.inside)};
  }

  /// A surface knows squares of one head size, whole or causal. Windows, documents and values of
  /// another size change the work, not the rate of it.
  [[nodiscard]] static AttentionTime masked(const AttentionSurface& surface,
                                            const Attention& attention) {
    Attention plain = attention;
    plain.v_head_dim = plain.window = 0;
    plain.pairs_share = 1;
    AttentionTime t = surface.at(plain);
    if (plain == attention) return t;
    Attention tiled = attention;
    if (attention.window > 0 && attention.window < attention.keys) {
      tiled.window = std::min(attention.keys, attention.window + kWindowTile);
    }
    const double work = flops(tiled) / flops(plain);
    const double rate = tiled.value_dim() == tiled.head_dim ? 1.0 : kTwoHeadSizesRate;
    t.time = t.time - t.time * t.compute_share * (1.0 - work / rate);
    t.inside = false;
    return t;
  }

  KernelTime operator()(const MemoryBound& b) const {
    return at_least(b.serial, streaming(b.read + b.written,
                                        b.plain ? a.streaming_efficiency : a.memory_efficiency));
  }

  KernelTime operator()(const Gather& g) const {
    const bool loops = g.adding == Adding::atomics && g.precision == Precision::bf16;
    const double values = static_cast<double>(g.rows) * g.row.base() / 2.0;
    return at_least(loops ? values * a.atomic_add_bf16 : Seconds(0), streaming(traffic(g)));
  }

  [[nodiscard]] KernelTime at_least(Seconds busy, KernelTime t) const {
    t.time = std::max(t.time, a.memory_ramp + busy);
    return t;
  }
};

}  // namespace

KernelTime kernel_time(const Kernel& kernel, const Accelerator& accelerator) {
  return std::visit(TimeOf{accelerator}, kernel);
}

KernelTime at_burst_clock(const KernelTime& t, const Kernel& kernel, const PowerModel& power) {
  constexpr Seconds kReaction{1.2e-3};
  if (!(t.compute_bound > Seconds(0))) return t;
  PowerModel board = power;
  board.cap = power.table_cap;
  const double weight = energy_weight(kernel);
  const double sustained = sustained_clock(
      board, {weight * flops(kernel), traffic(kernel), t.compute_bound, t.time - t.compute_bound});
  const double clock = 1.0 - (1.0 - sustained) * (t.time / (t.time + kReaction));
  KernelTime burst = t;
  burst.compute_bound = t.compute_bound * clock;
  burst.time = t.time - t.compute_bound + burst.compute_bound;
  return burst;
}

}  // namespace forerun::hw
