#pragma once

/// One shape, ready to run on the device: operands filled at random, the library's plan made.

#include <cuda_runtime_api.h>

#include <cstdint>
#include <memory>
#include <optional>
#include <string>

#include "hw/probe/families.h"

namespace forerun::hw::device {

class CublasLt;
class CublasGrouped;
class Cudnn;
class Nccl;

/// What cases share: the seed, and libraries that are opened when first asked for. A library that
/// is absent throws Error each time, which leaves that shape out with the reason.
class Context {
 public:
  explicit Context(std::uint64_t seed);
  ~Context();
  Context(const Context&) = delete;
  Context& operator=(const Context&) = delete;
  [[nodiscard]] std::uint64_t seed() const { return seed_; }
  CublasLt& cublas_lt();
  CublasGrouped& cublas_grouped();
  Cudnn& cudnn();
  Nccl& nccl();

 private:
  std::uint64_t seed_;
  std::unique_ptr<CublasLt> cublas_lt_;
  std::unique_ptr<CublasGrouped> cublas_grouped_;
  std::unique_ptr<Cudnn> cudnn_;
  std::unique_ptr<Nccl> nccl_;
};

class Case {
 public:
  Case() = default;
  Case(const Case&) = delete;
  Case& operator=(const Case&) = delete;
  virtual ~Case() = default;

  /// Enqueues one call. Does not wait; may be repeated on the same operands.
  virtual void launch(cudaStream_t stream) = 0;
  /// Runs once and compares with double precision (hw/probe/verdict.h); none where nothing is
  /// computed.
  virtual std::optional<double> error(cudaStream_t stream) = 0;
  /// Things that one launch does: the time of one of them is what is reported.
  [[nodiscard]] virtual std::int64_t parts() const { return 1; }
  /// Whether the time of the host's enqueuing is what is measured: caches are then not flushed, for
  /// a flush would hide it.
  [[nodiscard]] virtual bool host_bound() const { return false; }
  /// Work on another stream that must run all through a launch, enqueued before it. `seconds`:
  /// how long at least.
  virtual void start_beside(double seconds) { (void)seconds; }
  /// Whether that work outlasted the launch.
  [[nodiscard]] virtual bool still_beside() { return true; }
  /// Waits for it to end.
  virtual void end_beside() {}
};

/// Throws Error if a library is absent, memory is short or the library has no kernel for the shape.
[[nodiscard]] std::unique_ptr<Case> make_case(const ProbeShape&, Context&);

[[nodiscard]] std::unique_ptr<Case> make_gemm_case(const ProbeShape&, Context&);
[[nodiscard]] std::unique_ptr<Case> make_split_case(const ProbeShape&, Context&);
[[nodiscard]] std::unique_ptr<Case> make_attention_case(const ProbeShape&, Context&);
[[nodiscard]] std::unique_ptr<Case> make_row_case(const ProbeShape&, Context&);
[[nodiscard]] std::unique_ptr<Case> make_token_case(const ProbeShape&, Context&);
[[nodiscard]] std::unique_ptr<Case> make_adam_case(const ProbeShape&, Context&);
[[nodiscard]] std::unique_ptr<Case> make_copy_case(const ProbeShape&, Context&);
[[nodiscard]] std::unique_ptr<Case> make_launch_case(const ProbeShape&, Context&);
[[nodiscard]] std::unique_ptr<Case> make_collective_case(const ProbeShape&, Context&);
[[nodiscard]] std::unique_ptr<Case> make_tax_case(const ProbeShape&, Context&);

}  // namespace forerun::hw::device
