// One product.

#include "hw/probe/device/case.h"
#include "hw/probe/device/cublas_lt.h"
#include "hw/probe/device/kernels.h"

namespace forerun::hw::device {
namespace {

ProductShape product_shape(const ProbeShape& s) {
  return {.m = s.argument("m"),
          .n = s.argument("n"),
          .k = s.argument("k"),
          .precision = s.precision.value_or(Precision::bf16),
          .pass = s.pass,
          .accumulates = s.argument("accumulates") == 1};
}

std::size_t bytes(std::int64_t rows, std::int64_t columns, Element e) {
  return static_cast<std::size_t>(rows) * static_cast<std::size_t>(columns) * size_of(e);
}

class GemmCase : public Case {
 public:
  GemmCase(const ProductShape& s, Context& context)
      : product_(context.cublas_lt(), s),
        left_(bytes(s.m, s.k, input_element(s.precision))),
        right_(bytes(s.n, s.k, input_element(s.precision))),
        result_(bytes(s.m, s.n, result_element(s))),
        workspace_(kWorkspaceBytes) {
    const Element in = input_element(s.precision);
    fill_random(left_.data(), in, s.m * s.k, context.seed(), 1, stream_.get());
    fill_random(right_.data(), in, s.n * s.k, context.seed() + 1, 1, stream_.get());
    product_.choose(left_.data(), right_.data(), result_.data(), workspace_, stream_.get());
    stream_.synchronise();
  }

  void launch(cudaStream_t stream) override {
    product_.run(left_.data(), right_.data(), result_.data(), workspace_, stream);
  }

  std::optional<double> error(cudaStream_t stream) override {
    check(cudaMemsetAsync(result_.data(), 0, result_.size(), stream), "cudaMemsetAsync");
    launch(stream);
    check(cudaStreamSynchronize(stream), "cudaStreamSynchronize");
    return product_error(product_.shape(), left_.data(), right_.data(), result_.data());
  }

 private:
  CudaStream stream_;
  Product product_;
  Buffer left_, right_, result_, workspace_;
};

}  // namespace

std::unique_ptr<Case> make_gemm_case(const ProbeShape& s, Context& context) {
  return std::make_unique<GemmCase>(product_shape(s), context);
}

}  // namespace forerun::hw::device
