// The operations and bytes of what the probe times, and the kernels of hw/kernel.h that they are.

#include "core/error.h"
#include "hw/probe/families.h"

namespace forerun::hw {
namespace {

double real(std::int64_t n) { return static_cast<double>(n); }

Kernel product(const ProbeShape& s, bool accumulates) {
  return Gemm{.m = s.argument("m"),
              .n = s.argument("n"),
              .k = s.argument("k"),
              .precision = s.precision.value_or(Precision::bf16),
              .accumulates = accumulates,
              .promotes = s.precision == Precision::fp8 && s.pass != ProbePass::forward};
}

GroupedPass grouped_pass(ProbePass pass) {
  switch (pass) {
    case ProbePass::input_gradient:
      return GroupedPass::input_gradient;
    case ProbePass::weight_gradient:
      return GroupedPass::weight_gradient;
    case ProbePass::forward:
    case ProbePass::backward:
      break;
  }
  return GroupedPass::forward;
}

std::vector<Kernel> modality_products(const ProbeShape& s) {
  const std::int64_t n = s.argument("n"), k = s.argument("k");
  std::vector<Kernel> all;
  for (const std::int64_t rows :
       probe_parts(s.argument("rows"), s.argument("modalities"), s.argument("skew_percent"))) {
    if (rows == 0) continue;
    Gemm g{.precision = s.precision.value_or(Precision::bf16)};
    if (s.pass == ProbePass::weight_gradient) {
      g.m = n, g.n = k, g.k = rows;
    } else if (s.pass == ProbePass::input_gradient) {
      g.m = rows, g.n = k, g.k = n;
    } else {
      g.m = rows, g.n = n, g.k = k;
    }
    all.emplace_back(g);
  }
  return all;
}

Kernel attention_kernel(const ProbeShape& s) {
  return Attention{.pass = s.pass == ProbePass::backward ? Pass::backward : Pass::forward,
                   .kernel = AttentionKernel::cudnn,
                   .batch = s.argument("batch"),
                   .queries = s.argument("queries"),
                   .keys = s.argument("keys"),
                   .heads = s.argument("heads"),
                   .kv_heads = s.argument("kv_heads"),
                   .head_dim = s.argument("head_dim"),
                   .causal = s.argument("causal") == 1};
}

/// Bytes read and written of what is bound by memory; 16-bit activations, 32-bit row statistics.
MemoryBound streamed(const ProbeShape& s) {
  const bool back = s.pass == ProbePass::backward;
  const auto in_and_out = [](double read, double written) {
    return MemoryBound{.read = Bytes(read), .written = Bytes(written)};
  };
  switch (s.family) {
    case ProbeFamily::rms_norm:
    case ProbeFamily::layer_norm: {
      const double all = 2 * real(s.argument("rows")) * real(s.argument("width"));
      const double row = 4 * real(s.argument("rows")) * (s.family == ProbeFamily::rms_norm ? 1 : 2);
      return back ? in_and_out(2 * all + row, all) : in_and_out(all, all + row);
    }
    case ProbeFamily::swiglu: {
      const double all = 2 * real(s.argument("rows")) * real(s.argument("width"));
      return back ? in_and_out(3 * all, 2 * all) : in_and_out(2 * all, all);
    }
    case ProbeFamily::gelu: {
      const double all = 2 * real(s.argument("rows")) * real(s.argument("width"));
      return in_and_out(back ? 2 * all : all, all);
    }
    case ProbeFamily::rotary: {
      const double all =
          2 * real(s.argument("tokens")) * real(s.argument("heads")) * real(s.argument("head_dim"));
      return in_and_out(all, all);
    }
    case ProbeFamily::cross_entropy: {
      const double rows = real(s.argument("rows"));
      const double all = 2 * rows * real(s.argument("vocabulary"));
      return back ? in_and_out(all + 8 * rows, all) : in_and_out(all + 4 * rows, 8 * rows);
    }
    case ProbeFamily::adam: {
      // Read: gradient 2, master and moments 12. Written: those 12 and the 16-bit copy.
      const double n = real(s.argument("elements"));
      return in_and_out(14 * n, 14 * n);
    }
    default:
      FORERUN_ASSERT(false, text(s));
  }
}

std::vector<Kernel> gathered(const ProbeShape& s) {
  const bool table = s.family == ProbeFamily::embedding;
  Gather g{.rows = s.argument(table ? "rows" : "tokens"),
           .row = Bytes(2 * real(s.argument("width")))};
  if (table && s.pass == ProbePass::backward) g.adding = Adding::atomics;
  return {g};
}

/// Bytes that cross a link, or that NCCL counts.
Bytes moved(const ProbeShape& s) {
  const auto& arguments = facts(s.family).arguments;
  for (std::size_t i = 0; i < arguments.size(); ++i) {
    if (arguments[i].name == "bytes" && !facts(s.family).has_alone) {
      return Bytes(real(s.arguments[i]));
    }
  }
  return Bytes(0);
}

}  // namespace

std::vector<Kernel> kernels_of(const ProbeShape& s) {
  switch (s.family) {
    case ProbeFamily::gemm:
      return {product(s, s.argument("accumulates") == 1)};
    case ProbeFamily::beside_copy:
    case ProbeFamily::beside_host_copy:
    case ProbeFamily::beside_all_reduce:
      return {product(s, false)};
    case ProbeFamily::grouped_gemm:
      return {GroupedGemm{.groups = s.argument("groups"),
                          .rows = real(s.argument("rows")),
                          .n = s.argument("n"),
                          .k = s.argument("k"),
                          .precision = s.precision.value_or(Precision::bf16),
                          .pass = grouped_pass(s.pass)}};
    case ProbeFamily::modality_gemm:
      return modality_products(s);
    case ProbeFamily::attention:
      return {attention_kernel(s)};
    case ProbeFamily::embedding:
    case ProbeFamily::modality_gather:
    case ProbeFamily::modality_scatter:
      return gathered(s);
    case ProbeFamily::rms_norm:
    case ProbeFamily::layer_norm:
    case ProbeFamily::swiglu:
    case ProbeFamily::gelu:
    case ProbeFamily::rotary:
    case ProbeFamily::cross_entropy:
    case ProbeFamily::adam:
      return {streamed(s)};
    case ProbeFamily::copy_device: {
      const Bytes bytes(real(s.argument("bytes")));
      return {MemoryBound{.read = bytes, .written = bytes, .plain = true}};
    }
    case ProbeFamily::copy_to_device:
    case ProbeFamily::copy_from_device:
    case ProbeFamily::launch_stream:
    case ProbeFamily::launch_graph:
    case ProbeFamily::all_reduce:
    case ProbeFamily::all_gather:
    case ProbeFamily::reduce_scatter:
    case ProbeFamily::all_to_all:
      break;
  }
  return {};
}

Flops flops(const ProbeShape& s) {
  Flops sum(0);
  for (const Kernel& k : kernels_of(s)) sum += flops(k);
  return sum;
}

Bytes traffic(const ProbeShape& s) {
  const std::vector<Kernel> kernels = kernels_of(s);
  if (kernels.empty()) return moved(s);
  Bytes sum(0);
  for (const Kernel& k : kernels) sum += traffic(k);
  return sum;
}

}  // namespace forerun::hw
