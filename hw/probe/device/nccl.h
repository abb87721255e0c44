#pragma once

/// Collectives by NCCL over the accelerators of this machine, from one process; opened at run time.

#include <cuda_runtime_api.h>

#include <cstdint>
#include <map>
#include <memory>
#include <string>
#include <vector>

#include "hw/probe/device/runtime.h"
#include "hw/probe/families.h"

namespace forerun::hw::device {

class Nccl {
 public:
  Nccl();
  ~Nccl();
  Nccl(const Nccl&) = delete;
  Nccl& operator=(const Nccl&) = delete;
  [[nodiscard]] std::string version() const;

  struct Functions;
  [[nodiscard]] Functions& functions() const { return *functions_; }
  /// Of devices 0 to ranks - 1; made once, since that takes a second or more.
  [[nodiscard]] const std::vector<void*>& communicators(std::int64_t ranks);

 private:
  std::unique_ptr<Functions> functions_;
  std::map<std::int64_t, std::vector<void*>> communicators_;
};

/// One bf16 collective over devices 0 to ranks - 1. `bytes` is counted as hw/collective.h does:
/// the buffer of an all-reduce, the gathered result, the input of a reduce-scatter or all-to-all.
class Collective {
 public:
  Collective(Nccl&, ProbeFamily, std::int64_t ranks, std::int64_t bytes, std::uint64_t seed);
  ~Collective();
  Collective(const Collective&) = delete;
  Collective& operator=(const Collective&) = delete;

  /// On device 0 in `stream`, on the others in streams of their own, which wait for what `stream`
  /// has done so far.
  void run(cudaStream_t stream);
  /// Waits for every device.
  void wait() const;
  /// Largest error of sampled elements of the last run on device 0.
  [[nodiscard]] double error() const;

 private:
  struct Rank;
  void enqueue(Rank&, cudaStream_t);
  [[nodiscard]] std::vector<double> exact(std::int64_t first, std::int64_t count) const;

  Nccl& library_;
  ProbeFamily family_;
  std::int64_t part_ = 0;  ///< elements that one rank sends to another, or keeps
  std::vector<std::unique_ptr<Rank>> ranks_;
  CudaEvent started_;
};

}  // namespace forerun::hw::device
