// A collective alone. The time is that of device 0, from when all may start.

#include "hw/probe/device/case.h"
#include "hw/probe/device/nccl.h"

namespace forerun::hw::device {
namespace {

class CollectiveCase : public Case {
 public:
  CollectiveCase(const ProbeShape& s, Context& context)
      : collective_(context.nccl(), s.family, s.argument("ranks"), s.argument("bytes"),
                    context.seed()) {}

  void launch(cudaStream_t stream) override { collective_.run(stream); }
  std::optional<double> error(cudaStream_t stream) override {
    launch(stream);
    collective_.wait();
    return collective_.error();
  }

 private:
  Collective collective_;
};

}  // namespace

std::unique_ptr<Case> make_collective_case(const ProbeShape& s, Context& context) {
  return std::make_unique<CollectiveCase>(s, context);
}

}  // namespace forerun::hw::device
