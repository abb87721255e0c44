#include "hw/fit/surface_text.h"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <cmath>

#include "core/json_writer.h"

namespace forerun::hw {

namespace {

std::string microseconds(Seconds s) { return fmt::format("\"{:.4g} us\"", s.in(Seconds(1e-6))); }

std::string list(const std::vector<double>& values) {
  return fmt::format("[{}]", fmt::join(values, ", "));
}

/// Values in thousandths, one line for each plane of the first axis.
std::string grid(const ResidualGrid& g, const std::array<const char*, 3>& axes,
                 const std::string& indent) {
  std::string out = "{";
  for (std::size_t i = 0; i < 3; ++i) {
    out += fmt::format("{}\n{}  \"{}\": {}", i > 0 ? "," : "", indent, axes[i], list(g.knots()[i]));
  }
  out += fmt::format(",\n{}  \"thousandths\": [", indent);
  const std::size_t plane = g.knots()[1].size() * g.knots()[2].size();
  for (std::size_t i = 0; i < g.values().size(); ++i) {
    if (i > 0) out += ",";
    if (i % plane == 0) out += "\n" + indent + "    ";
    out += fmt::format("{}", std::lround(g.values()[i] * 1000));
  }
  return out + "\n" + indent + "  ]\n" + indent + "}";
}

std::string one(const ErrorSummary& e) {
  return fmt::format(
      "{{\"rows\": {}, \"median_percent\": {:.2f}, \"mean_percent\": {:.2f}, \"p95_percent\": "
      "{:.1f}}}",
      e.count, 100 * e.median, 100 * e.mean, 100 * e.p95);
}

std::string errors(const FitErrors& e, const std::string& indent) {
  std::string out = fmt::format(
      "{{\n{0}  \"fitted\": {1},\n{0}  \"held_out_by_shape\": {2},\n{0}  "
      "\"held_out_by_group\": {3}",
      indent, one(e.fitted), one(e.by_shape), one(e.by_group));
  if (e.training_by_shape.count > 0) {
    out += fmt::format(
        ",\n{0}  \"training_sizes_by_shape\": {1},\n{0}  "
        "\"training_sizes_by_group\": {2}",
        indent, one(e.training_by_shape), one(e.training_by_group));
  }
  return out + "\n" + indent + "}";
}

std::string range(const GemmFit::Range& r) { return fmt::format("[{}, {}]", r.least, r.most); }

std::string text(const GemmFit& f, const FitErrors& e) {
  std::string tiles;
  for (const GemmFit::Tile& t : f.tiles) {
    tiles += fmt::format("{}\n        {{\"m\": {}, \"n\": {}, \"efficiency\": {}}}",
                         tiles.empty() ? "" : ",", t.m, t.n, t.efficiency);
  }
  std::string cast;
  if (f.cast) {
    cast = fmt::format(
        "      \"cast\": {{\"start\": {}, \"bytes_resident\": {}, \"bytes_streamed\": {}, "
        "\"resident\": {}}},\n",
        microseconds(f.cast->start), f.cast->bytes_resident, f.cast->bytes_streamed,
        f.cast->resident);
  }
  return fmt::format(
      "{{\n      \"peak\": \"{} TFLOP/s\",\n      \"tiles\": [{}\n      ],\n"
      "      \"ramp\": {},\n      \"quantisation\": {},\n      \"most_pieces\": {},\n"
      "      \"ceiling\": {:.4g},\n      \"memory_efficiency\": {},\n"
      "      \"start\": {},\n      \"split_cost\": {},\n{}"
      "      \"measured\": {{\"m\": {}, \"n\": {}, \"k\": {}}},\n"
      "      \"fit\": {},\n      \"residual\": {}\n    }}",
      f.peak.base() / 1e12, tiles, f.ramp, f.quantisation, f.most_pieces, f.ceiling,
      f.memory_efficiency, microseconds(f.start), microseconds(f.split_cost), cast, range(f.m),
      range(f.n), range(f.k), errors(e, "      "),
      grid(f.residual, {"log2_m", "log2_n", "log2_k"}, "      "));
}

std::string text(const AttentionPassFit& p) {
  std::string sizes, grids;
  for (const auto& [size, efficiency] : p.efficiency) {
    sizes += fmt::format("{}\"{}\": {:.4g}", sizes.empty() ? "" : ", ", size, efficiency);
  }
  for (const auto& [size, g] : p.residual) {
    grids += fmt::format("{}\n          \"{}\": {}", grids.empty() ? "" : ",", size,
                         grid(g, {"log2_keys", "log2_batch_heads", "log2_group"}, "          "));
  }
  if (!grids.empty()) grids = ",\n        \"residual\": {" + grids + "\n        }";
  return fmt::format(
      "{{\n        \"query_tile\": {}, \"ramp\": {:.4g}, \"quantisation\": {}, \"causal\": {:.4g}, "
      "\"start\": {},\n        \"efficiency\": {{{}}}{}\n      }}",
      p.query_tile, p.ramp, p.quantisation, p.causal, microseconds(p.start), sizes, grids);
}

std::string text(const AttentionFit& f, const std::string& basis, const FitErrors* e) {
  std::string cache;
  if (!f.cache_write.empty()) {
    std::vector<double> widths, times;
    for (const auto& [width, time] : f.cache_write) {
      widths.push_back(width);
      times.push_back(std::round(time * 1e12) / 1e3);
    }
    cache = fmt::format(
        "      \"cache_write\": {{\"start\": {}, \"log2_width\": {}, "
        "\"nanoseconds_per_token\": {}}},\n",
        microseconds(f.cache_start), list(widths), list(times));
  }
  const std::string noted = e == nullptr
                                ? std::string()
                                : fmt::format(",\n        \"errors\": {}", errors(*e, "        "));
  return fmt::format(
      "{{\n      \"peak\": \"{} TFLOP/s\",\n      \"tabled\": {},\n      \"measured_keys\": [{}, "
      "{}],\n{}      \"fit\": {{\n        \"basis\": {}{}\n      }},\n      \"forward\": {},\n     "
      " "
      "\"backward\": {}\n    }}",
      f.peak.base() / 1e12, f.tabled, f.least_keys, f.most_keys, cache, json_quoted(basis), noted,
      text(f.passes.at(Pass::forward)), text(f.passes.at(Pass::backward)));
}

}  // namespace

std::string surface_text(const SurfaceText& s) {
  std::string gemm, attention;
  for (const auto& [precision, fit] : s.gemm) {
    gemm += fmt::format("{}\n    \"{}\": {}", gemm.empty() ? "" : ",", name(precision),
                        text(fit, s.gemm_errors.at(precision)));
  }
  for (const auto& [kernel, fit] : s.attention) {
    const auto e = s.attention_errors.find(kernel);
    attention += fmt::format("{}\n    \"{}\": {}", attention.empty() ? "" : ",", name(kernel),
                             text(fit, s.attention_basis.at(kernel),
                                  e == s.attention_errors.end() ? nullptr : &e->second));
  }
  return fmt::format(
      "{{\n  \"schema\": 1,\n  \"name\": {},\n  \"source\": {},\n  \"licence\": {},\n  "
      "\"changes\": {},\n  \"gemm\": {{{}\n  }},\n  \"attention\": {{{}\n  }}\n}}\n",
      json_quoted(s.name), json_quoted(s.source), json_quoted(s.licence), json_quoted(s.changes),
      gemm, attention);
}

}  // namespace forerun::hw
