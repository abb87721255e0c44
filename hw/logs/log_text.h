#pragma once

/// Lines and words of a printed log, and the numbers in them.

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace forerun::hw {

struct LogLine {
  std::int64_t number = 0;  ///< from 1
  std::string_view prefix;  ///< what a launcher wrote before it
  std::string_view text;    ///< without line end and launcher prefix
  bool ended = true;        ///< by a line end: the last line of a log that was cut off is not
};

/// The lines of a text, each without what a launcher wrote before it: "3: " (srun -l),
/// "[1,3]<stdout>:" (mpirun --tag-output), "node-7: " (pdsh, where a table follows).
[[nodiscard]] std::vector<LogLine> log_lines(std::string_view text);

/// Words between spaces and tabs.
[[nodiscard]] std::vector<std::string_view> words(std::string_view line);

/// The whole word as a number; none for anything else, "nan" and "inf" included.
[[nodiscard]] std::optional<double> number_in(std::string_view word);
[[nodiscard]] std::optional<std::int64_t> integer_in(std::string_view word);
/// Half of the last digit that the word prints: what rounding may have taken.
[[nodiscard]] double half_digit(std::string_view word);

/// "4096x5120x1024" as three sizes.
struct ShapeWord {
  std::int64_t first = 0, second = 0, third = 0;
};
[[nodiscard]] std::optional<ShapeWord> shape_in(std::string_view word);

/// For messages: at most 60 letters, what is not printable as '?'.
[[nodiscard]] std::string shown_word(std::string_view word);

/// Case does not count.
[[nodiscard]] bool contains_word(std::string_view text, std::string_view part);

}  // namespace forerun::hw
