// Fits the constants of accelerators and frameworks on the rows of tests/published that may be
// fitted, prints what it found, and writes it into profiles and presets if asked to.
//
//   fit_constants [--threads N] [--cross-validate | --bands] [--write]
//
// --bands fits nothing: it predicts the rows that are never fitted with the constants in the files
// and makes the bands that `run` prints beside its step time.

#include <fmt/format.h>

#include <charconv>
#include <chrono>
#include <cstdio>
#include <string>
#include <string_view>
#include <thread>

#include "bands.h"
#include "core/error.h"
#include "core/file.h"
#include "core/table.h"
#include "fit.h"
#include "write_back.h"

namespace forerun::published {
namespace {

struct Options {
  int threads = static_cast<int>(std::max(1u, std::thread::hardware_concurrency()));
  bool cross_validate = false, bands = false, write = false;
};

Options read_options(int count, char** words) {
  Options o;
  for (int i = 1; i < count; ++i) {
    const std::string_view word = words[i];
    if (word == "--cross-validate") {
      o.cross_validate = true;
    } else if (word == "--bands") {
      o.bands = true;
    } else if (word == "--write") {
      o.write = true;
    } else if (word == "--threads" && i + 1 < count) {
      const std::string_view n = words[++i];
      const auto end = n.data() + n.size();
      if (std::from_chars(n.data(), end, o.threads).ptr != end || o.threads < 1) {
        throw Error(ExitCode::usage, fmt::format("--threads: expected a count, found \"{}\"", n));
      }
    } else {
      throw Error(ExitCode::usage, fmt::format("unknown flag \"{}\"", word),
                  "fit_constants [--threads N] [--cross-validate | --bands] [--write]");
    }
  }
  return o;
}

void print_constants(const Catalogue& catalogue, const std::vector<FittedFact>& facts) {
  Table table({{"subject", Table::Align::left},
               {"constant", Table::Align::left},
               {"start", Table::Align::right},
               {"value", Table::Align::right},
               {"evidence", Table::Align::left},
               {"rests on", Table::Align::left}});
  for (const FittedFact& f : facts) {
    table.row({f.subject, catalogue.constants[f.constant].name, fmt::format("{}", f.start),
               fmt::format("{}", f.value), f.evidence, f.rests_on});
  }
  fmt::print("{}\n", table.text());
}

void print_groups(Predictor& predictor, const Rows& rows, const Values& before,
                  const Values& after) {
  std::map<std::string, Rows> groups;
  for (const std::size_t row : rows) groups[predictor.rows()[row].group].push_back(row);
  Table table({{"group", Table::Align::left},
               {"rows", Table::Align::right},
               {"before", Table::Align::right},
               {"after", Table::Align::right}});
  for (const auto& [name, members] : groups) {
    table.row({name, fmt::format("{}", members.size()),
               show_percent(mean_error(predictor, members, before)),
               show_percent(mean_error(predictor, members, after))});
  }
  fmt::print("{}\n", table.text());
}

void print_cross_validation(const CrossValidation& c) {
  Table table({{"group, its family left out", Table::Align::left},
               {"rows", Table::Align::right},
               {"error", Table::Align::right}});
  for (const LeftOutGroup& g : c.groups) {
    table.row({g.name, fmt::format("{}", g.rows), show_percent(g.error)});
  }
  fmt::print(
      "{}\nmean over groups with each family left out {}, 90 % interval over families {} to {}\n",
      table.text(), show_percent(c.mean_over_groups), show_percent(c.over_families.low),
      show_percent(c.over_families.high));
}

int run(const Options& options) {
  const auto began = std::chrono::steady_clock::now();
  const auto seconds = [&] {
    return std::chrono::duration<double>(std::chrono::steady_clock::now() - began).count();
  };
  const Catalogue catalogue = load_catalogue();
  Predictor predictor(catalogue, load_rows(), options.threads);
  const Rows fitted = without_experts(predictor, rows_of_split(predictor, "fit"));
  const Rows tested = rows_of_split(predictor, "test");
  if (options.bands) {
    const Bands bands =
        make_bands(predictor, predict_unfitted(predictor, tested, current_values(catalogue)));
    fmt::print("{}", bands_text(bands));
    if (options.write) write_file(data_path("sim") + "/bands.json", bands_json(bands));
    return 0;
  }
  const Fit found = fit(predictor, thinned(predictor, fitted));
  const Values start = start_values(catalogue);

  print_groups(predictor, fitted, start, found.values);
  print_groups(predictor, tested, start, found.values);
  const std::vector<FittedFact> facts = fitted_facts(predictor, found);
  print_constants(catalogue, facts);
  fmt::print("mean over groups: {} fitted rows {} -> {}, {} tested rows {} -> {}\n", fitted.size(),
             show_percent(mean_error(predictor, fitted, start)),
             show_percent(mean_error(predictor, fitted, found.values)), tested.size(),
             show_percent(mean_error(predictor, tested, start)),
             show_percent(mean_error(predictor, tested, found.values)));
  fmt::print(stderr, "fitted in {:.0f} s, {} simulations\n", seconds(), predictor.simulated());
  if (options.write) write_facts(catalogue, facts);
  if (!options.cross_validate) return 0;

  const CrossValidation left_out = cross_validate(predictor, fitted, found);
  print_cross_validation(left_out);
  const Bands bands = make_bands(predictor, left_out);
  fmt::print("{}", bands_text(bands));
  if (options.write) {
    write_file(data_path("tests/published") + "/cross_validation.json",
               cross_validation_json(left_out));
    write_file(data_path("sim") + "/bands.json", bands_json(bands));
  }
  fmt::print(stderr, "cross-validated in {:.0f} s, {} simulations\n", seconds(),
             predictor.simulated());
  return 0;
}

}  // namespace
}  // namespace forerun::published

int main(int count, char** words) {
  try {
    return forerun::published::run(forerun::published::read_options(count, words));
  } catch (const forerun::Error& e) {
    fmt::print(stderr, "error: {}\n", e.what());
    if (!e.hint().empty()) fmt::print(stderr, "hint: {}\n", e.hint());
    return static_cast<int>(e.code());
  }
}
