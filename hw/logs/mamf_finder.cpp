#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <cmath>
#include <map>
#include <optional>
#include <tuple>

#include "hw/logs/log_readers.h"
#include "hw/logs/log_text.h"

namespace forerun::hw {
namespace {

constexpr std::array<std::pair<std::string_view, Precision>, 5> kDtypes = {{
    {"bfloat16", Precision::bf16},
    {"float16", Precision::fp16},
    {"float8_e4m3fn", Precision::fp8},
    {"float8_e5m2", Precision::fp8},
    {"float32", Precision::fp32},
}};

/// Of a matrix, far above what fits into a device.
constexpr std::int64_t kMostSize = std::int64_t{1} << 30;

/// Which table of version 3 a row belongs to.
enum class Part : std::uint8_t { none, grid, recall, sustained, burst, results };

class MamfReader {
 public:
  MamfReader(const std::string& file, Problems& problems) : problems_(problems) {
    log_.tool = LogTool::mamf_finder;
    log_.file = file;
  }

  ToolLog read(std::string_view text) {
    for (const LogLine& line : log_lines(text)) {
      // Progress overwrites itself in a terminal: one line of the file, ended by carriage returns.
      std::string_view rest = line.text;
      while (!rest.empty()) {
        const std::size_t end = rest.find('\r');
        take(line, rest.substr(0, end));
        rest.remove_prefix(end == rest.npos ? rest.size() : end + 1);
      }
    }
    finish();
    return std::move(log_);
  }

 private:
  using Shape = std::tuple<std::int64_t, std::int64_t, std::int64_t>;

  void take(const LogLine& line, std::string_view s) {
    const std::vector<std::string_view> w = words(s);
    if (w.empty()) return;
    facts(s, w);
    if (s.starts_with("Grid search")) part_ = Part::grid;
    if (s.starts_with("MAMF recall")) part_ = Part::recall;
    if (s.starts_with("MSMF (sustainable) confirm")) part_ = Part::sustained;
    if (s.starts_with("MAMF (achievable) confirm")) part_ = Part::burst;
    if (s.starts_with("** Results") || w[0] == "Tried") part_ = Part::results;
    if (w[0] == "Tried") closed_ = true;
    if (contains_word(s, "(mean)") && contains_word(s, "(median)")) {
      progress(line, w);
    } else if (contains_word(s, "TFLOPS @ ")) {
      result(line, s, w);
    } else {
      row(line, w);
    }
  }

  void facts(std::string_view s, const std::vector<std::string_view>& w) {
    const std::size_t dtype = s.find("Dtype: torch.");
    if (dtype != s.npos) {
      const std::vector<std::string_view> after = words(s.substr(dtype + 13));
      told(after.empty() ? std::string_view{} : after.front());
    }
    const auto flag = std::ranges::find(w, "--dtype");
    if (flag != w.end() && flag + 1 != w.end() && !precision_) told(flag[1]);
    if (s.starts_with("benchmark version: ")) log_.version = shown_word(w.back());
    if (const std::size_t name = s.find("name='"); name != s.npos) {
      log_.device = shown_word(s.substr(name + 6, s.substr(name + 6).find('\'')));
    }
    if (const std::size_t count = s.find("multi_processor_count="); count != s.npos) {
      const std::string_view number = s.substr(count + 22);
      log_.multiprocessors = integer_in(number.substr(0, number.find_first_of(",)")));
    }
  }

  void told(std::string_view dtype) {
    const auto at =
        std::ranges::find(kDtypes, dtype, &std::pair<std::string_view, Precision>::first);
    if (at != kDtypes.end()) {
      precision_ = at->second;
    } else {
      problems_.add(log_.file,
                    fmt::format("dtype {}: not one that profiles have", shown_word(dtype)));
    }
  }

  /// Version 2: "2916 | 25.6(mean) 25.6(median) 25.8(max) @ MxNxK | best: ..."
  void progress(const LogLine& line, const std::vector<std::string_view>& w) {
    const auto at = std::ranges::find(w, "@");
    const auto median =
        std::ranges::find_if(w, [](std::string_view word) { return word.ends_with("(median)"); });
    if (at == w.end() || at + 1 == w.end() || median == w.end() || median > at) {
      refuse(line, "a progress line that is cut off");
      return;
    }
    add(line, at[1], median->substr(0, median->size() - 8), false);
  }

  /// "median: 35.1 TFLOPS @ 15360x3072x1024 (MxNxK)", "MAMF (max ...): 842 TFLOPS @ ..."
  void result(const LogLine& line, std::string_view s, const std::vector<std::string_view>& w) {
    const auto unit = std::ranges::find(w, "TFLOPS");
    if (unit == w.begin() || unit == w.end() || w.end() - unit < 3) {
      refuse(line, "a result without rate or shape: cut off");
      return;
    }
    swapped_ = contains_word(s, "(MxKxN)");
    const bool whole = unit[-1].find('.') == unit[-1].npos;
    if (w[0] == "median:") add(line, unit[2], unit[-1], false);
    if (w[0] == "mean:") mean_ = number_in(unit[-1]);
    if (w[0] == "max:") {
      const auto most = number_in(unit[-1]);
      if (most && mean_ && *most < *mean_) {
        refuse(line, fmt::format("max {} is below the mean {}", *most, *mean_));
      }
    }
    // The tables above hold the same with more digits; alone, the results are what there is.
    if (w[0] == "MAMF" && whole && !seen_burst_) add(line, unit[2], unit[-1], false);
    if (w[0] == "MSMF" && whole && !seen_sustained_) add(line, unit[2], unit[-1], true);
    check_result(line, w[0] == "MSMF", unit[2], unit[-1]);
  }

  /// A result must be a row of its table, rounded.
  void check_result(const LogLine& line, bool sustained, std::string_view shape,
                    std::string_view rate) {
    const auto value = number_in(rate);
    const auto row = tables_.find({std::string(shape), sustained});
    if (!value || row == tables_.end() || part_ != Part::results) return;
    if (std::abs(row->second - *value) > 0.51) {
      refuse(line,
             fmt::format("{} TFLOPS @ {}, but the table above has {}", *value, shape, row->second));
    }
  }

  /// Version 3's tables: an optional index, the shape, then rates.
  void row(const LogLine& line, const std::vector<std::string_view>& w) {
    std::size_t first = 0;
    if (w.size() > 1 && integer_in(w[0]) && shape_in(w[1])) first = 1;
    if (!shape_in(w[first])) return;
    const std::size_t column = part_ == Part::grid ? first + 2 : first + 1;
    if (part_ == Part::none || part_ == Part::results || part_ == Part::recall) return;
    if (w.size() <= column) {
      refuse(line, "a row that is cut off");
      return;
    }
    const bool sustained = part_ == Part::sustained;
    add(line, w[first], w[column], sustained);
    if (part_ == Part::grid) return;
    (sustained ? seen_sustained_ : seen_burst_) = true;
    if (const auto rate = number_in(w[column])) tables_[{std::string(w[first]), sustained}] = *rate;
  }

  void add(const LogLine& line, std::string_view shape_word, std::string_view rate_word,
           bool sustained) {
    const auto shape = shape_in(shape_word);
    const auto rate = number_in(rate_word);
    if (!shape || shape->first <= 0 || shape->second <= 0 || shape->third <= 0) {
      refuse(line, fmt::format("shape {}: expected MxNxK", shown_word(shape_word)));
    } else if (std::max({shape->first, shape->second, shape->third}) > kMostSize) {
      refuse(line, fmt::format("shape {}: expected sizes of at most {}", shown_word(shape_word),
                               kMostSize));
    } else if (!rate || *rate <= 0) {
      refuse(line, fmt::format("{} TFLOPS: expected a number above zero", shown_word(rate_word)));
    } else {
      TimedGemm t;
      t.gemm.m = shape->first;
      t.gemm.n = swapped_ ? shape->third : shape->second;
      t.gemm.k = swapped_ ? shape->second : shape->third;
      t.sustained = sustained;
      t.time = flops(Kernel(t.gemm)) / FlopRate(*rate * 1e12);
      t.place = {log_.file, fmt::format("{}", line.number)};
      log_.gemms.push_back(t);
    }
  }

  void refuse(const LogLine& line, std::string what) {
    problems_.add(text({log_.file, fmt::format("{}", line.number)}), std::move(what));
  }

  void finish() {
    if (!closed_) {
      problems_.add(log_.file, "the results (\"Tried N shapes\") are missing: the log was cut off");
    }
    if (!precision_) {
      log_.notes.emplace_back("the format is not told: bfloat16, mamf-finder's default, is taken");
    }
    for (TimedGemm& t : log_.gemms) t.gemm.precision = precision_.value_or(Precision::bf16);
  }

  Problems& problems_;
  ToolLog log_;
  Part part_ = Part::none;
  std::optional<Precision> precision_;
  std::optional<double> mean_;
  std::map<std::pair<std::string, bool>, double> tables_;
  bool closed_ = false, swapped_ = false, seen_burst_ = false, seen_sustained_ = false;
};

}  // namespace

ToolLog read_mamf_finder(std::string_view text, const std::string& file, Problems& problems) {
  return MamfReader(file, problems).read(text);
}

}  // namespace forerun::hw
