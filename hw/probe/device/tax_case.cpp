// A product beside copies or a collective on another stream.

#include <algorithm>
#include <cmath>

#include "hw/probe/device/case.h"
#include "hw/probe/device/cublas_lt.h"
#include "hw/probe/device/nccl.h"

namespace forerun::hw::device {
namespace {

/// What runs on the other stream, again and again.
class Beside {
 public:
  virtual ~Beside() = default;
  virtual void run(cudaStream_t) = 0;
  virtual void wait(cudaStream_t s) { check(cudaStreamSynchronize(s), "cudaStreamSynchronize"); }
};

class CaseBeside : public Beside {
 public:
  explicit CaseBeside(std::unique_ptr<Case> what) : what_(std::move(what)) {}
  void run(cudaStream_t s) override { what_->launch(s); }

 private:
  std::unique_ptr<Case> what_;
};

class CollectiveBeside : public Beside {
 public:
  CollectiveBeside(const ProbeShape& s, Context& context)
      : collective_(context.nccl(), ProbeFamily::all_reduce, s.argument("ranks"),
                    s.argument("bytes"), context.seed()) {}
  void run(cudaStream_t s) override { collective_.run(s); }
  void wait(cudaStream_t) override { collective_.wait(); }

 private:
  Collective collective_;
};

std::unique_ptr<Beside> make_beside(const ProbeShape& s, Context& context) {
  if (s.family == ProbeFamily::beside_all_reduce) {
    return std::make_unique<CollectiveBeside>(s, context);
  }
  const ProbeShape copy{.family = s.family == ProbeFamily::beside_copy
                                      ? ProbeFamily::copy_device
                                      : ProbeFamily::copy_to_device,
                        .arguments = {s.argument("bytes")},
                        .precision = {},
                        .pass = ProbePass::forward,
                        .implementation = ProbeImplementation::runtime};
  return std::make_unique<CaseBeside>(make_case(copy, context));
}

class TaxCase : public Case {
 public:
  TaxCase(const ProbeShape& s, Context& context)
      : product_(make_case({.family = ProbeFamily::gemm,
                            .arguments = {s.argument("m"), s.argument("n"), s.argument("k"), 0},
                            .precision = s.precision,
                            .pass = s.pass,
                            .implementation = s.implementation},
                           context)),
        beside_(make_beside(s, context)) {
    const CudaEvent begin;
    beside_->run(side_.get());  // the first one is slow
    begin.record(side_.get());
    beside_->run(side_.get());
    end_.record(side_.get());
    once_ = std::max(1e-6, CudaEvent::seconds(begin, end_));
    beside_->wait(side_.get());
  }

  void launch(cudaStream_t stream) override { product_->launch(stream); }
  std::optional<double> error(cudaStream_t stream) override { return product_->error(stream); }
  void start_beside(double seconds) override {
    const auto count = static_cast<int>(std::min(1e4, std::ceil(seconds / once_)));
    for (int i = 0; i < count; ++i) beside_->run(side_.get());
    end_.record(side_.get());
  }
  [[nodiscard]] bool still_beside() override { return !end_.done(); }
  void end_beside() override { beside_->wait(side_.get()); }

 private:
  std::unique_ptr<Case> product_;
  std::unique_ptr<Beside> beside_;
  CudaStream side_;
  CudaEvent end_;
  double once_ = 0;
};

}  // namespace

std::unique_ptr<Case> make_tax_case(const ProbeShape& s, Context& context) {
  return std::make_unique<TaxCase>(s, context);
}

}  // namespace forerun::hw::device
