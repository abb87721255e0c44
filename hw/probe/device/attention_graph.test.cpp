// Whether cuDNN has kernels for the graphs that the probe builds, asked without an accelerator: it
// answers for one that is described. Nothing runs and nothing is timed.

#include "hw/probe/device/attention_graph.h"

#include <doctest/doctest.h>
#include <fmt/format.h>

#include <string>

#include "hw/probe/shape_grid.h"

namespace forerun::hw::device {
namespace {

/// As cuDNN writes an accelerator down; other limits are alike on all.
std::string described(const std::string& name, int capability, int multiprocessors, int shared) {
  return fmt::format(
      R"({{"deviceVer": {}, "driverVer": 13000, "maxGridSize": [2147483647, 65535, 65535],
  "maxBlockSize": [1024, 1024, 64], "regsPerBlock": 65536, "multiProcessorCount": {},
  "smClockRateKHz": 1500000, "memClockRateKHz": 2500000, "l2CacheSize": 52428800, "warpSize": 32,
  "maxSharedMemoryPerBlock": 49152, "maxSharedMemoryPerBlockOptin": {},
  "reservedSharedMemoryPerBlock": 1024, "maxRegistersPerSM": 65536, "pciDeviceId": 0,
  "maxCtasPerSM": 32, "maxThreadsPerBlock": 1024, "maxThreadsPerSM": 2048, "isTccDriver": 0,
  "supportCoopLaunch": 1, "totalGlobalMem": 80000000000, "cudaDeviceId": 0, "deviceName": "{}"}})",
      capability, multiprocessors, shared, name);
}

std::size_t ways(Cudnn& library, const ProbeShape& s, const std::string& device) {
  const AttentionSizes sizes = attention_sizes(s);
  return s.pass == ProbePass::backward ? attention_backward(library, sizes).graph->ways_on(device)
                                       : attention_forward(library, sizes).graph->ways_on(device);
}

TEST_SUITE("hw/probe/device/attention_graph") {
  TEST_CASE("cuDNN has a kernel for the attention of the grid on H100, A100 and B200") {
    Cudnn library;
    const std::string h100 = described("NVIDIA H100 80GB HBM3", 900, 132, 232448);
    const std::string a100 = described("NVIDIA A100-SXM4-80GB", 800, 108, 166912);
    const std::string b200 = described("NVIDIA B200", 1000, 148, 232448);
    std::size_t asked = 0;
    for (const ProbeCandidate& c : probe_grid(1)) {
      if (c.shape.family != ProbeFamily::attention) continue;
      CHECK_MESSAGE(ways(library, c.shape, h100) > 0, text(c.shape));
      if (asked++ % 7 != 0) continue;  // each question takes a twentieth of a second
      CHECK_MESSAGE(ways(library, c.shape, a100) > 0, text(c.shape));
      CHECK_MESSAGE(ways(library, c.shape, b200) > 0, text(c.shape));
    }
    CHECK(asked > 20);
  }

  TEST_CASE("the answer can be no: an accelerator of before fused attention has no kernel") {
    Cudnn library;
    const ProbeShape s{ProbeFamily::attention,
                       {1, 1024, 1024, 8, 8, 128, 1},
                       Precision::bf16,
                       ProbePass::forward,
                       ProbeImplementation::cudnn};
    CHECK(ways(library, s, described("NVIDIA H100 80GB HBM3", 900, 132, 232448)) > 0);
    CHECK(ways(library, s, described("Tesla T4", 750, 40, 65536)) == 0);
  }
}

}  // namespace
}  // namespace forerun::hw::device
