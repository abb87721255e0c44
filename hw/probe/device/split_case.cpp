// Rows cut over experts or modalities: a product for each part, in one launch, on four streams, or
// one after another in one stream.

#include <algorithm>
#include <array>
#include <map>
#include <memory>
#include <vector>

#include "hw/probe/device/case.h"
#include "hw/probe/device/cublas_grouped.h"
#include "hw/probe/device/cublas_lt.h"
#include "hw/probe/device/kernels.h"

namespace forerun::hw::device {
namespace {

constexpr std::size_t kStreams = 4;

std::int64_t parts_of(const ProbeShape& s) {
  return s.argument(s.family == ProbeFamily::grouped_gemm ? "groups" : "modalities");
}

/// The products of the parts that have rows.
std::vector<ProductShape> products_of(const ProbeShape& s) {
  std::vector<ProductShape> all;
  const std::int64_t n = s.argument("n"), k = s.argument("k");
  for (const std::int64_t rows :
       probe_parts(s.argument("rows"), parts_of(s), s.argument("skew_percent"))) {
    if (rows == 0) continue;
    ProductShape p{.precision = s.precision.value_or(Precision::bf16), .pass = s.pass};
    switch (s.pass) {
      case ProbePass::weight_gradient:
        p.m = n, p.n = k, p.k = rows;
        break;
      case ProbePass::input_gradient:
        p.m = rows, p.n = k, p.k = n;
        break;
      case ProbePass::forward:
      case ProbePass::backward:
        p.m = rows, p.n = n, p.k = k;
        break;
    }
    all.push_back(p);
  }
  return all;
}

/// One product's buffers. 16 bytes of alignment between parts is what frameworks' views have.
struct Part {
  Part(const ProductShape& s, std::uint64_t seed, cudaStream_t stream)
      : left(size(s.m, s.k)), right(size(s.n, s.k)), result(size(s.m, s.n)) {
    fill_random(left.data(), input_element(s.precision), s.m * s.k, seed, 1, stream);
    fill_random(right.data(), input_element(s.precision), s.n * s.k, seed + 1, 1, stream);
  }
  static std::size_t size(std::int64_t a, std::int64_t b) {
    return 2 * static_cast<std::size_t>(a) * static_cast<std::size_t>(b);
  }
  [[nodiscard]] Operands operands() const { return {left.data(), right.data(), result.data()}; }
  Buffer left, right, result;
};

class SplitCase : public Case {
 public:
  SplitCase(const ProbeShape& s, Context& context) : shapes_(products_of(s)) {
    std::vector<Operands> operands;
    for (std::size_t i = 0; i < shapes_.size(); ++i) {
      parts_.push_back(std::make_unique<Part>(shapes_[i], context.seed() + 2 * i, own_.get()));
      operands.push_back(parts_.back()->operands());
    }
    own_.synchronise();
    if (s.implementation == ProbeImplementation::cublas_grouped) {
      grouped_ = std::make_unique<GroupedProduct>(context.cublas_grouped(), shapes_, operands);
      return;
    }
    streams_ = s.implementation == ProbeImplementation::cublas_lt_streams ? kStreams : 1;
    for (std::size_t i = 0; i < streams_; ++i) workspaces_.emplace_back(kWorkspaceBytes);
    plan_products(context.cublas_lt());
  }

  void launch(cudaStream_t stream) override {
    if (grouped_) {
      grouped_->run(stream);
    } else if (streams_ == 1) {
      for (std::size_t i = 0; i < products_.size(); ++i) run(i, 0, stream);
    } else {
      launch_on_streams(stream);
    }
  }

  std::optional<double> error(cudaStream_t stream) override {
    launch(stream);
    check(cudaStreamSynchronize(stream), "cudaStreamSynchronize");
    double worst = 0;
    // The ends have the most and the fewest rows.
    for (const std::size_t i : {std::size_t{0}, shapes_.size() - 1}) {
      const Operands o = parts_[i]->operands();
      worst = std::max(worst, product_error(shapes_[i], o.left, o.right, o.result));
    }
    return worst;
  }

 private:
  /// Parts of the same sizes share a product, whose algorithm is then chosen once.
  void plan_products(CublasLt& library) {
    std::map<ProductShape, std::shared_ptr<Product>> planned;
    for (std::size_t i = 0; i < shapes_.size(); ++i) {
      std::shared_ptr<Product>& product = planned[shapes_[i]];
      if (product == nullptr) {
        product = std::make_shared<Product>(library, shapes_[i]);
        const Operands o = parts_[i]->operands();
        product->choose(o.left, o.right, o.result, workspaces_.front(), own_.get());
      }
      products_.push_back(product);
    }
    own_.synchronise();
  }

  void run(std::size_t i, std::size_t workspace, cudaStream_t stream) {
    const Operands o = parts_[i]->operands();
    products_[i]->run(o.left, o.right, o.result, workspaces_[workspace], stream);
  }

  /// Forks from the stream and joins it again.
  void launch_on_streams(cudaStream_t stream) {
    fork_.record(stream);
    for (const CudaStream& side : side_) {
      check(cudaStreamWaitEvent(side.get(), fork_.get(), 0), "cudaStreamWaitEvent");
    }
    for (std::size_t i = 0; i < products_.size(); ++i) {
      run(i, i % kStreams, side_[i % kStreams].get());
    }
    for (std::size_t i = 0; i < kStreams; ++i) {
      join_[i].record(side_[i].get());
      check(cudaStreamWaitEvent(stream, join_[i].get(), 0), "cudaStreamWaitEvent");
    }
  }

  std::vector<ProductShape> shapes_;
  CudaStream own_;
  std::vector<std::unique_ptr<Part>> parts_;
  std::unique_ptr<GroupedProduct> grouped_;
  std::vector<std::shared_ptr<Product>> products_;
  std::vector<Buffer> workspaces_;
  std::size_t streams_ = 1;
  std::array<CudaStream, kStreams> side_;
  std::array<CudaEvent, kStreams> join_;
  CudaEvent fork_;
};

}  // namespace

std::unique_ptr<Case> make_split_case(const ProbeShape& s, Context& context) {
  return std::make_unique<SplitCase>(s, context);
}

}  // namespace forerun::hw::device
