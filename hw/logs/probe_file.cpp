#include <fmt/format.h>

#include <utility>

#include "hw/logs/log_readers.h"
#include "hw/probe/measurement_file.h"

namespace forerun::hw {
namespace {

class ProbeReader {
 public:
  explicit ProbeReader(const std::string& file) {
    log_.tool = LogTool::probe;
    log_.file = file;
  }

  ToolLog read(const ProbeMeasurements& m) {
    log_.version = m.program;
    log_.device = m.device.name;
    log_.multiprocessors = m.device.multiprocessors;
    for (std::size_t i = 0; i < m.points.size(); ++i) {
      place_ = {log_.file, fmt::format("/points/{}", i)};
      take(m.points[i]);
    }
    const auto say = [&](std::size_t count, const char* what) {
      if (count > 0) log_.notes.push_back(fmt::format("{} {}", count, what));
    };
    if (!m.finished) log_.notes.emplace_back("the probe did not finish: what it has is used");
    say(m.left_out.size(), "shapes were planned and not measured");
    say(gradients_, "products of gradients left out: their operands lie otherwise");
    say(launches_, "launches left out: a framework's preset has their cost");
    say(sustained_, "sustained kernels other than products left out");
    return std::move(log_);
  }

 private:
  void take(const ProbePoint& p) {
    using enum ProbeFamily;
    switch (p.shape.family) {
      case gemm:
        return product(p);
      case launch_stream:
      case launch_graph:
        ++launches_;
        return;
      case copy_device:
        return copy(p, CopyPath::local);
      case copy_to_device:
        return copy(p, CopyPath::host_to_device);
      case copy_from_device:
        return copy(p, CopyPath::device_to_host);
      case all_reduce:
        return collective(p, CollectiveKind::all_reduce);
      case all_gather:
        return collective(p, CollectiveKind::all_gather);
      case reduce_scatter:
        return collective(p, CollectiveKind::reduce_scatter);
      case all_to_all:
        return collective(p, CollectiveKind::all_to_all);
      case beside_copy:
        return tax(p, "copy");
      case beside_host_copy:
        return tax(p, "host copy");
      case beside_all_reduce:
        return tax(p, "all_reduce");
      default:
        return kernels(p);
    }
  }

  void product(const ProbePoint& p) {
    const Kernel kernel = kernels_of(p.shape).front();
    const Gemm& g = std::get<Gemm>(kernel);
    if (p.shape.pass != ProbePass::forward || g.accumulates) {
      ++gradients_;
      return;
    }
    log_.gemms.push_back({g, p.median, p.mode == ProbeMode::sustained, place_, p.power});
  }

  void copy(const ProbePoint& p, CopyPath path) {
    // Small copies are bound by their start.
    constexpr double kLarge = 64.0 * (1 << 20);
    const auto bytes = static_cast<double>(p.shape.argument("bytes"));
    if (bytes < kLarge) return;
    log_.copies.push_back({path, Bytes(bytes) / p.median, Bytes(bytes), place_});
  }

  void collective(const ProbePoint& p, CollectiveKind kind) {
    log_.collectives.push_back({kind, p.shape.argument("ranks"),
                                Bytes(static_cast<double>(p.shape.argument("bytes"))), p.median,
                                place_});
  }

  void tax(const ProbePoint& p, const char* beside) {
    if (p.alone) log_.taxes.push_back({beside, *p.alone, p.median, place_});
  }

  void kernels(const ProbePoint& p) {
    if (p.mode == ProbeMode::sustained) {
      ++sustained_;
      return;
    }
    std::vector<Kernel> all = kernels_of(p.shape);
    if (p.shape.family == ProbeFamily::attention) {
      const Attention& a = std::get<Attention>(all.front());
      log_.attentions.push_back({a, p.shape.precision.value_or(Precision::bf16), p.median, place_});
    } else if (!all.empty()) {
      log_.kernels.push_back({std::string(name(p.shape.family)), std::move(all), p.median, place_});
    }
  }

  ToolLog log_;
  LogPlace place_;
  std::size_t gradients_ = 0, launches_ = 0, sustained_ = 0;
};

}  // namespace

ToolLog read_probe(std::string_view json_text, const std::string& file, Problems& problems) {
  Problems own;
  const auto measurements = read_probe_measurements(json_text, own);
  for (const Problem& p : own.list()) problems.add(text({file, p.where}), p.what);
  if (!measurements) {
    ToolLog none;
    none.file = file;
    return none;
  }
  return ProbeReader(file).read(*measurements);
}

}  // namespace forerun::hw
