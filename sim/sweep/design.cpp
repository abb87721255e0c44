#include "sim/sweep/design.h"

#include <fmt/format.h>

#include <algorithm>
#include <iterator>
#include <numeric>
#include <set>
#include <utility>

#include "core/error.h"
#include "core/json_at.h"
#include "core/random.h"

namespace forerun::sim {
namespace {

Stream stream_of(std::uint64_t seed, const std::string& design, const Axis& axis,
                 const char* what) {
  return {seed, fmt::format("sweep/{}/{}/{}", design, axis.name(), what)};
}

/// A random order of 0 ... n - 1 (Fisher and Yates).
std::vector<std::uint32_t> shuffled(std::int64_t n, const Stream& stream) {
  std::vector<std::uint32_t> order(static_cast<std::size_t>(n));
  std::iota(order.begin(), order.end(), 0u);
  for (std::size_t i = order.size(); i > 1; --i) {
    std::swap(order[i - 1], order[stream.below(order.size() - i, i)]);
  }
  return order;
}

bool is_drawn(DesignKind kind) {
  return kind == DesignKind::random || kind == DesignKind::latin_hypercube;
}

/// Two axes that set one place, or one inside the other's, would depend on their order.
void check_overlaps(Reader& r, const std::vector<Axis>& axes) {
  std::set<std::string> pointers;
  for (const Axis& axis : axes) {
    for (const std::string& path : axis.paths) {
      const std::string pointer = json_pointer(path);
      for (const std::string& other : pointers) {
        const std::string& shorter = other.size() < pointer.size() ? other : pointer;
        const std::string& longer = other.size() < pointer.size() ? pointer : other;
        if (longer == shorter || longer.starts_with(shorter + "/")) {
          r.problem("axes", longer == shorter ? fmt::format("{} is set twice", path)
                                              : fmt::format("{} is set, and so is {}, inside it",
                                                            json_path(shorter), json_path(longer)));
        }
      }
      pointers.insert(pointer);
    }
  }
}

void check_counts(Reader& r, const DesignText& d) {
  for (const Axis& axis : d.axes) {
    if (!axis.range || axis.range->count.has_value() != is_drawn(d.kind)) continue;
    r.problem("axes",
              is_drawn(d.kind)
                  ? fmt::format("{} has a count, but points says how many are drawn", axis.name())
                  : fmt::format("{} has no count: how many values has it in a {}?", axis.name(),
                                name_in(kDesignKinds, d.kind)));
  }
}

std::int64_t count_grid(Reader& r, const std::vector<Axis>& axes) {
  std::int64_t points = 1;
  for (const Axis& axis : axes) {
    points *= std::max<std::int64_t>(1, axis.steps());
    if (points <= kMostPoints) continue;
    r.problem("axes", fmt::format("more than {} points", kMostPoints));
    return 0;
  }
  return points;
}

std::int64_t count_list(Reader& r, const std::vector<Axis>& axes) {
  const std::int64_t points = axes.front().steps();
  for (const Axis& axis : axes) {
    if (axis.steps() == points) continue;
    r.problem("axes",
              fmt::format("{} has {} values and {} has {}: a list goes through all together",
                          axes.front().name(), points, axis.name(), axis.steps()));
  }
  return points;
}

}  // namespace

Design::Design(std::string name, DesignKind kind, std::vector<Axis> axes, std::int64_t points,
               std::uint64_t seed)
    : name_(std::move(name)), kind_(kind), axes_(std::move(axes)), points_(points), seed_(seed) {
  if (kind_ != DesignKind::latin_hypercube) return;
  for (const Axis& axis : axes_) {
    parts_.push_back(shuffled(points_, stream_of(seed_, name_, axis, "parts")));
  }
}

std::vector<Setting> Design::at(std::int64_t i) const {
  FORERUN_ASSERT(i >= 0 && i < points_, fmt::format("point {} of {}", i, points_));
  std::vector<std::vector<Setting>> chosen(axes_.size());
  std::int64_t rest = i;
  for (std::size_t a = axes_.size(); a-- > 0;) {
    const Axis& axis = axes_[a];
    switch (kind_) {
      case DesignKind::grid:
        chosen[a] = axis.at_step(rest % axis.steps());
        rest /= axis.steps();
        break;
      case DesignKind::list:
        chosen[a] = axis.at_step(i);
        break;
      case DesignKind::random:
      case DesignKind::latin_hypercube: {
        const Stream stream = stream_of(seed_, name_, axis, "draws");
        double u = stream.uniform(static_cast<std::uint64_t>(i));
        if (kind_ == DesignKind::latin_hypercube) {
          u = (parts_[a][static_cast<std::size_t>(i)] + u) / static_cast<double>(points_);
        }
        chosen[a] = axis.at(u);
        break;
      }
    }
  }
  std::vector<Setting> out;
  for (std::vector<Setting>& settings : chosen) {
    std::move(settings.begin(), settings.end(), std::back_inserter(out));
  }
  return out;
}

DesignText read_design(Reader& r, const std::string& text) {
  DesignText d;
  if (r.has("name")) d.name = r.text("name");
  d.kind = r.choice("kind", kDesignKinds);
  if (is_drawn(d.kind)) {
    d.points = r.integer("points", 1, kMostPoints);
  } else if (r.has("points")) {
    r.problem("points",
              fmt::format("given, but a {} counts its own", name_in(kDesignKinds, d.kind)));
  }
  const std::vector<Reader> axes = r.objects("axes");
  for (Reader axis : axes) d.axes.push_back(read_axis(axis, text));
  if (axes.empty()) r.problem("axes", "empty: a design varies something");
  check_overlaps(r, d.axes);
  check_counts(r, d);
  const bool countable = !d.axes.empty() && std::ranges::all_of(d.axes, [](const Axis& axis) {
    return axis.range ? axis.range->count.has_value() : !axis.values.empty();
  });
  if (countable && d.kind == DesignKind::grid) d.points = count_grid(r, d.axes);
  if (countable && d.kind == DesignKind::list) d.points = count_list(r, d.axes);
  r.finish();
  return d;
}

}  // namespace forerun::sim
