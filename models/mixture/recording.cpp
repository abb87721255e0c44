#include "models/mixture/recording.h"

#include <fmt/format.h>

#include <algorithm>
#include <filesystem>
#include <map>
#include <set>
#include <utility>

#include "core/error.h"
#include "core/file.h"
#include "core/random.h"

namespace forerun::models {
namespace {

constexpr int kMostWrongLines = 20;
constexpr std::uint64_t kMostBytes = 64ull << 20;
constexpr std::string_view kFolder = "models/recordings";

/// The first line of a file, if it is of the recording and not of a micro-batch.
bool is_header(Reader& r) { return r.has("source") || r.has("evidence"); }

void read_header(Reader& r, Recording& recording) {
  recording.source = r.text("source");
  recording.evidence = r.evidence("evidence");
  r.finish();
}

struct Line {
  std::map<std::string, std::int64_t> tokens, items;
  Composition composition;
};

std::map<std::string, std::int64_t> read_counts(Reader& r, std::string_view key, std::int64_t most,
                                                const std::vector<std::string>& modalities) {
  Reader map = r.object(key);
  std::map<std::string, std::int64_t> counts;
  for (const std::string& name : map.keys()) {
    counts[name] = map.integer(name, 0, most);
    if (std::ranges::find(modalities, name) == modalities.end()) {
      map.problem(name,
                  fmt::format("no modality of the model: {}",
                              did_you_mean(name, modalities,
                                           fmt::format("it has {}", fmt::join(modalities, ", ")))));
    }
  }
  return counts;
}

Line read_line(Reader& r, std::int64_t sequence, std::int64_t sequences,
               const std::vector<std::string>& modalities) {
  const std::int64_t batch = sequence * sequences;
  Line line;
  Composition& c = line.composition;
  line.tokens = read_counts(r, "tokens", batch, modalities);
  if (r.has("items")) line.items = read_counts(r, "items", batch, modalities);
  if (r.has("padding")) c.padding = r.integer("padding", 0, batch);
  if (r.has("documents")) c.documents = r.integer("documents", 0, batch);
  std::int64_t sum = 0;
  for (const auto& [name, n] : line.tokens) sum += n;
  if (sum + c.padding != batch) {
    r.problem("tokens", fmt::format("{} and {} of padding, not the micro-batch's {} x {} = {}", sum,
                                    c.padding, sequences, sequence, batch));
  }
  const auto tokens = static_cast<double>(sum);
  c.pairs = tokens * (tokens / static_cast<double>(sequences) + 1) / 2;
  // A token sees at least itself and at most its whole sequence.
  if (r.has("pairs")) c.pairs = r.number("pairs", tokens, tokens * static_cast<double>(sequence));
  if (tokens > 0) c.mean_segment = 2 * c.pairs / tokens - 1;
  r.finish();
  return line;
}

std::vector<std::int64_t> in_order(const std::map<std::string, std::int64_t>& counts,
                                   const std::vector<std::string>& modalities) {
  std::vector<std::int64_t> list;
  for (const std::string& name : modalities) {
    const auto at = counts.find(name);
    list.push_back(at == counts.end() ? 0 : at->second);
  }
  return list;
}

}  // namespace

const Composition& Recording::at(std::int64_t step, std::int64_t replica, std::int64_t micro_batch,
                                 std::int64_t replicas, std::int64_t micro_batches) const {
  FORERUN_ASSERT(!compositions.empty(), "a recording of nothing");
  const std::int64_t i = (step * replicas + replica) * micro_batches + micro_batch;
  return compositions[static_cast<std::size_t>(i) % compositions.size()];
}

std::optional<Recording> read_recording(std::string_view text, std::int64_t sequence,
                                        std::int64_t sequences,
                                        const std::vector<std::string>& modalities,
                                        Problems& problems) {
  std::vector<Line> lines;
  std::set<std::string> names;
  Recording recording;
  int wrong = 0;
  bool first = true;
  for (std::size_t number = 1; !text.empty(); ++number) {
    const std::size_t end = std::min(text.find('\n'), text.size());
    const std::string_view one = text.substr(0, end);
    text.remove_prefix(std::min(end + 1, text.size()));
    if (one.find_first_not_of(" \t\r") == std::string_view::npos) continue;
    Problems of_line;
    const JsonDocument document = JsonDocument::parse(one, of_line);
    if (document.readable()) {
      Reader r = document.root(of_line);
      if (std::exchange(first, false) && is_header(r)) {
        read_header(r, recording);
      } else {
        lines.push_back(read_line(r, sequence, sequences, modalities));
        for (const auto& [name, n] : lines.back().tokens) names.insert(name);
        for (const auto& [name, n] : lines.back().items) names.insert(name);
      }
    }
    for (const Problem& p : of_line.list()) {
      problems.add(fmt::format("line {}: {}", number, p.where), p.what);
    }
    if (!of_line.empty() && ++wrong == kMostWrongLines) {
      if (!text.empty()) {
        problems.add(fmt::format("line {}", number + 1),
                     "not read, for so many before it are wrong");
      }
      break;
    }
  }
  if (wrong == 0 && lines.empty()) {
    problems.add("line 1", "no composition: expected one a line");
    return std::nullopt;
  }
  if (wrong > 0) return std::nullopt;
  recording.modalities.assign(names.begin(), names.end());
  for (Line& line : lines) {
    line.composition.tokens = in_order(line.tokens, recording.modalities);
    line.composition.items = in_order(line.items, recording.modalities);
    recording.compositions.push_back(std::move(line.composition));
  }
  return recording;
}

std::vector<std::string> recording_names() { return data_names(kFolder, ".jsonl"); }

std::optional<Recording> load_recording(Reader& r, std::string_view key, std::int64_t sequence,
                                        std::int64_t sequences,
                                        const std::vector<std::string>& modalities) {
  const std::string name = r.text(key);
  if (name.empty() || sequence <= 0 || sequences <= 0) return std::nullopt;  // a problem already
  const std::vector<std::string> names = recording_names();
  std::error_code ignored;  // what can't be looked at is no file
  std::string path = name;
  if (std::ranges::find(names, name) != names.end()) {
    path = data_path(fmt::format("{}/{}.jsonl", kFolder, name));
  } else if (!std::filesystem::is_regular_file(name, ignored)) {
    r.problem(key, fmt::format("\"{}\" is no file and no recording: {}", name,
                               did_you_mean(name, names,
                                            fmt::format("there are {}", fmt::join(names, ", ")))));
    return std::nullopt;
  }
  Problems problems;
  const std::string text = read_file(path, kMostBytes);
  std::optional<Recording> recording =
      read_recording(text, sequence, sequences, modalities, problems);
  for (const Problem& p : problems.list()) {
    r.problem(key, fmt::format("{}: {}: {}", name, p.where, p.what));
  }
  if (recording) {
    recording->name = name;
    recording->hash = hash_text(text);
  }
  return recording;
}

}  // namespace forerun::models
