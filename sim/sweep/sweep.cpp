#include "sim/sweep/sweep.h"

#include <fmt/format.h>

#include <algorithm>
#include <filesystem>
#include <limits>
#include <set>
#include <system_error>
#include <utility>

#include "core/error.h"
#include "core/file.h"
#include "core/json_at.h"
#include "core/json_writer.h"
#include "core/random.h"
#include "sim/scenario.h"
#include "sim/sweep/check_paths.h"
#include "sim/sweep/own_files.h"

namespace forerun::sim {
namespace {

constexpr std::int64_t kMostDraws = 1'000'000;
/// Columns of the store's views, of which SQLite has 2000 at most.
constexpr std::size_t kMostPaths = 200;

/// The text of the base, and what it is called.
void read_base(Reader& r, Sweep& s) {
  if (r.is_object("base")) {
    s.base_name = "inline";
    s.base = json_at(s.text, "/base").value_or("{}");
    return;
  }
  s.base_name = r.text("base");
  if (s.base_name.empty()) return;
  std::error_code ignored;
  const std::vector<std::string> names = data_names("scenarios");
  if (std::filesystem::exists(s.base_name, ignored)) {
    s.base = read_file(s.base_name, kMaxJsonBytes);
  } else if (std::ranges::find(names, s.base_name) != names.end()) {
    s.base = read_file(data_path("scenarios/" + s.base_name + ".json"), kMaxJsonBytes);
  } else {
    r.problem("base",
              fmt::format("\"{}\" is no file and no scenario's name ({})", s.base_name,
                          did_you_mean(s.base_name, names, "forerun list scenarios names them")));
  }
}

void read_answer(Reader r, Sweep& s) {
  if (r.has("run_draws")) s.run_draws = r.integer("run_draws", 1, kMostDraws);
  if (r.has("loss_draws")) s.loss_draws = r.integer("loss_draws", 0, kMostDraws);
  r.finish();
}

/// Designs' names are in streams and in the store: each its own.
void name_designs(std::vector<DesignText>& designs, std::vector<Reader>& readers) {
  std::set<std::string> names;
  for (std::size_t i = 0; i < designs.size(); ++i) {
    if (designs[i].name.empty()) designs[i].name = fmt::format("{}", i + 1);
    if (!names.insert(designs[i].name).second) {
      readers[i].problem("name", fmt::format("\"{}\" is another design's name", designs[i].name));
    }
  }
}

/// The seed that the base states.
std::uint64_t base_seed(const std::string& base) {
  Problems ignored;
  const JsonDocument document = JsonDocument::parse(base, ignored);
  Reader top = document.root(ignored);
  return top.has("seed") ? static_cast<std::uint64_t>(
                               top.integer("seed", 0, std::numeric_limits<std::int64_t>::max()))
                         : 1;
}

void collect_paths(Sweep& s) {
  std::set<std::string> seen;
  for (const Design& d : s.designs) {
    for (const Axis& axis : d.axes()) {
      for (const std::string& path : axis.paths) {
        if (seen.insert(path).second) s.paths.push_back(path);
      }
    }
  }
  const std::vector<std::string> list = json_pointers(s.base);
  std::set<std::string> there(list.begin(), list.end());
  for (const std::string& path : s.paths) {
    const std::string pointer = json_pointer(path);
    for (std::size_t end = pointer.find('/', 1); end != std::string::npos;
         end = pointer.find('/', end + 1)) {
      if (std::string outer = pointer.substr(0, end); there.insert(outer).second) {
        s.made.push_back(std::move(outer));
      }
    }
  }
  std::ranges::sort(s.made);  // outer ones are shorter, and so first
}

}  // namespace

std::int64_t Sweep::points() const {
  std::int64_t sum = 0;
  for (const Design& d : designs) sum += d.points();
  return sum;
}

const Design& Sweep::design_of(std::int64_t point) const {
  for (const Design& d : designs) {
    if (point < d.points()) return d;
    point -= d.points();
  }
  FORERUN_ASSERT(false, fmt::format("point {}", point));
}

std::vector<Setting> Sweep::settings(std::int64_t point) const {
  for (const Design& d : designs) {
    if (point < d.points()) return d.at(point);
    point -= d.points();
  }
  FORERUN_ASSERT(false, fmt::format("point {}", point));
}

std::uint64_t Sweep::seed_of(std::int64_t point) const {
  if (seeds == SeedKind::same) return seed;
  // Below 2^63, as a scenario's seed and a column of the store are.
  constexpr std::uint64_t kSeeds = std::uint64_t{1} << 63;
  return Stream(seed, "sweep/seeds").below(static_cast<std::uint64_t>(point), kSeeds);
}

std::optional<Sweep> read_sweep(const std::string& text, Problems& problems) {
  const JsonDocument document = JsonDocument::parse(text, problems);
  if (!document.readable() || !problems.empty()) return std::nullopt;
  Sweep s;
  s.text = text;
  Reader top = document.root(problems);
  top.integer("schema", 1, 1);
  s.name = top.text("name");
  if (top.has("description")) s.description = top.text("description");
  read_base(top, s);
  std::vector<Reader> readers = top.objects("designs");
  std::vector<DesignText> designs;
  for (Reader& r : readers) designs.push_back(read_design(r, text));
  if (readers.empty()) top.problem("designs", "empty: a sweep has a design at least");
  name_designs(designs, readers);
  const bool seeded = top.has("seed");
  if (seeded) {
    s.seed = static_cast<std::uint64_t>(
        top.integer("seed", 0, std::numeric_limits<std::int64_t>::max()));
  }
  if (top.has("seeds")) s.seeds = top.choice("seeds", kSeedKinds);
  if (top.has("answer")) read_answer(top.object("answer"), s);
  top.finish();
  std::int64_t points = 0;
  for (const DesignText& d : designs) points += d.points;
  if (points > kMostPoints) {
    top.problem("designs", fmt::format("{} points together, at most {}", points, kMostPoints));
  }
  if (!problems.empty()) return std::nullopt;
  if (!seeded) s.seed = base_seed(s.base);
  for (DesignText& d : designs) {
    s.designs.emplace_back(d.name, d.kind, std::move(d.axes), d.points, s.seed);
  }
  collect_paths(s);
  if (s.paths.size() > kMostPaths) {
    problems.add("/designs",
                 fmt::format("{} paths are set, at most {}", s.paths.size(), kMostPaths));
    return std::nullopt;
  }
  check_paths(s, problems);
  if (!problems.empty()) return std::nullopt;
  s.hash = hash_text(fmt::format("{}\nbase {}\nfiles {:016x}", s.text, s.base, own_files_hash(s)));
  return s;
}

JsonDocument point_document(const Sweep& s, const std::vector<Setting>& settings,
                            Problems& problems) {
  JsonDocument document = JsonDocument::parse(s.base, problems);
  for (const std::string& outer : s.made) {
    const auto inside = [&](const Setting& one) {
      return json_pointer(one.path).starts_with(outer + "/");
    };
    if (std::ranges::any_of(settings, inside)) document.set(outer, "{}", problems);
  }
  for (const Setting& one : settings) document.set(json_pointer(one.path), one.value, problems);
  return document;
}

std::string settings_json(const std::vector<Setting>& settings) {
  std::string out = "{";
  for (const Setting& one : settings) {
    out += fmt::format("{}{}: {}", out.size() > 1 ? ", " : "", json_quoted(one.path), one.value);
  }
  return out + "}";
}

}  // namespace forerun::sim
