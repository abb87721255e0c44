#include "hw/logs/read_log.h"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <array>
#include <utility>
#include <vector>

#include "core/file.h"
#include "hw/logs/log_readers.h"
#include "hw/logs/log_text.h"

namespace forerun::hw {
namespace {

/// What tells a tool stands near the beginning, after at most a launcher's chatter.
constexpr std::size_t kHead = std::size_t{256} << 10;

bool has(std::string_view text, std::string_view part) { return text.find(part) != text.npos; }
bool has_key(std::string_view text, std::string_view key) {
  return has(text, fmt::format("\"{}\"", key));
}
bool is_json(std::string_view text) {
  const std::size_t first = text.find_first_not_of(" \t\r\n");
  return first != text.npos && (text[first] == '{' || text[first] == '[');
}

/// How a log is held while it is read.
enum class Held : std::uint8_t { lines, document, events };

struct ToolKind {
  LogTool tool;
  std::string_view name;
  Held held;
  bool (*looks_like)(std::string_view head);
  ToolLog (*read)(std::string_view text, const std::string& file, Problems&);
};

constexpr std::array kTools = {
    ToolKind{LogTool::probe, "forerun probe", Held::document,
             [](std::string_view h) { return is_json(h) && has_key(h, "forerun-probe"); },
             read_probe},
    ToolKind{LogTool::nccl_tests_json, "nccl-tests (JSON)", Held::document,
             [](std::string_view h) {
               return is_json(h) && has_key(h, "results") && has_key(h, "alg_bw");
             },
             read_nccl_tests_json},
    ToolKind{LogTool::nvbandwidth_json, "nvbandwidth (JSON)", Held::document,
             [](std::string_view h) { return is_json(h) && has_key(h, "nvbandwidth"); },
             read_nvbandwidth_json},
    ToolKind{LogTool::kineto, "PyTorch profiler trace", Held::events,
             [](std::string_view h) {
               return is_json(h) && (has_key(h, "traceEvents") || has_key(h, "deviceProperties"));
             },
             read_kineto},
    ToolKind{LogTool::cutlass_csv, "cutlass_profiler", Held::lines,
             [](std::string_view h) {
               return h.starts_with("Problem,Provider,") && has(h, ",Runtime,");
             },
             read_cutlass_csv},
    ToolKind{LogTool::nccl_tests_text, "nccl-tests", Held::lines,
             [](std::string_view h) { return has(h, " algbw ") && has(h, " busbw "); },
             read_nccl_tests_text},
    ToolKind{LogTool::nvbandwidth_text, "nvbandwidth", Held::lines,
             [](std::string_view h) {
               return has(h, "nvbandwidth Version") || has(h, "memcpy CE ") || has(h, "memcpy SM ");
             },
             read_nvbandwidth_text},
    ToolKind{LogTool::mamf_finder, "mamf-finder", Held::lines,
             [](std::string_view h) {
               return has(h, "(MxNxK)") || has(h, "(MxKxN)") || has(h, "mamf-finder.py") ||
                      has(h, "MxNxK ");
             },
             read_mamf_finder}};

/// Tools whose logs people have too, but that say nothing a profile holds or are not read.
struct OtherTool {
  std::string_view mark, name;
};
constexpr std::array kOthers = {
    OtherTool{"BabelStream", "BabelStream"},
    OtherTool{"[CUDA Bandwidth Test]", "bandwidthTest of the CUDA samples"},
    OtherTool{"RDMA_Write", "perftest (ib_write_bw, ib_write_lat)"},
    OtherTool{"BW average[", "perftest (ib_write_bw)"},
    OtherTool{"Gflop/s)", "gpu-burn"},
    OtherTool{"==PROF==", "Nsight Compute"},
    OtherTool{"[tuning]", "DeepEP"},
    OtherTool{"#bytes #iterations", "perftest (ib_write_lat)"},
    OtherTool{"steptime_train", "SuperBench"},
    OtherTool{"STREAM_", "gpu_stream"},
    OtherTool{"latency_us",
              "a table of kernel times (forerun validate "
              "reads those)"},
    OtherTool{"DCGM", "DCGM"},
    OtherTool{"NVIDIA-SMI", "nvidia-smi"}};

/// Empty, or the rule that a text breaks which would take too much memory.
std::string too_large(std::string_view text, Held held) {
  if (held == Held::document && text.size() > kJsonLogLimit) {
    return fmt::format("{} bytes of JSON: read are at most {} MiB", text.size(),
                       kJsonLogLimit >> 20);
  }
  if (held == Held::lines && std::ranges::count(text, '\n') > kMostLogLines) {
    return fmt::format("more than {} lines", kMostLogLines);
  }
  return {};
}

std::string what_it_is(std::string_view head) {
  if (head.starts_with("\x1f\x8b")) return "a gzip file: unpack it first (gunzip)";
  if (has(head, std::string_view("\0", 1))) return "not a text file";
  std::vector<std::string_view> known;
  for (const ToolKind& t : kTools) known.push_back(t.name);
  const std::string reads = fmt::format("read are logs of {}", fmt::join(known, ", "));
  for (const OtherTool& o : kOthers) {
    if (has(head, o.mark)) return fmt::format("looks like {}; {}", o.name, reads);
  }
  return fmt::format("no tool is recognised by its beginning; {}", reads);
}

}  // namespace

std::string_view name(LogTool tool) {
  for (const ToolKind& t : kTools) {
    if (t.tool == tool) return t.name;
  }
  return {};
}

std::optional<ToolLog> read_log_text(std::string_view text, const std::string& file,
                                     Problems& problems) {
  const std::string_view head = text.substr(0, kHead);
  const auto tool =
      std::ranges::find_if(kTools, [&](const ToolKind& t) { return t.looks_like(head); });
  if (text.find_first_not_of(" \t\r\n") == text.npos) {
    problems.add(file, "the file is empty");
    return std::nullopt;
  }
  if (tool == kTools.end()) {
    problems.add(file, what_it_is(head));
    return std::nullopt;
  }
  if (std::string rule = too_large(text, tool->held); !rule.empty()) {
    problems.add(file, std::move(rule));
    return std::nullopt;
  }
  const std::size_t before = problems.list().size();
  ToolLog log = tool->read(text, file, problems);
  if (problems.list().size() == before && log.measurements() == 0) {
    std::string why = fmt::format("a log of {} without a measurement that can be used", tool->name);
    for (const std::string& note : log.notes) why += "; " + note;
    problems.add(file, why);
  }
  if (problems.list().size() != before) return std::nullopt;
  return log;
}

std::optional<ToolLog> read_log(const std::string& path, Problems& problems) {
  return read_log_text(read_file(path, kLogLimit), path, problems);
}

}  // namespace forerun::hw
