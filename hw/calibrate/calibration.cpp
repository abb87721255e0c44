#include "hw/calibrate/calibration.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>

#include "core/table.h"

namespace forerun::hw {
namespace {

ErrorSummary errors_of(const std::vector<CalibratedPoint>& points,
                       Seconds CalibratedPoint::* predicted) {
  std::vector<double> all;
  for (const CalibratedPoint& p : points) {
    if ((p.*predicted).base() > 0) all.push_back(p.*predicted / p.measured - 1);
  }
  return summary(std::move(all));
}

}  // namespace

ErrorSummary CalibratedFamily::before() const {
  return errors_of(points, &CalibratedPoint::before);
}
ErrorSummary CalibratedFamily::left_out() const {
  return errors_of(points, &CalibratedPoint::left_out);
}

std::string files_of(const std::vector<LogPlace>& places) {
  std::vector<std::string> names;
  std::string all;
  for (const LogPlace& place : places) {
    const std::string name = place.file.substr(place.file.rfind('/') + 1);  // npos + 1 is 0
    if (std::ranges::find(names, name) != names.end()) continue;
    names.push_back(name);
    all += (all.empty() ? "" : ", ") + name;
  }
  return all;
}

std::string size_text(Bytes bytes) {
  const double b = bytes.base();
  for (const auto& [unit, size] :
       {std::pair{"GiB", 1073741824.0}, std::pair{"MiB", 1048576.0}, std::pair{"KiB", 1024.0}}) {
    if (b >= size) return fmt::format("{:.4g} {}", b / size, unit);
  }
  return show_count(b) + " B";
}

}  // namespace forerun::hw
