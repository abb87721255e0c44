#include <fmt/format.h>

#include <algorithm>
#include <optional>

#include "hw/logs/log_readers.h"
#include "hw/logs/log_text.h"
#include "hw/logs/nccl_rows.h"

namespace forerun::hw {
namespace {

/// Where the columns of the two sides lie, counted from the end of a row: what stands before them
/// (reduction, root) is blank in some versions.
struct Columns {
  std::size_t side = 0;    ///< columns of one side
  std::size_t before = 0;  ///< columns before the first
  bool has_root = false;
};

class TextReader {
 public:
  TextReader(const std::string& file, Problems& problems) : problems_(problems) {
    run_.file = log_.file = file;
    log_.tool = LogTool::nccl_tests_text;
  }

  ToolLog read(std::string_view text) {
    for (const LogLine& line : log_lines(text)) {
      if (stopped_) break;
      take(line);
    }
    finish();
    return std::move(log_);
  }

 private:
  void take(const LogLine& line) {
    std::string_view s = line.text;
    if (columns_ && !closed_ && is_cut_prefix(line)) return cut_off(line);
    const std::vector<std::string_view> w = words(s);
    if (w.empty()) return;
    if (contains_word(s, "_perf")) name_program(s);
    if (w.front().starts_with('#')) {
      comment(line, w);
    } else if (columns_ && w.size() >= 2 && integer_in(w[0]) && integer_in(w[0]) >= 0 &&
               w.size() >= 3 && s.front() != '[') {
      prefix_ = line.prefix;
      row(line, w);
    } else if (columns_ && !closed_ && begins_with_digit(w[0])) {
      if (!line.ended) return cut_off(line);
      refuse(line, fmt::format("{}: no row of the table, which begins with size and count",
                               shown_word(w[0])));
    }
  }

  static bool begins_with_digit(std::string_view word) {
    return word.front() >= '0' && word.front() <= '9';
  }

  /// The last line holds no more than a part of what the launcher wrote before the rows.
  [[nodiscard]] bool is_cut_prefix(const LogLine& line) const {
    if (line.ended || prefix_.empty()) return false;
    if (!line.prefix.empty()) return words(line.text).empty();
    return !line.text.empty() && prefix_.starts_with(line.text);
  }

  void comment(const LogLine& line, const std::vector<std::string_view>& w) {
    const auto at = [&](std::string_view word) { return std::ranges::find(w, word) != w.end(); };
    if (at("size") && at("count") && at("time")) {
      header(line, w);
    } else if (at("(us)") || at("(B)") || at("(ms)") || at("(ns)") || at("(s)")) {
      units(line, w);
    } else if (w.size() > 2 && w[1] == "Rank" && integer_in(w[2])) {
      rank(line, *integer_in(w[2]));
    } else if (contains_word(line.text, "Out of bounds") || contains_word(line.text, "Avg bus")) {
      closed_ = true;
    } else if (at("maxBytes")) {
      const auto value = std::ranges::find(w, "maxBytes") + 1;
      if (value != w.end()) announced_ = integer_in(*value);
    }
  }

  void name_program(std::string_view s) {
    if (run_.told) return;
    run_.told = collective_told(s);
    for (const std::string_view other :
         {" reduce_perf", "/reduce_perf", "gather_perf", "scatter_perf", "hypercube_perf"}) {
      run_.other_program = run_.other_program || (!run_.told && contains_word(s, other));
    }
  }

  void header(const LogLine& line, const std::vector<std::string_view>& w) {
    if (columns_) {
      refuse(line, "a second table begins: one run a file, so that ranks and operation are one");
      return;
    }
    const auto time = std::ranges::find(w, "time");
    const auto again = std::find(time + 1, w.end(), "time");
    Columns c;
    c.side = static_cast<std::size_t>(again - time);
    // The first word is the comment sign.
    c.before = static_cast<std::size_t>(time - w.begin()) - 1;
    c.has_root = std::find(w.begin(), time, "root") != time;
    if (c.side < 3 || time[1] != "algbw" || time[2] != "busbw") {
      refuse(line,
             "the columns are not time, algbw and busbw: a version of nccl-tests that is not "
             "known");
      return;
    }
    columns_ = c;
  }

  void units(const LogLine& line, const std::vector<std::string_view>& w) {
    for (const std::string_view unit : w) {
      if (unit == "#" || unit == "(B)" || unit == "(elements)" || unit == "(us)" ||
          unit == "(GB/s)" || unit == "(%)") {
        continue;
      }
      refuse(line, fmt::format("unit {}: nccl-tests prints (us) and (GB/s)", shown_word(unit)));
      return;
    }
  }

  void rank(const LogLine& line, std::int64_t number) {
    if (number < 0 || number >= kMostRanks) {
      refuse(line, fmt::format("rank {}: expected 0 to {}", number, kMostRanks - 1));
      return;
    }
    run_.listed_ranks = std::max(run_.listed_ranks, number + 1);
    const std::size_t bracket = line.text.rfind(']');
    if (!log_.device.empty() || bracket == std::string_view::npos) return;
    const std::string_view name = line.text.substr(bracket + 1);
    const std::size_t start = name.find_first_not_of(' ');
    if (start != name.npos) log_.device = shown_word(name.substr(start));
  }

  void row(const LogLine& line, const std::vector<std::string_view>& w) {
    const Columns& c = *columns_;
    const std::size_t sides = 2 * c.side;
    if (w.size() < sides + 3 || w.size() > sides + c.before) {
      if (!line.ended) {
        cut_off(line);
      } else {
        refuse(line, fmt::format("{} columns, expected {}: the row is cut off or mixed with "
                                 "another line",
                                 w.size(), sides + c.before));
      }
      return;
    }
    NcclRow r;
    r.where = fmt::format("{}", line.number);
    r.bytes = *integer_in(w[0]);
    const auto count = integer_in(w[1]);
    if (!count || *count < 0) {
      refuse(line, fmt::format("count {}: expected a whole number", shown_word(w[1])));
      return;
    }
    r.count = *count;
    r.type = w[2];
    const std::size_t first = w.size() - sides;
    for (std::size_t i = 3; i < first; ++i) middle(w[i], r, c);
    if (r.bytes == 0) {
      run_.rows.push_back(r);
      return;
    }
    const auto out = side(line, w, first);
    if (!out) return;
    r.out_of_place = *out;
    if (w[first + c.side] != "N/A") {
      r.in_place = side(line, w, first + c.side);
      if (!r.in_place) return;
    }
    run_.rows.push_back(r);
  }

  /// Reduction and root, of which either may be missing.
  static void middle(std::string_view word, NcclRow& r, const Columns& c) {
    if (const auto root = integer_in(word)) {
      r.rooted = c.has_root && *root >= 0;
    } else if (word != "none") {
      r.reduces = true;
    }
  }

  std::optional<NcclSide> side(const LogLine& line, const std::vector<std::string_view>& w,
                               std::size_t first) {
    NcclSide s;
    PrintedNumber* const into[] = {&s.microseconds, &s.algorithm, &s.bus};
    constexpr std::string_view kNames[] = {"time", "algorithm bandwidth", "bus bandwidth"};
    for (std::size_t i = 0; i < 3; ++i) {
      const auto value = number_in(w[first + i]);
      if (!value) {
        refuse(line, fmt::format("{} {}: expected a number", kNames[i], shown_word(w[first + i])));
        return std::nullopt;
      }
      *into[i] = {*value, half_digit(w[first + i])};
    }
    // "N/A" where the check did not run; the old column is a largest difference, the new one a
    // count.
    if (const auto wrong = number_in(w[first + 3 < w.size() ? first + 3 : first]);
        wrong && c_counts() && columns_->side > 3) {
      s.wrong = *wrong;
    }
    return s;
  }
  [[nodiscard]] bool c_counts() const { return columns_->has_root; }

  void cut_off(const LogLine& line) {
    refuse(line, "the log ends inside this row: it was cut off");
  }

  void refuse(const LogLine& line, std::string what) {
    problems_.add(text({run_.file, fmt::format("{}", line.number)}), std::move(what));
    // One line is enough where the table itself is not what was thought.
    stopped_ = problems_.list().size() > 20;
  }

  void finish() {
    if (!columns_) {
      problems_.add(run_.file,
                    "no table of nccl-tests: the line with size, count, time is missing");
      return;
    }
    if (!problems_.empty() && stopped_) return;
    std::int64_t largest = 0;
    for (const NcclRow& r : run_.rows) largest = std::max(largest, r.bytes);
    if (!closed_ && announced_ && largest < *announced_) {
      problems_.add(
          run_.file,
          fmt::format("the header announces sizes up to {} bytes, the last is {}, and the "
                      "closing lines are missing: the log was cut off",
                      *announced_, largest));
      return;
    }
    if (!closed_) {
      log_.notes.emplace_back(
          "the closing lines (out of bounds, average bus bandwidth) are missing: an excerpt, or a "
          "run that did not end");
    }
    log_.collectives = collectives_of(run_, log_, problems_);
  }

  Problems& problems_;
  ToolLog log_;
  NcclRun run_;
  std::optional<Columns> columns_;
  std::optional<std::int64_t> announced_;
  std::string_view prefix_;  ///< of the rows, by a launcher
  bool closed_ = false, stopped_ = false;
};

}  // namespace

ToolLog read_nccl_tests_text(std::string_view text, const std::string& file, Problems& problems) {
  return TextReader(file, problems).read(text);
}

}  // namespace forerun::hw
