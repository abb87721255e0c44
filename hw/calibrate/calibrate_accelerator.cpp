#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <map>
#include <optional>
#include <utility>

#include "core/json_edit.h"
#include "core/json_writer.h"
#include "core/reader.h"
#include "core/statistics.h"
#include "core/table.h"
#include "hw/calibrate/calibration.h"
#include "hw/calibrate/device_fields.h"
#include "hw/calibrate/gemm_family.h"
#include "hw/calibrate/memory_family.h"
#include "hw/calibrate/plausible.h"
#include "hw/calibrate/scaled_surface.h"
#include "hw/fit/surface_text.h"
#include "hw/kernel_table.h"

namespace forerun::hw {
namespace {

/// A surface of the profile's own is filed under the profile's name and this.
constexpr std::string_view kOwnSurface = "-calibrated";

/// How the profile uses a surface: an entry of "gemm" or "attention".
struct UsedSurface {
  std::string surface, like;  ///< file and what it is fitted to; empty with a roofline
  double rate = 1;
  std::optional<FlopRate> roofline;
  FlopRate peak{};  ///< that the roofline may not exceed

  [[nodiscard]] double most_scale() const {
    return roofline ? std::min(kMostScale, peak / *roofline) : kMostScale;
  }
};

/// To four digits, not above `peak`.
FlopRate four_digits(FlopRate rate, FlopRate peak) {
  const double last = std::pow(10.0, std::floor(std::log10(rate.base())) - 3);
  const FlopRate rounded(std::round(rate.base() / last) * last);
  return rounded <= peak ? rounded : FlopRate(std::floor(peak.base() / last) * last);
}

UsedSurface used_surface(Reader entry, const char* kind) {
  UsedSurface use;
  if (entry.has("roofline")) {
    use.roofline = entry.flop_rate("roofline");
    return use;
  }
  use.surface = entry.text("surface");
  use.like = entry.text(kind);
  use.rate = entry.number("rate", 0.01, 10);
  return use;
}

class AcceleratorCalibrator {
 public:
  AcceleratorCalibrator(const std::string& profile, Accelerator accelerator, Problems& problems)
      : profile_(profile),
        accelerator_(std::move(accelerator)),
        problems_(problems),
        document_(JsonDocument::parse(profile, problems)) {}

  Calibration run(const std::vector<ToolLog>& logs) {
    const std::size_t before = problems_.list().size();
    for (const ToolLog& log : logs) take(log);
    if (problems_.list().size() != before) return {};
    for (const auto& [precision, measured] : gemms_) gemm(precision, each_shape_once(measured));
    for (const auto& [kernel, measured] : attentions_) attention(kernel, measured);
    for (const auto& [precision, measured] : sustained_) sustained(precision, measured);
    const auto powered = sustained_.find(Precision::bf16);
    if (powered != sustained_.end()) fields(power_fields(powered->second, accelerator_));
    fields(streaming_fields(copies_, accelerator_));
    fields(tax_fields(taxes_, accelerator_));
    kernels();
    if (edits_.empty()) {
      std::string why;
      for (const std::string& unused : result_.unused) why += "; " + unused;
      problems_.add("", "nothing in these logs changes an accelerator profile" + why);
      return {};
    }
    surfaces();
    result_.profile = edited_json(profile_, edits_);
    return std::move(result_);
  }

 private:
  void take(const ToolLog& log) {
    check_device(log, accelerator_.name, accelerator_.multiprocessors, problems_);
    std::map<std::string, std::size_t> no_surface;
    for (const TimedGemm& t : log.gemms) {
      const auto surface = accelerator_.gemm.find(t.gemm.precision);
      const bool known = surface != accelerator_.gemm.end();
      // A surface may be borrowed at another rate, which Accelerator's own carries.
      const Seconds modelled = known ? predicted(*surface->second, t) : Seconds{};
      check_plausible(t, accelerator_, modelled, problems_);
      if (!known) {
        ++no_surface[fmt::format("products in {}", name(t.gemm.precision))];
      } else {
        (t.sustained ? sustained_ : gemms_)[t.gemm.precision].push_back(t);
      }
    }
    for (const TimedAttention& t : log.attentions) {
      const auto surface = accelerator_.attention.find(t.attention.kernel);
      const bool known = surface != accelerator_.attention.end() &&
                         surface->second->fit().passes.contains(t.attention.pass);
      check_plausible(t, accelerator_, known ? predicted(*surface->second, t) : Seconds{},
                      problems_);
      if (!known) {
        ++no_surface[fmt::format("attention by {}", name(t.attention.kernel))];
      } else {
        attentions_[t.attention.kernel].push_back(t);
      }
    }
    for (const auto& [what, count] : no_surface) {
      unused(log, count, what + ", of which the profile has no surface");
    }
    std::map<CopyPath, std::size_t> other_copies;
    for (const TimedCopy& c : log.copies) {
      if (c.path == CopyPath::local) {
        check_plausible(c, accelerator_.memory_bandwidth * 0.5, "half of the memory's", problems_);
        copies_.push_back(c);
      } else {
        ++other_copies[c.path];
      }
    }
    for (const auto& [path, count] : other_copies) {
      unused(log, count,
             fmt::format("{}: {}", name(path),
                         path == CopyPath::peer ? "a network's profile holds it"
                                                : "no profile has such a field"));
    }
    kernels_.insert(kernels_.end(), log.kernels.begin(), log.kernels.end());
    taxes_.insert(taxes_.end(), log.taxes.begin(), log.taxes.end());
    if (!log.collectives.empty()) {
      unused(log, log.collectives.size(), "collectives, which a network's profile holds");
    }
  }

  void unused(const ToolLog& log, std::size_t count, const std::string& what) {
    result_.unused.push_back(fmt::format("{}: {} of {}", files_of({{log.file, ""}}), count, what));
  }

  [[nodiscard]] UsedSurface use_of(const char* kind, std::string_view key, const char* like,
                                   FlopRate peak) {
    UsedSurface use = used_surface(document_.root(problems_).object(kind).object(key), like);
    use.peak = peak;
    return use;
  }

  /// Block-scaled 8-bit products run on the cores of 8-bit ones.
  [[nodiscard]] FlopRate peak_of(Precision precision) const {
    const auto own = accelerator_.peak.find(precision);
    if (own != accelerator_.peak.end()) return own->second;
    return precision == Precision::fp8_block ? peak_of(Precision::fp8) : FlopRate{};
  }

  void gemm(Precision precision, const std::vector<TimedGemm>& measured) {
    const std::string key(name(precision));
    const UsedSurface use = use_of("gemm", key, "precision", peak_of(precision));
    GemmCalibration c =
        calibrate_gemm(measured, accelerator_, precision, use.rate, use.most_scale());
    std::vector<LogPlace> places;
    for (const TimedGemm& t : measured) places.push_back(t.place);
    const std::string files = files_of(places);
    if (c.fit) {
      own_.gemm.emplace(precision, *c.fit);
      FitErrors errors;
      errors.by_shape = c.family.left_out();
      own_.gemm_errors.emplace(precision, errors);
      own_files_.insert(own_files_.end(), places.begin(), places.end());
      entry("gemm", key, "precision",
            {accelerator_.name + std::string(kOwnSurface), key, 1, {}, {}}, files, use,
            c.family.did);
    } else {
      entry("gemm", key, "precision", scaled(use, c.scale), files, use, c.family.did);
    }
    result_.families.push_back(std::move(c.family));
  }

  static UsedSurface scaled(UsedSurface use, double scale) {
    const auto digits = [](double v) { return std::round(v * 1e4) / 1e4; };
    if (use.roofline) {
      use.roofline = four_digits(*use.roofline * scale, use.peak);
    } else {
      use.rate = digits(use.rate * scale);
    }
    return use;
  }

  static std::string shown(const UsedSurface& use) {
    if (use.roofline) return fmt::format("roofline of {}", show(*use.roofline));
    return fmt::format("{} {} x {:.4g}", use.surface, use.like, use.rate);
  }

  void entry(const char* kind, const std::string& key, const char* like, const UsedSurface& now,
             const std::string& files, const UsedSurface& was, const std::string& did) {
    const std::string source = fmt::format("{}: {}", files, did);
    const std::string use =
        now.roofline ? fmt::format("\"roofline\": \"{:.4g} TFLOP/s\"", now.roofline->base() / 1e12)
                     : fmt::format("\"surface\": \"{}\", \"{}\": \"{}\", \"rate\": {}", now.surface,
                                   like, now.like, now.rate);
    edits_.push_back({fmt::format("/{}/{}", kind, key),
                      fmt::format("{{{}, \"evidence\": \"measured\", \"source\": {}}}", use,
                                  json_quoted(source))});
    result_.fields.push_back(
        {fmt::format("{}.{}", kind, key), shown(was), shown(now), Evidence::measured, files});
  }

  void attention(AttentionKernel kernel, const std::vector<TimedAttention>& measured) {
    const std::string key(name(kernel));
    const UsedSurface use = use_of("attention", key, "kernel", matrix_peak(accelerator_));
    CalibratedFamily f;
    f.name = "attention " + key;
    const double scale = fit_scale(measured, accelerator_, kernel, use.rate, use.most_scale());
    f.did = fmt::format("rate x {:.3f}{} over {} shapes", scale,
                        bound_text(scale, use.most_scale()), measured.size());
    f.left_out_how = measured.size() > 1 ? "one at a time" : "";
    std::vector<LogPlace> places;
    const auto old = scaled_surface(accelerator_, kernel, use.rate, 1);
    for (std::size_t i = 0; i < measured.size(); ++i) {
      const TimedAttention& t = measured[i];
      std::vector<TimedAttention> others = measured;
      others.erase(others.begin() + static_cast<std::ptrdiff_t>(i));
      Seconds left{};
      if (!others.empty()) {
        const double s = fit_scale(others, accelerator_, kernel, use.rate, use.most_scale());
        left = predicted(*scaled_surface(accelerator_, kernel, use.rate, s), t);
      }
      f.points.push_back({t.place,
                          fmt::format("{} queries, {} x {} heads of {}", t.attention.queries,
                                      t.attention.batch, t.attention.heads, t.attention.head_dim),
                          t.time, predicted(*old, t), left});
      places.push_back(t.place);
    }
    entry("attention", key, "kernel", scaled(use, scale), files_of(places), use, f.did);
    result_.families.push_back(std::move(f));
  }

  void sustained(Precision precision, const std::vector<TimedGemm>& measured) {
    CalibratedFamily f;
    f.name = fmt::format("gemm {} sustained", name(precision));
    f.did = "compared with the profile's power model";
    for (const TimedGemm& t : measured) {
      const GemmRow row{t.gemm.m, t.gemm.n, t.gemm.k, std::string(name(precision)), t.time, {}};
      const auto before = predict_sustained(row, accelerator_);
      f.points.push_back({t.place,
                          fmt::format("{} x {} x {}", t.gemm.m, t.gemm.n, t.gemm.k),
                          t.time,
                          before.value_or(Seconds{}),
                          {}});
    }
    result_.families.push_back(std::move(f));
  }

  void fields(const std::vector<DeviceField>& all) {
    for (const DeviceField& f : all) {
      result_.fields.push_back(f.field);
      edits_.push_back(f.edit);
    }
  }

  /// Kernels that are one pass over memory make the ramp; the others are compared.
  void kernels() {
    std::vector<TimedKernels> streams, others;
    for (const TimedKernels& t : kernels_) {
      const bool stream =
          t.kernels.size() == 1 && std::holds_alternative<MemoryBound>(t.kernels.front());
      (stream ? streams : others).push_back(t);
    }
    if (!streams.empty()) {
      Accelerator changed = accelerator_;
      changed.streaming_efficiency =
          streaming_efficiency(copies_, accelerator_).value_or(accelerator_.streaming_efficiency);
      const MemoryCalibration memory = calibrate_memory(streams, accelerator_, changed);
      fields(ramp_fields(memory, accelerator_));
      result_.families.push_back(memory.family);
    }
    for (CalibratedFamily& f : compare_kernels(others, accelerator_)) {
      result_.families.push_back(std::move(f));
    }
  }

  /// Surfaces fitted here stand in the profile itself.
  void surfaces() {
    if (own_.gemm.empty()) return;
    own_.name = accelerator_.name + std::string(kOwnSurface);
    own_.source = files_of(own_files_);
    own_.licence = "the measurements'";
    own_.changes = "the profile's surface, its residual corrected by measurements of this machine";
    edits_.push_back({"/surfaces", fmt::format("{{\"{}\": {}}}", own_.name, surface_text(own_))});
  }

  const std::string& profile_;
  Accelerator accelerator_;
  Problems& problems_;
  JsonDocument document_;
  Calibration result_;
  std::map<Precision, std::vector<TimedGemm>> gemms_, sustained_;
  std::map<AttentionKernel, std::vector<TimedAttention>> attentions_;
  std::vector<TimedCopy> copies_;
  std::vector<TimedKernels> kernels_;
  std::vector<TimedTax> taxes_;
  SurfaceText own_;
  std::vector<LogPlace> own_files_;
  std::vector<JsonEdit> edits_;
};

}  // namespace

Calibration calibrate_accelerator(const std::string& profile, const std::vector<ToolLog>& logs,
                                  Problems& problems) {
  std::optional<Accelerator> accelerator = read_accelerator(profile, problems);
  if (!accelerator) return {};
  return AcceleratorCalibrator(profile, *std::move(accelerator), problems).run(logs);
}

}  // namespace forerun::hw
