#pragma once

/// An accelerator as its profile (hw/profiles/accelerators/NAME.json) describes it. Every number of
/// a profile has evidence and source; what was measured enters as surfaces that hw/fit/ makes from
/// tables of kernel times, and what nobody tabled as a roofline (hw/roofline.h).
///
/// An accelerator is what a framework addresses as one device: one of the two dies of an MI250X,
/// one TPU chip. `multiprocessors` are its units that work on tiles of their own: streaming
/// multiprocessors (NVIDIA), compute units (AMD), matrix units (TPU), NeuronCores (Trainium),
/// matrix engines (Gaudi).

#include <map>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "core/evidence.h"
#include "core/problem.h"
#include "core/quantity.h"
#include "hw/kernel.h"

namespace forerun::hw {

class GemmSurface;       // hw/gemm_surface.h
class AttentionSurface;  // hw/attention_surface.h

/// Power of the board: idle + energy of operations and of traffic, and the cap that holds the
/// clock. See hw/power.h for the equation.
struct PowerModel {
  Watts idle{}, cap{};
  Watts table_cap{};         ///< of the board on which the tables were measured (hw/kernel_time.h)
  Joules per_flop{};         ///< at burst clock, 16-bit matrix products
  Joules per_byte{};         ///< of device memory traffic
  double least_clock = 0.5;  ///< of the burst clock, reached under the cap
  Evidence evidence = Evidence::assumed;
};

struct Accelerator {
  std::string name;                    ///< "h100-sxm-80gb"
  std::string generation;              ///< of its cores: "ampere", "hopper", "cdna3", "tpu-v4" ...
  std::map<Precision, FlopRate> peak;  ///< dense
  Bytes memory{};                      ///< usable device memory
  Bandwidth memory_bandwidth{};        ///< published
  double streaming_efficiency = 0;     ///< sustained fraction of a streaming kernel alone
  double memory_efficiency = 0;        ///< the same of memory-bound kernels inside a training job
  Seconds memory_ramp{};               ///< fixed time of a small memory-bound kernel on the device
  int multiprocessors = 0;
  Bandwidth scale_up{};  ///< NVLink, xGMI, ICI, NeuronLink ... per direction, all links together
  PowerModel power;
  /// Standard deviation of chips' speeds under the power cap (hw/power.h).
  double chip_spread = 0;
  /// Share of the traffic of a fused accumulation into a 32-bit C that the product does not hide
  /// (hw/kernel_time.h).
  double accumulation_exposed = 0;
  /// Rate of 8-bit products whose partial sums are promoted to 32 bit over that of those with fast
  /// accumulation, which the tables hold (hw/kernel_time.h).
  double promotion_rate = 1;
  /// Of one bf16 value added by an atomic operation where that takes a loop of compare and swap; 0
  /// where the machine has an instruction for it, so that memory binds (hw/kernel_time.h). fp16 has
  /// one on all.
  Seconds atomic_add_bf16{};
  /// Rate of compute-bound kernels inside a training job over that of the tables' bursts at the
  /// same clock: operands in device memory rather than in cache, layouts of backward products, real
  /// data.
  double in_job_rate = 1;
  /// Rate of collectives inside one NVLink domain in a training job over that in isolation: their
  /// ranks arrive one after another, and kernels run beside them.
  double scale_up_in_job = 1;
  double collective_tax = 0;  ///< share by which a running collective slows the kernels beside it
  std::map<Precision, std::shared_ptr<const GemmSurface>> gemm;  ///< shared: immutable, large
  std::map<AttentionKernel, std::shared_ptr<const AttentionSurface>> attention;
  std::map<std::string, Evidence> evidence;   ///< by field name
  std::map<std::string, std::string> source;  ///< by field name
};

/// The dense peak of 16-bit products: bf16's, or fp16's where the cores have no bf16 (V100).
[[nodiscard]] FlopRate matrix_peak(const Accelerator&);

/// Reads a profile; wrong input is reported with path and rule. A profile may hold surfaces itself
/// ("surfaces", by name, each as a file of hw/profiles/surfaces): `forerun calibrate` makes such.
[[nodiscard]] std::optional<Accelerator> read_accelerator(const std::string& json_text, Problems&);
/// The same without its surfaces, for the program that makes those.
[[nodiscard]] std::optional<Accelerator> read_accelerator_facts(const std::string& json_text,
                                                                Problems&);
/// The profile of that name from the data folder; throws Error naming the nearest if there is none.
[[nodiscard]] Accelerator load_accelerator(const std::string& name);
[[nodiscard]] std::vector<std::string> accelerator_names();

}  // namespace forerun::hw
