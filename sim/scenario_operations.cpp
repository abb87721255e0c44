#include "sim/scenario_operations.h"

#include <fmt/format.h>

#include <algorithm>

#include "core/json_writer.h"
#include "models/mixture/modality.h"

namespace forerun::sim {
namespace {

using namespace literals;

constexpr double kMostSteps = 1e12, kMostSpares = 1e6, kMostBytesAParameter = 1000;
constexpr double kMostItems = 1e9, kMostStalls = 1e5, kMostBytesAToken = 1e6;

Bandwidth read_bandwidth(Reader& at, const char* key, Bandwidth otherwise) {
  return at.has(key) ? at.bandwidth(key) : otherwise;
}

CheckpointTier read_tier(Reader& at) {
  CheckpointTier t;
  t.name = at.text("name");
  t.mode = at.choice("mode", kCheckpointModes);
  if (at.has("every") && at.has("every_steps")) {
    at.problem("every", "either this or every_steps");
  }
  if (at.has("every")) {
    t.every = read_duration(at, "every");
    if (!(t.every->base() > 0)) at.problem("every", "must be above 0");
  }
  if (at.has("every_steps")) t.every_steps = at.number("every_steps", 1, kMostSteps);
  if (at.has("blocks")) t.blocks = read_duration(at, "blocks");
  t.survives = t.mode == CheckpointMode::in_memory ? Survives::process : Survives::all;
  if (at.has("survives")) t.survives = at.choice("survives", kSurvivals);
  at.finish();
  return t;
}

Storage read_storage(Reader at, const Storage& otherwise) {
  Storage s;
  s.write = read_bandwidth(at, "write", {});
  s.read = read_bandwidth(at, "read", {});
  s.write_per_node = read_bandwidth(at, "write_per_node", otherwise.write_per_node);
  s.read_per_node = read_bandwidth(at, "read_per_node", otherwise.read_per_node);
  at.finish();
  return s;
}

DataLoading read_data(Reader at) {
  DataLoading d;
  d.read = read_bandwidth(at, "read", {});
  if (at.has("bytes_per_token")) {
    d.bytes_per_token = at.number("bytes_per_token", 0, kMostBytesAToken);
  }
  if (at.has("decode")) {
    Reader decode = at.object("decode");
    const std::vector<std::string> known = models::modality_names();
    for (const std::string& modality : decode.keys()) {
      if (!std::ranges::binary_search(known, modality)) {
        decode.problem(modality,
                       "no modality is named so; " +
                           did_you_mean(modality, known, "forerun list has none of that name"));
        continue;
      }
      d.decode[modality] = decode.number(modality, 1e-6, kMostItems);
    }
    decode.finish();
  }
  if (at.has("stalls")) {
    Reader stalls = at.object("stalls");
    d.stalls_per_day = stalls.number("per_day", 0, kMostStalls);
    d.stall = read_duration_range(stalls, "lasts");
    stalls.finish();
  }
  if (d.read.base() > 0 && !at.has("bytes_per_token")) {
    at.problem("bytes_per_token",
               "missing: how much of the storage's bandwidth does a token take?");
  }
  if (at.has("bytes_per_token") && !(d.read.base() > 0)) {
    at.problem("read", "missing, or 0: tokens have bytes, and nothing says how fast they are read");
  }
  at.finish();
  return d;
}

void read_reliability(Reader& top, Operations& o) {
  if (!top.has("reliability")) return;
  if (top.is_object("reliability")) {
    Reader body = top.object("reliability");
    o.reliability = hw::read_reliability_body(body);
    o.reliability_name.clear();
    return;
  }
  const std::string name = top.text("reliability");
  const std::vector<std::string> known = hw::reliability_names();
  if (!std::ranges::binary_search(known, name)) {
    top.problem("reliability",
                fmt::format("no reliability profile is named \"{}\"; {}", name,
                            did_you_mean(name, known,
                                         fmt::format("there are: {}", fmt::join(known, ", ")))));
    return;
  }
  o.reliability = hw::load_reliability(name);
  o.reliability_name = name;
}

void read_straggler_choice(Reader& top, Operations& o) {
  if (!top.has("stragglers")) return;
  const std::string name = top.text("stragglers");
  const std::vector<std::string> known = hw::straggler_names();
  if (!std::ranges::binary_search(known, name)) {
    top.problem("stragglers",
                fmt::format("no straggler profile is named \"{}\"; {}", name,
                            did_you_mean(name, known,
                                         fmt::format("there are: {}", fmt::join(known, ", ")))));
    return;
  }
  o.stragglers = hw::load_stragglers(name);
}

void read_times(Reader& top, Operations& o) {
  if (top.has("detection")) o.detection = read_duration_range(top, "detection");
  if (top.has("restart")) o.restart = read_duration_range(top, "restart");
  if (top.has("replacement")) {
    o.replacement = read_duration_range(top, "replacement");
    if (!(o.replacement.low > 0)) top.problem("replacement", "must be above 0");
  }
  if (top.has("evaluation")) {
    Reader e = top.object("evaluation");
    o.evaluation.every_steps = e.number("every_steps", 1, kMostSteps);
    o.evaluation.lasts = read_duration(e, "lasts");
    e.finish();
  }
  if (top.has("maintenance")) {
    Reader m = top.object("maintenance");
    o.maintenance.every = read_duration(m, "every");
    if (o.maintenance.every.base() < 3600) m.problem("every", "must be at least an hour");
    o.maintenance.lasts = read_duration_range(m, "lasts");
    if (o.maintenance.lasts.high >= o.maintenance.every.base()) {
      m.problem("lasts", "must be shorter than the time from one to the next");
    }
    m.finish();
  }
}

Operations defaults() {
  Operations o;
  o.reliability_name = "meta-rsc";
  o.reliability = hw::load_reliability(o.reliability_name);
  o.checkpoints = {CheckpointTier{}};
  o.storage.write_per_node = o.storage.read_per_node = 1.0_GBps;
  o.host_link = 25.0_GBps;
  o.detection = {10, 600};
  o.restart = {60, 600};
  o.replacement = {900, 12 * 3600.0};
  return o;
}

/// The fields that may be unstated, and why their defaults are what they are.
struct Field {
  const char* name;
  const char* why;
};
constexpr Field kFields[] = {
    {"reliability",
     "failures as on Meta's two research clusters, 2.34 to 6.5 per 1,000 node-days of 8 "
     "accelerators (Kokolis et al. 2024), hardware only"},
    {"checkpoints",
     "checkpoints written behind the training at the optimal interval but not below 5 min, half a "
     "second's stop each "
     "(below that with PyTorch's distributed checkpoints of an 8B model)"},
    {"storage",
     "a GB/s of storage for each node (Llama 3: 2 TB/s for 2,048 nodes; BLOOM: 2.3 TB in 40 s on "
     "48)"},
    {"host_link",
     "25 GB/s between an accelerator and its host, whatever it is (PCIe 4 measured: 26)"},
    {"detection", "10 s to 10 min until a failure is noticed (MegaScale: below 10 min)"},
    {"restart",
     "1 to 10 min to find the cause and start again, the checkpoint's loading on top (MegaScale: "
     "caught up within 15 min)"},
    {"spares", "one spare node for a hundred, rounded (no source)"},
    {"replacement", "15 min to 12 h until a lost node is back or replaced (no source)"},
    {"when_short", "a job that is short of nodes waits for them"}};

}  // namespace

const Operations& default_operations() {
  static const Operations all = [] {
    Operations o = defaults();
    for (const Field& f : kFields) o.unstated.emplace_back(f.name);
    return o;
  }();
  return all;
}

Operations read_operations(Reader& top) {
  Operations o = default_operations();
  o.unstated.clear();
  for (const Field& f : kFields) {
    if (!top.has(f.name)) o.unstated.emplace_back(f.name);
  }
  read_reliability(top, o);
  read_straggler_choice(top, o);
  if (top.has("checkpoints")) {
    o.checkpoints.clear();
    for (Reader& tier : top.objects("checkpoints")) {
      CheckpointTier t = read_tier(tier);
      if (std::ranges::find(o.checkpoints, t.name, &CheckpointTier::name) != o.checkpoints.end()) {
        tier.problem("name", fmt::format("a second tier named \"{}\"", t.name));
      }
      o.checkpoints.push_back(std::move(t));
    }
    const bool outlives = std::ranges::any_of(o.checkpoints, [](const CheckpointTier& t) {
      return t.mode != CheckpointMode::in_memory && t.survives == Survives::all;
    });
    if (!outlives) {
      top.problem("checkpoints",
                  "one of them must be written to storage (mode synchronous or asynchronous) and "
                  "survive all: else the run may be lost whole");
    }
  }
  if (top.has("storage")) o.storage = read_storage(top.object("storage"), o.storage);
  if (top.has("bytes_per_parameter")) {
    o.bytes_per_parameter = top.number("bytes_per_parameter", 0.1, kMostBytesAParameter);
  }
  if (top.has("host_link")) {
    o.host_link = top.bandwidth("host_link");
    if (!(o.host_link.base() > 0)) top.problem("host_link", "must be above 0");
  }
  read_times(top, o);
  if (top.has("spares"))
    o.spares = top.integer("spares", 0, static_cast<std::int64_t>(kMostSpares));
  if (top.has("when_short")) o.when_short = top.choice("when_short", kWhenShort);
  if (top.has("diurnal")) o.diurnal = top.number("diurnal", 0, 1);
  if (top.has("step_time")) {
    o.step_time = read_duration(top, "step_time");
    if (!(o.step_time->base() > 0)) top.problem("step_time", "must be above 0");
  }
  if (top.has("step_jitter")) o.step_jitter = top.number("step_jitter", 0, 1);
  if (top.has("data")) o.data = read_data(top.object("data"));
  top.finish();
  return o;
}

std::string operations_json(const Operations& o) {
  const auto stated = [&](std::string_view field) {
    return std::ranges::find(o.unstated, field) == o.unstated.end();
  };
  std::vector<std::string> out;
  const auto add = [&](const char* key, const std::string& value) {
    out.push_back(fmt::format("\"{}\": {}", key, value));
  };
  const auto rate = [](Bandwidth b) { return fmt::format("\"{} B/s\"", b.base()); };
  if (stated("reliability")) {
    add("reliability", o.reliability_name.empty() ? hw::reliability_json(o.reliability)
                                                  : json_quoted(o.reliability_name));
  }
  if (stated("checkpoints")) {
    std::vector<std::string> tiers;
    for (const CheckpointTier& t : o.checkpoints) {
      std::string tier = fmt::format("{{\"name\": {}, \"mode\": \"{}\"", json_quoted(t.name),
                                     name_in(kCheckpointModes, t.mode));
      if (t.every) tier += fmt::format(", \"every\": {}", duration_json(*t.every));
      if (t.every_steps) tier += fmt::format(", \"every_steps\": {}", *t.every_steps);
      tiers.push_back(tier + fmt::format(", \"blocks\": {}, \"survives\": \"{}\"}}",
                                         duration_json(t.blocks), name_in(kSurvivals, t.survives)));
    }
    add("checkpoints", fmt::format("[{}]", fmt::join(tiers, ", ")));
  }
  if (stated("storage")) {
    add("storage", fmt::format("{{\"write\": {}, \"read\": {}, \"write_per_node\": {}, "
                               "\"read_per_node\": {}}}",
                               rate(o.storage.write), rate(o.storage.read),
                               rate(o.storage.write_per_node), rate(o.storage.read_per_node)));
  }
  if (o.bytes_per_parameter) add("bytes_per_parameter", fmt::format("{}", *o.bytes_per_parameter));
  if (stated("host_link")) add("host_link", rate(o.host_link));
  if (stated("detection")) add("detection", duration_range_json(o.detection));
  if (stated("restart")) add("restart", duration_range_json(o.restart));
  if (stated("replacement")) add("replacement", duration_range_json(o.replacement));
  if (o.spares) add("spares", fmt::format("{}", *o.spares));
  if (stated("when_short")) {
    add("when_short", fmt::format("\"{}\"", name_in(kWhenShort, o.when_short)));
  }
  if (o.evaluation.every_steps > 0) {
    add("evaluation", fmt::format("{{\"every_steps\": {}, \"lasts\": {}}}",
                                  o.evaluation.every_steps, duration_json(o.evaluation.lasts)));
  }
  if (o.maintenance.every.base() > 0) {
    add("maintenance",
        fmt::format("{{\"every\": {}, \"lasts\": {}}}", duration_json(o.maintenance.every),
                    duration_range_json(o.maintenance.lasts)));
  }
  if (o.diurnal > 0) add("diurnal", fmt::format("{}", o.diurnal));
  if (o.stragglers) add("stragglers", json_quoted(o.stragglers->name));
  if (o.step_time) add("step_time", duration_json(*o.step_time));
  if (o.step_jitter > 0) add("step_jitter", fmt::format("{}", o.step_jitter));
  if (o.data) {
    std::vector<std::string> decode;
    for (const auto& [modality, rate_of] : o.data->decode) {
      decode.push_back(fmt::format("{}: {}", json_quoted(modality), rate_of));
    }
    std::string data = fmt::format("{{\"read\": {}, \"bytes_per_token\": {}", rate(o.data->read),
                                   o.data->bytes_per_token);
    if (!decode.empty()) data += fmt::format(", \"decode\": {{{}}}", fmt::join(decode, ", "));
    if (o.data->stalls_per_day > 0) {
      data += fmt::format(", \"stalls\": {{\"per_day\": {}, \"lasts\": {}}}",
                          o.data->stalls_per_day, duration_range_json(o.data->stall));
    }
    add("data", data + "}");
  }
  return fmt::format("{{{}}}", fmt::join(out, ", "));
}

std::vector<std::string> operations_assumed(const Operations& o) {
  std::vector<std::string> out;
  for (const Field& f : kFields) {
    if (std::ranges::find(o.unstated, f.name) != o.unstated.end()) out.emplace_back(f.why);
  }
  return out;
}

}  // namespace forerun::sim
