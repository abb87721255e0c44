#include <filesystem>
#include <map>
#include <memory>
#include <set>
#include <string>

#include "core/error.h"
#include "core/file.h"
#include "hw/accelerator_reader.h"
#include "hw/attention_surface.h"
#include "hw/gemm_surface.h"
#include "hw/roofline.h"

namespace forerun::hw {

namespace {

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
  for (const auto& [key, precision] : keys_of_choices(gemm, kPrecisionChoices)) {
    file.gemm.emplace(precision, read_gemm_fit(gemm.object(key)));
  }
  Reader attention = top.object("attention");
  for (const auto& [key, kernel] : keys_of_choices(attention, kAttentionKernelChoices)) {
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

double bytes_of_result(Precision p) {
  return p == Precision::fp32 || p == Precision::tf32 ? 4.0 : 2.0;
}

/// What a kernel's entry gives: constants, the rate at which they are used relative to their own
/// machine's, and whether that machine is this one.
template <class Fit>
struct FitUse {
  Fit fit;
  double rate = 1;
  bool own = false;
};

/// The entry's fit from its surface file, which must hold one under the name that `named` gives.
template <class Fit, class Kind, std::size_t N>
std::optional<FitUse<Fit>> read_surface_use(Reader& entry, SurfaceFiles& files,
                                            const std::string& profile, Kind kind,
                                            const std::string& what,
                                            const std::array<Choice<Kind>, N>& choices,
                                            std::map<Kind, Fit> SurfaceFile::* fits) {
  const std::string name_of_file = entry.text("surface");
  const double rate = entry.number("rate", 0.01, 10);
  const Kind like = entry.choice<Kind>(what, choices);
  const SurfaceFile* file = files.get(name_of_file, entry);
  if (file == nullptr || rate <= 0) return std::nullopt;
  const auto fit = (file->*fits).find(like);
  if (fit == (file->*fits).end()) {
    entry.problem(what, fmt::format("{} has no surface of {}", name_of_file, name(like)));
    return std::nullopt;
  }
  const bool of_this = name_of_file == profile || files.embedded(name_of_file);
  const bool own = of_this && rate == 1 && like == kind;
  return FitUse<Fit>{fit->second, rate, own};
}

/// The rate that the entry's roofline reaches on large kernels, no more than `peak`.
std::optional<FlopRate> read_roofline_rate(Reader& entry, FlopRate peak, std::string_view format) {
  const FlopRate reached = entry.flop_rate("roofline");
  if (!(peak.base() > 0)) {
    entry.problem("roofline", fmt::format("the profile has no peak of {}", format));
    return std::nullopt;
  }
  if (reached.base() > 0 && reached <= peak) return reached;
  entry.problem("roofline",
                fmt::format("must be above 0 and at most the peak of {}, {:.4g} TFLOP/s", format,
                            peak.base() / 1e12));
  return std::nullopt;
}

/// Block-scaled 8-bit products run on the cores of 8-bit ones.
FlopRate peak_of(const Accelerator& a, Precision precision) {
  const auto found = a.peak.find(precision);
  if (found != a.peak.end()) return found->second;
  return precision == Precision::fp8_block ? peak_of(a, Precision::fp8) : FlopRate{};
}

void read_gemm(Reader& top, Accelerator& a, SurfaceFiles& files) {
  AcceleratorFacts gemm(top.object("gemm"), a, "gemm.");
  for (const auto& [key, precision] : keys_of_choices(gemm.reader(), kPrecisionChoices)) {
    Reader entry = gemm.reader().object(key);
    std::optional<FitUse<GemmFit>> use;
    if (entry.has("roofline")) {
      const FlopRate peak = peak_of(a, precision);
      const auto reached = read_roofline_rate(entry, peak, key);
      if (reached) use = FitUse<GemmFit>{gemm_roofline(peak, *reached, a), 1, false};
    } else {
      use = read_surface_use(entry, files, a.name, precision, "precision", kPrecisionChoices,
                             &SurfaceFile::gemm);
    }
    gemm.note(key, entry);
    entry.finish();
    if (!use || a.multiprocessors < 1) continue;  // reported where it is read
    const GemmMachine machine{use->fit.peak * use->rate, a.memory_bandwidth, a.multiprocessors,
                              bytes_per_element(precision), bytes_of_result(precision)};
    a.gemm[precision] = std::make_shared<const GemmSurface>(use->fit, machine, use->own);
  }
}

void read_attention(Reader& top, Accelerator& a, SurfaceFiles& files) {
  AcceleratorFacts attention(top.object("attention"), a, "attention.");
  for (const auto& [key, kernel] : keys_of_choices(attention.reader(), kAttentionKernelChoices)) {
    Reader entry = attention.reader().object(key);
    std::optional<FitUse<AttentionFit>> use;
    if (entry.has("roofline")) {
      const FlopRate peak = matrix_peak(a);
      const auto reached = read_roofline_rate(entry, peak, "16-bit products");
      if (reached) use = FitUse<AttentionFit>{attention_roofline(peak, *reached), 1, false};
    } else {
      use = read_surface_use(entry, files, a.name, kernel, "kernel", kAttentionKernelChoices,
                             &SurfaceFile::attention);
    }
    attention.note(key, entry);
    entry.finish();
    if (!use || a.multiprocessors < 1) continue;
    const AttentionMachine machine{use->fit.peak * use->rate,
                                   a.memory_bandwidth * a.streaming_efficiency, a.multiprocessors};
    a.attention[kernel] = std::make_shared<const AttentionSurface>(use->fit, machine, use->own);
  }
}

}  // namespace

void read_kernel_surfaces(Reader& top, Accelerator& a) {
  SurfaceFiles files;
  files.embed(top);
  read_gemm(top, a, files);
  read_attention(top, a, files);
}

}  // namespace forerun::hw
