// The optimiser's pass over flat buffers.

#include <algorithm>
#include <vector>

#include "hw/probe/device/case.h"
#include "hw/probe/device/kernels.h"
#include "hw/probe/device/runtime.h"
#include "hw/probe/reference.h"
#include "hw/probe/verdict.h"

namespace forerun::hw::device {
namespace {

class AdamCase : public Case {
 public:
  AdamCase(const ProbeShape& s, Context& context)
      : count_(s.argument("elements")),
        gradient_(bytes(2)),
        master_(bytes(4)),
        moment1_(bytes(4)),
        moment2_(bytes(4)),
        copy_(bytes(2)) {
    fill_random(gradient_.data(), Element::bf16, count_, context.seed(), 0.1F, own_.get());
    fill_random(master_.data(), Element::fp32, count_, context.seed() + 1, 1, own_.get());
    check(cudaMemsetAsync(moment1_.data(), 0, moment1_.size(), own_.get()), "cudaMemsetAsync");
    check(cudaMemsetAsync(moment2_.data(), 0, moment2_.size(), own_.get()), "cudaMemsetAsync");
    own_.synchronise();
  }

  void launch(cudaStream_t stream) override {
    adam_step(gradient_.data(), master_.as<float>(), moment1_.as<float>(), moment2_.as<float>(),
              copy_.data(), count_, constants_, stream);
  }

  std::optional<double> error(cudaStream_t stream) override {
    const std::int64_t sampled = std::min<std::int64_t>(count_, 4096);
    const std::int64_t first = count_ - sampled;
    const auto values = [&](const Buffer& b, Element e) {
      return download(b.data(), e, first, sampled);
    };
    const auto gradient = values(gradient_, Element::bf16);
    const auto before = values(master_, Element::fp32);
    const auto moment1 = values(moment1_, Element::fp32), moment2 = values(moment2_, Element::fp32);
    launch(stream);
    check(cudaStreamSynchronize(stream), "cudaStreamSynchronize");
    const auto after = values(master_, Element::fp32);
    // The change, not the weight: that hides a wrong step behind its own size.
    std::vector<double> got, exact;
    const AdamRates rates{constants_.learning_rate, constants_.beta1, constants_.beta2,
                          constants_.epsilon,       constants_.decay, constants_.correction1,
                          constants_.correction2};
    for (std::size_t i = 0; i < before.size(); ++i) {
      got.push_back(after[i] - before[i]);
      exact.push_back(
          adam_reference({before[i], moment1[i], moment2[i]}, gradient[i], rates).master -
          before[i]);
    }
    return largest_error(got, exact);
  }

 private:
  [[nodiscard]] std::size_t bytes(std::size_t each) const {
    return static_cast<std::size_t>(count_) * each;
  }

  std::int64_t count_;
  AdamConstants constants_;
  CudaStream own_;
  Buffer gradient_, master_, moment1_, moment2_, copy_;
};

}  // namespace

std::unique_ptr<Case> make_adam_case(const ProbeShape& s, Context& context) {
  return std::make_unique<AdamCase>(s, context);
}

}  // namespace forerun::hw::device
