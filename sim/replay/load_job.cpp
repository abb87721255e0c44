#include "sim/replay/load_job.h"

#include <fmt/format.h>

#include <algorithm>
#include <charconv>
#include <filesystem>

#include "core/error.h"
#include "sim/chakra/trace_binary.h"
#include "sim/chakra/trace_json.h"
#include "sim/replay/chakra_job.h"
#include "sim/replay/kineto_trace.h"
#include "sim/replay/table_trace.h"
#include "sim/replay/trace_text.h"

namespace forerun::replay {
namespace {

enum class Format : std::uint8_t { table, kineto, chakra_json, chakra_binary, unknown };

Format format_of(std::string_view text) {
  if (is_table_trace(text)) return Format::table;
  const std::size_t first = text.find_first_not_of(" \t\r\n");
  if (first != std::string_view::npos && text[first] == '{') {
    return is_kineto_trace(text) ? Format::kineto : Format::chakra_json;
  }
  return chakra::is_binary_trace(text) ? Format::chakra_binary : Format::unknown;
}

std::vector<std::string> files_of(const std::vector<std::string>& paths) {
  namespace fs = std::filesystem;
  std::vector<std::string> files;
  for (const std::string& path : paths) {
    std::error_code error;
    if (!fs::is_directory(path, error)) {
      files.push_back(path);
      continue;
    }
    std::vector<std::string> inside;
    for (const fs::directory_entry& e : fs::directory_iterator(path, error)) {
      const std::string name = e.path().filename().string();
      if (e.is_regular_file(error) && !name.starts_with('.') && !name.ends_with(".groups.json")) {
        inside.push_back(e.path().string());
      }
    }
    if (inside.empty()) {
      throw Error(ExitCode::wrong, fmt::format("{} holds no traces", path),
                  "name a table of operations, or a folder with one trace a rank");
    }
    std::ranges::sort(inside);
    files.insert(files.end(), inside.begin(), inside.end());
  }
  return files;
}

/// The number before the extension ("step.12.et", "rank12.json"), or -1.
std::int64_t rank_in_name(const std::string& path) {
  std::string stem = std::filesystem::path(path).filename().string();
  for (const char* extension : {".gz", ".et", ".json"}) {
    if (stem.ends_with(extension)) stem.resize(stem.size() - std::string_view(extension).size());
  }
  std::size_t begin = stem.size();
  while (begin > 0 && stem[begin - 1] >= '0' && stem[begin - 1] <= '9') --begin;
  std::int64_t rank = -1;
  const char* const end = stem.data() + stem.size();
  const auto [rest, error] = std::from_chars(stem.data() + begin, end, rank);
  return error == std::errc{} && rest == end && rank <= INT32_MAX ? rank : -1;
}

[[noreturn]] void refuse(const Problems& problems, const std::string& source) {
  std::string text = problems.text(source);
  if (text.ends_with('\n')) text.pop_back();
  throw Error(ExitCode::wrong, text);
}

Job made(std::optional<Job> job, const Problems& problems, const std::string& source) {
  if (!job) refuse(problems, source);
  return *std::move(job);
}

Job chakra_job(const std::vector<TraceFile>& files) {
  std::vector<ChakraFile> all;
  bool numbered = true;
  for (const TraceFile& f : files) numbered &= rank_in_name(f.name) >= 0;
  for (std::size_t i = 0; i < files.size(); ++i) {
    Problems problems;
    std::optional<chakra::ExecutionTrace> trace =
        format_of(files[i].text) == Format::chakra_binary
            ? chakra::decode(files[i].text, problems)
            : chakra::read_json_trace(files[i].text, problems);
    if (!trace) refuse(problems, files[i].name);
    all.push_back({files[i].name,
                   numbered ? rank_in_name(files[i].name) : static_cast<std::int64_t>(i),
                   *std::move(trace)});
  }
  std::ranges::stable_sort(all, {}, &ChakraFile::rank);
  Problems problems;
  std::optional<LinkedTrace> linked = link_chakra(all, problems);
  if (!linked) refuse(problems, "the traces");
  return made(make_linked_job(*std::move(linked), problems), problems, "the traces");
}

Job kineto_job(const std::vector<TraceFile>& files) {
  Problems problems;
  std::optional<LinkedTrace> linked = read_kineto_traces(files, problems);
  if (!linked) refuse(problems, "the traces");
  return made(make_linked_job(*std::move(linked), problems), problems, "the traces");
}

Job table_job(const TraceFile& file) {
  Problems problems;
  std::optional<JobTrace> trace = read_table_trace(file.text, problems);
  if (!trace) refuse(problems, file.name);
  return made(make_table_job(*std::move(trace), problems), problems, file.name);
}

}  // namespace

Job load_job(const std::vector<std::string>& paths) {
  std::vector<TraceFile> files;
  std::uint64_t left = kMostTraceBytesTogether;
  for (const std::string& path : files_of(paths)) {
    std::string text = read_trace_text(path, std::min(left, kMostTraceBytes));
    left -= text.size();
    files.push_back({path, std::move(text)});
  }
  const Format format = format_of(files.front().text);
  for (const TraceFile& f : files) {
    if (format_of(f.text) == Format::unknown) {
      throw Error(ExitCode::wrong, fmt::format("{} is no trace that is known", f.name),
                  "a table of operations (step, dp_rank, pp_stage, optype, start_us, dur_us), "
                  "PyTorch profiler JSON, or a Chakra execution trace");
    }
    const bool one_kind = format_of(f.text) == format || (format >= Format::chakra_json &&
                                                          format_of(f.text) >= Format::chakra_json);
    if (!one_kind || (format == Format::table && files.size() > 1)) {
      throw Error(ExitCode::wrong,
                  fmt::format("{} and {} can't be replayed together", files.front().name,
                              &f == &files.front() ? files[1].name : f.name),
                  "one table of operations, or one file a rank of one kind");
    }
  }
  switch (format) {
    case Format::table:
      return table_job(files.front());
    case Format::kineto:
      return kineto_job(files);
    default:
      return chakra_job(files);
  }
}

}  // namespace forerun::replay
