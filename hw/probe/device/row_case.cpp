// What works on rows alone: norms, activations, rotary embedding, cross-entropy.

#include <fmt/format.h>

#include <algorithm>
#include <utility>
#include <vector>

#include "core/error.h"
#include "hw/probe/device/case.h"
#include "hw/probe/device/kernels.h"
#include "hw/probe/device/runtime.h"
#include "hw/probe/reference.h"
#include "hw/probe/verdict.h"

namespace forerun::hw::device {
namespace {

/// Sizes of one row of a family's operands, in elements.
struct RowSizes {
  std::int64_t rows, in, out, statistics;
  bool weights;
};

RowSizes sizes_of(const ProbeShape& s) {
  const bool back = s.pass == ProbePass::backward;
  switch (s.family) {
    case ProbeFamily::rotary: {
      const std::int64_t width = s.argument("heads") * s.argument("head_dim");
      return {s.argument("tokens"), width, width, 0, false};
    }
    case ProbeFamily::cross_entropy:
      return {s.argument("rows"), s.argument("vocabulary"), back ? s.argument("vocabulary") : 0, 2,
              false};
    case ProbeFamily::swiglu: {
      const std::int64_t width = s.argument("width");
      return {s.argument("rows"), 2 * width, back ? 2 * width : width, 0, false};
    }
    default: {
      const std::int64_t width = s.argument("width");
      return {s.argument("rows"), width, width, 2, s.family != ProbeFamily::gelu};
    }
  }
}

std::size_t bytes(std::int64_t count, std::size_t each) {
  return static_cast<std::size_t>(std::max<std::int64_t>(count, 1)) * each;
}

class RowCase : public Case {
 public:
  RowCase(const ProbeShape& s, Context& context)
      : shape_(s),
        z_(sizes_of(s)),
        in_(bytes(z_.rows * z_.in, 2)),
        up_(bytes(back() ? z_.rows * width() : 1, 2)),
        out_(bytes(z_.rows * z_.out, 2)),
        weight_(bytes(z_.in, 2)),
        bias_(bytes(z_.in, 2)),
        statistics_(bytes(z_.rows * z_.statistics, 4)),
        target_(bytes(z_.rows, 4)) {
    require_multiples();
    const std::uint64_t seed = context.seed();
    fill_random(in_.data(), Element::bf16, z_.rows * z_.in, seed, 4, own_.get());
    if (back()) {
      fill_random(up_.data(), Element::bf16, z_.rows * width(), seed + 1, 1, own_.get());
    }
    fill_random(weight_.data(), Element::bf16, z_.in, seed + 2, 2, own_.get());
    fill_random(bias_.data(), Element::bf16, z_.in, seed + 3, 1, own_.get());
    fill_indices(target_.as<std::int32_t>(), z_.rows, static_cast<std::int32_t>(z_.in), seed + 4,
                 own_.get());
    if (back()) run(ProbePass::forward, own_.get());  // for the rows' statistics
    own_.synchronise();
  }

  void launch(cudaStream_t stream) override { run(shape_.pass, stream); }

  std::optional<double> error(cudaStream_t stream) override {
    launch(stream);
    check(cudaStreamSynchronize(stream), "cudaStreamSynchronize");
    std::vector<double> got, exact, got_apart, exact_apart;
    for (const std::int64_t row : {std::int64_t{0}, z_.rows / 2, z_.rows - 1}) {
      std::vector<double> here = result(row), there = reference(row);
      // The gradient at the target is near -1 and would hide all others behind its size.
      if (shape_.family == ProbeFamily::cross_entropy && back()) {
        const std::size_t target = target_of(row);
        got_apart.push_back(std::exchange(here.at(target), 0.0));
        exact_apart.push_back(std::exchange(there.at(target), 0.0));
      }
      got.insert(got.end(), here.begin(), here.end());
      exact.insert(exact.end(), there.begin(), there.end());
    }
    return std::max(largest_error(got, exact), largest_error(got_apart, exact_apart));
  }

 private:
  [[nodiscard]] bool back() const { return shape_.pass == ProbePass::backward; }
  [[nodiscard]] std::int64_t width() const {
    return shape_.family == ProbeFamily::swiglu ? shape_.argument("width") : z_.in;
  }

  void require_multiples() const {
    const std::int64_t unit = shape_.family == ProbeFamily::rotary ? 16 : 8;
    const std::int64_t size =
        shape_.family == ProbeFamily::rotary ? shape_.argument("head_dim") : z_.in;
    if (size % unit == 0) return;
    throw Error(ExitCode::wrong, fmt::format("{} is no multiple of {}", size, unit));
  }

  void run(ProbePass pass, cudaStream_t stream) {
    pass == ProbePass::backward ? run_backward(stream) : run_forward(stream);
  }

  void run_forward(cudaStream_t stream) {
    auto* statistics = statistics_.as<float>();
    switch (shape_.family) {
      case ProbeFamily::rms_norm:
        return rms_norm_forward(in_.data(), weight_.data(), out_.data(), statistics, z_.rows, z_.in,
                                stream);
      case ProbeFamily::layer_norm:
        return layer_norm_forward(in_.data(), weight_.data(), bias_.data(), out_.data(), statistics,
                                  z_.rows, z_.in, stream);
      case ProbeFamily::swiglu:
        return swiglu_forward(in_.data(), out_.data(), z_.rows, width(), stream);
      case ProbeFamily::gelu:
        return gelu_forward(in_.data(), out_.data(), z_.rows * z_.in, stream);
      case ProbeFamily::rotary:
        return rotary(in_.data(), out_.data(), z_.rows, shape_.argument("heads"),
                      shape_.argument("head_dim"), stream);
      default:
        return cross_entropy_forward(in_.data(), target_.as<std::int32_t>(), statistics,
                                     statistics + z_.rows, z_.rows, z_.in, stream);
    }
  }

  void run_backward(cudaStream_t stream) {
    const auto* statistics = statistics_.as<float>();
    switch (shape_.family) {
      case ProbeFamily::rms_norm:
        return rms_norm_backward(in_.data(), weight_.data(), up_.data(), statistics, out_.data(),
                                 z_.rows, z_.in, stream);
      case ProbeFamily::layer_norm:
        return layer_norm_backward(in_.data(), weight_.data(), up_.data(), statistics, out_.data(),
                                   z_.rows, z_.in, stream);
      case ProbeFamily::swiglu:
        return swiglu_backward(in_.data(), up_.data(), out_.data(), z_.rows, width(), stream);
      case ProbeFamily::gelu:
        return gelu_backward(in_.data(), up_.data(), out_.data(), z_.rows * z_.in, stream);
      default:
        return cross_entropy_backward(in_.data(), target_.as<std::int32_t>(), statistics + z_.rows,
                                      out_.data(), z_.rows, z_.in, stream);
    }
  }

  [[nodiscard]] std::vector<double> result(std::int64_t row) const {
    if (shape_.family == ProbeFamily::cross_entropy && !back()) {
      return download(statistics_.data(), Element::fp32, row, 1);
    }
    return download(out_.data(), Element::bf16, row * z_.out, z_.out);
  }

  [[nodiscard]] std::size_t target_of(std::int64_t row) const {
    return static_cast<std::size_t>(download(target_.data(), Element::int32, row, 1).front());
  }

  [[nodiscard]] std::vector<double> reference(std::int64_t row) const {
    RowInputs inputs{.shape = shape_,
                     .row = row,
                     .x = download(in_.data(), Element::bf16, row * z_.in, z_.in),
                     .up = {},
                     .weight = {},
                     .bias = {},
                     .target = 0};
    if (back() && shape_.family != ProbeFamily::cross_entropy) {
      inputs.up = download(up_.data(), Element::bf16, row * width(), width());
    }
    if (z_.weights) {
      inputs.weight = download(weight_.data(), Element::bf16, 0, z_.in);
      inputs.bias = download(bias_.data(), Element::bf16, 0, z_.in);
    }
    inputs.target = target_of(row);
    return row_reference(inputs);
  }

  ProbeShape shape_;
  RowSizes z_;
  CudaStream own_;
  Buffer in_, up_, out_, weight_, bias_, statistics_, target_;
};

}  // namespace

std::unique_ptr<Case> make_row_case(const ProbeShape& s, Context& context) {
  return std::make_unique<RowCase>(s, context);
}

}  // namespace forerun::hw::device
