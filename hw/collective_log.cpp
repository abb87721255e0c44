#include "hw/collective_log.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <functional>

#include "core/reader.h"

namespace forerun::hw {
namespace {

CollectiveLog read_log(Reader& r) {
  CollectiveLog log;
  log.name = r.text("name");
  log.network = r.text("network");
  const std::string kind = r.text("kind");
  log.group.ranks = r.integer("ranks", 2, 1 << 24);
  log.group.per_domain = r.integer("per_domain", 1, 1 << 24);
  log.source = r.text("source");
  log.licence = r.text("licence");
  log.note = r.text("note");
  const std::vector<double> sizes = r.numbers("bytes", 1, 1e15);
  const std::vector<double> times = r.numbers("microseconds", 1e-3, 1e12);
  r.finish();
  if (const auto known = collective_named(kind)) {
    log.kind = *known;
  } else {
    r.problem("kind", fmt::format("no collective is named {}", kind));
  }
  if (log.group.per_domain > log.group.ranks) {
    r.problem("per_domain",
              fmt::format("{} is more than the {} ranks", log.group.per_domain, log.group.ranks));
  }
  if (sizes.size() != times.size() ||
      !std::is_sorted(sizes.begin(), sizes.end(), std::less_equal<>())) {
    r.problem("bytes", fmt::format("{} sizes and {} times: as many of both, sizes rising",
                                   sizes.size(), times.size()));
    return log;
  }
  for (std::size_t i = 0; i < sizes.size(); ++i) {
    log.points.push_back({Bytes(sizes[i]), Seconds(times[i] * 1e-6)});
  }
  return log;
}

}  // namespace

std::optional<std::vector<CollectiveLog>> read_collective_logs(const std::string& json_text,
                                                               Problems& problems) {
  const std::size_t before = problems.list().size();
  const JsonDocument document = JsonDocument::parse(json_text, problems);
  Reader top = document.root(problems);
  top.integer("schema", 1, 1);
  top.text("what");
  std::vector<CollectiveLog> logs;
  for (Reader& r : top.objects("logs")) logs.push_back(read_log(r));
  top.finish();
  if (problems.list().size() != before) return std::nullopt;
  return logs;
}

std::vector<double> errors(const CollectiveLog& log, const Network& network) {
  std::vector<double> result;
  for (const CollectivePoint& p : log.points) {
    result.push_back(collective_time(log.kind, p.size, log.group, network).time / p.time - 1.0);
  }
  return result;
}

}  // namespace forerun::hw
