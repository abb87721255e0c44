#include "hw/calibrate/scatter_plot.h"

#include <fmt/format.h>

#include "core/scatter_plot.h"
#include "core/table.h"

namespace forerun::hw {

std::string scatter_svg(const std::string& title, const std::vector<CalibratedFamily>& families) {
  ScatterPlot plot;
  plot.title = title;
  plot.subtitle = "each point predicted by what the other measurements made";
  plot.what = "time";
  plot.show = [](double seconds) { return forerun::show(Seconds(seconds)); };
  for (const CalibratedFamily& f : families) {
    const bool fitted = f.left_out().count > 0;
    const ErrorSummary e = fitted ? f.left_out() : f.before();
    ScatterFamily family;
    family.name = f.name;
    family.note = fmt::format("{} point{}, median error {}{}", e.count, e.count == 1 ? "" : "s",
                              show_percent(e.median), fitted ? "" : " (by the old profile)");
    family.hollow = !fitted;
    for (const CalibratedPoint& p : f.points) {
      const bool hollow = p.left_out.base() <= 0;
      family.points.push_back({p.measured.base(), (hollow ? p.before : p.left_out).base(), hollow});
    }
    plot.families.push_back(std::move(family));
  }
  return forerun::scatter_svg(plot);
}

}  // namespace forerun::hw
