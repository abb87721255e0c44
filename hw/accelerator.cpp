#include "hw/accelerator.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <filesystem>
#include <set>
#include <utility>

#include "core/error.h"
#include "core/file.h"
#include "core/reader.h"
#include "hw/attention_surface.h"
#include "hw/gemm_surface.h"

namespace forerun::hw {

namespace {

template <class E, std::size_t N>
using Names = std::array<std::pair<std::string_view, E>, N>;

constexpr Names<Evidence, 5> kEvidence = {{
    {"measured", Evidence::measured},
    {"published", Evidence::published},
    {"fitted", Evidence::fitted},
    {"derived", Evidence::derived},
    {"assumed", Evidence::assumed},
}};

constexpr Names<Precision, 8> kPrecisions = {{
    {"fp32", Precision::fp32},
    {"tf32", Precision::tf32},
    {"bf16", Precision::bf16},
    {"fp16", Precision::fp16},
    {"fp8", Precision::fp8},
    {"mxfp8", Precision::mxfp8},
    {"nvfp4", Precision::nvfp4},
    {"fp8_block", Precision::fp8_block},
}};

constexpr Names<AttentionKernel, 4> kAttentionKernels = {{
    {"flash2", AttentionKernel::flash2},
    {"flash3", AttentionKernel::flash3},
    {"cudnn", AttentionKernel::cudnn},
    {"triton", AttentionKernel::triton},
}};

constexpr Names<std::string_view, 3> kGenerations = {
    {{"ampere", "ampere"}, {"hopper", "hopper"}, {"blackwell", "blackwell"}}};

/// The keys of an object that are names of `choices`; others are reported.
template <class E, std::size_t N>
std::vector<std::pair<std::string, E>> named(Reader& object, const Names<E, N>& choices) {
  std::vector<std::string_view> names;
  for (const auto& c : choices) names.push_back(c.first);
  std::vector<std::pair<std::string, E>> found;
  for (const std::string& key : object.keys()) {
    const auto at = std::ranges::find(names, std::string_view(key));
    if (at != names.end()) {
      found.emplace_back(key, choices[static_cast<std::size_t>(at - names.begin())].second);
      continue;
    }
    const std::string near = nearest(key, names);
    object.problem(key, fmt::format("unknown name, expected one of {}{}", fmt::join(names, ", "),
                                    near.empty() ? "" : "; did you mean " + near + "?"));
  }
  return found;
}

/// Reads `{"value": ..., "evidence": ..., "source": ...}` entries and notes where each came from.
class Sourced {
 public:
  Sourced(Reader reader, Accelerator& accelerator, std::string prefix)
      : reader_(std::move(reader)), accelerator_(accelerator), prefix_(std::move(prefix)) {}

  template <class Read>
  auto read(const std::string& key, Read value) {
    Reader entry = reader_.object(key);
    auto result = value(entry);
    note(key, entry);
    entry.finish();
    return result;
  }
  double number(const std::string& key, double least, double most) {
    return read(key, [&](Reader& r) { return r.number("value", least, most); });
  }
  void note(const std::string& key, Reader& entry) {
    accelerator_.evidence[prefix_ + key] = entry.choice<Evidence>("evidence", kEvidence);
    accelerator_.source[prefix_ + key] = entry.text("source");
  }
  [[nodiscard]] Evidence evidence(const std::string& key) const {
    return accelerator_.evidence.at(prefix_ + key);
  }
  Reader& reader() { return reader_; }

 private:
  Reader reader_;
  Accelerator& accelerator_;
  std::string prefix_;
};

/// A surface file holds what was fitted to one machine's tables; profiles of relatives share it.
struct SurfaceFile {
  std::map<Precision, GemmFit> gemm;
  std::map<AttentionKernel, AttentionFit> attention;
};

SurfaceFile read_surface_file(Reader& top) {
  SurfaceFile file;
  (void)top.integer("schema", 1, 1);
  for (const char* key : {"name", "source", "licence", "changes"}) (void)top.text(key);
  Reader gemm = top.object("gemm");
  for (const auto& [key, precision] : named(gemm, kPrecisions)) {
    file.gemm.emplace(precision, read_gemm_fit(gemm.object(key)));
  }
  Reader attention = top.object("attention");
  for (const auto& [key, kernel] : named(attention, kAttentionKernels)) {
    file.attention.emplace(kernel, read_attention_fit(attention.object(key)));
  }
  top.finish();
  return file;
}

SurfaceFile load_surfaces(const std::string& name) {
  const std::string path = data_path("hw/profiles/surfaces/" + name + ".json");
  Problems problems;
  const JsonDocument document = JsonDocument::load(path, problems);
  Reader top = document.root(problems);
  SurfaceFile file = read_surface_file(top);
  if (!problems.empty()) {
    throw Error(ExitCode::wrong, problems.text(path), "run the program fit_surfaces again");
  }
  return file;
}

class SurfaceFiles {
 public:
  /// Surfaces that stand in the profile itself, by name ("surfaces", made by forerun calibrate):
  /// they are the machine's own.
  void embed(Reader& top) {
    if (!top.has("surfaces")) return;
    Reader all = top.object("surfaces");
    for (const std::string& name : all.keys()) {
      Reader one = all.object(name);
      files_.emplace(name, read_surface_file(one));
      embedded_.insert(name);
    }
  }
  [[nodiscard]] bool embedded(const std::string& name) const { return embedded_.contains(name); }
  const SurfaceFile* get(const std::string& name, Reader& entry) {
    if (name.empty()) return nullptr;
    if (!files_.contains(name)) {
      const std::string path = data_path("hw/profiles/surfaces");
      if (!std::filesystem::exists(path + "/" + name + ".json")) {
        entry.problem("surface", fmt::format("no surface file \"{}\"", name));
        return nullptr;
      }
      files_.emplace(name, load_surfaces(name));
    }
    return &files_.at(name);
  }

 private:
  std::map<std::string, SurfaceFile> files_;
  std::set<std::string> embedded_;
};

/// Which fitted surface a profile uses for a format or kernel, and at what rate relative to it.
struct Use {
  std::string file;
  double rate = 1;
  bool own = true;
};

Use read_use(Reader& entry, const std::string& profile, const SurfaceFiles& files) {
  Use use;
  use.file = entry.text("surface");
  use.rate = entry.number("rate", 0.01, 10);
  use.own = (use.file == profile || files.embedded(use.file)) && use.rate == 1;
  return use;
}

double bytes_of_result(Precision p) {
  return p == Precision::fp32 || p == Precision::tf32 ? 4.0 : 2.0;
}

void read_surfaces(Reader& top, Accelerator& a) {
  SurfaceFiles files;
  files.embed(top);
  Sourced gemm(top.object("gemm"), a, "gemm.");
  for (const auto& [key, precision] : named(gemm.reader(), kPrecisions)) {
    Reader entry = gemm.reader().object(key);
    const Use use = read_use(entry, a.name, files);
    const Precision like = entry.choice<Precision>("precision", kPrecisions);
    gemm.note(key, entry);
    entry.finish();
    const SurfaceFile* file = files.get(use.file, entry);
    if (file == nullptr || use.rate <= 0) continue;
    const auto fit = file->gemm.find(like);
    if (fit == file->gemm.end()) {
      entry.problem("precision", fmt::format("{} has no surface of {}", use.file, name(like)));
      continue;
    }
    if (a.multiprocessors < 1) continue;  // reported where it is read
    const GemmMachine machine{fit->second.peak * use.rate, a.memory_bandwidth, a.multiprocessors,
                              bytes_per_element(precision), bytes_of_result(precision)};
    a.gemm[precision] =
        std::make_shared<const GemmSurface>(fit->second, machine, use.own && like == precision);
  }
  Sourced attention(top.object("attention"), a, "attention.");
  for (const auto& [key, kernel] : named(attention.reader(), kAttentionKernels)) {
    Reader entry = attention.reader().object(key);
    const Use use = read_use(entry, a.name, files);
    const AttentionKernel like = entry.choice<AttentionKernel>("kernel", kAttentionKernels);
    attention.note(key, entry);
    entry.finish();
    const SurfaceFile* file = files.get(use.file, entry);
    if (file == nullptr || use.rate <= 0) continue;
    const auto fit = file->attention.find(like);
    if (fit == file->attention.end()) {
      entry.problem("kernel", fmt::format("{} has no surface of {}", use.file, name(like)));
      continue;
    }
    if (a.multiprocessors < 1) continue;
    const AttentionMachine machine{fit->second.peak * use.rate,
                                   a.memory_bandwidth * a.streaming_efficiency, a.multiprocessors};
    a.attention[kernel] =
        std::make_shared<const AttentionSurface>(fit->second, machine, use.own && like == kernel);
  }
}

PowerModel read_power(Reader& top, Accelerator& a) {
  Sourced power(top.object("power"), a, "power.");
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

}  // namespace

namespace {

enum class Part { facts, all };

std::optional<Accelerator> read(const std::string& json_text, Part part, Problems& problems) {
  const std::size_t before = problems.list().size();
  const JsonDocument document = JsonDocument::parse(json_text, problems);
  Reader top = document.root(problems);
  Accelerator a;
  (void)top.integer("schema", 1, 1);
  a.name = top.text("name");
  a.generation = top.choice<std::string_view>("generation", kGenerations);
  Sourced facts(top, a, "");
  Sourced peak(facts.reader().object("peak"), a, "peak.");
  for (const auto& [key, precision] : named(peak.reader(), kPrecisions)) {
    a.peak[precision] = peak.read(key, [](Reader& r) { return r.flop_rate("value"); });
  }
  if (!a.peak.contains(Precision::bf16)) peak.reader().problem("bf16", "missing");
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
    read_surfaces(facts.reader(), a);
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

std::vector<std::string> accelerator_names() {
  std::vector<std::string> names;
  for (const auto& entry :
       std::filesystem::directory_iterator(data_path("hw/profiles/accelerators"))) {
    if (entry.path().extension() == ".json") names.push_back(entry.path().stem().string());
  }
  std::ranges::sort(names);
  return names;
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
