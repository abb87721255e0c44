/// Makes the measured curves of a scale-up profile from a table of collective times:
///
///   fit_curves curves TABLE.csv             the "curves" of hw/profiles/scale_up/NAME.json
///   fit_curves left-out TABLE.csv NETWORK   the points left out, as tests/collectives/*.json has
///   logs
///
/// TABLE.csv is a table of collectives (hw/kernel_table.h); its fp16 rows are used. Of each
/// operation and number of ranks every second size is kept (the first, third ... and the last); the
/// others are left out so that the interpolation's error can be shown. A curve never falls with
/// size: where the table's times do, the logarithms of neighbours are pooled (isotonic regression,
/// Ayer et al. 1955), because more bytes are never faster.

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <cmath>
#include <map>
#include <string>
#include <utility>
#include <vector>

#include "core/error.h"
#include "core/file.h"
#include "core/report_errors.h"
#include "hw/csv.h"
#include "hw/fit/isotonic.h"
#include "hw/kernel_table.h"

namespace {

using namespace forerun;
using namespace forerun::hw;

using Key = std::pair<std::string, std::int64_t>;             // kind, ranks
using Points = std::vector<std::pair<std::int64_t, double>>;  // bytes, microseconds

std::map<Key, Points> read_table(const std::string& path) {
  Problems problems;
  const KernelTable table =
      value_or_throw(read_kernel_table(read_file(path, kCsvLimit), problems), problems, path);
  if (table.kind != TableKind::nccl) {
    throw Error(ExitCode::wrong, fmt::format("{}: a table of {}", path, name(table.kind)),
                "curves are made from tables of collectives");
  }
  std::map<Key, Points> points;
  for (const CollectiveRow& row : table.collectives) {
    if (row.dtype != "fp16") continue;
    points[{std::string(name(row.kind)), row.ranks}].emplace_back(
        static_cast<std::int64_t>(row.bytes.base()), row.time.in(Seconds(1e-6)));
  }
  for (auto& entry : points) std::sort(entry.second.begin(), entry.second.end());
  return points;
}

bool kept(std::size_t i, std::size_t count) { return i % 2 == 0 || i + 1 == count; }

Points pooled(const Points& points) {
  std::vector<double> logarithms;
  for (const auto& point : points) logarithms.push_back(std::log(point.second));
  logarithms = isotonic(logarithms);
  Points result = points;
  for (std::size_t i = 0; i < result.size(); ++i) result[i].second = std::exp(logarithms[i]);
  return result;
}

std::string arrays(const Points& points) {
  std::vector<std::string> sizes, times;
  for (const auto& point : points) {
    sizes.push_back(fmt::format("{}", point.first));
    times.push_back(fmt::format("{:.4g}", point.second));
  }
  return fmt::format("\"bytes\": [{}],\n    \"microseconds\": [{}]", fmt::join(sizes, ", "),
                     fmt::join(times, ", "));
}

int run(const std::vector<std::string>& args) {
  const bool curves = args.size() == 2 && args[0] == "curves";
  const bool left_out = args.size() == 3 && args[0] == "left-out";
  if (!curves && !left_out) {
    fmt::print(stderr,
               "usage: fit_curves curves TABLE.csv | fit_curves left-out TABLE.csv NETWORK\n");
    return static_cast<int>(ExitCode::usage);
  }
  std::vector<std::string> entries;
  for (const auto& [key, points] : read_table(args[1])) {
    Points used, left;
    for (std::size_t i = 0; i < points.size(); ++i) {
      (kept(i, points.size()) ? used : left).push_back(points[i]);
    }
    if (curves) {
      entries.push_back(fmt::format("   {{\"kind\": \"{}\", \"ranks\": {},\n    {}}}", key.first,
                                    key.second, arrays(pooled(used))));
    } else if (!left.empty()) {
      entries.push_back(fmt::format(
          "  {{\"name\": \"{}-{}-{}\", \"network\": \"{}\", \"kind\": \"{}\", \"ranks\": {}, "
          "\"per_domain\": {},\n    \"source\": \"{}\", \"licence\": \"Apache-2.0\", "
          "\"note\": \"\",\n    {}}}",
          args[2], key.first, key.second, args[2], key.first, key.second, key.second,
          "ai-dynamo/aiconfigurator (095f58a), NCCL performance tables, fp16", arrays(left)));
    }
  }
  fmt::print("{}\n", fmt::join(entries, ",\n"));
  return 0;
}

}  // namespace

int main(int argc, char** argv) {
  return forerun::report_errors([&] { return run({argv + 1, argv + argc}); });
}
