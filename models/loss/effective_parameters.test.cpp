#include "models/loss/effective_parameters.h"

#include <doctest/doctest.h>

#include <algorithm>
#include <string>

#include "models/parameters.h"

namespace forerun::models {
namespace {

ParametersInLaw of_zoo(const std::string& name) {
  return parameters_in_law(load_architecture(name));
}

JointMoeLaw joint() {
  const Law law = load_law("joint_moe_ludziejewski");
  Problems problems;
  return joint_moe_law(law, central_values(law), problems);
}

RoutedLaw routed() {
  const Law law = load_law("routed_published_s_base");
  Problems problems;
  return routed_law(law, central_values(law), problems);
}

TEST_SUITE("models/loss/effective_parameters") {
  TEST_CASE("a dense model has no own parameters, and uses all of its decoder") {
    const ParametersInLaw p = of_zoo("mot-chameleon-443m-dense");
    REQUIRE(p.modalities.size() == 1);
    CHECK(p.modalities[0].modality.empty());
    CHECK(p.modalities[0].active == p.decoder);
    CHECK(p.modalities[0].own == 0);
    CHECK(p.own_share() == 0);
    CHECK(p.modalities[0].experts.layer_share == 0);
  }

  TEST_CASE("a mixture of transformers has two decoders but for the last norm") {
    const ParametersInLaw dense = of_zoo("mot-chameleon-443m-dense");
    const Architecture mot = load_architecture("mot-chameleon-443m");
    const ParametersInLaw p = parameters_in_law(mot);
    REQUIRE(p.own_sets.size() == 2);
    const double last_norm = static_cast<double>(parameters(mot).final_norm);
    CHECK(p.own_sets[0].parameters == dense.decoder - last_norm);
    CHECK(p.decoder == 2 * (dense.decoder - last_norm) + last_norm);
    for (const std::string m : {"text", "image"}) {
      CHECK(p.of(m).active == dense.decoder);
      CHECK(p.of(m).own == dense.decoder - last_norm);
    }
    CHECK(p.embedding == dense.embedding);
  }

  TEST_CASE("MoMa's groups own their feed-forward parts and nothing of attention") {
    const Architecture a = load_architecture("moma-435m-moe4t4i");
    const ParametersInLaw p = parameters_in_law(a);
    const ModalityParameters& text = p.of("text");
    // Per layer: router h x 4, and of an expert three matrices h x 2730.
    const auto h = static_cast<double>(a.hidden), layers = static_cast<double>(a.layers);
    CHECK(text.own == doctest::Approx(layers * (4 * h + 3 * h * 2730)));
    CHECK(text.experts.experts == 4);
    CHECK(text.experts.expansion == 4);
    CHECK(text.experts.granularity == 1);
    CHECK(text.experts.layer_share == 1);
    CHECK(text.experts.expert_choice);
    REQUIRE(p.own_sets.size() == 2);
    CHECK(p.own_sets[0].parameters == doctest::Approx(layers * (4 * h + 4 * 3 * h * 2730)));
  }

  TEST_CASE("experts without groups are nobody's own") {
    const ParametersInLaw p = of_zoo("mot-chameleon-443m-moe4x");
    CHECK(p.own_share() == 0);
    CHECK(p.modalities[0].experts.expansion == 4);
    const ParametersInLaw dense = of_zoo("mot-chameleon-443m-dense");
    // The router comes on top of what the dense model has.
    CHECK(p.modalities[0].active > dense.decoder);
    CHECK(p.modalities[0].active < 1.001 * dense.decoder);
  }

  TEST_CASE("the hybrid's text tower has experts and its image tower a dense part") {
    const ParametersInLaw p = of_zoo("mot-chameleon-443m-hybrid");
    CHECK(p.of("text").experts.expansion == 4);
    CHECK(p.of("image").experts.layer_share == 0);
    CHECK(p.of("image").own_share() > 0.99);
    CHECK(p.of("text").own_share() > 0.99);
  }

  TEST_CASE("expansion and granularity count shared and narrow experts") {
    // DeepSeek-V3: 256 experts of 2048, 8 a token, one shared: 257 / 9 wide, 9 experts a token.
    const ExpertShape e = of_zoo("deepseek-v3").modalities[0].experts;
    CHECK(e.expansion == doctest::Approx(257.0 / 9.0));
    CHECK(e.granularity == doctest::Approx(9));
    CHECK(e.layer_share == doctest::Approx(58.0 / 61.0));
    CHECK(e.model_expansion < e.expansion);
  }

  TEST_CASE("of every model in the zoo own sets fit in the decoder, and what a token uses") {
    for (const std::string& name : architecture_names()) {
      CAPTURE(name);
      const Architecture a = load_architecture(name);
      const ParametersInLaw p = parameters_in_law(a);
      const double path = static_cast<double>(active_parameters(a).layers.total() +
                                              active_parameters(a).final_norm);
      double own = 0;
      for (const auto& s : p.own_sets) own += s.parameters;
      CHECK(own <= p.decoder);
      bool found = false;
      for (const ModalityParameters& m : p.modalities) {
        CHECK(m.own <= m.active);
        CHECK(m.active <= p.decoder);
        // parameters.h counts the path of the first set.
        found = found || std::abs(m.active - path) <= 1e-9 * path;
      }
      CHECK(found);
    }
  }

  TEST_CASE("the dense equivalent of a dense model is the model, of experts more, with caveats") {
    const ParametersInLaw dense = of_zoo("mot-chameleon-443m-dense");
    const DenseEquivalent same =
        dense_equivalent(dense.modalities[0], dense.embedding, 100e9, joint(), routed());
    CHECK(same.joint == dense.decoder);
    CHECK(same.routed == dense.decoder);
    CHECK(same.caveats.empty());

    const ParametersInLaw moe = of_zoo("mot-chameleon-443m-moe4x");
    const DenseEquivalent more =
        dense_equivalent(moe.modalities[0], moe.embedding, 100e9, joint(), routed());
    REQUIRE(more.joint);
    CHECK(*more.joint > dense.decoder);
    CHECK(*more.joint < 4 * dense.decoder);
    // The ratio of the joint law for all that it counts.
    const double counted = moe.modalities[0].active + moe.embedding;
    const auto all =
        effective_parameters(joint(), counted, 100e9, moe.modalities[0].experts.model_expansion);
    REQUIRE(all);
    CHECK(*more.joint / moe.modalities[0].active == doctest::Approx(*all / counted));
    CHECK(more.routed > dense.decoder);
    CHECK(more.routed < 4 * dense.decoder);
    REQUIRE(more.caveats.size() == 2);
    CHECK(more.caveats[0].find("experts choose their tokens") == 0);
    CHECK(more.caveats[1].find("100 % of the layers have experts; of the routed law's") == 0);
  }
}

}  // namespace
}  // namespace forerun::models
