#include "hw/logs/nccl_rows.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <cmath>
#include <limits>
#include <utility>

#include "hw/logs/log_text.h"

namespace forerun::hw {
namespace {

/// A first call that sets up connections takes longer than this many times the next.
constexpr double kFirstCall = 1.5;
/// nccl-tests averages times of ranks before it prints; beside rounding this is all that may
/// differ.
constexpr double kSlack = 2e-3;

constexpr std::array<std::pair<std::string_view, CollectiveKind>, 13> kNames = {{
    {"all_reduce", CollectiveKind::all_reduce},
    {"allreduce", CollectiveKind::all_reduce},
    {"all_gather", CollectiveKind::all_gather},
    {"allgather", CollectiveKind::all_gather},
    {"reduce_scatter", CollectiveKind::reduce_scatter},
    {"reducescatter", CollectiveKind::reduce_scatter},
    {"all_to_all", CollectiveKind::all_to_all},
    {"alltoall", CollectiveKind::all_to_all},
    {"all2all", CollectiveKind::all_to_all},
    {"broadcast", CollectiveKind::broadcast},
    {"sendrecv", CollectiveKind::send_receive},
    {"send_recv", CollectiveKind::send_receive},
    {"send_receive", CollectiveKind::send_receive},
}};

constexpr std::array<std::pair<std::string_view, int>, 20> kTypes = {{
    {"float", 4},  {"float32", 4}, {"half", 2},   {"float16", 2},  {"bfloat16", 2},
    {"double", 8}, {"float64", 8}, {"int8", 1},   {"uint8", 1},    {"int32", 4},
    {"uint32", 4}, {"int64", 8},   {"uint64", 8}, {"fp8_e4m3", 1}, {"fp8_e5m2", 1},
    {"f8e4m3", 1}, {"f8e5m2", 1},  {"char", 1},   {"int", 4},      {"f8e4m3fn", 1},
}};

struct Range {
  double least = 0, most = std::numeric_limits<double>::infinity();
};

/// bus / algorithm bandwidth, within rounding.
Range factor_range(const NcclSide& s) {
  const PrintedNumber &a = s.algorithm, &b = s.bus;
  if (a.value - a.half <= 0) return {};
  return {std::max(0.0, b.value - b.half) / (a.value + a.half),
          (b.value + b.half) / (a.value - a.half)};
}

/// Numbers of ranks whose factor lies in `factor`; everything where the kind's does not depend on
/// them.
Range ranks_range(CollectiveKind kind, const Range& factor) {
  const double whole = kind == CollectiveKind::all_reduce ? 2.0 : 1.0;
  if (kind == CollectiveKind::broadcast || kind == CollectiveKind::send_receive) return {};
  const auto ranks = [&](double f) {
    return f >= whole ? std::numeric_limits<double>::infinity() : whole / (whole - f);
  };
  return {ranks(factor.least), ranks(factor.most)};
}

std::string gigabytes(double v) { return fmt::format("{:.4g} GB/s", v); }

/// Names what a column must have been printed in to be off by such a factor.
std::string unit_mistake(double factor) {
  if (factor > 990 && factor < 1010) return ": a thousand times off, as if the time were in ms";
  if (factor > 0.99e-3 && factor < 1.01e-3) {
    return ": a thousand times off, as if the time were in ns";
  }
  if (factor > 0.99e-6 && factor < 1.01e-6) return ": as if the time were in s";
  if (factor > 1.06 && factor < 1.09) return ": as if the bandwidth were in GiB/s";
  if (factor > 7.9 && factor < 8.1) return ": as if the bandwidth were in Gb/s";
  return {};
}

class Checker {
 public:
  Checker(const NcclRun& run, Problems& problems) : run_(run), problems_(problems) {}

  void columns(const NcclRow& row, const NcclSide& s, std::string_view side) {
    if (s.microseconds.value <= 0) {
      add(row, fmt::format("{} time {} us: expected more than zero", side, s.microseconds.value));
      return;
    }
    if (s.algorithm.value < 0 || s.bus.value < 0) {
      add(row, fmt::format("{} bandwidth {} GB/s: expected at least zero", side,
                           std::min(s.algorithm.value, s.bus.value)));
      return;
    }
    if (s.wrong > 0) {
      add(row,
          fmt::format("{} values of the {} result are wrong: the run is broken", s.wrong, side));
    }
    const double bytes = static_cast<double>(row.bytes);
    const double t = s.microseconds.value * 1e-6, dt = s.microseconds.half * 1e-6;
    const double least = bytes / (t + dt) / 1e9 * (1 - kSlack) - s.algorithm.half;
    const double most = t > dt ? bytes / (t - dt) / 1e9 * (1 + kSlack) + s.algorithm.half
                               : std::numeric_limits<double>::infinity();
    if (s.algorithm.value >= least && s.algorithm.value <= most) return;
    const double computed = bytes / t / 1e9;
    add(row, fmt::format("{} algorithm bandwidth is printed as {}, but {} bytes in {} us are {}{}",
                         side, gigabytes(s.algorithm.value), row.bytes, s.microseconds.value,
                         gigabytes(computed), unit_mistake(computed / s.algorithm.value)));
  }

  void count(const NcclRow& row, std::int64_t ranks) {
    const auto type = std::ranges::find(kTypes, row.type, &std::pair<std::string_view, int>::first);
    if (type == kTypes.end() || row.count <= 0) return;
    const double bytes = static_cast<double>(row.count) * type->second;
    const double size = static_cast<double>(row.bytes);
    if (bytes == size || bytes * static_cast<double>(ranks) == size) return;
    add(row, fmt::format("{} bytes are not {} elements of {} ({} bytes)", row.bytes, row.count,
                         row.type, bytes));
  }

  /// The one number of ranks that all rows allow, chosen among those by the list of devices.
  std::optional<std::int64_t> ranks(CollectiveKind kind, std::vector<std::string>& notes) {
    Range all;
    const NcclRow *least_row = nullptr, *most_row = nullptr;
    for (const NcclRow& row : run_.rows) {
      for (const NcclSide* s : {&row.out_of_place, row.in_place ? &*row.in_place : nullptr}) {
        if (s == nullptr) continue;
        const Range r = ranks_range(kind, factor_range(*s));
        if (r.least > all.least) all.least = r.least, least_row = &row;
        if (r.most < all.most) all.most = r.most, most_row = &row;
      }
    }
    if (std::isinf(all.least) || all.least > all.most) {
      contradiction(kind, *least_row, most_row != nullptr ? *most_row : *least_row);
      return std::nullopt;
    }
    const auto first = static_cast<std::int64_t>(std::ceil(std::max(2.0, all.least)));
    const std::int64_t last =
        std::isinf(all.most) ? kMostRanks : static_cast<std::int64_t>(std::floor(all.most));
    if (first > last) {
      const NcclRow& any = run_.rows.front();
      contradiction(kind, least_row != nullptr ? *least_row : any,
                    most_row != nullptr ? *most_row : any);
      return std::nullopt;
    }
    const std::int64_t listed = run_.listed_ranks;
    if (listed >= first && listed <= last) return listed;
    if (const auto one = only(first, last)) {
      if (listed > 0) {
        notes.push_back(
            fmt::format("bus over algorithm bandwidth means {} ranks, the list of "
                        "devices says {}: the arithmetic is taken",
                        *one, listed));
      }
      return one;
    }
    problems_.add(text({run_.file, run_.rows.front().where}),
                  listed > 0
                      ? fmt::format("the list of devices says {} ranks, the bandwidths {} to {}",
                                    listed, first, last)
                      : "how many ranks ran is not told: no list of devices, and the bandwidths "
                        "do not say");
    return std::nullopt;
  }

 private:
  /// One number, or the one multiple of eight in the range (accelerators of a node).
  static std::optional<std::int64_t> only(std::int64_t first, std::int64_t last) {
    if (first == last) return first;
    const std::int64_t eights = (first + 7) / 8 * 8;
    if (eights <= last && eights + 8 > last) return eights;
    return std::nullopt;
  }

  void contradiction(CollectiveKind kind, const NcclRow& a, const NcclRow& b) {
    const auto told = [&](const NcclRow& row) {
      const double f = row.out_of_place.bus.value / row.out_of_place.algorithm.value;
      const double whole = kind == CollectiveKind::all_reduce ? 2.0 : 1.0;
      return f >= whole ? fmt::format("no number of ranks (bus over algorithm bandwidth {:.4g})", f)
                        : fmt::format("{:.1f} ranks", whole / (whole - f));
    };
    add(a, a.where == b.where
               ? fmt::format("bus over algorithm bandwidth means {}: the columns disagree", told(a))
               : fmt::format("bus over algorithm bandwidth means {}, at {} {}: runs of different "
                             "ranks in one file, or an edited row",
                             told(a), b.where, told(b)));
  }

  void add(const NcclRow& row, std::string what) {
    problems_.add(text({run_.file, row.where}), std::move(what));
  }

  const NcclRun& run_;
  Problems& problems_;
};

/// The highest factor that the rows show beyond doubt.
double least_factor(const NcclRun& run) {
  double factor = 0;
  for (const NcclRow& row : run.rows) {
    factor = std::max(factor, factor_range(row.out_of_place).least);
  }
  return factor;
}

std::string_view base_name(std::string_view path) {
  const std::size_t slash = path.rfind('/');
  return slash == path.npos ? path : path.substr(slash + 1);
}

bool fits(CollectiveKind kind, const NcclRow& row) {
  using enum CollectiveKind;
  const bool reduction = kind == all_reduce || kind == reduce_scatter;
  return reduction == row.reduces && (kind == broadcast || !row.rooted);
}

/// By the log's own words, else by the file's name, else by the columns where only one operation
/// has such.
std::optional<CollectiveKind> kind_of(const NcclRun& run, Problems& problems) {
  const NcclRow& row = run.rows.front();
  const double factor = least_factor(run);
  const std::string place = text({run.file, row.where});
  const std::optional<CollectiveKind> named = collective_told(base_name(run.file));
  std::optional<CollectiveKind> kind = run.told ? run.told : named;
  if (!kind && row.reduces && !row.rooted && factor > 1.01) kind = CollectiveKind::all_reduce;
  if (!kind && row.rooted && !row.reduces) kind = CollectiveKind::broadcast;
  if (!kind) {
    problems.add(place,
                 "which collective ran is not told: neither the program's name nor the file's says "
                 "(name the file after it, for example all_gather.log)");
    return std::nullopt;
  }
  const bool too_much = kind != CollectiveKind::all_reduce && factor > 1.01;
  if (!fits(*kind, row) || too_much) {
    problems.add(place, fmt::format("{} says {}, but {}", run.told ? "the log" : "the file's name",
                                    name(*kind),
                                    too_much ? "bus bandwidth over algorithm bandwidth is that of "
                                               "an all-reduce"
                                             : "the columns of reduction and root are another's"));
    return std::nullopt;
  }
  return kind;
}

}  // namespace

std::optional<CollectiveKind> collective_told(std::string_view text) {
  for (const auto& [word, kind] : kNames) {
    if (contains_word(text, word)) return kind;
  }
  return std::nullopt;
}

std::vector<TimedCollective> collectives_of(const NcclRun& run, ToolLog& log, Problems& problems) {
  const std::size_t before = problems.list().size();
  NcclRun sized = run;
  const std::size_t empty =
      std::erase_if(sized.rows, [](const NcclRow& row) { return row.bytes == 0; });
  if (empty > 0) log.notes.push_back(fmt::format("{} rows of size 0 left out", empty));
  if (run.other_program) {
    problems.add(run.file,
                 "a test of nccl-tests for another operation: the simulator has "
                 "all-reduce, all-gather, reduce-scatter, all-to-all, broadcast, sendrecv");
    return {};
  }
  if (sized.rows.empty()) {
    problems.add(run.file, empty > 0 ? fmt::format("all {} rows have size 0", empty)
                                     : std::string("no row with a size and a time"));
    return {};
  }
  const std::optional<CollectiveKind> kind = kind_of(sized, problems);
  Checker check(sized, problems);
  for (const NcclRow& row : sized.rows) {
    check.columns(row, row.out_of_place, "out-of-place");
    if (row.in_place) check.columns(row, *row.in_place, "in-place");
  }
  if (!kind || problems.list().size() != before) return {};
  const std::optional<std::int64_t> ranks = check.ranks(*kind, log.notes);
  if (!ranks) return {};
  std::vector<TimedCollective> all;
  for (const NcclRow& row : sized.rows) {
    check.count(row, *ranks);
    double time = row.out_of_place.microseconds.value;
    if (row.in_place && time > kFirstCall * row.in_place->microseconds.value) {
      log.notes.push_back(
          fmt::format("at {}: {} us out of place and {} us in place: the shorter is taken, as "
                      "after a first call "
                      "without warm-up",
                      row.where, time, row.in_place->microseconds.value));
      time = row.in_place->microseconds.value;
    }
    all.push_back({*kind,
                   *ranks,
                   Bytes(static_cast<double>(row.bytes)),
                   Seconds(time * 1e-6),
                   {run.file, row.where}});
  }
  if (problems.list().size() != before) return {};
  return all;
}

}  // namespace forerun::hw
