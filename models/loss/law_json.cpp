#include <fmt/format.h>

#include <algorithm>
#include <array>

#include "core/error.h"
#include "core/file.h"
#include "core/json_writer.h"
#include "models/loss/law.h"

namespace forerun::models {
namespace {

constexpr std::array kSpreads = {Choice<Spread>{"standard_error", Spread::standard_error},
                                 Choice<Spread>{"interval_90", Spread::interval_90},
                                 Choice<Spread>{"interval_95", Spread::interval_95},
                                 Choice<Spread>{"range", Spread::range}};

/// Two names in alphabetical order.
bool is_pair_name(std::string_view pair) {
  const std::size_t bar = pair.find('|');
  const std::string_view a = pair.substr(0, bar), b = pair.substr(bar + 1);
  return !a.empty() && a < b && b.find('|') == b.npos;
}

/// The limits of a constant by its full name, or null if the form has none of that name.
const LawConstant* limits(const LawForm& form, std::string_view name) {
  const std::size_t dot = name.find('.');
  const std::string_view of = dot == name.npos ? std::string_view{} : name.substr(0, dot);
  const std::string_view suffix = dot == name.npos ? name : name.substr(dot + 1);
  const auto kind = of.empty()                ? LawConstant::Of::law
                    : of.find('|') == of.npos ? LawConstant::Of::modality
                                              : LawConstant::Of::pair;
  if (kind == LawConstant::Of::pair && !is_pair_name(of)) return nullptr;
  for (const LawConstant& c : form.constants) {
    if (c.name == suffix && c.of == kind) return &c;
  }
  return nullptr;
}

std::vector<std::string> names_of(const LawForm& form) {
  std::vector<std::string> names;
  for (const LawConstant& c : form.constants) {
    names.push_back(c.of == LawConstant::Of::law        ? std::string(c.name)
                    : c.of == LawConstant::Of::modality ? fmt::format("MODALITY.{}", c.name)
                                                        : fmt::format("ONE|OTHER.{}", c.name));
  }
  return names;
}

/// What is wrong with a name that limits() does not know.
std::string unknown_name(const LawForm& form, const std::string& name) {
  const std::size_t bar = name.find('|'), dot = name.find('.');
  if (bar != name.npos && dot != name.npos && bar < dot) {
    const std::string turned =
        pair_name(name.substr(0, bar), name.substr(bar + 1, dot - bar - 1)) + name.substr(dot);
    if (limits(form, turned) != nullptr) {
      return fmt::format("a pair's two stand in alphabetical order: {}", turned);
    }
  }
  const std::vector<std::string> known = names_of(form);
  return did_you_mean(name, known,
                      fmt::format("a law of form {} has {}", form.name, fmt::join(known, ", ")));
}

void read_spread(Reader& r, Constant& c) {
  for (const auto& [key, spread] : kSpreads) {
    if (!r.has(key)) continue;
    if (c.spread != Spread::none) {
      r.problem(key, "one of standard_error, interval_90, interval_95 and range, not several");
    }
    c.spread = spread;
    if (spread == Spread::standard_error) {
      c.low = c.high = r.number(key, 0.0, 1e12);
      if (c.high == 0) r.problem(key, "0: leave it out if it is not known");
      continue;
    }
    const std::vector<double> ends = r.numbers(key, -1e12, 1e12);
    if (ends.size() == 2 && ends[0] < ends[1]) {
      c.low = ends[0];
      c.high = ends[1];
      if (spread == Spread::range && (c.value < c.low || c.value > c.high)) {
        r.problem(key, fmt::format("does not hold the value, {:g}", c.value));
      }
    } else {
      r.problem(key, "must be two rising numbers");
    }
  }
}

void read_source(Reader& r, Constant& c) {
  const bool stated = r.has("source");
  c.source = r.text("source");
  if (stated && c.source.empty()) r.problem("source", "empty: a number names its source");
}

Constant read_constant(Reader r, const LawConstant& form) {
  Constant c;
  c.value = r.number("value", form.least, form.most);
  c.evidence = r.evidence("evidence");
  read_source(r, c);
  read_spread(r, c);
  if (c.evidence == Evidence::assumed && c.spread == Spread::none) {
    r.problem("range", "missing: an assumed number states its range");
  }
  r.finish();
  return c;
}

/// Each of a joint's constants is one of the file, once in all joints, and inside its limits.
void check_joint(Reader& r, const LawForm& form, const Law& law, const Law::Joint& joint) {
  for (std::size_t i = 0; i < joint.names.size(); ++i) {
    const std::string& name = joint.names[i];
    if (!law.constants.contains(name)) {
      r.problem("constants", fmt::format("\"{}\" is no constant of this file", name));
      continue;
    }
    const auto is_it = [&](const std::string& other) { return other == name; };
    bool twice = std::ranges::count_if(joint.names, is_it) > 1;
    for (const Law::Joint& before : law.joints) {
      twice = twice || std::ranges::any_of(before.names, is_it);
    }
    if (twice) r.problem("constants", fmt::format("\"{}\" has joint draws twice", name));
    const LawConstant& limit = *limits(form, name);
    for (const std::vector<double>& row : joint.draws) {
      if (row[i] >= limit.least && row[i] <= limit.most) continue;
      r.problem("draws", fmt::format("{:g} of {}: must be from {:g} to {:g}", row[i], name,
                                     limit.least, limit.most));
      break;
    }
  }
}

void read_joints(Reader& top, const LawForm& form, Law& law) {
  if (!top.has("joint_draws")) return;
  for (Reader r : top.objects("joint_draws")) {
    Law::Joint joint;
    joint.names = r.texts("constants");
    joint.source = r.text("source");
    const std::vector<double> flat = r.numbers("draws", -1e12, 1e12);
    const std::size_t width = joint.names.size();
    if (width == 0 || flat.empty() || flat.size() % width != 0) {
      r.problem("draws", fmt::format("{} numbers: must be some rows of {}", flat.size(), width));
    } else {
      for (std::size_t i = 0; i < flat.size(); i += width) {
        joint.draws.emplace_back(flat.begin() + static_cast<std::ptrdiff_t>(i),
                                 flat.begin() + static_cast<std::ptrdiff_t>(i + width));
      }
    }
    check_joint(r, form, law, joint);
    r.finish();
    law.joints.push_back(std::move(joint));
  }
}

void read_constants(Reader& top, const LawForm& form, Law& law) {
  Reader constants = top.object("constants");
  for (const std::string& name : constants.keys()) {
    if (const LawConstant* c = limits(form, name)) {
      law.constants.emplace(name, read_constant(constants.object(name), *c));
    } else {
      constants.problem(name, unknown_name(form, name));
    }
  }
  constants.finish();
  if (top.has("missing")) {
    Reader missing = top.object("missing");
    for (const std::string& name : missing.keys()) {
      if (limits(form, name) == nullptr) missing.problem(name, unknown_name(form, name));
      if (law.constants.contains(name)) missing.problem(name, "both missing and stated");
      law.missing.emplace(name, missing.text(name));
    }
    missing.finish();
  }
  for (const LawConstant& c : form.constants) {
    const std::string name(c.name);
    if (c.of != LawConstant::Of::law || c.optional || law.constants.contains(name) ||
        law.missing.contains(name)) {
      continue;
    }
    constants.problem(name, fmt::format("missing: a law of form {} has it; if nobody knows it, say "
                                        "why under \"missing\"",
                                        form.name));
  }
}

void read_domain(Reader& top, Law& law) {
  Reader domain = top.object("domain");
  law.domain_source = domain.text("source");
  for (const std::string& key : domain.keys()) {
    if (key == "source") continue;
    const std::vector<double> ends = domain.numbers(key, 0.0, 1e30);
    if (ends.size() == 2 && ends[0] <= ends[1]) {
      law.domain[key] = {ends[0], ends[1]};
    } else {
      domain.problem(key, "must be two rising numbers, least and most");
    }
  }
  domain.finish();
}

}  // namespace

std::optional<Law> read_law(const std::string& json_text, Problems& problems) {
  const std::size_t before = problems.list().size();
  const JsonDocument document = JsonDocument::parse(json_text, problems);
  Reader top = document.root(problems);
  Law law;
  top.integer("schema", 1, 1);
  law.name = top.text("name");
  std::vector<Choice<std::size_t>> forms;
  for (std::size_t i = 0; i < law_forms().size(); ++i) forms.emplace_back(law_forms()[i].name, i);
  const LawForm& form =
      law_forms()[top.choice("form", std::span<const Choice<std::size_t>>(forms))];
  law.form = form.name;
  law.what = top.text("what");
  if (problems.list().size() != before) return std::nullopt;  // without a form no constant is known
  read_constants(top, form, law);
  read_joints(top, form, law);
  read_domain(top, law);
  if (top.has("caveats")) law.caveats = top.texts("caveats");
  top.finish();
  if (problems.list().size() != before) return std::nullopt;
  return law;
}

std::string law_json(const Law& law) {
  JsonWriter json;
  json.begin_object().key("schema").value(std::int64_t{1}).key("name").value(law.name);
  json.key("form").value(law.form).key("what").value(law.what);
  json.key("constants").begin_object();
  for (const auto& [name, c] : law.constants) {
    json.key(name).begin_object().key("value").value(c.value);
    if (c.spread == Spread::standard_error) {
      json.key("standard_error").value(c.high);
    } else if (c.spread != Spread::none) {
      json.key(name_in(kSpreads, c.spread)).begin_array().value(c.low).value(c.high).end_array();
    }
    json.key("evidence").value(forerun::name(c.evidence)).key("source").value(c.source);
    json.end_object();
  }
  json.end_object();
  if (!law.missing.empty()) {
    json.key("missing").begin_object();
    for (const auto& [name, why] : law.missing) json.key(name).value(why);
    json.end_object();
  }
  if (!law.joints.empty()) {
    json.key("joint_draws").begin_array();
    for (const Law::Joint& joint : law.joints) {
      json.begin_object().key("constants").begin_array();
      for (const std::string& name : joint.names) json.value(name);
      json.end_array().key("source").value(joint.source).key("draws").begin_array();
      for (const auto& row : joint.draws) {
        for (const double v : row) json.value(v);
      }
      json.end_array().end_object();
    }
    json.end_array();
  }
  json.key("domain").begin_object();
  for (const auto& [name, ends] : law.domain) {
    json.key(name).begin_array().value(ends[0]).value(ends[1]).end_array();
  }
  json.key("source").value(law.domain_source).end_object();
  if (!law.caveats.empty()) {
    json.key("caveats").begin_array();
    for (const std::string& caveat : law.caveats) json.value(caveat);
    json.end_array();
  }
  json.end_object();
  return json.text();
}

std::vector<std::string> law_names() { return data_names("models/laws"); }

Law load_law(const std::string& name) {
  std::string path = name;
  if (!name.ends_with(".json")) {
    const std::vector<std::string> names = law_names();
    if (!std::ranges::binary_search(names, name)) {
      throw Error(ExitCode::wrong, fmt::format("there is no loss law \"{}\"", name),
                  did_you_mean(name, names, fmt::format("there are {}", fmt::join(names, ", "))));
    }
    path = data_path("models/laws/" + name + ".json");
  }
  Problems problems;
  return value_or_throw(read_law(read_file(path, kMaxJsonBytes), problems), problems, path);
}

void assume_constant(Law& law, const std::string& name, Reader& from) {
  const LawForm& form = law_form(law.form);
  const LawConstant* c = limits(form, name);
  if (c == nullptr) {
    from.problem(name, unknown_name(form, name));
    return;
  }
  Reader r = from.object(name);
  Constant constant;
  constant.value = r.number("value", c->least, c->most);
  constant.evidence = Evidence::assumed;
  read_source(r, constant);
  read_spread(r, constant);
  if (constant.spread == Spread::none) {
    r.problem("range", "missing: an assumed number states its range");
  }
  r.finish();
  law.constants[name] = constant;
  law.missing.erase(name);
  // What was fitted together with it keeps its draws; this one has the spread that is stated.
  for (Law::Joint& joint : law.joints) {
    const auto it = std::ranges::find(joint.names, name);
    if (it == joint.names.end()) continue;
    const auto at = it - joint.names.begin();
    joint.names.erase(it);
    for (std::vector<double>& row : joint.draws) row.erase(row.begin() + at);
  }
  std::erase_if(law.joints, [](const Law::Joint& joint) { return joint.names.empty(); });
}

}  // namespace forerun::models
