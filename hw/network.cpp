#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <functional>

#include "core/error.h"
#include "core/file.h"
#include "core/reader.h"
#include "core/sourced_reader.h"
#include "hw/collective.h"

namespace forerun::hw {
namespace {

using Curves = decltype(ScaleUp::curves);

/// What a curve's object says: kind, ranks, bytes, microseconds.
std::optional<MeasuredCurve> read_curve(Reader& r) {
  const std::string kind_name = r.text("kind");
  const std::int64_t ranks = r.integer("ranks", 2, 1 << 20);
  const std::vector<double> sizes = r.numbers("bytes", 1, 1e15);
  const std::vector<double> times = r.numbers("microseconds", 0, 1e12);
  const std::optional<CollectiveKind> kind = collective_named(kind_name);
  if (!kind) r.problem("kind", fmt::format("no collective is named {}", kind_name));
  const bool rising = std::is_sorted(sizes.begin(), sizes.end(), std::less_equal<>()) &&
                      std::is_sorted(times.begin(), times.end());
  if (sizes.empty() || sizes.size() != times.size() || !rising || times.front() <= 0) {
    r.problem("bytes",
              fmt::format("{} sizes and {} times: as many of both, both rising, above zero",
                          sizes.size(), times.size()));
    return std::nullopt;
  }
  if (!kind) return std::nullopt;
  std::vector<Bytes> s_bytes;
  std::vector<Seconds> s_times;
  for (const double v : sizes) s_bytes.push_back(Bytes(v));
  for (const double v : times) s_times.push_back(Seconds(v * 1e-6));
  return MeasuredCurve{*kind, ranks, s_bytes, s_times, {}, Curve(ranks, s_bytes, s_times)};
}

/// By kind, by rising ranks.
Curves read_curves(Reader& measured) {
  Curves all;
  measured.text("error");
  for (Reader& curve : measured.objects("curves")) {
    if (const auto read = read_curve(curve)) {
      all[static_cast<std::size_t>(read->kind)].push_back(read->curve);
    }
    curve.finish();
  }
  for (auto& curves : all) std::ranges::sort(curves, {}, &Curve::ranks);
  return all;
}

/// The profile's own measurements: as a scale-up profile's curves, each with how many of its ranks
/// lie in one domain and its source.
std::vector<MeasuredCurve> read_measured(Reader& field) {
  std::vector<MeasuredCurve> all;
  field.text("error");
  for (Reader& r : field.objects("curves")) {
    const std::int64_t per_domain = r.integer("per_domain", 1, 1 << 20);
    const std::string source = r.text("source");
    std::optional<MeasuredCurve> curve = read_curve(r);
    r.finish();
    if (!curve) continue;
    if (per_domain > curve->curve.ranks()) {
      r.problem("per_domain",
                fmt::format("{} is more than the {} ranks", per_domain, curve->curve.ranks()));
      continue;
    }
    curve->per_domain = per_domain;
    curve->source = source;
    all.push_back(*std::move(curve));
  }
  return all;
}

constexpr std::string_view kScaleUpFolder = "hw/profiles/scale_up";
constexpr std::string_view kNetworkFolder = "hw/profiles/networks";

/// FOLDER/NAME.json through `read`; throws Error with the nearest name if there is none.
template <class Read>
auto load_profile(std::string_view what, std::string_view folder, const std::string& name,
                  Read read) {
  const std::vector<std::string> names = data_names(folder);
  if (!std::ranges::binary_search(names, name)) {
    throw Error(ExitCode::wrong, fmt::format("no {} profile is named {}", what, name),
                did_you_mean(name, names, fmt::format("there are: {}", fmt::join(names, ", "))));
  }
  const std::string path = data_path(fmt::format("{}/{}.json", folder, name));
  Problems problems;
  return value_or_throw(read(read_file(path, kMaxJsonBytes), problems), problems, name + ".json");
}

}  // namespace

std::optional<ScaleUp> read_scale_up(const std::string& json_text, Problems& problems) {
  const std::size_t before = problems.list().size();
  const JsonDocument document = JsonDocument::parse(json_text, problems);
  Reader top = document.root(problems);
  ScaleUp s;
  SourcedReader f(top, s.evidence, s.source);
  top.integer("schema", 1, 1);
  s.name = top.text("name");
  top.text("what");
  s.usual_network = top.text("usual_network");
  s.link = f.bandwidth("link");
  s.pair = f.bandwidth("pair");
  s.all_to_all = top.has("all_to_all") ? f.bandwidth("all_to_all") : s.pair;
  s.ring = f.bandwidth("ring");
  s.nvls = f.bandwidth("nvls");
  s.low_latency = f.bandwidth("low_latency");
  s.start = f.seconds("start");
  s.hop = f.seconds("hop");
  s.bulk_hop = f.seconds("bulk_hop");
  s.nvls_latency = f.seconds("nvls_latency");
  s.curves = f.field("curves", read_curves);
  top.finish();
  if (problems.list().size() != before) return std::nullopt;
  return s;
}

ScaleUp load_scale_up(const std::string& name) {
  return load_profile("scale-up", kScaleUpFolder, name, read_scale_up);
}

std::vector<std::string> scale_up_names() { return data_names(kScaleUpFolder); }

std::optional<Network> read_network(const std::string& json_text, Problems& problems) {
  const std::size_t before = problems.list().size();
  const JsonDocument document = JsonDocument::parse(json_text, problems);
  Reader top = document.root(problems);
  Network n;
  SourcedReader f(top, n.evidence, n.source);
  top.integer("schema", 1, 1);
  n.name = top.text("name");
  top.text("what");
  n.scale_up_profile = top.text("scale_up_profile");
  n.domain = f.integer("domain", 1, 1 << 20);
  n.per_node = f.integer("per_node", 1, 1 << 20);
  n.network = f.bandwidth("network");
  n.nic = f.bandwidth("nic");
  n.network_efficiency = f.number("network_efficiency", 0.01, 1);
  n.tree_efficiency = f.number("tree_efficiency", 0, 1);
  n.all_to_all_efficiency = f.number("all_to_all_efficiency", 0.01, 1);
  n.group_nics = f.integer("group_nics", 0, 1 << 20);
  n.low_latency = f.bandwidth("low_latency");
  n.network_latency = f.seconds("network_latency");
  n.ring_latency = f.seconds("ring_latency");
  n.tree_latency = f.seconds("tree_latency");
  n.collective_latency = f.seconds("collective_latency");
  n.message_gap = f.seconds("message_gap");
  n.fill = f.bytes("fill");
  n.degradation_per_doubling = f.number("degradation_per_doubling", 0, 0.5);
  n.sharp = f.boolean("sharp");
  n.nvls = f.boolean("nvls");
  n.exchange_host = f.seconds("exchange_host");
  n.network_tax = f.number("network_tax", 0, 1);
  n.in_job_efficiency = f.number("in_job_efficiency", 0.01, 1);
  if (top.has("collectives")) n.measured = f.field("collectives", read_measured);
  const Bandwidth pair = top.has("pair") ? f.bandwidth("pair") : Bandwidth{};
  top.finish();
  const std::vector<std::string> known = scale_up_names();
  if (std::find(known.begin(), known.end(), n.scale_up_profile) == known.end()) {
    const std::string near = nearest(n.scale_up_profile, {known.begin(), known.end()});
    problems.add("/scale_up_profile",
                 fmt::format("no scale-up profile is named {}{}", n.scale_up_profile,
                             near.empty() ? "" : fmt::format(", did you mean {}?", near)));
  }
  if (problems.list().size() != before) return std::nullopt;
  ScaleUp inside = load_scale_up(n.scale_up_profile);
  if (pair.base() > 0) inside.pair = pair;
  take_measured(n.measured, inside);
  n.inside = std::make_shared<const ScaleUp>(std::move(inside));
  n.scale_up = n.inside->link;
  return n;
}

void take_measured(const std::vector<MeasuredCurve>& measured, ScaleUp& inside) {
  for (const MeasuredCurve& m : measured) {
    if (m.per_domain != m.curve.ranks()) continue;
    auto& curves = inside.curves[static_cast<std::size_t>(m.kind)];
    std::erase_if(curves, [&](const Curve& c) { return c.ranks() == m.curve.ranks(); });
    curves.push_back(m.curve);
    std::ranges::sort(curves, {}, &Curve::ranks);
  }
}

Network load_network(const std::string& name) {
  return load_profile("network", kNetworkFolder, name, read_network);
}

std::vector<std::string> network_names() { return data_names(kNetworkFolder); }

std::string scale_up_of(const std::string& accelerator) {
  const std::vector<std::string> known = scale_up_names();
  for (std::string stem = accelerator;;) {
    if (std::find(known.begin(), known.end(), stem) != known.end()) return stem;
    const std::size_t cut = stem.find_last_of("-_");
    if (cut != std::string::npos) {
      stem.resize(cut);
      continue;
    }
    throw Error(ExitCode::wrong, fmt::format("no scale-up profile belongs to {}", accelerator),
                did_you_mean(stem, known, fmt::format("there are: {}", fmt::join(known, ", "))));
  }
}

Network make_network(const std::string& accelerator_or_scale_up, std::int64_t domain,
                     std::int64_t per_node, Bandwidth network) {
  const std::string scale_up = scale_up_of(accelerator_or_scale_up);
  Network n = load_network(load_scale_up(scale_up).usual_network);
  const bool stated = network.base() > 0;
  const bool same = n.domain == domain && n.per_node == per_node &&
                    (!stated || std::abs(network / n.network - 1.0) < 1e-9);
  for (auto& [field, evidence] : n.evidence) {
    const bool given = field == "domain" || field == "per_node" || (field == "network" && stated);
    if (given) {
      evidence = Evidence::derived;
      n.source[field] = "stated for this machine";
    } else if (!same || (field == "network" && !stated)) {
      evidence = Evidence::assumed;
    }
  }
  if (same) return n;
  n.name += "-like";
  n.domain = domain;
  n.per_node = per_node;
  if (stated) n.network = n.nic = network;
  return n;
}

Group packed_group(std::int64_t ranks, const Network& network) {
  return {ranks, std::min(ranks, network.domain), 1};
}

}  // namespace forerun::hw
