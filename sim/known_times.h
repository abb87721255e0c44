#pragma once

/// Times of kernels and collectives of one machine, each asked of the hardware model once: plans of
/// one search issue the same few shapes over and over. Pure functions remembered, so what is
/// answered is the same with and without.

#include <cstddef>
#include <cstdint>
#include <unordered_map>

#include "hw/accelerator.h"
#include "hw/collective.h"
#include "hw/kernel_time.h"

namespace forerun::sim {

class KnownTimes {
 public:
  /// Both must outlive it, and stay as they are.
  KnownTimes(const hw::Accelerator& accelerator, const hw::Network& network)
      : accelerator_(accelerator), network_(network) {}
  /// At the burst clock.
  [[nodiscard]] const hw::KernelTime& kernel(const hw::Kernel&);
  [[nodiscard]] const hw::CollectiveTime& collective(hw::CollectiveKind, Bytes, const hw::Group&);

 private:
  struct Collective {
    hw::CollectiveKind kind;
    Bytes bytes;
    hw::Group group;
    bool operator==(const Collective&) const = default;
  };
  struct Hash {
    [[nodiscard]] std::size_t operator()(const hw::Kernel&) const;
    [[nodiscard]] std::size_t operator()(const Collective&) const;
  };

  const hw::Accelerator& accelerator_;
  const hw::Network& network_;
  std::unordered_map<hw::Kernel, hw::KernelTime, Hash> kernels_;
  std::unordered_map<Collective, hw::CollectiveTime, Hash> collectives_;
};

}  // namespace forerun::sim
