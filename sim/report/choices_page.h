#pragma once

/// Several ways to go as one page to hand to whoever signs: which one, what the others come to and
/// why they lost, those that none beats in two things at once. For searches and comparisons, whose
/// words and numbers come ready to be read.

#include <optional>
#include <string>
#include <vector>

namespace forerun::sim {

struct ChoicesPage {
  std::string title, question;  ///< a name; a sentence
  std::string description;      ///< may be empty
  struct Tile {
    std::string heading, number, unit, about;  ///< "How long", "73.2", "days", "8 of 10: ..."
  };
  std::vector<Tile> tiles;

  struct Column {
    std::string name;  ///< with its unit
    bool is_number = true;
  };
  std::vector<Column> columns;  ///< beside the ways' names
  struct Way {
    std::string name;
    std::vector<std::string> cells;  ///< by column
    std::optional<double> x, y;      ///< in the picture; nothing: not in it
    bool chosen = false;
    std::string remark;  ///< why it lost, or is not in the running; may be empty
  };
  std::vector<Way> ways;         ///< best first; they are numbered from 1
  std::string x_label, y_label;  ///< of the picture, of which less is better in both; empty: none

  struct Remarks {
    std::string heading;
    std::vector<std::string> sentences;
  };
  std::vector<Remarks> remarks;  ///< sensitivity, assumptions, warnings ...

  std::string version, command;  ///< of the program; that makes the same page
  std::vector<std::pair<std::string, std::string>> identity;  ///< seed, hash of the inputs ...
};

/// Asserts a cell for each column.
[[nodiscard]] std::string choices_page(const ChoicesPage&);

}  // namespace forerun::sim
