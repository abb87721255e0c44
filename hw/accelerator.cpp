#include "hw/accelerator.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <string_view>
#include <utility>

#include "core/error.h"
#include "core/file.h"
#include "core/reader.h"
#include "hw/accelerator_reader.h"

namespace forerun::hw {

namespace {

constexpr std::array<std::string_view, 15> kGenerations = {
    "volta", "ampere", "ada",     "hopper",  "blackwell", "blackwell-rtx", "cdna2", "cdna3",
    "cdna4", "tpu-v4", "tpu-v5e", "tpu-v5p", "tpu-v6e",   "trainium2",     "gaudi3"};

std::string read_generation(Reader& top) {
  std::array<Choice<std::string_view>, kGenerations.size()> choices;
  for (std::size_t i = 0; i < choices.size(); ++i) choices[i] = {kGenerations[i], kGenerations[i]};
  return std::string(top.choice<std::string_view>("generation", choices));
}

PowerModel read_power(Reader& top, Accelerator& a) {
  AcceleratorFacts power(top.object("power"), a, "power.");
  const auto watts = [](Reader& r) { return r.watts("value"); };
  PowerModel model;
  model.idle = power.read("idle", watts);
  model.cap = power.read("cap", watts);
  model.table_cap = power.read("table_cap", watts);
  model.per_flop = Joules(power.number("picojoules_per_flop", 0, 100) * 1e-12);
  model.per_byte = Joules(power.number("picojoules_per_byte", 0, 10000) * 1e-12);
  model.least_clock = power.number("least_clock", 0.1, 1);
  model.evidence = Evidence::measured;
  for (const char* key : {"idle", "cap", "picojoules_per_flop", "picojoules_per_byte"}) {
    model.evidence = weakest(model.evidence, power.evidence(key));
  }
  power.reader().finish();
  return model;
}

enum class Part { facts, all };

std::optional<Accelerator> read(const std::string& json_text, Part part, Problems& problems) {
  const std::size_t before = problems.list().size();
  const JsonDocument document = JsonDocument::parse(json_text, problems);
  Reader top = document.root(problems);
  Accelerator a;
  (void)top.integer("schema", 1, 1);
  a.name = top.text("name");
  a.generation = read_generation(top);
  AcceleratorFacts facts(top, a, "");
  AcceleratorFacts peak(facts.reader().object("peak"), a, "peak.");
  for (const auto& [key, precision] : keys_of_choices(peak.reader(), kPrecisionChoices)) {
    a.peak[precision] = peak.read(key, [](Reader& r) { return r.flop_rate("value"); });
  }
  if (!a.peak.contains(Precision::bf16) && !a.peak.contains(Precision::fp16)) {
    peak.reader().problem("bf16", "missing, and no fp16 in its place");
  }
  a.memory = facts.read("memory", [](Reader& r) { return r.bytes("value"); });
  const auto bandwidth = [](Reader& r) { return r.bandwidth("value"); };
  a.memory_bandwidth = facts.read("memory_bandwidth", bandwidth);
  a.scale_up = facts.read("scale_up", bandwidth);
  a.streaming_efficiency = facts.number("streaming_efficiency", 0.05, 1);
  a.memory_efficiency = facts.number("memory_efficiency", 0.05, 1);
  a.memory_ramp = facts.read("memory_ramp", [](Reader& r) { return r.seconds("value"); });
  a.multiprocessors = static_cast<int>(
      facts.read("multiprocessors", [](Reader& r) { return r.integer("value", 1, 10000); }));
  a.chip_spread = facts.number("chip_spread", 0, 0.2);
  a.accumulation_exposed = facts.number("accumulation_exposed", 0, 1);
  a.promotion_rate = facts.number("promotion_rate", 0.3, 1);
  a.atomic_add_bf16 = facts.read("atomic_add_bf16", [](Reader& r) { return r.seconds("value"); });
  a.in_job_rate = facts.number("in_job_rate", 0.3, 1.5);
  a.scale_up_in_job = facts.number("scale_up_in_job", 0.1, 1);
  a.collective_tax = facts.number("collective_tax", 0, 1);
  a.power = read_power(facts.reader(), a);
  if (part == Part::all) {
    read_kernel_surfaces(facts.reader(), a);
    facts.reader().finish();
  }
  if (problems.list().size() != before) return std::nullopt;
  return a;
}

}  // namespace

std::optional<Accelerator> read_accelerator(const std::string& json_text, Problems& problems) {
  return read(json_text, Part::all, problems);
}

std::optional<Accelerator> read_accelerator_facts(const std::string& json_text,
                                                  Problems& problems) {
  return read(json_text, Part::facts, problems);
}

std::vector<std::string> accelerator_names() { return data_names("hw/profiles/accelerators"); }

FlopRate matrix_peak(const Accelerator& a) {
  for (const Precision p : {Precision::bf16, Precision::fp16}) {
    const auto found = a.peak.find(p);
    if (found != a.peak.end()) return found->second;
  }
  return FlopRate{};  // only of a profile that was refused
}

Accelerator load_accelerator(const std::string& name) {
  const std::vector<std::string> names = accelerator_names();
  if (!std::ranges::binary_search(names, name)) {
    const std::string near = nearest(name, {names.begin(), names.end()});
    throw Error(ExitCode::wrong, fmt::format("no accelerator profile \"{}\"", name),
                near.empty() ? fmt::format("known: {}", fmt::join(names, ", "))
                             : fmt::format("did you mean {}?", near));
  }
  const std::string path = data_path("hw/profiles/accelerators/" + name + ".json");
  Problems problems;
  std::optional<Accelerator> a = read_accelerator(read_file(path, kMaxJsonBytes), problems);
  if (!a) throw Error(ExitCode::wrong, problems.text(path), "the profile is part of the program");
  return *std::move(a);
}

}  // namespace forerun::hw
