#include "hw/calibrate/plausible.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <cctype>
#include <string>
#include <string_view>
#include <vector>

#include "core/table.h"
#include "hw/calibrate/calibration.h"

namespace forerun::hw {
namespace {

/// A clock above the data sheet's, a size counted in full: what measurements may exceed a peak by.
constexpr double kOver = 1.03;
/// Farther from the model than any stack of software: a thousand, less what the model misses.
constexpr double kUnitMistake = 300;

/// Empty, or what a factor between measured and modelled time near a thousand means.
std::string unit_mistake(Seconds measured, Seconds modelled) {
  if (modelled.base() <= 0) return {};
  const double ratio = measured / modelled;
  if (ratio > kUnitMistake) {
    return fmt::format(
        "{:.3g} times the profile's {}: as if the time were in ns and read as us, or "
        "in us and read as ms",
        ratio, show(modelled));
  }
  if (ratio < 1 / kUnitMistake) {
    return fmt::format(
        "{:.3g} times faster than the profile's {}: as if the time were in ms and "
        "read as us",
        1 / ratio, show(modelled));
  }
  return {};
}

void check_compute(const LogPlace& place, const std::string& what, Flops work, FlopRate peak,
                   Seconds time, Seconds modelled, Problems& problems) {
  const FlopRate rate = work / time;
  std::string wrong;
  if (peak.base() > 0 && rate > peak * kOver) {
    wrong = fmt::format("{} is above the peak of {}", show(rate), show(peak));
    const double over = rate / peak;
    if (over > 1.8 && over < 2.05) wrong += ", about twice: a peak with sparsity?";
  }
  const std::string unit = unit_mistake(time, modelled);
  if (!unit.empty()) wrong += (wrong.empty() ? "" : "; ") + unit;
  if (!wrong.empty()) {
    problems.add(text(place), fmt::format("{} in {}: {}", what, show(time), wrong));
  }
}

std::vector<std::string> name_parts(const std::string& device) {
  std::vector<std::string> parts(1);
  for (const char c : device) {
    if (std::isalnum(static_cast<unsigned char>(c)) != 0) {
      parts.back() += static_cast<char>(std::tolower(static_cast<unsigned char>(c)));
    } else if (!parts.back().empty()) {
      parts.emplace_back();
    }
  }
  return parts;
}

/// Of a device's or a profile's name: "pcie", "nvl" or "sxm"; empty where it tells none.
std::string_view board_in(const std::vector<std::string>& parts) {
  for (const std::string& part : parts) {
    if (part == "pcie" || part == "nvl") return part == "nvl" ? "nvl" : "pcie";
    if (part.starts_with("sxm")) return "sxm";
  }
  return {};
}

}  // namespace

Seconds least_collective_time(CollectiveKind kind, Bytes bytes, const Group& g, const Network& n) {
  const double S = bytes.base(), ranks = static_cast<double>(g.ranks);
  const double link = n.inside->link.base();
  // Of an all-reduce in the switch each rank sends and receives the buffer once; of a broadcast
  // too.
  const bool whole = kind == CollectiveKind::all_reduce || kind == CollectiveKind::broadcast ||
                     kind == CollectiveKind::send_receive;
  const double own = whole ? S : S * (ranks - 1) / ranks;
  if (g.ranks == g.per_domain) return Seconds(own / link);
  const double domains = ranks / static_cast<double>(g.per_domain);
  const double pool = static_cast<double>(n.domain) * n.network.base();
  double out = S;
  if (kind == CollectiveKind::all_gather || kind == CollectiveKind::reduce_scatter) {
    out = S * (domains - 1) / domains;
  } else if (kind == CollectiveKind::all_to_all) {
    out = S * static_cast<double>(g.per_domain) * (domains - 1) / domains;
  } else if (kind == CollectiveKind::send_receive) {
    return Seconds(S / std::max(n.nic.base(), n.network.base()));
  }
  const double inside = g.per_domain > 1 && kind != CollectiveKind::all_to_all ? own / link : 0.0;
  return Seconds(std::max(out / pool, inside));
}

void check_plausible(const TimedCollective& t, const Group& group, const Network& n,
                     Problems& problems) {
  const Seconds least = least_collective_time(t.kind, t.bytes, group, n);
  const Seconds modelled = collective_time(t.kind, t.bytes, group, n).time;
  std::string wrong;
  if (t.time * kOver < least) {
    wrong = fmt::format("the links of {} allow no less than {} (bus bandwidth {})", n.name,
                        show(least), show(bus_bandwidth(t.kind, t.bytes, t.ranks, t.time)));
  }
  const std::string unit = unit_mistake(t.time, modelled);
  if (!unit.empty()) wrong += (wrong.empty() ? "" : "; ") + unit;
  if (wrong.empty()) return;
  problems.add(text(t.place), fmt::format("{} of {} between {} ranks in {}: {}", name(t.kind),
                                          size_text(t.bytes), t.ranks, show(t.time), wrong));
}

void check_plausible(const TimedGemm& t, const Accelerator& a, Seconds modelled,
                     Problems& problems) {
  const auto peak = a.peak.find(t.gemm.precision);
  check_compute(
      t.place,
      fmt::format("{} product {} x {} x {}", name(t.gemm.precision), t.gemm.m, t.gemm.n, t.gemm.k),
      flops(Kernel(t.gemm)), peak == a.peak.end() ? FlopRate{} : peak->second, t.time, modelled,
      problems);
}

void check_plausible(const TimedAttention& t, const Accelerator& a, Seconds modelled,
                     Problems& problems) {
  const auto peak = a.peak.find(t.precision);
  check_compute(t.place,
                fmt::format("attention of {} queries, {} heads of {}", t.attention.queries,
                            t.attention.heads, t.attention.head_dim),
                flops(Kernel(t.attention)), peak == a.peak.end() ? FlopRate{} : peak->second,
                t.time, modelled, problems);
}

void check_plausible(const TimedCopy& t, Bandwidth limit, const char* limit_name,
                     Problems& problems) {
  if (limit.base() <= 0 || t.rate <= limit * kOver) return;
  problems.add(text(t.place), fmt::format("{}: {} is above {}, {}", name(t.path), show(t.rate),
                                          limit_name, show(limit)));
}

void check_device(const ToolLog& log, const std::string& profile,
                  std::optional<std::int64_t> multiprocessors, Problems& problems) {
  const std::vector<std::string> parts = name_parts(log.device);
  const std::string model = profile.substr(0, profile.find('-'));
  const auto named = [&](const std::string& m) {
    return std::ranges::find(parts, m) != parts.end();
  };
  std::vector<std::string> others = accelerator_names();
  for (std::string& other : others) other = other.substr(0, other.find('-'));
  for (const std::string& other : others) {
    if (other == model || named(model) || !named(other)) continue;
    problems.add(log.file,
                 fmt::format("the log is of \"{}\", the profile of {}", log.device, model));
    return;
  }
  const std::string_view board = board_in(parts), own = board_in(name_parts(profile));
  if (!board.empty() && !own.empty() && board != own) {
    problems.add(log.file, fmt::format("the log is of \"{}\", the profile of {}: another board",
                                       log.device, profile));
    return;
  }
  if (multiprocessors && log.multiprocessors && *multiprocessors != *log.multiprocessors) {
    problems.add(log.file,
                 fmt::format("the log's device \"{}\" has {} multiprocessors, the profile's {}",
                             log.device, *log.multiprocessors, *multiprocessors));
  }
}

}  // namespace forerun::hw
