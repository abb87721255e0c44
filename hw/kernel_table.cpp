#include "hw/kernel_table.h"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <array>
#include <cmath>
#include <functional>
#include <utility>

#include "core/error.h"
#include "hw/attention_surface.h"
#include "hw/csv.h"
#include "hw/error_summary.h"
#include "hw/gemm_surface.h"
#include "hw/kernel_time.h"
#include "hw/power.h"
#include "hw/scale_up.h"

namespace forerun::hw {

namespace {

struct Header {
  TableKind kind;
  std::vector<std::string> columns;
};

const std::array<Header, 6>& headers() {
  static const std::array<Header, 6> table = {{
      {TableKind::gemm, {"m", "n", "k", "dtype", "latency_us"}},
      {TableKind::gemm_sustained, {"m", "n", "k", "dtype", "latency_us", "power_w"}},
      {TableKind::attention,
       {"batch", "seq_len", "heads", "kv_heads", "head_dim", "causal", "dtype", "latency_us"}},
      {TableKind::mla,
       {"batch", "seq_len", "heads", "qk_head_dim", "v_head_dim", "causal", "dtype", "latency_us"}},
      {TableKind::moe,
       {"tokens", "hidden", "inter", "experts", "topk", "tp", "ep", "gated", "distribution",
        "dtype", "latency_us"}},
      {TableKind::nccl, {"op", "dtype", "gpus", "bytes", "latency_us"}},
  }};
  return table;
}

std::optional<Precision> precision_named(std::string_view dtype) {
  for (const Precision p :
       {Precision::fp32, Precision::tf32, Precision::bf16, Precision::fp16, Precision::fp8,
        Precision::mxfp8, Precision::nvfp4, Precision::fp8_block}) {
    if (name(p) == dtype) return p;
  }
  return std::nullopt;
}

/// A latency of zero would be a division by zero later.
constexpr double kLeastMicroseconds = 1e-6;

Seconds latency(const Csv& csv, std::size_t row, std::size_t column, Problems& problems) {
  return Seconds(csv.number(row, column, kLeastMicroseconds, problems) * 1e-6);
}

void read_row(const Csv& csv, std::size_t i, KernelTable& table, Problems& problems) {
  const auto count = [&](std::size_t column) { return csv.integer(i, column, 1, problems); };
  switch (table.kind) {
    case TableKind::gemm:
    case TableKind::gemm_sustained: {
      GemmRow row{count(0), count(1), count(2), csv.text(i, 3), latency(csv, i, 4, problems), {}};
      if (table.kind == TableKind::gemm_sustained) {
        row.power = Watts(csv.number(i, 5, 0, problems));
      }
      table.gemm.push_back(std::move(row));
      return;
    }
    case TableKind::attention:
      table.attention.push_back({count(0), count(1), count(2), count(3), count(4),
                                 csv.integer(i, 5, 0, problems) != 0, csv.text(i, 6),
                                 latency(csv, i, 7, problems)});
      return;
    case TableKind::mla:
      table.latent.push_back({count(0), count(1), count(2), count(3), count(4),
                              csv.integer(i, 5, 0, problems) != 0, csv.text(i, 6),
                              latency(csv, i, 7, problems)});
      return;
    case TableKind::moe:
      table.experts.push_back({count(0), count(1), count(2), count(3), count(4), count(5), count(6),
                               csv.integer(i, 7, 0, problems) != 0, csv.text(i, 8) == "balanced",
                               csv.text(i, 9), latency(csv, i, 10, problems)});
      return;
    case TableKind::nccl: {
      const auto kind = collective_named(csv.text(i, 0));
      if (!kind) {
        csv.refuse(i, 0, fmt::format("no collective \"{}\"", csv.text(i, 0)), problems);
        return;
      }
      table.collectives.push_back({*kind, csv.text(i, 1), count(2),
                                   Bytes(static_cast<double>(count(3))),
                                   latency(csv, i, 4, problems)});
      return;
    }
  }
}

/// Collects errors by (operation, dtype), in the order of first appearance.
class Scores {
 public:
  void add(const std::string& operation, const std::string& dtype, Seconds measured,
           std::optional<Seconds> predicted, const std::string& why_not) {
    Entry& e = entry(operation, dtype);
    ++e.score.rows;
    if (predicted) {
      e.errors.push_back(*predicted / measured - 1);
    } else {
      e.score.note = why_not;
    }
  }
  std::vector<TableScore> finish() {
    std::vector<TableScore> scores;
    for (Entry& e : entries_) {
      const ErrorSummary s = summary(std::move(e.errors));
      e.score.predicted = s.count;
      e.score.median = s.median;
      e.score.mean = s.mean;
      e.score.p95 = s.p95;
      scores.push_back(std::move(e.score));
    }
    return scores;
  }

 private:
  struct Entry {
    TableScore score;
    std::vector<double> errors;
  };

  Entry& entry(const std::string& operation, const std::string& dtype) {
    const auto found = std::ranges::find_if(entries_, [&](const Entry& e) {
      return e.score.operation == operation && e.score.dtype == dtype;
    });
    if (found != entries_.end()) return *found;
    Entry& e = entries_.emplace_back();
    e.score.operation = operation;
    e.score.dtype = dtype;
    return e;
  }

  std::vector<Entry> entries_;
};

}  // namespace

std::string_view name(TableKind kind) {
  switch (kind) {
    case TableKind::gemm:
      return "gemm";
    case TableKind::gemm_sustained:
      return "gemm_sustained";
    case TableKind::attention:
      return "attention";
    case TableKind::mla:
      return "mla";
    case TableKind::moe:
      return "moe";
    case TableKind::nccl:
      return "nccl";
  }
  FORERUN_ASSERT(false, fmt::format("table kind {}", static_cast<int>(kind)));
}

std::optional<KernelTable> read_kernel_table(std::string_view text, Problems& problems) {
  const std::size_t before = problems.list().size();
  const Csv csv = Csv::parse(text, problems);
  KernelTable table;
  const auto header = std::ranges::find(headers(), csv.columns(), &Header::columns);
  if (header == headers().end()) {
    problems.add("line 1", fmt::format("columns of no known table: {}; expected those of gemm, "
                                       "gemm_sustained, attention, mla, moe or nccl",
                                       fmt::join(csv.columns(), ",")));
    return std::nullopt;
  }
  table.kind = header->kind;
  for (std::size_t i = 0; i < csv.rows(); ++i) read_row(csv, i, table, problems);
  if (csv.rows() == 0) problems.add("line 2", "expected at least one row");
  if (problems.list().size() != before) return std::nullopt;
  return table;
}

Attention attention_of(const AttentionRow& row, AttentionKernel kernel) {
  Attention a;
  a.kernel = kernel;
  a.batch = row.batch;
  a.queries = a.keys = row.length;
  a.heads = row.heads;
  a.kv_heads = row.kv_heads;
  a.head_dim = row.head_dim;
  a.causal = row.causal;
  return a;
}

std::optional<Seconds> predict(const GemmRow& row, const Accelerator& accelerator) {
  const auto precision = precision_named(row.dtype);
  if (!precision || !accelerator.gemm.contains(*precision)) return std::nullopt;
  const KernelTime time = kernel_time(Gemm{row.m, row.n, row.k, *precision}, accelerator);
  return time.time + accelerator.gemm.at(*precision)->cast(row.m, row.k);
}

std::optional<Seconds> predict_sustained(const GemmRow& row, const Accelerator& accelerator) {
  const auto precision = precision_named(row.dtype);
  if (!precision || !accelerator.gemm.contains(*precision)) return std::nullopt;
  const Kernel kernel = Gemm{row.m, row.n, row.k, *precision};
  const KernelTime time = kernel_time(kernel, accelerator);
  const PowerWindow window{flops(kernel) * energy_weight(*precision), traffic(kernel),
                           time.compute_bound, time.time - time.compute_bound};
  return at_clock(time, sustained_clock(accelerator.power, window)) +
         accelerator.gemm.at(*precision)->cast(row.m, row.k);
}

std::optional<AttentionKernel> tabled_attention(const Accelerator& accelerator) {
  for (const auto& [kernel, surface] : accelerator.attention) {
    if (surface->fit().tabled) return kernel;
  }
  return std::nullopt;
}

std::optional<Seconds> predict(const AttentionRow& row, const Accelerator& accelerator) {
  const auto kernel = tabled_attention(accelerator);
  if (!kernel || row.dtype != "bf16") return std::nullopt;
  return kernel_time(attention_of(row, *kernel), accelerator).time +
         accelerator.attention.at(*kernel)->cache_write(row.batch * row.length, row.kv_heads,
                                                        row.head_dim);
}

Seconds beside(const LatentRow& row, const Accelerator& accelerator) {
  const double heads = static_cast<double>(row.batch * row.length * row.heads);
  const auto rotated =
      static_cast<double>(std::max<std::int64_t>(0, row.head_dim - row.v_head_dim));
  // 16 bit: of every query head the rotated part read and written, of every key head it is written.
  return kernel_time(MemoryBound{Bytes(2 * heads * rotated), Bytes(4 * heads * rotated)},
                     accelerator)
      .time;
}

std::optional<Seconds> predict(const LatentRow& row, const Accelerator& accelerator) {
  const auto kernel = tabled_attention(accelerator);
  if (!kernel || row.dtype != "bf16") return std::nullopt;
  Attention a = attention_of(
      {row.batch, row.length, row.heads, row.heads, row.head_dim, row.causal, row.dtype, row.time},
      *kernel);
  a.v_head_dim = row.v_head_dim;
  return kernel_time(a, accelerator).time + beside(row, accelerator);
}

std::optional<Seconds> predict(const ExpertsRow& row, const Accelerator& accelerator) {
  const auto precision = precision_named(row.dtype);
  if (!row.balanced || !precision || !accelerator.gemm.contains(*precision)) return std::nullopt;
  const auto real = [](std::int64_t n) { return static_cast<double>(n); };
  const double rows = real(row.tokens) * real(row.top_k) / real(row.expert);
  const double outputs = std::min(rows, real(row.tokens));
  const double h = real(row.hidden), element = bytes_per_element(*precision);
  const std::int64_t width = std::max<std::int64_t>(1, row.ffn / row.tensor);
  GroupedGemm product;
  product.groups = std::max<std::int64_t>(1, row.experts / row.expert);
  product.rows = rows;
  product.precision = *precision;
  Seconds time{};
  const auto add = [&](const Kernel& k) { time += kernel_time(k, accelerator).time; };
  const auto move = [&](double read, double written) {
    add(MemoryBound{Bytes(read), Bytes(written)});
  };
  move(4.0 * real(row.tokens) * real(row.experts), 8.0 * real(row.tokens) * real(row.top_k));
  move(2.0 * rows * h, element * rows * h);
  product.n = (row.gated ? 2 : 1) * width;
  product.k = row.hidden;
  add(product);
  move(2.0 * rows * real(product.n), element * rows * real(width));
  product.n = row.hidden;
  product.k = width;
  add(product);
  move(2.0 * rows * h, 2.0 * outputs * h);
  return time;
}

std::vector<TableScore> score(const KernelTable& table, const Accelerator& accelerator,
                              const Network* network) {
  Scores scores;
  const std::string operation(name(table.kind));
  for (const GemmRow& row : table.gemm) {
    scores.add(operation, row.dtype, row.time,
               table.kind == TableKind::gemm ? predict(row, accelerator)
                                             : predict_sustained(row, accelerator),
               fmt::format("{} has no products in {}", accelerator.name, row.dtype));
  }
  for (const AttentionRow& row : table.attention) {
    scores.add(
        operation, row.dtype, row.time, predict(row, accelerator),
        fmt::format("{} has no attention kernel fitted to {} tables", accelerator.name, row.dtype));
  }
  for (const LatentRow& row : table.latent) {
    scores.add(
        operation, row.dtype, row.time, predict(row, accelerator),
        fmt::format("{} has no attention kernel fitted to {} tables", accelerator.name, row.dtype));
  }
  for (const ExpertsRow& row : table.experts) {
    scores.add(operation, row.dtype, row.time, predict(row, accelerator),
               row.balanced ? fmt::format("{} has no products in {}", accelerator.name, row.dtype)
                            : "the rows of the most loaded accelerator are not recorded");
  }
  for (const CollectiveRow& row : table.collectives) {
    std::optional<Seconds> time;
    if (network != nullptr) {
      time = collective_time(row.kind, row.bytes, Group{row.ranks, row.ranks, 1}, *network).time;
    }
    scores.add(std::string(name(row.kind)), row.dtype, row.time, time,
               "collectives need a network profile");
  }
  return scores.finish();
}

}  // namespace forerun::hw
