#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <filesystem>
#include <functional>

#include "core/error.h"
#include "core/file.h"
#include "core/reader.h"
#include "hw/collective.h"

namespace forerun::hw {
namespace {

constexpr std::pair<std::string_view, Evidence> kEvidence[] = {{"measured", Evidence::measured},
                                                               {"published", Evidence::published},
                                                               {"fitted", Evidence::fitted},
                                                               {"derived", Evidence::derived},
                                                               {"assumed", Evidence::assumed}};

/// A field of a profile is an object {"value", "evidence", "source"}: what was read, where it came
/// from. `get` reads "value" with the reader's own checks.
template <class Profile, class Get>
auto field(Reader& top, Profile& profile, const std::string& key, Get get) {
  Reader object = top.object(key);
  auto value = get(object);
  profile.evidence[key] = object.choice<Evidence>("evidence", kEvidence);
  profile.source[key] = object.text("source");
  object.finish();
  return value;
}

template <class Profile>
struct Fields {
  Reader& top;
  Profile& profile;
  Seconds seconds(const std::string& key) {
    return field(top, profile, key, [](Reader& r) { return r.seconds("value"); });
  }
  Bandwidth bandwidth(const std::string& key) {
    return field(top, profile, key, [](Reader& r) { return r.bandwidth("value"); });
  }
  Bytes bytes(const std::string& key) {
    return field(top, profile, key, [](Reader& r) { return r.bytes("value"); });
  }
  double number(const std::string& key, double least, double most) {
    return field(top, profile, key, [&](Reader& r) { return r.number("value", least, most); });
  }
  std::int64_t integer(const std::string& key, std::int64_t least, std::int64_t most) {
    return field(top, profile, key, [&](Reader& r) { return r.integer("value", least, most); });
  }
  bool boolean(const std::string& key) {
    return field(top, profile, key, [](Reader& r) { return r.boolean("value"); });
  }
};

void read_curve(Reader& r, ScaleUp& s) {
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
    return;
  }
  if (!kind) return;
  std::vector<Bytes> s_bytes;
  std::vector<Seconds> s_times;
  for (const double v : sizes) s_bytes.push_back(Bytes(v));
  for (const double v : times) s_times.push_back(Seconds(v * 1e-6));
  s.curves[static_cast<std::size_t>(*kind)].emplace_back(ranks, s_bytes, s_times);
}

std::vector<std::string> names_in(std::string_view folder) {
  std::vector<std::string> names;
  for (const auto& entry : std::filesystem::directory_iterator(data_path(folder))) {
    if (entry.path().extension() == ".json") names.push_back(entry.path().stem().string());
  }
  std::sort(names.begin(), names.end());
  return names;
}

/// The text of FOLDER/NAME.json; throws Error with the nearest name if there is none.
std::string profile_text(std::string_view what, std::string_view folder, const std::string& name) {
  const std::vector<std::string> names = names_in(folder);
  if (!std::binary_search(names.begin(), names.end(), name)) {
    const std::string near = nearest(name, {names.begin(), names.end()});
    throw Error(ExitCode::wrong, fmt::format("no {} profile is named {}", what, name),
                near.empty() ? fmt::format("there are: {}", fmt::join(names, ", "))
                             : fmt::format("did you mean {}?", near));
  }
  return read_file(data_path(fmt::format("{}/{}.json", folder, name)), kMaxJsonBytes);
}

template <class T>
T checked(std::optional<T> value, const Problems& problems, const std::string& name) {
  if (!value || !problems.empty()) throw Error(ExitCode::wrong, problems.text(name));
  return *std::move(value);
}

}  // namespace

std::optional<ScaleUp> read_scale_up(const std::string& json_text, Problems& problems) {
  const std::size_t before = problems.list().size();
  const JsonDocument document = JsonDocument::parse(json_text, problems);
  Reader top = document.root(problems);
  ScaleUp s;
  Fields<ScaleUp> f{top, s};
  top.integer("schema", 1, 1);
  s.name = top.text("name");
  top.text("what");
  s.usual_network = top.text("usual_network");
  s.link = f.bandwidth("link");
  s.pair = f.bandwidth("pair");
  s.ring = f.bandwidth("ring");
  s.nvls = f.bandwidth("nvls");
  s.low_latency = f.bandwidth("low_latency");
  s.start = f.seconds("start");
  s.hop = f.seconds("hop");
  s.bulk_hop = f.seconds("bulk_hop");
  s.nvls_latency = f.seconds("nvls_latency");
  Reader measured = top.object("curves");
  s.evidence["curves"] = measured.choice<Evidence>("evidence", kEvidence);
  s.source["curves"] = measured.text("source");
  measured.text("error");
  for (Reader& curve : measured.objects("curves")) {
    read_curve(curve, s);
    curve.finish();
  }
  measured.finish();
  top.finish();
  for (auto& curves : s.curves) {
    std::sort(curves.begin(), curves.end(),
              [](const Curve& a, const Curve& b) { return a.ranks() < b.ranks(); });
  }
  if (problems.list().size() != before) return std::nullopt;
  return s;
}

ScaleUp load_scale_up(const std::string& name) {
  Problems problems;
  const std::string text = profile_text("scale-up", "hw/profiles/scale_up", name);
  return checked(read_scale_up(text, problems), problems, name + ".json");
}

std::vector<std::string> scale_up_names() { return names_in("hw/profiles/scale_up"); }

std::optional<Network> read_network(const std::string& json_text, Problems& problems) {
  const std::size_t before = problems.list().size();
  const JsonDocument document = JsonDocument::parse(json_text, problems);
  Reader top = document.root(problems);
  Network n;
  Fields<Network> f{top, n};
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
  n.in_job_efficiency = f.number("in_job_efficiency", 0.01, 1);
  top.finish();
  const std::vector<std::string> known = scale_up_names();
  if (std::find(known.begin(), known.end(), n.scale_up_profile) == known.end()) {
    const std::string near = nearest(n.scale_up_profile, {known.begin(), known.end()});
    problems.add("/scale_up_profile",
                 fmt::format("no scale-up profile is named {}{}", n.scale_up_profile,
                             near.empty() ? "" : fmt::format(", did you mean {}?", near)));
  }
  if (problems.list().size() != before) return std::nullopt;
  n.inside = std::make_shared<const ScaleUp>(load_scale_up(n.scale_up_profile));
  n.scale_up = n.inside->link;
  return n;
}

Network load_network(const std::string& name) {
  Problems problems;
  const std::string text = profile_text("network", "hw/profiles/networks", name);
  return checked(read_network(text, problems), problems, name + ".json");
}

std::vector<std::string> network_names() { return names_in("hw/profiles/networks"); }

std::string scale_up_of(const std::string& accelerator) {
  const std::vector<std::string> known = scale_up_names();
  const std::string stem = accelerator.substr(0, accelerator.find_first_of("-_"));
  if (std::find(known.begin(), known.end(), stem) != known.end()) return stem;
  const std::string near = nearest(stem, {known.begin(), known.end()});
  throw Error(ExitCode::wrong, fmt::format("no scale-up profile belongs to {}", accelerator),
              near.empty() ? fmt::format("there are: {}", fmt::join(known, ", "))
                           : fmt::format("did you mean {}?", near));
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
