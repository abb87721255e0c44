// Copies within device memory, to it and from it.

#include <algorithm>
#include <cstring>
#include <vector>

#include "hw/probe/device/case.h"
#include "hw/probe/device/kernels.h"
#include "hw/probe/device/runtime.h"

namespace forerun::hw::device {
namespace {

class CopyCase : public Case {
 public:
  CopyCase(const ProbeShape& s, Context& context)
      : family_(s.family),
        bytes_(static_cast<std::size_t>(s.argument("bytes"))),
        from_(bytes_),
        to_(bytes_),
        host_(s.family == ProbeFamily::copy_device ? 1 : bytes_) {
    fill_random(from_.data(), Element::e4m3, static_cast<std::int64_t>(bytes_), context.seed(), 1,
                own_.get());
    own_.synchronise();
    if (family_ == ProbeFamily::copy_to_device) {
      check(cudaMemcpy(host_.bytes().data(), from_.data(), bytes_, cudaMemcpyDeviceToHost),
            "cudaMemcpy");
    }
  }

  void launch(cudaStream_t stream) override {
    void* const host = host_.bytes().data();
    if (family_ == ProbeFamily::copy_device) {
      check(cudaMemcpyAsync(to_.data(), from_.data(), bytes_, cudaMemcpyDeviceToDevice, stream),
            "cudaMemcpyAsync");
    } else if (family_ == ProbeFamily::copy_to_device) {
      check(cudaMemcpyAsync(to_.data(), host, bytes_, cudaMemcpyHostToDevice, stream),
            "cudaMemcpyAsync");
    } else {
      check(cudaMemcpyAsync(host, from_.data(), bytes_, cudaMemcpyDeviceToHost, stream),
            "cudaMemcpyAsync");
    }
  }

  std::optional<double> error(cudaStream_t stream) override {
    check(cudaMemsetAsync(to_.data(), 0, bytes_, stream), "cudaMemsetAsync");
    launch(stream);
    check(cudaStreamSynchronize(stream), "cudaStreamSynchronize");
    const std::vector<std::byte> source = fetched(from_);
    if (family_ == ProbeFamily::copy_from_device) {
      return std::memcmp(source.data(), host_.bytes().data() + (bytes_ - source.size()),
                         source.size()) == 0
                 ? 0.0
                 : 1.0;
    }
    return source == fetched(to_) ? 0.0 : 1.0;
  }

 private:
  /// The last 16 MiB, which a copy that stops early has not reached.
  [[nodiscard]] std::vector<std::byte> fetched(const Buffer& b) const {
    std::vector<std::byte> data(std::min<std::size_t>(bytes_, std::size_t{16} << 20));
    check(cudaMemcpy(data.data(), b.as<std::byte>() + (bytes_ - data.size()), data.size(),
                     cudaMemcpyDeviceToHost),
          "cudaMemcpy");
    return data;
  }

  ProbeFamily family_;
  std::size_t bytes_;
  CudaStream own_;
  Buffer from_, to_;
  PinnedBuffer host_;
};

}  // namespace

std::unique_ptr<Case> make_copy_case(const ProbeShape& s, Context& context) {
  return std::make_unique<CopyCase>(s, context);
}

}  // namespace forerun::hw::device
