#include <doctest/doctest.h>
#include <rapidcheck.h>

#include <algorithm>
#include <cmath>
#include <string>
#include <vector>

#include "core/error.h"
#include "core/reader.h"
#include "models/mixture/mixture.h"

namespace forerun::models {
namespace {

Mixture good(const std::string& text) {
  Problems problems;
  const JsonDocument document = JsonDocument::parse(text, problems);
  Reader root = document.root(problems);
  Mixture m = read_mixture(root);
  REQUIRE_MESSAGE(problems.empty(), problems.text("mixture"));
  return m;
}

}  // namespace

TEST_SUITE("models/mixture/with_share") {
  TEST_CASE("with_share gives a modality any share that the kinds of document can make") {
    CHECK(rc::check([] {
      const std::vector<std::string> names = mixture_names();
      const Mixture m = load_mixture(names[*rc::gen::inRange<std::size_t>(0, names.size())]);
      const std::size_t k = *rc::gen::inRange<std::size_t>(0, m.modalities.size());
      double least = 1, most = 0;
      for (const DocumentKind& kind : m.kinds) {
        Mixture alone = m;
        alone.kinds = {kind};
        alone.kinds[0].share = 1;
        least = std::min(least, mean_shares(alone)[k]);
        most = std::max(most, mean_shares(alone)[k]);
      }
      const double share = least + (most - least) * *rc::gen::inRange(0, 65) / 64;
      const Mixture made = with_share(m, m.modalities[k], share);
      RC_ASSERT(std::abs(mean_shares(made)[k] - share) < 1e-12);
      double sum = 0;
      for (const DocumentKind& kind : made.kinds) {
        RC_ASSERT(kind.share > -1e-15);
        sum += kind.share;
      }
      RC_ASSERT(std::abs(sum - 1) < 1e-9);
    }));
  }

  TEST_CASE("a share that no kinds of document make is refused") {
    const Mixture m = good(R"({"kinds": [
        {"name": "pairs", "share": 0.5, "spans": [{"modality": "text", "tokens": 1}, {"modality": "image", "tokens": 3}]},
        {"name": "text", "share": 0.5, "spans": [{"modality": "text", "tokens": 1}]}]})");
    CHECK(with_share(m, "image", 0.75).kinds[0].share == 1);
    CHECK(with_share(m, "image", 0.15).kinds[0].share == doctest::Approx(0.2));
    CHECK_THROWS_WITH_AS(static_cast<void>(with_share(m, "image", 0.8)),
                         "no shares of the kinds of document make 0.8 of the tokens image's",
                         Error);
    CHECK_THROWS_WITH_AS(static_cast<void>(with_share(m, "text", 0.2)),
                         "no shares of the kinds of document make 0.2 of the tokens text's", Error);
    CHECK_THROWS_WITH_AS(static_cast<void>(with_share(m, "speech", 0.2)),
                         "no document of the mixture has tokens of speech", Error);
  }
}

}  // namespace forerun::models
