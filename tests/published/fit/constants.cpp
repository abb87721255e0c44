#include "constants.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <cmath>
#include <set>
#include <span>

#include "core/error.h"
#include "core/file.h"
#include "core/reader.h"
#include "hw/accelerator.h"
#include "sim/framework.h"

namespace forerun::published {
namespace {

template <class E>
using Choice = std::pair<std::string_view, E>;
constexpr std::array kOf = {Choice<Of>{"accelerator", Of::accelerator},
                            Choice<Of>{"framework", Of::framework}};
constexpr std::array kScale = {Choice<Scale>{"ratio", Scale::ratio},
                               Choice<Scale>{"difference", Scale::difference},
                               Choice<Scale>{"overhead", Scale::overhead}};

constexpr std::array kEvidence = {Choice<Evidence>{"measured", Evidence::measured},
                                  Choice<Evidence>{"published", Evidence::published},
                                  Choice<Evidence>{"derived", Evidence::derived},
                                  Choice<Evidence>{"assumed", Evidence::assumed}};

double rounded(double value, double step) {
  if (step > 0) return std::round(value / step) * step;
  if (value == 0) return 0;
  const double unit = std::pow(10.0, std::floor(std::log10(std::abs(value))) - 2);
  // Through text, so that the double is the one nearest to the three digits.
  return std::stod(fmt::format("{:.10g}", std::round(value / unit) * unit));
}

Constant read_constant(Reader& r) {
  Constant c;
  c.name = r.text("name");
  c.of = r.choice("of", std::span<const Choice<Of>>(kOf));
  if (r.has("whole_generation")) c.whole_generation = r.boolean("whole_generation");
  c.what = r.text("what");
  c.unit = r.text("unit");
  c.scale = r.choice("scale", std::span<const Choice<Scale>>(kScale));
  c.least = r.number("least", 0, 1e9);
  c.most = r.number("most", 0, 1e9);
  c.spread = r.number("spread", 1e-9, 1e9);
  if (r.has("step")) c.step = r.number("step", 1e-9, 1e9);
  for (Reader& s : r.objects("start")) {
    c.starts.push_back({s.text("for"), s.number("value", c.least, c.most),
                        s.choice("evidence", std::span<const Choice<Evidence>>(kEvidence)),
                        s.text("source")});
    s.finish();
  }
  r.finish();
  return c;
}

}  // namespace

double Constant::value(double start, double z) const {
  double v = 0;
  switch (scale) {
    case Scale::ratio:
      v = start * std::exp(spread * z);
      break;
    case Scale::difference:
      v = start + spread * z;
      break;
    case Scale::overhead:
      v = start + spread * std::sinh(z);
      break;
  }
  return std::clamp(rounded(v, step), least, most);
}

double Constant::z(double start, double v) const {
  switch (scale) {
    case Scale::ratio:
      return std::log(v / start) / spread;
    case Scale::difference:
      return (v - start) / spread;
    case Scale::overhead:
      return std::asinh((v - start) / spread);
  }
  FORERUN_ASSERT(false, fmt::format("scale {}", static_cast<int>(scale)));
}

const Start& Catalogue::start(const Constant& c, const Subject& s) const {
  for (const std::string& name : {s.name, s.generation, std::string("*")}) {
    const auto found = std::ranges::find(c.starts, name, &Start::applies_to);
    if (found != c.starts.end()) return *found;
  }
  throw Error(ExitCode::wrong, fmt::format("constants.json: {} of {} has no start", c.name, s.name),
              "add one for it or for \"*\"");
}

std::string Catalogue::relative(const std::string& framework, const Constant& constant) const {
  const auto found = std::ranges::find(relatives, framework, &Relative::name);
  if (found == relatives.end()) return {};
  const std::vector<std::string>& shared = found->constants;
  const bool common = shared.empty() || std::ranges::find(shared, constant.name) != shared.end();
  return common ? found->relative : std::string{};
}

const Subject& Catalogue::subject(Of of, const std::string& name) const {
  for (const Subject& s : subjects) {
    if (s.of == of && s.name == name) return s;
  }
  throw Error(ExitCode::wrong, fmt::format("no profile or preset \"{}\"", name));
}

Catalogue load_catalogue() {
  const std::string path = data_path("tests/published/fit/constants.json");
  Problems problems;
  const JsonDocument document = JsonDocument::load(path, problems);
  Reader top = document.root(problems);
  Catalogue c;
  (void)top.integer("schema", 1, 1);
  (void)top.text("what");
  for (Reader& r : top.objects("constants")) c.constants.push_back(read_constant(r));
  const std::vector<std::string> generations = top.texts("generations");
  const std::vector<std::string> frameworks = sim::framework_names();
  for (Reader& r : top.objects("relatives")) {
    c.relatives.push_back({r.text("name"), r.text("relative"), r.text("why"), {}});
    if (r.has("constants")) c.relatives.back().constants = r.texts("constants");
    for (const std::string& shared : c.relatives.back().constants) {
      if (std::ranges::find(c.constants, shared, &Constant::name) == c.constants.end()) {
        r.problem("constants", fmt::format("\"{}\" is no constant", shared));
      }
    }
    for (const char* key : {"name", "relative"}) {
      const std::string name = r.text(key);
      if (std::ranges::find(frameworks, name) == frameworks.end()) {
        r.problem(key, fmt::format("\"{}\" is no framework preset", name));
      }
    }
    r.finish();
  }
  top.finish();
  if (!problems.empty()) throw Error(ExitCode::wrong, problems.text(path));
  for (const std::string& name : hw::accelerator_names()) {
    const std::string generation = hw::load_accelerator(name).generation;
    if (std::ranges::find(generations, generation) == generations.end()) continue;
    c.subjects.push_back({Of::accelerator, name, generation});
  }
  for (const std::string& name : frameworks) c.subjects.push_back({Of::framework, name, {}});
  return c;
}

}  // namespace forerun::published
