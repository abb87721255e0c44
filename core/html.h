#pragma once

/// Pieces of a page that browsers read as HTML and XML readers as XML: every element closed, every
/// text escaped.

#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace forerun {

/// A piece of a page. Text becomes one by being escaped, so that no text can end up as markup; what
/// is markup already must say so: Markup::raw.
class Markup {
 public:
  Markup() = default;
  Markup(std::string_view text);  // implicit, on purpose: text is always safe
  Markup(const std::string& text) : Markup(std::string_view(text)) {}
  Markup(const char* text) : Markup(std::string_view(text)) {}
  [[nodiscard]] static Markup raw(std::string markup);

  Markup& operator+=(const Markup& more) {
    markup_ += more.markup_;
    return *this;
  }
  friend Markup operator+(Markup a, const Markup& b) { return a += b; }
  [[nodiscard]] const std::string& text() const { return markup_; }
  [[nodiscard]] bool empty() const { return markup_.empty(); }

 private:
  std::string markup_;
};

/// &, <, >, " and ' escaped; control characters, which XML refuses, replaced by U+FFFD.
[[nodiscard]] std::string html_escaped(std::string_view text);

/// <tag attributes>content</tag>; attributes as they stand in a page: `class="card"`.
[[nodiscard]] Markup element(std::string_view tag, std::string_view attributes,
                             const Markup& content);
[[nodiscard]] Markup element(std::string_view tag, const Markup& content);

/// A table with a header, its numbers to the right.
class HtmlTable {
 public:
  enum class Align { left, right };
  explicit HtmlTable(std::vector<std::pair<Markup, Align>> columns);
  /// Asserts a cell for every column.
  void row(const std::vector<Markup>& cells);
  /// A last row that stands apart: a sum.
  void last_row(const std::vector<Markup>& cells);
  /// In a box that scrolls where the page is too narrow. The caption may be empty.
  [[nodiscard]] Markup markup(const Markup& caption = {}) const;

 private:
  std::vector<std::pair<Markup, Align>> columns_;
  Markup rows_;
};

}  // namespace forerun
