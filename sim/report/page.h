#pragma once

/// What the pages have in common: their frame with its style, and the pieces that sections are made
/// of.

#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "core/html.h"

namespace forerun::sim::report {

/// The whole file.
[[nodiscard]] std::string page(std::string_view title, const Markup& body);
/// What stands in its <style>.
[[nodiscard]] std::string page_style();

/// A section with a heading; `id` is its own in the page.
[[nodiscard]] Markup card(std::string_view id, std::string_view heading, const Markup& content);
/// The same where it may go over several sheets of paper.
[[nodiscard]] Markup long_card(std::string_view id, std::string_view heading,
                               const Markup& content);

/// Cards in their order, in two columns where the page is wide enough. One that needs the whole
/// width waits until the row before it is full, so that there are no holes; empty ones are left
/// out.
enum class Width : unsigned char { half, whole };
[[nodiscard]] Markup laid_out(const std::vector<std::pair<Width, Markup>>& cards);

/// A short answer: a heading, then what it is.
[[nodiscard]] Markup tile(std::string_view heading, const Markup& content);
/// "73.2" in large with "days" beside it; then a sentence about it.
[[nodiscard]] Markup big(const std::string& number, const std::string& unit);
[[nodiscard]] Markup about(const std::string& text);
[[nodiscard]] Markup tiles(const Markup& content);

/// A picture with what is to be read under it, which may be empty. SVG as core/ draws it.
[[nodiscard]] Markup figure(std::string svg, const Markup& caption = {});
/// The same in a box that scrolls where the page is narrower than the picture can be read.
[[nodiscard]] Markup wide_figure(std::string svg, const Markup& caption = {});

/// What the colours of a picture mean.
struct LegendItem {
  std::string name;
  std::size_t colour = 0;
};
[[nodiscard]] Markup legend(const std::vector<LegendItem>&);
/// A square of the colour; a dashed line of it.
[[nodiscard]] Markup swatch(std::size_t colour);
[[nodiscard]] Markup dashed_swatch(std::size_t colour);

[[nodiscard]] Markup paragraph(const Markup& text);
/// As a shell reads it; broken between words only, and copied as it is.
[[nodiscard]] Markup command_line(const std::string& command);
/// Small, for what explains.
[[nodiscard]] Markup note(const Markup& text);
/// Empty where there are none.
[[nodiscard]] Markup list(const std::vector<Markup>& items);
/// Names with values beside them.
[[nodiscard]] Markup facts(const std::vector<std::pair<Markup, Markup>>& rows);
/// Opened by whoever wants to know; open on paper.
[[nodiscard]] Markup details(const Markup& summary, const Markup& content);

}  // namespace forerun::sim::report
