/// How often the intervals of `forerun fit` hold the truth: 60 made pairs of modalities, each
/// fitted with 200 draws (made_pairs.h). Prints the table that docs/fit.md rests on; some minutes.

#include <fmt/format.h>

#include <cstdio>

#include "core/table.h"
#include "tests/laws/made_pairs.h"

int main() {
  using forerun::Table;
  const forerun::models::Coverage c = forerun::models::pair_coverage(60, 200, 100);
  Table table({{"constant", Table::Align::left},
               {"truth", Table::Align::right},
               {"inside its 90 % interval", Table::Align::right}});
  const forerun::models::ConstantValues truth = forerun::models::made_law();
  for (const auto& [name, count] : c.held) {
    table.row({name, forerun::significant(truth.at(name), 4),
               fmt::format("{} of {}", count, c.repetitions)});
  }
  table.row({"all", "", forerun::show_percent(c.inside(), 1)});
  std::fputs(table.text().c_str(), stdout);
  return 0;
}
