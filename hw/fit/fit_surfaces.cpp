/// Makes what the profiles know about kernel time from tables of measured times:
///
///   fit_surfaces surface NAME OUT.json TABLE.csv...  a surface file of hw/profiles/surfaces for
///   the
///                                                    accelerator of that name (gemm and attention)
///   fit_surfaces power NAME SUSTAINED.csv            the power constants of its profile, printed
///   fit_surfaces latent NAME=TABLE.csv...            what kTwoHeadSizesRate of hw/kernel_time.cpp
///                                                    must be multiplied by, printed
///   fit_surfaces roofline NAME=TABLE.csv...          what kernels without a table share
///                                                    (fitted_gemm_shape of hw/roofline.cpp), and
///                                                    the error on each machine when fitted to the
///                                                    others, printed
///   fit_surfaces sample OUT.csv NAME=TABLE.csv...    the held-out rows that the tests keep
///
/// Tables have the columns of hw/kernel_table.h. Rows that hw/fit/hold_out.h sets apart are in no
/// fit; the errors on them are written beside the constants. Same tables, same bytes.

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <cmath>
#include <cstdio>
#include <string>
#include <utility>
#include <vector>

#include "core/error.h"
#include "core/file.h"
#include "core/reader.h"
#include "core/report_errors.h"
#include "hw/csv.h"
#include "hw/fit/attention_fit.h"
#include "hw/fit/gemm_fit.h"
#include "hw/fit/hold_out.h"
#include "hw/fit/power_fit.h"
#include "hw/fit/roofline_fit.h"
#include "hw/fit/surface_text.h"

namespace {

using namespace forerun;
using namespace forerun::hw;

constexpr std::int64_t kLarge = 512, kTraining = 1024;
constexpr std::string_view kChartedOn = "h100-sxm-80gb";

KernelTable load_table(const std::string& path) {
  Problems problems;
  return value_or_throw(read_kernel_table(read_file(path, kCsvLimit), problems), problems, path);
}

Accelerator load_facts(const std::string& name) {
  const std::string path = data_path("hw/profiles/accelerators/" + name + ".json");
  Problems problems;
  return value_or_throw(read_accelerator_facts(read_file(path, kMaxJsonBytes), problems), problems,
                        path);
}

/// Errors of `predict` on large rows, by how they were held out.
template <class Row, class Predict, class Large, class Training>
FitErrors errors(const std::vector<Row>& rows, Predict predict, Large large, Training training) {
  std::array<std::vector<double>, 3> all, train;
  for (const Row& r : rows) {
    if (!large(r)) continue;
    const double e = predict(r) / r.time - 1;
    const auto how = static_cast<std::size_t>(held_out(r));
    all[how].push_back(e);
    if (training(r)) train[how].push_back(e);
  }
  return {summary(all[0]), summary(all[1]), summary(all[2]), summary(train[1]), summary(train[2])};
}

template <class Row>
std::vector<Row> to_fit(const std::vector<Row>& rows) {
  std::vector<Row> out;
  for (const Row& r : rows) {
    if (held_out(r) == HeldOut::no) out.push_back(r);
  }
  return out;
}

void show(const std::string& what, const FitErrors& e) {
  const auto print = [&](const char* how, const ErrorSummary& o) {
    fmt::print("{:24} {:22} {:6} rows: median {:.2f} %, mean {:.2f} %, p95 {:.1f} %\n", what, how,
               o.count, 100 * o.median, 100 * o.mean, 100 * o.p95);
  };
  print("fitted", e.fitted);
  print("held out by shape", e.by_shape);
  print("held out by group", e.by_group);
  if (e.training_by_shape.count > 0) {
    print("  sizes >= 1024, shape", e.training_by_shape);
    print("  sizes >= 1024, group", e.training_by_group);
  }
}

void fit_products(const Accelerator& facts, const std::vector<GemmRow>& table, SurfaceText& out) {
  // bf16 first: products with casts take from it what their rows cannot tell.
  for (const Precision precision : {Precision::bf16, Precision::fp8, Precision::fp8_block}) {
    std::vector<GemmRow> rows;
    for (const GemmRow& r : table) {
      if (r.dtype == name(precision)) rows.push_back(r);
    }
    if (rows.empty()) continue;
    const Precision rated = precision == Precision::fp8_block ? Precision::fp8 : precision;
    GemmFitTask task;
    task.rows = to_fit(rows);
    task.peak = facts.peak.at(rated);
    task.machine = {task.peak, facts.memory_bandwidth, facts.multiprocessors,
                    bytes_per_element(precision), 2};
    if (precision != Precision::bf16) task.plain = out.gemm.at(Precision::bf16);
    GemmFit fit = fit_gemm(task);
    const GemmSurface surface(fit, task.machine, true);
    out.gemm_errors[precision] = errors(
        rows,
        [&](const GemmRow& r) { return surface.at(r.m, r.n, r.k).time + surface.cast(r.m, r.k); },
        [](const GemmRow& r) { return r.m >= kLarge; },
        [](const GemmRow& r) { return std::min({r.m, r.n, r.k}) >= kTraining; });
    show(fmt::format("{} {}", facts.name, name(precision)), out.gemm_errors[precision]);
    out.gemm[precision] = std::move(fit);
  }
}

void fit_kernels(const Accelerator& facts, const std::vector<AttentionRow>& rows,
                 SurfaceText& out) {
  Problems problems;
  const std::string path = data_path("hw/fit/attention_charts.csv");
  const std::vector<ChartPoint> charts = read_charts(read_file(path, kCsvLimit), problems);
  if (!problems.empty()) throw Error(ExitCode::wrong, problems.text(path));
  out.attention = fit_attention(facts, load_facts(std::string(kChartedOn)), to_fit(rows), charts);
  const AttentionKernel tabled = tabled_kernel(facts.generation);
  const AttentionSurface surface(out.attention.at(tabled), machine_of(facts), true);
  out.attention_errors[tabled] = errors(
      rows, [&](const AttentionRow& r) { return tabled_time(surface, r); },
      [](const AttentionRow& r) { return r.length >= kLarge; },
      [](const AttentionRow&) { return false; });
  show(fmt::format("{} attention", facts.name), out.attention_errors[tabled]);
  for (const auto& entry : out.attention) {
    out.attention_basis[entry.first] =
        entry.first == tabled
            ? "forward: the table; causal share and backward: hw/fit/attention_charts.csv"
            : "hw/fit/attention_charts.csv";
  }
}

int surface(const std::string& name, const std::string& path,
            const std::vector<std::string>& tables) {
  const Accelerator facts = load_facts(name);
  SurfaceText out;
  out.name = name;
  out.source =
      "fitted to the performance tables of aiconfigurator (github.com/ai-dynamo/aiconfigurator, "
      "commit 095f58a51c4ca8e61b66ec108d86f223f8d559ce), Copyright (c) 2025-2026 NVIDIA "
      "CORPORATION & AFFILIATES; published charts of attention: hw/fit/attention_charts.csv";
  out.licence = "Apache-2.0 (the tables)";
  out.changes =
      "holds no table: constants and a smoothed grid fitted by hw/fit to selected rows, one "
      "software "
      "version an accelerator; rows that hw/fit/hold_out.h sets apart were not used";
  std::vector<GemmRow> products;
  std::vector<AttentionRow> attention;
  for (const std::string& table_path : tables) {
    const KernelTable table = load_table(table_path);
    if (table.kind != TableKind::gemm && table.kind != TableKind::attention) {
      throw Error(ExitCode::wrong,
                  fmt::format("{}: a table of {}", table_path, hw::name(table.kind)),
                  "surfaces are fitted to tables of gemm and attention");
    }
    products.insert(products.end(), table.gemm.begin(), table.gemm.end());
    attention.insert(attention.end(), table.attention.begin(), table.attention.end());
  }
  fit_products(facts, products, out);
  fit_kernels(facts, attention, out);
  write_file(path, surface_text(out));
  return 0;
}

int power(const std::string& name, const std::string& path) {
  const Accelerator accelerator = load_accelerator(name);
  const KernelTable table = load_table(path);
  if (table.kind != TableKind::gemm_sustained) {
    throw Error(ExitCode::wrong, fmt::format("{}: no table with power_w", path));
  }
  const PowerFit fit = fit_power(table.gemm, accelerator);
  fmt::print(
      "{}: idle {:.0f} W, {:.3f} pJ/FLOP, {:.1f} pJ/B, cap {:.0f} W ({} rows)\n"
      "products of 10 GFLOP or more: power {:.1f} %, time at the sustained clock {:.1f} %, at the "
      "burst clock {:.1f} %; where capped, measured over burst {:.3f} (medians)\n",
      name, fit.model.idle.base(), fit.model.per_flop.base() * 1e12,
      fit.model.per_byte.base() * 1e12, fit.model.cap.base(), fit.rows, 100 * fit.power_error,
      100 * fit.sustained_error, 100 * fit.burst_error, fit.slowdown);
  return 0;
}

/// Rows of a kind and accelerator in the sample.
constexpr std::size_t kSampleOfGemm = 36, kSampleOfFp8 = 12, kSampleOfAttention = 24;

template <class Row, class Keep>
std::vector<Row> sample(const std::vector<Row>& rows, std::size_t n, Keep keep) {
  std::vector<Row> held;
  for (const Row& r : rows) {
    if (held_out(r) != HeldOut::no && keep(r)) held.push_back(r);
  }
  std::ranges::stable_sort(held, {}, [](const Row& r) { return draw(r); });
  held.resize(std::min(held.size(), n));
  return held;
}

int sample(const std::string& path, const std::vector<std::string>& named_tables) {
  std::string out =
      "accelerator,operation,dtype,held_out_by,m,n,k,batch,seq_len,heads,kv_heads,head_dim,"
      "microseconds\n";
  const auto how = [](HeldOut h) { return h == HeldOut::by_shape ? "shape" : "group"; };
  for (const std::string& entry : named_tables) {
    const std::size_t equals = entry.find('=');
    const std::string name = entry.substr(0, equals);
    const KernelTable table = load_table(entry.substr(equals + 1));
    for (const auto& [dtype, n] : {std::pair{"bf16", kSampleOfGemm}, {"fp8", kSampleOfFp8}}) {
      for (const GemmRow& r : sample(table.gemm, n, [&, d = dtype](const GemmRow& row) {
             return row.m >= kLarge && row.dtype == d;
           })) {
        out += fmt::format("{},gemm,{},{},{},{},{},,,,,,{:.4g}\n", name, r.dtype, how(held_out(r)),
                           r.m, r.n, r.k, r.time.in(Seconds(1e-6)));
      }
    }
    for (const AttentionRow& r :
         sample(table.attention, kSampleOfAttention,
                [](const AttentionRow& row) { return row.length >= kLarge; })) {
      out += fmt::format("{},attention,{},{},,,,{},{},{},{},{},{:.4g}\n", name, r.dtype,
                         how(held_out(r)), r.batch, r.length, r.heads, r.kv_heads, r.head_dim,
                         r.time.in(Seconds(1e-6)));
    }
  }
  write_file(path, out);
  return 0;
}

/// Of attention long and wide enough to fill the cores, what is timed beside it taken off: the mean
/// logarithm of predicted over measured, which the rate must gain.
int latent(const std::vector<std::string>& named_tables) {
  constexpr std::int64_t kLong = 1024, kWide = 16;
  double sum = 0, count = 0;
  for (const std::string& entry : named_tables) {
    const std::size_t equals = entry.find('=');
    const Accelerator a = load_accelerator(entry.substr(0, equals));
    double own = 0, rows = 0;
    for (const LatentRow& r : load_table(entry.substr(equals + 1)).latent) {
      if (r.length < kLong || r.batch * r.heads < kWide) continue;
      const Seconds other = beside(r, a);
      const auto predicted = predict(r, a);
      if (!predicted || !(r.time > other)) continue;
      own += std::log((*predicted - other) / (r.time - other));
      rows += 1;
    }
    if (rows > 0) fmt::print("{}: {} rows, {:.3f}\n", a.name, rows, std::exp(own / rows));
    sum += own;
    count += rows;
  }
  if (count > 0) fmt::print("all: {} rows, {:.3f}\n", count, std::exp(sum / count));
  return 0;
}

/// The rate reached is the most that the accelerator's table holds.
RooflineSubject roofline_subject(const std::string& named_table) {
  const std::size_t equals = named_table.find('=');
  RooflineSubject s{load_accelerator(named_table.substr(0, equals)), {}, {}, {}};
  const GemmFit& fit = s.accelerator.gemm.at(Precision::bf16)->fit();
  s.reached = fit.peak * fit.ceiling;
  for (const GemmRow& r : load_table(named_table.substr(equals + 1)).gemm) {
    if (r.dtype != name(Precision::bf16) || r.m < kLarge) continue;
    (held_out(r) == HeldOut::no ? s.fitted : s.held_out).push_back(r);
  }
  return s;
}

void show(const std::string& what, const GemmRooflineShape& s) {
  fmt::print(
      "{}: tiles of 128 x 128 {:.3f}, 128 x 64 {:.3f}, 64 x 64 {:.3f}, ramp {:.4g}, quantisation "
      "{:.3f}, memory {:.3f}, split {:.3f} us\n",
      what, s.square, s.narrow, s.least, s.ramp, s.quantisation, s.memory,
      s.split_cost.in(Seconds(1e-6)));
}

int roofline(const std::vector<std::string>& named_tables) {
  std::vector<RooflineSubject> subjects;
  for (const std::string& entry : named_tables) subjects.push_back(roofline_subject(entry));
  const GemmRooflineShape all = fit_gemm_shape(subjects);
  show("all", all);
  for (std::size_t i = 0; subjects.size() > 1 && i < subjects.size(); ++i) {
    const RooflineSubject& unseen = subjects[i];
    std::vector<RooflineSubject> others = subjects;
    others.erase(others.begin() + static_cast<std::ptrdiff_t>(i));
    const GemmRooflineShape shape = fit_gemm_shape(others);
    show("without " + unseen.accelerator.name, shape);
    const ErrorSummary seen = roofline_errors(unseen, unseen.held_out, all);
    const ErrorSummary e = roofline_errors(unseen, unseen.held_out, shape);
    fmt::print(
        "  {} rows held out: fitted with it median {:.1f} %, without it median {:.1f} %, "
        "mean {:.1f} %, p95 {:.0f} %\n",
        e.count, 100 * seen.median, 100 * e.median, 100 * e.mean, 100 * e.p95);
  }
  return 0;
}

int run(const std::vector<std::string>& arguments) {
  const std::string command = arguments.empty() ? std::string() : arguments[0];
  if (command == "surface" && arguments.size() >= 4) {
    return surface(arguments[1], arguments[2], {arguments.begin() + 3, arguments.end()});
  }
  if (command == "power" && arguments.size() == 3) return power(arguments[1], arguments[2]);
  if (command == "latent" && arguments.size() >= 2) {
    return latent({arguments.begin() + 1, arguments.end()});
  }
  if (command == "roofline" && arguments.size() >= 3) {
    return roofline({arguments.begin() + 1, arguments.end()});
  }
  if (command == "sample" && arguments.size() >= 3) {
    return sample(arguments[1], {arguments.begin() + 2, arguments.end()});
  }
  fmt::print(stderr,
             "usage: fit_surfaces surface NAME OUT.json TABLE.csv...\n"
             "       fit_surfaces power NAME SUSTAINED.csv\n"
             "       fit_surfaces latent NAME=TABLE.csv...\n"
             "       fit_surfaces roofline NAME=TABLE.csv NAME=TABLE.csv...\n"
             "       fit_surfaces sample OUT.csv NAME=TABLE.csv...\n");
  return static_cast<int>(ExitCode::usage);
}

}  // namespace

int main(int argc, char** argv) {
  return report_errors([&] { return run({argv + 1, argv + argc}); });
}
