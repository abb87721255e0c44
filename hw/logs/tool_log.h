#pragma once

/// What a benchmark's log says, as typed measurements with the place they stand at. The readers in
/// this folder make it, one for each tool; hw/calibrate makes profiles of it.

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "core/quantity.h"
#include "hw/kernel.h"
#include "hw/scale_up.h"

namespace forerun::hw {

enum class LogTool : std::uint8_t {
  nccl_tests_text,  ///< NVIDIA nccl-tests and AMD rccl-tests, printed
  nccl_tests_json,  ///< nccl-tests -J
  nvbandwidth_text,
  nvbandwidth_json,
  mamf_finder,  ///< stas00/ml-engineering, versions 2 and 3
  cutlass_csv,  ///< cutlass_profiler --output
  kineto,       ///< PyTorch profiler, Chrome trace events
  probe,        ///< forerun probe (hw/probe/measurement_file.h)
};

/// Where a number stands: a line of a text, a JSON pointer of a JSON file.
struct LogPlace {
  std::string file;
  std::string where;
};
/// "FILE:12", "FILE:/results/3"
[[nodiscard]] std::string text(const LogPlace&);

struct TimedCollective {
  CollectiveKind kind = CollectiveKind::all_reduce;
  std::int64_t ranks = 0;
  Bytes bytes{};  ///< as nccl-tests counts them (hw/collective.h)
  Seconds time{};
  LogPlace place;
};

struct TimedGemm {
  Gemm gemm;
  Seconds time{};
  bool sustained = false;  ///< under continuous load, at the clock that the power cap leaves
  LogPlace place;
  std::optional<Watts> power{};  ///< mean board power, where it was read
};

struct TimedAttention {
  Attention attention;
  Precision precision = Precision::bf16;
  Seconds time{};
  LogPlace place;
};

enum class CopyPath : std::uint8_t { local, peer, host_to_device, device_to_host };
[[nodiscard]] std::string_view name(CopyPath);

/// A large copy by one engine or kernel while nothing else runs.
struct TimedCopy {
  CopyPath path = CopyPath::peer;
  Bandwidth rate{};  ///< of the copied bytes, each counted once
  Bytes bytes{};     ///< zero where the log does not say
  LogPlace place;
};

/// Kernels of another kind, one after another, that hw/kernel_time.h prices.
struct TimedKernels {
  std::string family;  ///< "rms_norm"
  std::vector<Kernel> kernels;
  Seconds time{};
  LogPlace place;
};

/// A product while something else runs beside it.
struct TimedTax {
  std::string beside;  ///< "all_reduce", "copy"
  Seconds alone{}, together{};
  LogPlace place;
};

struct ToolLog {
  LogTool tool = LogTool::nccl_tests_text;
  std::string file;
  std::string version;                          ///< as the log tells it; empty: not told
  std::string device;                           ///< name of the first device; empty: not told
  std::optional<std::int64_t> multiprocessors;  ///< of that device
  std::vector<TimedCollective> collectives;
  std::vector<TimedGemm> gemms;
  std::vector<TimedAttention> attentions;
  std::vector<TimedCopy> copies;
  std::vector<TimedKernels> kernels;
  std::vector<TimedTax> taxes;
  /// What a reader should know: rows that were left out and why, captions that the numbers deny.
  std::vector<std::string> notes;

  [[nodiscard]] std::size_t measurements() const {
    return collectives.size() + gemms.size() + attentions.size() + copies.size() + kernels.size() +
           taxes.size();
  }
};

}  // namespace forerun::hw
