#include "core/html.h"

#include <fmt/format.h>

#include "core/error.h"
#include "core/svg.h"

namespace forerun {
namespace {

const char* class_of(HtmlTable::Align align) {
  return align == HtmlTable::Align::right ? " class=\"number\"" : "";
}

Markup cells_of(const std::vector<Markup>& cells,
                const std::vector<std::pair<Markup, HtmlTable::Align>>& columns) {
  FORERUN_ASSERT(cells.size() == columns.size(),
                 fmt::format("{} cells for {} columns", cells.size(), columns.size()));
  std::string out;
  for (std::size_t i = 0; i < cells.size(); ++i) {
    out += fmt::format("<td{}>{}</td>", class_of(columns[i].second), cells[i].text());
  }
  return Markup::raw(std::move(out));
}

/// A new line, but inside a line of text, where it would be a space.
const char* after(std::string_view tag) {
  for (const std::string_view inside : {"b", "code", "small", "span"}) {
    if (tag == inside) return "";
  }
  return "\n";
}

}  // namespace

Markup::Markup(std::string_view text) : markup_(html_escaped(text)) {}

Markup Markup::raw(std::string markup) {
  Markup out;
  out.markup_ = std::move(markup);
  return out;
}

std::string html_escaped(std::string_view text) {
  // As in a picture, and the quotation marks that end an attribute.
  std::string out;
  for (const char c : svg_escaped(text)) {
    if (c == '"') {
      out += "&quot;";
    } else if (c == '\'') {
      out += "&#39;";
    } else {
      out += c;
    }
  }
  return out;
}

Markup element(std::string_view tag, std::string_view attributes, const Markup& content) {
  return Markup::raw(
      fmt::format("<{0} {1}>{2}</{0}>{3}", tag, attributes, content.text(), after(tag)));
}

Markup element(std::string_view tag, const Markup& content) {
  return Markup::raw(fmt::format("<{0}>{1}</{0}>{2}", tag, content.text(), after(tag)));
}

HtmlTable::HtmlTable(std::vector<std::pair<Markup, Align>> columns)
    : columns_(std::move(columns)) {}

void HtmlTable::row(const std::vector<Markup>& cells) {
  rows_ += element("tr", cells_of(cells, columns_));
}

void HtmlTable::last_row(const std::vector<Markup>& cells) {
  rows_ += element("tr", "class=\"sum\"", cells_of(cells, columns_));
}

Markup HtmlTable::markup(const Markup& caption) const {
  Markup head;
  for (const auto& [title, align] : columns_) {
    head += Markup::raw(fmt::format("<th scope=\"col\"{}>{}</th>", class_of(align), title.text()));
  }
  Markup table = caption.empty() ? Markup() : element("caption", caption);
  table += element("thead", element("tr", head)) + element("tbody", rows_);
  return element("div", "class=\"scrolls\"", element("table", table));
}

}  // namespace forerun
