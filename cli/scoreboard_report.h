#pragma once

/// The scoreboard of published rows, and that of kernel tables, as text, Markdown and JSON.

#include <map>
#include <string>
#include <vector>

#include "core/json_writer.h"
#include "core/table.h"
#include "hw/kernel_table.h"
#include "sim/scoreboard.h"

namespace forerun::cli {

/// One line a row: measured, predicted, error, memory.
[[nodiscard]] Table rows_table(const std::vector<sim::RowOutcome>&);
/// Why a group or a framework misses, by its name: tests/published/notes.json.
using Notes = std::map<std::string, std::string>;
/// A line for each note whose name is no group's and no framework's of the scoreboard, with the
/// nearest that is: right where only some rows were scored, a slip of the pen where all were.
[[nodiscard]] std::string unused_notes_text(const sim::Scoreboard&, const Notes&);
/// Throws Error with every problem of the file.
[[nodiscard]] Notes read_notes(const std::string& path);
/// What was recorded with families left out of the fit: tests/published/cross_validation.json.
[[nodiscard]] std::map<std::string, sim::LeftOutError> read_left_out(const std::string& path);
[[nodiscard]] Table groups_table(const std::vector<sim::GroupScore>&, const std::string& what,
                                 const Notes&);
/// The groups that have a note: their errors and why they miss.
[[nodiscard]] Table noted_groups_table(const std::vector<sim::GroupScore>&, const Notes&);
/// What the scoreboard comes to, one figure a line.
[[nodiscard]] Table summary_table(const sim::Scoreboard&);
[[nodiscard]] Table choices_table(const sim::Scoreboard&);
[[nodiscard]] Table ratios_table(const sim::Scoreboard&);
/// Rows that were not simulated, by reason; empty if there are none.
[[nodiscard]] std::string refusals_text(const std::vector<sim::RowOutcome>&);

[[nodiscard]] std::string scoreboard_text(const sim::Scoreboard&,
                                          const std::vector<sim::RowOutcome>&, const Notes&,
                                          bool with_rows);
[[nodiscard]] std::string scoreboard_markdown(const sim::Scoreboard&, const Notes&);
void write_scoreboard(JsonWriter&, const sim::Scoreboard&, const std::vector<sim::RowOutcome>&);

struct NamedTableScores {
  std::string file;
  std::vector<hw::TableScore> scores;
};
[[nodiscard]] Table kernels_table(const std::vector<NamedTableScores>&);
void write_kernel_scores(JsonWriter&, const std::vector<NamedTableScores>&);

}  // namespace forerun::cli
