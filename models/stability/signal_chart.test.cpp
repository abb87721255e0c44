#include "models/stability/signal_chart.h"

#include <doctest/doctest.h>

#include <string>
#include <tuple>
#include <vector>

#include "core/file.h"

namespace forerun::stability {
namespace {

std::size_t count(const std::string& text, const std::string& part) {
  std::size_t n = 0;
  for (std::size_t at = text.find(part); at != std::string::npos; at = text.find(part, at + 1)) ++n;
  return n;
}

TEST_SUITE("models/stability/signal_chart") {
  TEST_CASE("the pictures of the documentation are what is computed now") {
    const auto lines = published_networks();
    for (const auto& [file, title, quantity] :
         {std::tuple{"docs/signal-variance.svg", "Variance of the residual stream, 192 layers",
                     SignalQuantity::variance},
          std::tuple{"docs/signal-gradient.svg",
                     "Norm of matrices' gradients over the last layer's, 192 layers",
                     SignalQuantity::gradient}}) {
      CHECK(read_file(data_path(file), 1 << 20) == signal_svg(title, quantity, lines));
    }
  }

  TEST_CASE("each network is a line with a point a layer, and names are escaped") {
    const std::vector<SignalLine> lines{{"a < b", published_networks().front().signal}};
    const std::string svg = signal_svg("t & u", SignalQuantity::variance, lines);
    CHECK(count(svg, "<polyline") == 1);
    const std::size_t from = svg.find("points=\"") + 8;
    CHECK(count(svg.substr(from, svg.find('"', from) - from), ",") == 192);
    CHECK(count(svg, "a &lt; b") == 1);
    CHECK(count(svg, "t &amp; u") == 1);
  }
}

}  // namespace
}  // namespace forerun::stability
