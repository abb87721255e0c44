#include "hw/logs/nvbandwidth.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <nlohmann/json.hpp>
#include <numeric>

#include "core/statistics.h"
#include "hw/logs/log_readers.h"
#include "hw/logs/log_text.h"

namespace forerun::hw {
namespace {

/// Cells and sums are printed with two decimals.
constexpr double kHalfCell = 0.005;

struct Reading {
  std::optional<CopyPath> path;
  std::string why_not;
};

Reading reading_of(const BandwidthTest& t) {
  const std::string all = t.name + " " + t.description;
  const auto has = [&](std::string_view part) { return contains_word(all, part); };
  if (has("latency") || has("(ns)")) return {{}, "a latency, of which profiles have no such field"};
  if (has("bidirectional") || has("<->")) return {{}, "both directions at once"};
  if (has("all_to_") || has("_to_all") || has("one_to") || has("to_one")) {
    return {{}, "several copies at once"};
  }
  if (has("device_local_copy")) {
    return {{}, "whether its bytes count reading and writing is not documented"};
  }
  if (has("device_to_device") || has("GPU(row) -> GPU") || has("GPU(row) <- GPU")) {
    return {CopyPath::peer, {}};
  }
  if (has("host_to_device")) return {CopyPath::host_to_device, {}};
  if (has("device_to_host")) return {CopyPath::device_to_host, {}};
  return {{}, "not a test that is known"};
}

class TextReader {
 public:
  TextReader(const std::string& file, Problems& problems) : problems_(problems) {
    log_.tool = LogTool::nvbandwidth_text;
    log_.file = file;
  }

  ToolLog read(std::string_view text) {
    for (const LogLine& line : log_lines(text)) take(line);
    if (open_) {
      add(test_.where, fmt::format("{}: its SUM is missing: the log was cut off", test_.name));
    }
    if (waived_ > 0) log_.notes.push_back(fmt::format("{} tests were waived", waived_));
    return std::move(log_);
  }

 private:
  void take(const LogLine& line) {
    const std::vector<std::string_view> w = words(line.text);
    const std::string where = fmt::format("{}", line.number);
    if (w.empty()) return;
    if (line.text.starts_with("nvbandwidth Version: ")) log_.version = shown_word(w.back());
    if (w[0] == "Device" && w.size() > 2 && log_.device.empty()) {
      const std::size_t colon = line.text.find(": ");
      if (colon != line.text.npos) log_.device = shown_word(line.text.substr(colon + 2));
    }
    if (w[0] == "Waived:") ++waived_;
    if (w[0] == "ERROR:" || w[0] == "ERROR")
      log_.notes.push_back("at " + where + ": a test failed");
    if (w[0] == "Running" && w.size() == 2 && w[1].ends_with('.')) {
      test_ = {};
      test_.where = where;
      test_.name = shown_word(w[1].substr(0, w[1].size() - 1));
      open_ = true;
      columns_ = 0;
    } else if (open_ && (contains_word(line.text, "(row)") || contains_word(line.text, "GB/s"))) {
      test_.description = shown_word(line.text);
    } else if (w[0] == "SUM") {
      sum(where, w);
    } else if (open_ && columns_ == 0 && integer_in(w[0]) == 0) {
      columns_ = w.size();
    } else if (open_ && integer_in(w[0])) {
      row(where, w);
    }
  }

  void row(const std::string& where, const std::vector<std::string_view>& w) {
    if (w.size() != columns_ + 1) {
      add(where, fmt::format("{} cells, the matrix has {} columns", w.size() - 1, columns_));
    }
    for (std::size_t i = 1; i < w.size(); ++i) {
      if (w[i] == "N/A") continue;
      if (const auto value = number_in(w[i])) {
        test_.gigabytes.push_back(*value);
      } else {
        add(where, fmt::format("cell {}: expected a number or N/A", shown_word(w[i])));
      }
    }
  }

  void sum(const std::string& where, const std::vector<std::string_view>& w) {
    const auto value = w.size() == 3 ? number_in(w[2]) : std::nullopt;
    if (!open_ || !value || w[1] != test_.name) {
      add(where, fmt::format("SUM of {}: expected that of the test before it, with a number",
                             w.size() > 1 ? shown_word(w[1]) : ""));
      return;
    }
    test_.sum = *value;
    take_bandwidth_test(test_, log_, problems_);
    open_ = false;
  }

  void add(const std::string& where, std::string what) {
    problems_.add(text({log_.file, where}), std::move(what));
  }

  Problems& problems_;
  ToolLog log_;
  BandwidthTest test_;
  std::size_t columns_ = 0, waived_ = 0;
  bool open_ = false;
};

using Json = nlohmann::json;

/// A string's text, or what was found in its place.
std::string text_at(const Json& object, const char* key) {
  const auto at = object.find(key);
  if (at == object.end()) return {};
  return at->is_string() ? at->get<std::string>() : at->dump();
}

/// Matrix cells are strings, "N/A" or a number.
void read_matrix(const Json& matrix, BandwidthTest& t, const std::string& file,
                 Problems& problems) {
  for (std::size_t i = 0; i < matrix.size(); ++i) {
    for (std::size_t j = 0; j < matrix[i].size(); ++j) {
      const Json& cell = matrix[i][j];
      const std::string written = cell.is_string() ? cell.get<std::string>() : cell.dump();
      if (written == "N/A") continue;
      if (const auto value = number_in(written)) {
        t.gigabytes.push_back(*value);
      } else {
        problems.add(text({file, fmt::format("{}/bandwidth_matrix/{}/{}", t.where, i, j)}),
                     fmt::format("cell {}: expected a number or N/A", shown_word(written)));
      }
    }
  }
}

void read_test(const Json& entry, const std::string& where, ToolLog& log, Problems& problems) {
  if (!entry.is_object()) {
    problems.add(text({log.file, where}), "expected an object");
    return;
  }
  BandwidthTest t;
  t.where = where;
  t.name = shown_word(text_at(entry, "name"));
  t.description = shown_word(text_at(entry, "bandwidth_description"));
  const std::string status = text_at(entry, "status");
  if (!contains_word(status, "passed")) {
    log.notes.push_back(fmt::format("{}: not taken, status \"{}\"", t.name, shown_word(status)));
    return;
  }
  const auto matrix = entry.find("bandwidth_matrix");
  const bool rows = matrix != entry.end() && matrix->is_array() &&
                    std::ranges::all_of(*matrix, [](const Json& r) { return r.is_array(); });
  if (!rows) {
    problems.add(text({log.file, where}), "bandwidth_matrix: expected an array of arrays");
    return;
  }
  read_matrix(*matrix, t, log.file, problems);
  if (const auto sum = entry.find("sum"); sum != entry.end()) {
    if (sum->is_number()) {
      t.sum = sum->get<double>();
    } else {
      problems.add(text({log.file, where + "/sum"}), "expected a number");
    }
  }
  take_bandwidth_test(t, log, problems);
}

}  // namespace

void take_bandwidth_test(const BandwidthTest& t, ToolLog& log, Problems& problems) {
  const std::string place = text({log.file, t.where});
  for (const double v : t.gigabytes) {
    if (v > 0) continue;
    problems.add(place, fmt::format("{}: a cell of {}, expected more than zero", t.name, v));
    return;
  }
  const double total = std::accumulate(t.gigabytes.begin(), t.gigabytes.end(), 0.0);
  const double slack = kHalfCell * static_cast<double>(t.gigabytes.size() + 2) + 1e-4 * total;
  if (t.sum && std::abs(total - *t.sum) > slack) {
    problems.add(place,
                 fmt::format("{}: the sum is given as {:.2f}, the {} cells add up to {:.2f}: "
                             "a part of the matrix is missing or edited",
                             t.name, *t.sum, t.gigabytes.size(), total));
    return;
  }
  const Reading r = reading_of(t);
  if (!r.path) {
    log.notes.push_back(fmt::format("{}: not taken, {}", t.name, r.why_not));
  } else if (t.gigabytes.empty()) {
    log.notes.push_back(fmt::format("{}: no cell was measured", t.name));
  } else {
    log.copies.push_back(
        {*r.path, Bandwidth(median(t.gigabytes) * 1e9), Bytes(0.0), {log.file, t.where}});
  }
}

ToolLog read_nvbandwidth_text(std::string_view text, const std::string& file, Problems& problems) {
  return TextReader(file, problems).read(text);
}

ToolLog read_nvbandwidth_json(std::string_view json_text, const std::string& file,
                              Problems& problems) {
  ToolLog log;
  log.tool = LogTool::nvbandwidth_json;
  log.file = file;
  const Json document = Json::parse(json_text.begin(), json_text.end(), nullptr, false);
  if (document.is_discarded()) {
    problems.add(file, "the JSON text is not whole: cut off, or not written by nvbandwidth -j");
    return log;
  }
  const auto body = document.find("nvbandwidth");
  const auto tests = body != document.end() && body->is_object() ? body->find("testcases")
                                                                 : Json::const_iterator{};
  if (body == document.end() || !body->is_object() || tests == body->end() || !tests->is_array()) {
    problems.add(file, "expected /nvbandwidth/testcases, an array");
    return log;
  }
  log.version = shown_word(text_at(*body, "git_version"));
  for (std::size_t i = 0; i < tests->size(); ++i) {
    read_test((*tests)[i], fmt::format("/nvbandwidth/testcases/{}", i), log, problems);
  }
  return log;
}

}  // namespace forerun::hw
