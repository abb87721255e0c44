#include "models/adapter_operations.h"

#include <algorithm>
#include <cmath>
#include <string>
#include <utility>
#include <vector>

#include "models/low_precision.h"
#include "models/operation_builder.h"

namespace forerun::models {
namespace {

using hw::Gemm;

std::int64_t whole(double rows) { return std::max<std::int64_t>(1, std::llround(rows)); }

/// A product forward, or its two gradients.
void product(OperationBuilder& b, bool backward, std::int64_t m, std::int64_t n, std::int64_t k,
             const KernelChoices& c, hw::Precision p) {
  if (!backward) {
    b.kernel("U-Net product", Gemm{m, n, k, p});
    return;
  }
  b.kernel("U-Net input gradient", Gemm{m, k, n, p});
  Gemm weight{n, k, m, p};
  weight.accumulates = c.fused_gradient_accumulation && c.gradient_bytes == 4;
  b.weight_gradient(true);
  b.kernel("U-Net weight gradient", weight);
  b.weight_gradient(false);
}

/// Half of a U-Net: convolutions of 3 x 3 as products over 9 channels^2 weights each.
void half_unet(OperationBuilder& b, bool backward, const Adapter& adapter, double tokens,
               const KernelChoices& c, hw::Precision p) {
  if (adapter.unet_parameters == 0) return;
  const double items = tokens / static_cast<double>(adapter.item_tokens);
  const std::int64_t rows = whole(items * static_cast<double>(adapter.unet_positions));
  const std::int64_t channels = adapter.unet_channels;
  const std::int64_t convolutions =
      std::max<std::int64_t>(1, adapter.unet_parameters / 2 / (9 * channels * channels));
  for (std::int64_t i = 0; i < convolutions; ++i) {
    product(b, backward, rows, channels, 9 * channels, c, p);
    b.memory("U-Net norm and activation", static_cast<double>(rows) * static_cast<double>(channels),
             backward ? 8 : 4, 4, 2);
  }
}

/// The operations that `issue(builder, adapter, tokens)` makes of each adapter that has `width` and
/// tokens, marked with its modality.
template <class Issue>
OperationList of_adapters(const Architecture& a, const Slice& s, std::int64_t Adapter::* width,
                          Issue&& issue) {
  OperationBuilder b;
  std::vector<std::string> modalities;
  for (const Adapter& adapter : a.adapters) modalities.push_back(adapter.modality);
  b.name_sets(std::move(modalities));
  std::int32_t index = 0;
  for (const Adapter& adapter : a.adapters) {
    b.set(index++);
    const double tokens = s.outer_tokens_of(adapter.modality);
    if (adapter.*width > 0 && tokens > 0) issue(b, adapter, tokens);
  }
  return b.take();
}

}  // namespace

OperationList adapters_forward(const Architecture& a, const Slice& s, const KernelChoices& c) {
  return of_adapters(
      a, s, &Adapter::input_width, [&](OperationBuilder& b, const Adapter& adapter, double tokens) {
        half_unet(b, false, adapter, tokens, c, sixteen_bit(s.precision));
        b.kernel("continuous tokens in",
                 Gemm{whole(tokens), a.hidden, adapter.input_width, sixteen_bit(s.precision)});
      });
}

OperationList adapters_backward(const Architecture& a, const Slice& s, const KernelChoices& c) {
  return of_adapters(
      a, s, &Adapter::input_width, [&](OperationBuilder& b, const Adapter& adapter, double tokens) {
        b.weight_gradient(true);
        b.kernel("continuous tokens in weight gradient",
                 Gemm{a.hidden, adapter.input_width, whole(tokens), sixteen_bit(s.precision)});
        b.weight_gradient(false);
        half_unet(b, true, adapter, tokens, c, sixteen_bit(s.precision));
      });
}

OperationList predictions_forward(const Architecture& a, const Slice& s) {
  return of_adapters(
      a, s, &Adapter::output_width,
      [&](OperationBuilder& b, const Adapter& adapter, double tokens) {
        b.kernel("continuous tokens out",
                 Gemm{whole(tokens), adapter.output_width, a.hidden, sixteen_bit(s.precision)});
        half_unet(b, false, adapter, tokens, {}, sixteen_bit(s.precision));
        b.memory("diffusion loss", tokens * static_cast<double>(adapter.output_width), 8, 4, 3);
      });
}

OperationList predictions_backward(const Architecture& a, const Slice& s, const KernelChoices& c) {
  return of_adapters(
      a, s, &Adapter::output_width,
      [&](OperationBuilder& b, const Adapter& adapter, double tokens) {
        half_unet(b, true, adapter, tokens, c, sixteen_bit(s.precision));
        b.kernel("continuous tokens out input gradient",
                 Gemm{whole(tokens), a.hidden, adapter.output_width, sixteen_bit(s.precision)});
        b.weight_gradient(true);
        b.kernel("continuous tokens out weight gradient",
                 Gemm{adapter.output_width, a.hidden, whole(tokens), sixteen_bit(s.precision)});
        b.weight_gradient(false);
      });
}

Bytes adapter_activations(const Architecture& a, const Slice& s) {
  Bytes sum{};
  for (const Adapter& adapter : a.adapters) {
    if (adapter.unet_parameters == 0) continue;
    const double items =
        s.outer_tokens_of(adapter.modality) / static_cast<double>(adapter.item_tokens);
    const double convolutions =
        static_cast<double>(adapter.unet_parameters) /
        (9.0 * static_cast<double>(adapter.unet_channels * adapter.unet_channels));
    // Input of each convolution and of the norm before it.
    sum += Bytes(4.0 * items * static_cast<double>(adapter.unet_positions * adapter.unet_channels) *
                 convolutions);
  }
  return sum;
}

}  // namespace forerun::models
