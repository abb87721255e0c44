#include "models/encoder_operations.h"

#include <doctest/doctest.h>

#include "models/parameters.h"

namespace forerun::models {
namespace {

/// A ViT of 4 layers whose items become 16 tokens each, on a model 64 wide.
Architecture with_encoder(bool frozen = false) {
  Architecture a;
  a.layers = 2, a.hidden = 64, a.heads = 4, a.kv_heads = 4, a.head_dim = 16, a.ffn = 256;
  a.vocab = 1000;
  Encoder e;
  e.name = "vit", e.modality = "image";
  e.layers = 4, e.hidden = 32, e.heads = 4, e.ffn = 128;
  e.patches = 64, e.patch_width = 48, e.outputs = 16;
  e.frozen = frozen;
  a.encoders = {e};
  return a;
}

/// Half of 512 tokens are of images: 16 items.
Slice slice(std::int64_t tensor = 1, std::int64_t encoder_tensor = 1) {
  Slice s;
  s.micro_batch = 2, s.sequence = 256, s.tensor = tensor;
  s.encoder_tensor = encoder_tensor;
  s.modalities = {{"text", 256}, {"image", 256}};
  return s;
}

double flops(const OperationList& list) {
  double sum = 0;
  for (const LayerOperation& o : list.operations) {
    if (const auto* kernel = std::get_if<hw::Kernel>(&o.work)) sum += hw::flops(*kernel).base();
  }
  return sum;
}

double exchanged(const OperationList& list, Dimension dimension) {
  double sum = 0;
  for (const LayerOperation& o : list.operations) {
    const auto* e = std::get_if<Exchange>(&o.work);
    if (e != nullptr && e->dimension == dimension) sum += e->bytes.base();
  }
  return sum;
}

}  // namespace

TEST_SUITE("models/encoder operations") {
  TEST_CASE("forward FLOPs are those of the items' patches through every matrix") {
    // 16 items of 64 patches. Patch embedding 2 x 48 x 32 a patch; a layer's matrices
    // 4 x 32^2 + 2 x 32 x 128 = 12288, twice; attention 4 x 64 x 32 a patch; connector 2 x 32 x 64
    // an output.
    const double patches = 16 * 64;
    const double expected =
        patches * (2 * 48 * 32 + 4 * (2 * 12288 + 4 * 64 * 32)) + 16.0 * 16 * 2 * 32 * 64;
    CHECK(flops(encoders_forward(with_encoder(), slice(), {})) == expected);
  }

  TEST_CASE("parts add up to the whole, in work, memory and parameters") {
    const Architecture a = with_encoder();
    double forward = 0, backward = 0, kept = 0;
    std::int64_t trained = 0;
    for (std::int64_t i = 0; i < 3; ++i) {
      const EncoderPart part{i, 3};
      CHECK(part.layers(a.encoders[0]) == (i == 2 ? 2 : 1));
      forward += flops(encoders_forward(a, slice(), {}, part));
      backward += flops(encoders_backward(a, slice(), {}, part));
      kept += encoder_activations(a, slice(), part).base();
      trained += held_encoders(a, part, 1).trained;
    }
    CHECK(forward == flops(encoders_forward(a, slice(), {})));
    CHECK(backward == flops(encoders_backward(a, slice(), {})));
    CHECK(kept == encoder_activations(a, slice()).base());
    CHECK(trained == encoder_parameters(a, a.encoders[0]));
  }

  TEST_CASE("ranks that share items and ranks that cut matrices do the same work") {
    // Of 4 tensor ranks: 4 items whole each, 8 items each cut over 2, or all 16 over 4. The
    // connector, whole, is done by every rank that cuts.
    const Architecture a = with_encoder();
    const double connector = 2.0 * 16 * 32 * 64;  // an item
    const double whole = flops(encoders_forward(a, slice(), {}));
    const double patches = 2.0 * 16 * 64 * 48 * 32;
    for (const std::int64_t t : {1, 2, 4}) {
      const auto n = static_cast<double>(t);
      const OperationList list = encoders_forward(a, slice(4, t), {});
      CHECK(flops(list) == doctest::Approx((whole - 16 * connector - patches) / 4 +
                                           n / 4 * (16 * connector + patches)));
      // Two sums of 16-bit patches a layer among those that cut; the outputs of the others' items.
      const double rows = 16.0 * n / 4 * 64;
      CHECK(exchanged(list, Dimension::encoder) == (t == 1 ? 0 : 4 * 2 * 2 * rows * 32));
      CHECK(exchanged(list, Dimension::tensor) == (t == 4 ? 0 : 2.0 * 256 * 64));
    }
    const std::int64_t matrices = 4 * 12288;
    CHECK(held_encoders(a, {}, 1).trained - held_encoders(a, {}, 4).trained == matrices * 3 / 4);
  }

  TEST_CASE("layers that are redone run forward once more and keep their inputs") {
    // A layer forward: 2 x 12288 + 4 x 64 x 32 a patch; patches of 32 values in 16 bit. One layer's
    // 16 x 64 x 2 (8 x 32 + 2 x 128) bytes are there while it runs backward.
    const Architecture a = with_encoder();
    const double patches = 16 * 64;
    CHECK(flops(encoders_backward(a, slice(), {}, {}, true)) -
              flops(encoders_backward(a, slice(), {})) ==
          4 * patches * (2 * 12288 + 4 * 64 * 32));
    CHECK(encoder_activations(a, slice(), {}, true) ==
          Bytes(patches * 2 * (4 * 32 + 8 * 32 + 2 * 128 + 32)));
  }

  TEST_CASE("a frozen encoder has the backward pass of its connector only") {
    const Architecture a = with_encoder(true);
    // Of which the encoder wants no gradient, so that it makes one of its weights alone.
    CHECK(flops(encoders_backward(a, slice(), {})) == 16.0 * 16 * 2 * 32 * 64);
    CHECK(encoders_backward(a, slice(), {}, {0, 2}).operations.empty());
    CHECK(held_encoders(a, {}, 1).trained == connector_parameters(a, a.encoders[0]));
    CHECK(held_encoders(a, {}, 1).frozen ==
          encoder_parameters(a, a.encoders[0]) - connector_parameters(a, a.encoders[0]));
  }

  TEST_CASE("between parts patches travel, from the last one the tokens they became") {
    const Architecture a = with_encoder();
    CHECK(encoder_message(a, slice(), {0, 2}) == Bytes(2.0 * 16 * 64 * 32));
    CHECK(encoder_message(a, slice(), {1, 2}) == Bytes(2.0 * 256 * 64));
  }
}

}  // namespace forerun::models
