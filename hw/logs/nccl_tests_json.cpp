#include <fmt/format.h>

#include <algorithm>

#include "core/reader.h"
#include "hw/logs/log_readers.h"
#include "hw/logs/log_text.h"
#include "hw/logs/nccl_rows.h"

namespace forerun::hw {
namespace {

// Bandwidths are written as printed by some versions, with two decimals.
constexpr double kHalfBandwidth = 0.005;

NcclSide read_side(Reader side) {
  NcclSide s;
  s.microseconds.value = side.number("time", 0, 1e12);
  s.algorithm = {side.number("alg_bw", 0, 1e9), kHalfBandwidth};
  s.bus = {side.number("bus_bw", 0, 1e9), kHalfBandwidth};
  // Below 100 us a hundredth is printed, above a tenth, above 10 ms whole microseconds.
  const double t = s.microseconds.value;
  s.microseconds.half = t < 100 ? 0.005 : (t < 1e4 ? 0.05 : 0.5);
  if (side.has("nwrong")) s.wrong = side.number("nwrong", 0, 1e18);
  return s;
}

NcclRow read_row(Reader& r) {
  NcclRow row;
  row.where = r.pointer();
  row.bytes = r.integer("size", 0, std::int64_t{1} << 50);
  row.count = r.integer("count", 0, std::int64_t{1} << 50);
  row.type = r.text("type");
  const std::string reduction = r.has("redop") ? r.text("redop") : "none";
  row.reduces = !reduction.empty() && reduction != "none";
  const std::string root = r.has("root") ? r.text("root") : "-1";
  const std::size_t start = root.find_first_not_of(' ');
  const auto rank = integer_in(start == root.npos ? "" : std::string_view(root).substr(start));
  row.rooted = rank && *rank >= 0;
  row.out_of_place = read_side(r.object("out_of_place"));
  if (r.has("in_place")) row.in_place = read_side(r.object("in_place"));
  return row;
}

}  // namespace

ToolLog read_nccl_tests_json(std::string_view text, const std::string& file, Problems& problems) {
  ToolLog log;
  log.tool = LogTool::nccl_tests_json;
  log.file = file;
  Problems own;
  const JsonDocument document = JsonDocument::parse(text, own);
  Reader top = document.root(own);
  NcclRun run;
  run.file = file;
  const std::int64_t version = top.integer("version", 1, 100);
  log.version = fmt::format("file version {}", version);
  if (own.empty() && version != 3) {
    top.problem("version", fmt::format("{}: only version 3 is known", version));
  }
  for (const std::string& word : top.texts("args")) {
    if (!contains_word(word, "_perf")) continue;
    run.told = collective_told(word);
    run.other_program = !run.told;
  }
  if (top.has("config")) {
    Reader config = top.object("config");
    if (config.has("devices")) {
      for (Reader& device : config.objects("devices")) {
        run.listed_ranks = std::max(run.listed_ranks, device.integer("rank", 0, 1 << 20) + 1);
        if (log.device.empty() && device.has("device_info"))
          log.device = device.text("device_info");
      }
    }
  }
  for (Reader& r : top.objects("results")) run.rows.push_back(read_row(r));
  for (const Problem& p : own.list()) problems.add(fmt::format("{}:{}", file, p.where), p.what);
  if (own.empty()) log.collectives = collectives_of(run, log, problems);
  return log;
}

}  // namespace forerun::hw
