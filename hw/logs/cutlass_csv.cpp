#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <cmath>
#include <map>
#include <optional>
#include <set>
#include <tuple>

#include "hw/csv.h"
#include "hw/logs/log_readers.h"
#include "hw/logs/log_text.h"

namespace forerun::hw {
namespace {

/// Columns print six digits.
constexpr double kSlack = 2e-3;

constexpr std::array<std::pair<std::string_view, Precision>, 6> kTypes = {{
    {"bf16", Precision::bf16},
    {"f16", Precision::fp16},
    {"tf32", Precision::tf32},
    {"f32", Precision::fp32},
    {"e4m3", Precision::fp8},
    {"e5m2", Precision::fp8},
}};

/// The format of a kernel's inputs; none for conversions inside the kernel (32-bit inputs rounded
/// to 16 bit), whose traffic is another's.
std::optional<Precision> precision_of(const std::string& operand, const std::string& operation) {
  const std::string type = operand.substr(0, operand.find(':'));
  const auto at = std::ranges::find(kTypes, type, &std::pair<std::string_view, Precision>::first);
  if (at == kTypes.end()) return std::nullopt;
  if (at->second != Precision::fp32) return at->second;
  if (contains_word(operation, "tf32gemm")) return Precision::tf32;
  if (contains_word(operation, "simt")) return Precision::fp32;
  return std::nullopt;
}

class CutlassReader {
 public:
  CutlassReader(std::string_view text, const std::string& file, Problems& problems)
      : problems_(problems) {
    log_.tool = LogTool::cutlass_csv;
    log_.file = file;
    csv_ = Csv::parse(text, own_);
    if (!text.ends_with('\n') && csv_.rows() > 0 && own_.empty()) {
      log_.notes.emplace_back("the last line has no end: perhaps cut off");
    }
  }

  ToolLog read() {
    constexpr std::array kNeeded = {"OperationKind", "Operation", "Status", "m", "n", "k", "A", "B",
                                    "Flops",         "Runtime",   "GFLOPs"};
    for (const char* name : kNeeded) {
      const auto at = std::ranges::find(csv_.columns(), name);
      if (at == csv_.columns().end()) {
        problems_.add(log_.file, fmt::format("column {} is missing", name));
        return std::move(log_);
      }
      column_[name] = static_cast<std::size_t>(at - csv_.columns().begin());
    }
    for (std::size_t row = 0; row < csv_.rows(); ++row) take(row);
    for (const auto& [key, best] : fastest_) log_.gemms.push_back(best);
    notes();
    for (const Problem& p : own_.list()) {
      std::string where = p.where;
      if (where.starts_with("line ")) where.erase(0, 5);
      problems_.add(text({log_.file, where}), p.what);
    }
    return std::move(log_);
  }

 private:
  using Key = std::tuple<Precision, std::int64_t, std::int64_t, std::int64_t, std::int64_t>;

  void take(std::size_t row) {
    const auto cell = [&](const char* name) -> const std::string& {
      return csv_.text(row, column_.at(name));
    };
    if (cell("OperationKind") != "gemm") {
      ++others_;
      return;
    }
    if (cell("Status") != "success") {
      ++failed_;
      return;
    }
    const auto precision = precision_of(cell("A"), cell("Operation"));
    if (!precision ||
        cell("A").substr(0, cell("A").find(':')) != cell("B").substr(0, cell("B").find(':'))) {
      unknown_.insert(cell("Operation"));
      return;
    }
    TimedGemm t;
    t.gemm.precision = *precision;
    t.gemm.m = csv_.integer(row, column_["m"], 1, own_);
    t.gemm.n = csv_.integer(row, column_["n"], 1, own_);
    t.gemm.k = csv_.integer(row, column_["k"], 1, own_);
    if (const auto at = std::ranges::find(csv_.columns(), "batch_count");
        at != csv_.columns().end()) {
      t.gemm.batch =
          csv_.integer(row, static_cast<std::size_t>(at - csv_.columns().begin()), 1, own_);
    }
    const double ms = csv_.number(row, column_["Runtime"], 0, own_);
    const double gflops = csv_.number(row, column_["GFLOPs"], 0, own_);
    const double operations = csv_.number(row, column_["Flops"], 0, own_);
    if (!own_.empty()) return;
    if (!check(row, t.gemm, ms, gflops, operations)) return;
    t.time = Seconds(ms * 1e-3);
    // The header is line 1 and no line is left out without a problem.
    t.place = {log_.file, fmt::format("{}", row + 2)};
    const Key key{t.gemm.precision, t.gemm.m, t.gemm.n, t.gemm.k, t.gemm.batch};
    const auto [at, added] = fastest_.emplace(key, t);
    if (!added) ++slower_;
    if (!added && t.time < at->second.time) at->second = t;
  }

  /// FLOPs are 2 m n k + 2 m n a product, the rate FLOPs over run time.
  bool check(std::size_t row, const Gemm& g, double ms, double gflops, double operations) {
    if (ms <= 0) {
      csv_.refuse(row, column_["Runtime"], "a run time of 0 ms", own_);
      return false;
    }
    const double expected = flops(Kernel(g)).base() + 2.0 * static_cast<double>(g.m) *
                                                          static_cast<double>(g.n) *
                                                          static_cast<double>(g.batch);
    if (std::abs(operations / expected - 1) > kSlack) {
      csv_.refuse(row, column_["Flops"],
                  fmt::format("{} operations, but {} x {} x {} have {:.0f}", operations, g.m, g.n,
                              g.k, expected),
                  own_);
      return false;
    }
    const double rate = operations / (ms * 1e-3) / 1e9;
    if (std::abs(rate / gflops - 1) > kSlack) {
      const double off = rate / gflops;
      csv_.refuse(row, column_["Runtime"],
                  fmt::format("{} ms give {:.6g} GFLOP/s, the row says {}{}", ms, rate, gflops,
                              off > 990 && off < 1010          ? ": as if the run time were in s"
                              : off > 0.99e-3 && off < 1.01e-3 ? ": as if the run time were in us"
                                                               : ""),
                  own_);
      return false;
    }
    return true;
  }

  void notes() {
    if (slower_ > 0) {
      log_.notes.push_back(
          fmt::format("{} slower kernels of the same shape and format left out", slower_));
    }
    if (failed_ > 0) log_.notes.push_back(fmt::format("{} rows did not run", failed_));
    if (others_ > 0) log_.notes.push_back(fmt::format("{} rows are no matrix products", others_));
    if (!unknown_.empty()) {
      log_.notes.push_back(
          fmt::format("{} kernels convert their inputs or have formats that "
                      "profiles do not have (first: {})",
                      unknown_.size(), *unknown_.begin()));
    }
  }

  Problems& problems_;
  Problems own_;
  ToolLog log_;
  Csv csv_;
  std::map<std::string, std::size_t> column_;
  std::map<Key, TimedGemm> fastest_;
  std::set<std::string> unknown_;
  std::size_t slower_ = 0, failed_ = 0, others_ = 0;
};

}  // namespace

ToolLog read_cutlass_csv(std::string_view text, const std::string& file, Problems& problems) {
  return CutlassReader(text, file, problems).read();
}

}  // namespace forerun::hw
