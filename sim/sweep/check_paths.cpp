#include "sim/sweep/check_paths.h"

#include <fmt/format.h>

#include <algorithm>
#include <cstdlib>
#include <map>
#include <set>
#include <string>
#include <utility>

#include "core/file.h"
#include "core/json_at.h"
#include "core/reading_record.h"
#include "sim/scenario.h"

namespace forerun::sim {
namespace {

/// A value to try, and where the sweep says it.
struct Trial {
  std::string pointer;  ///< "/designs/0/axes/1/values/3"
  std::vector<Setting> settings;
};

std::string_view kind_of(const std::string& value) {
  if (value.starts_with('"')) return "text";
  if (value.starts_with('{')) return "object";
  if (value.starts_with('[')) return "array";
  if (value == "true" || value == "false") return "truth";
  if (value == "null") return "null";
  return value.find_first_of(".eE") == std::string::npos ? "integer" : "number";
}

bool is_number(const std::string& value) {
  const std::string_view kind = kind_of(value);
  return kind == "integer" || kind == "number";
}

/// Which of an axis's listed values need to be tried: each that differs, of one path's numbers only
/// the least and the greatest.
std::vector<std::size_t> telling(const Axis& axis) {
  std::set<std::size_t> out;
  for (std::size_t p = 0; p < axis.paths.size(); ++p) {
    std::map<std::string, std::size_t> others;
    std::map<std::string_view, std::pair<std::size_t, std::size_t>> numbers;  // least, greatest
    // Not std::stod, which throws for numbers below the least normal one.
    const auto number = [&](std::size_t i) {
      return std::strtod(axis.values[i][p].c_str(), nullptr);
    };
    for (std::size_t i = 0; i < axis.values.size(); ++i) {
      const std::string& value = axis.values[i][p];
      if (!is_number(value)) {
        others.try_emplace(value, i);
        continue;
      }
      auto& [least, greatest] = numbers.try_emplace(kind_of(value), i, i).first->second;
      if (number(i) < number(least)) least = i;
      if (number(i) > number(greatest)) greatest = i;
    }
    for (const auto& [value, i] : others) out.insert(i);
    for (const auto& [kind, ends] : numbers) out.insert({ends.first, ends.second});
  }
  return {out.begin(), out.end()};
}

std::vector<Trial> trials_of(const Axis& axis, const std::string& pointer) {
  std::vector<Trial> out;
  if (axis.range) {
    out.push_back({pointer + "/from", axis.at(0)});
    out.push_back({pointer + "/to", axis.at(1)});
    return out;
  }
  for (const std::size_t i : telling(axis)) {
    out.push_back(
        {fmt::format("{}/values/{}", pointer, i), axis.at_step(static_cast<std::int64_t>(i))});
  }
  return out;
}

/// One reading of the base with some settings.
struct Reading {
  Problems problems;
  std::set<std::string> asked;
  std::set<std::string> refused, told;  ///< of the pointers that were watched
  std::set<std::string> fields;  ///< of problems that are of a field and no rule across fields
};

Reading read_with(const Sweep& s, const std::vector<Setting>& settings) {
  Reading out;
  const JsonDocument document = point_document(s, settings, out.problems);
  const ReadingRecord record(out.problems);
  (void)read_scenario(document, out.problems);
  out.asked = record.asked();
  for (const Setting& one : settings) {
    const std::string pointer = json_pointer(one.path);
    if (record.refused(pointer)) out.refused.insert(pointer);
    if (record.told(pointer)) out.told.insert(pointer);
  }
  for (const Problem& p : out.problems.list()) {
    if (record.refused(p.where) || (!p.where.empty() && !record.asked(p.where))) {
      out.fields.insert(p.where);
    }
  }
  return out;
}

/// What stands at the pointer or inside it.
bool within(const std::string& where, const std::string& pointer) {
  return where == pointer || where.starts_with(pointer + "/");
}

std::string what_of(const Problems& problems, const std::string& pointer) {
  for (const Problem& p : problems.list()) {
    if (p.where == pointer) return p.what;
    if (within(p.where, pointer)) return fmt::format("{}: {}", json_path(p.where), p.what);
  }
  return "can't be read";
}

std::string last_part(const std::string& pointer) { return pointer.substr(pointer.rfind('/') + 1); }

/// The nearest path that is one: by its letters; else one that ends in the same key.
std::string nearest_path(const std::string& pointer, const std::set<std::string>& asked) {
  std::set<std::string> known = asked;
  // What the base leaves out, other scenarios state.
  for (const std::string& name : data_names("scenarios")) {
    for (std::string& p :
         json_pointers(read_file(data_path("scenarios/" + name + ".json"), kMaxJsonBytes))) {
      known.insert(std::move(p));
    }
  }
  const std::vector<std::string_view> names(known.begin(), known.end());
  const std::string near = nearest(pointer, names);
  if (!near.empty()) return json_path(near);
  std::vector<std::string_view> keys;
  std::vector<std::string> held;
  for (const std::string& p : known) held.push_back(last_part(p));
  keys.assign(held.begin(), held.end());
  const std::string key = nearest(last_part(pointer), keys);
  if (key.empty()) return {};
  // The shallowest of several.
  std::string best;
  for (const std::string& p : known) {
    const auto depth = [](const std::string& of) { return std::ranges::count(of, '/'); };
    if (last_part(p) == key && (best.empty() || depth(p) < depth(best))) best = p;
  }
  return json_path(best);
}

class Checker {
 public:
  Checker(const Sweep& s, Problems& problems) : s_(s), problems_(problems) {}

  void run() {
    for (std::size_t d = 0; d < s_.designs.size(); ++d) design(d);
  }

 private:
  using Others = std::vector<std::vector<Setting>>;

  void design(std::size_t d) {
    const Design& design = s_.designs[d];
    Others first, last;
    for (const Axis& axis : design.axes()) {
      first.push_back(axis.at(0));
      last.push_back(axis.range ? axis.at(1) : axis.at_step(std::ssize(axis.values) - 1));
    }
    if (d == 0) base(first);
    for (std::size_t a = 0; a < design.axes().size(); ++a) {
      const std::string pointer = fmt::format("/designs/{}/axes/{}", d, a);
      for (const Trial& trial : trials_of(design.axes()[a], pointer)) {
        attempt(first, last, a, pointer, trial);
        if (unknown_.contains(pointer)) break;
      }
    }
  }

  /// What is wrong with the base wherever nothing is set.
  void base(const Others& first) {
    const Reading reading = read_with(s_, joined(first));
    for (const Problem& p : reading.problems.list()) {
      if (!reading.fields.contains(p.where) && !p.where.empty()) continue;
      const bool set = std::ranges::any_of(s_.paths, [&](const std::string& path) {
        return within(p.where, json_pointer(path)) || within(json_pointer(path), p.where);
      });
      if (!set && !p.where.empty()) problems_.add("/base" + p.where, p.what);
    }
  }

  void attempt(Others first, Others last, std::size_t axis, const std::string& axis_pointer,
               const Trial& trial) {
    first[axis] = last[axis] = trial.settings;
    const Reading one = read_with(s_, joined(first));
    const Reading two = read_with(s_, joined(last));
    for (const Setting& setting : trial.settings) {
      const std::string pointer = json_pointer(setting.path);
      const Reading& bad = one.refused.contains(pointer) ? one : two;
      if (one.refused.contains(pointer) || two.refused.contains(pointer) ||
          (one.asked.contains(pointer) && one.told.contains(pointer) &&
           two.told.contains(pointer))) {
        problems_.add(trial.pointer,
                      fmt::format("{}: {}", setting.path, what_of(bad.problems, pointer)));
      } else if (!one.asked.contains(pointer) && !two.asked.contains(pointer) &&
                 unknown_.insert(axis_pointer).second) {
        const std::string near = nearest_path(pointer, one.asked);
        problems_.add(
            axis_pointer + (trial.settings.size() > 1 ? "/paths" : "/path"),
            fmt::format("\"{}\" is no path of this scenario{}", setting.path,
                        near.empty() ? std::string{} : fmt::format(" (did you mean {}?)", near)));
      }
    }
  }

  static std::vector<Setting> joined(const Others& axes) {
    std::vector<Setting> out;
    for (const std::vector<Setting>& settings : axes) {
      out.insert(out.end(), settings.begin(), settings.end());
    }
    return out;
  }

  const Sweep& s_;
  Problems& problems_;
  std::set<std::string> unknown_;  // axes whose path was told of
};

}  // namespace

void check_paths(const Sweep& s, Problems& problems) {
  Problems syntax;
  (void)JsonDocument::parse(s.base, syntax);
  for (const Problem& p : syntax.list()) {
    problems.add("/base", fmt::format("{}: {}: {}", s.base_name, p.where, p.what));
  }
  if (syntax.empty()) Checker(s, problems).run();
}

}  // namespace forerun::sim
