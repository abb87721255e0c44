#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <cmath>
#include <map>
#include <memory>
#include <tuple>
#include <utility>

#include "core/json_edit.h"
#include "core/json_writer.h"
#include "core/statistics.h"
#include "core/table.h"
#include "hw/calibrate/calibration.h"
#include "hw/calibrate/plausible.h"
#include "hw/collective.h"
#include "hw/fit/isotonic.h"

namespace forerun::hw {
namespace {

using Key = std::pair<CollectiveKind, std::int64_t>;  // kind, ranks

/// Logs of one size that differ by more than this are worth a word.
constexpr double kDiffer = 0.1;

/// One size: every measurement of it.
struct SizePoint {
  Bytes bytes{};
  std::vector<Seconds> times;
  LogPlace place;  ///< of the first

  [[nodiscard]] double log_time() const {
    std::vector<double> logs;
    for (const Seconds t : times) logs.push_back(std::log2(t.base()));
    return median(logs);
  }
  [[nodiscard]] Seconds time() const { return Seconds(std::exp2(log_time())); }
};

using SizePoints = std::vector<SizePoint>;  // by rising size

/// Ranks that fill the fewest domains, evenly where that is possible.
Group evenly_packed(std::int64_t ranks, const Network& n) {
  const std::int64_t domains = (ranks + n.domain - 1) / n.domain;
  if (ranks % domains == 0) return {ranks, ranks / domains, 1};
  return packed_group(ranks, n);
}

MeasuredCurve curve_of(CollectiveKind kind, const Group& g, const SizePoints& points) {
  std::vector<double> logs;
  std::vector<LogPlace> places;
  MeasuredCurve m{kind, g.per_domain, {}, {}, {}, Curve(g.ranks, {Bytes(1.0)}, {Seconds(1.0)})};
  for (const SizePoint& p : points) {
    logs.push_back(p.log_time());
    m.sizes.push_back(p.bytes);
    places.push_back(p.place);
  }
  for (const double t : isotonic(logs)) m.times.push_back(Seconds(std::exp2(t)));
  m.curve = Curve(g.ranks, m.sizes, m.times);
  m.source = files_of(places);
  return m;
}

/// The network with one more measured curve, in place of one of the same kind and ranks.
Network with_curve(const Network& n, const MeasuredCurve& curve) {
  Network out = n;
  std::erase_if(out.measured, [&](const MeasuredCurve& m) {
    return m.kind == curve.kind && m.curve.ranks() == curve.curve.ranks();
  });
  out.measured.push_back(curve);
  ScaleUp inside = *n.inside;
  take_measured({curve}, inside);
  out.inside = std::make_shared<const ScaleUp>(std::move(inside));
  return out;
}

/// Every size predicted by the curve through the others.
std::vector<Seconds> leave_one_out(CollectiveKind kind, const Group& g, const Network& n,
                                   const SizePoints& points) {
  std::vector<Seconds> predicted(points.size());
  if (points.size() < 2) return predicted;
  for (std::size_t i = 0; i < points.size(); ++i) {
    SizePoints others = points;
    others.erase(others.begin() + static_cast<std::ptrdiff_t>(i));
    const Network without = with_curve(n, curve_of(kind, g, others));
    predicted[i] = collective_time(kind, points[i].bytes, g, without).time;
  }
  return predicted;
}

std::string curve_json(const MeasuredCurve& m) {
  std::vector<std::string> sizes, times;
  for (const Bytes b : m.sizes) sizes.push_back(fmt::format("{:.0f}", b.base()));
  for (const Seconds t : m.times) times.push_back(fmt::format("{:.5g}", t.in(Seconds(1e-6))));
  return fmt::format(
      "{{\"kind\": \"{}\", \"ranks\": {}, \"per_domain\": {}, \"source\": {}, \"bytes\": [{}], "
      "\"microseconds\": [{}]}}",
      name(m.kind), m.curve.ranks(), m.per_domain, json_quoted(m.source), fmt::join(sizes, ", "),
      fmt::join(times, ", "));
}

class NetworkCalibrator {
 public:
  NetworkCalibrator(const std::string& profile, Network network, Problems& problems)
      : profile_(profile), network_(std::move(network)), problems_(problems) {}

  Calibration run(const std::vector<ToolLog>& logs) {
    const std::size_t before = problems_.list().size();
    for (const ToolLog& log : logs) take(log);
    if (problems_.list().size() != before) return {};
    std::vector<MeasuredCurve> fresh;
    for (const auto& [key, points] : points_) fresh.push_back(family(key, points));
    if (!fresh.empty()) collectives(fresh);
    if (!peers_.empty()) pair();
    if (edits_.empty()) {
      problems_.add("",
                    "nothing in these logs is in a network profile (collectives, copies between "
                    "accelerators)");
      return {};
    }
    result_.profile = edited_json(profile_, edits_);
    return std::move(result_);
  }

 private:
  void take(const ToolLog& log) {
    check_device(log, network_.scale_up_profile, std::nullopt, problems_);
    for (const TimedCollective& t : log.collectives) {
      check_plausible(t, evenly_packed(t.ranks, network_), network_, problems_);
      SizePoints& all = points_[{t.kind, t.ranks}];
      const auto at = std::ranges::lower_bound(all, t.bytes, {}, &SizePoint::bytes);
      if (at != all.end() && at->bytes == t.bytes) {
        at->times.push_back(t.time);
      } else {
        all.insert(at, {t.bytes, {t.time}, t.place});
      }
    }
    std::size_t others = 0;
    for (const TimedCopy& c : log.copies) {
      if (c.path != CopyPath::peer) {
        ++others;
        continue;
      }
      check_plausible(c, network_.inside->link, "the link's", problems_);
      peers_.push_back(c);
    }
    const std::size_t kernels =
        log.gemms.size() + log.attentions.size() + log.kernels.size() + log.taxes.size();
    if (kernels + others > 0) {
      result_.unused.push_back(
          fmt::format("{}: {} measurements of kernels and memory, which an accelerator's profile "
                      "holds",
                      files_of({{log.file, ""}}), kernels + others));
    }
  }

  MeasuredCurve family(const Key& key, const SizePoints& points) {
    const auto [kind, ranks] = key;
    const Group g = evenly_packed(ranks, network_);
    CalibratedFamily f;
    f.name = fmt::format("{}, {} ranks", name(kind), ranks);
    f.did = points.size() > 1 ? fmt::format("curve over {} sizes", points.size())
                              : "one size: a curve of one point";
    f.left_out_how = points.size() > 1 ? "one at a time" : "";
    const std::vector<Seconds> left = leave_one_out(kind, g, network_, points);
    double widest = 0;
    for (std::size_t i = 0; i < points.size(); ++i) {
      const SizePoint& p = points[i];
      f.points.push_back({p.place, size_text(p.bytes), p.time(),
                          collective_time(kind, p.bytes, g, network_).time, left[i]});
      const auto [least, most] = std::ranges::minmax(p.times);
      widest = std::max(widest, most / least - 1);
    }
    if (widest > kDiffer) {
      f.did += fmt::format("; logs of one size differ by up to {}", show_percent(widest, 0));
    }
    result_.families.push_back(std::move(f));
    return curve_of(kind, g, points);
  }

  void collectives(const std::vector<MeasuredCurve>& fresh) {
    std::vector<std::string> curves;
    std::vector<LogPlace> sources;
    std::size_t kept = 0;
    for (const MeasuredCurve& old : network_.measured) {
      if (points_.contains({old.kind, old.curve.ranks()})) continue;
      curves.push_back(curve_json(old));
      ++kept;
    }
    for (const auto& [key, points] : points_) {
      for (const SizePoint& p : points) sources.push_back(p.place);
    }
    for (const MeasuredCurve& m : fresh) curves.push_back(curve_json(m));
    const std::string source = files_of(sources);
    std::vector<double> left;
    for (const CalibratedFamily& f : result_.families) {
      for (const CalibratedPoint& p : f.points) {
        if (p.left_out.base() > 0) left.push_back(p.left_out / p.measured - 1);
      }
    }
    const ErrorSummary e = summary(left);
    const std::string error = e.count == 0
                                  ? "no size left out: one of each"
                                  : fmt::format("sizes left out one at a time: median {}, p95 {}",
                                                show_percent(e.median), show_percent(e.p95));
    edits_.push_back(
        {"/collectives",
         fmt::format("{{\"evidence\": \"measured\", \"source\": {}, \"error\": {}, "
                     "\"curves\": [{}]}}",
                     json_quoted(source), json_quoted(error), fmt::join(curves, ", "))});
    result_.fields.push_back({"collectives",
                              network_.measured.empty()
                                  ? "the scale-up profile's curves and the model"
                                  : fmt::format("{} curves", network_.measured.size()),
                              kept > 0 ? fmt::format("{} new curves, {} kept", fresh.size(), kept)
                                       : fmt::format("{} curves", fresh.size()),
                              Evidence::measured, source});
  }

  void pair() {
    std::vector<double> rates;
    std::vector<LogPlace> places;
    for (const TimedCopy& c : peers_) {
      rates.push_back(c.rate.base());
      places.push_back(c.place);
    }
    const std::string now = fmt::format("{:.4g} GB/s", median(rates) / 1e9);
    const std::string source = files_of(places);
    edits_.push_back({"/pair", fmt::format("{{\"value\": \"{}\", \"evidence\": \"measured\", "
                                           "\"source\": {}}}",
                                           now, json_quoted(source))});
    result_.fields.push_back(
        {"pair", show(network_.inside->pair), now, Evidence::measured, source});
  }

  const std::string& profile_;
  Network network_;
  Problems& problems_;
  Calibration result_;
  std::map<Key, SizePoints> points_;
  std::vector<TimedCopy> peers_;
  std::vector<JsonEdit> edits_;
};

}  // namespace

Calibration calibrate_network(const std::string& profile, const std::vector<ToolLog>& logs,
                              Problems& problems) {
  std::optional<Network> network = read_network(profile, problems);
  if (!network) return {};
  return NetworkCalibrator(profile, *std::move(network), problems).run(logs);
}

}  // namespace forerun::hw
