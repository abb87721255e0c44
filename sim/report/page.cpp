#include "sim/report/page.h"

#include <fmt/format.h>

#include <algorithm>

namespace forerun::sim::report {

std::string page(std::string_view title, const Markup& body) {
  return fmt::format(
      "<!DOCTYPE html>\n<html lang=\"en\">\n<head>\n<meta charset=\"utf-8\"/>\n"
      "<meta name=\"viewport\" content=\"width=device-width, initial-scale=1\"/>\n"
      "<meta name=\"color-scheme\" content=\"light dark\"/>\n"
      "<title>{}</title>\n<style>\n{}</style>\n</head>\n<body>\n<main>\n{}</main>\n</body>\n"
      "</html>\n",
      html_escaped(title), page_style(), body.text());
}

namespace {

/// A number is not parted from its per cent sign at the end of a line.
Markup unbroken(const Markup& m) {
  std::string out = m.text();
  for (std::size_t at = out.find(" %"); at != std::string::npos; at = out.find(" %", at + 1)) {
    out.replace(at, 1, "\xC2\xA0");
  }
  return Markup::raw(std::move(out));
}

}  // namespace

Markup card(std::string_view id, std::string_view heading, const Markup& content) {
  return element("section", fmt::format("class=\"card\" id=\"{}\"", id),
                 element("h2", heading) + content);
}

Markup long_card(std::string_view id, std::string_view heading, const Markup& content) {
  return element("section", fmt::format("class=\"card long\" id=\"{}\"", id),
                 element("h2", heading) + content);
}

Markup laid_out(const std::vector<std::pair<Width, Markup>>& cards) {
  Markup out, waiting, left;  // left: a card beside which there is room
  const auto whole = [](const Markup& m) { return element("div", "class=\"whole\"", m); };
  for (const auto& [width, card] : cards) {
    if (card.empty()) continue;
    if (width == Width::whole) {
      (left.empty() ? out : waiting) += whole(card);
    } else if (left.empty()) {
      left = card;
    } else {
      out += element("div", "class=\"pair\"", left + card) + waiting;
      left = waiting = {};
    }
  }
  if (!left.empty()) out += element("div", "class=\"whole alone\"", left);
  return out + waiting;
}

Markup tile(std::string_view heading, const Markup& content) {
  return element("section", "class=\"tile\"", element("h2", heading) + content);
}

Markup big(const std::string& number, const std::string& unit) {
  const Markup beside = unit.empty() ? Markup() : Markup(" ") + element("small", unit);
  return element("p", "class=\"big\"", Markup(number) + beside);
}

Markup about(const std::string& text) { return element("p", "class=\"about\"", unbroken(text)); }

Markup tiles(const Markup& content) { return element("div", "class=\"tiles\"", content); }

Markup figure(std::string svg, const Markup& caption) {
  return element("figure", Markup::raw(std::move(svg)) +
                               (caption.empty() ? Markup() : element("figcaption", caption)));
}

Markup wide_figure(std::string svg, const Markup& caption) {
  return element(
      "figure", "class=\"wide\"",
      element("div", "class=\"scrolls\" tabindex=\"0\" role=\"group\" aria-label=\"picture\"",
              Markup::raw(std::move(svg))) +
          (caption.empty() ? Markup() : element("figcaption", caption)));
}

Markup swatch(std::size_t colour) {
  return Markup::raw(fmt::format("<i class=\"swatch\" style=\"--s:var(--c{})\"></i>", colour));
}

Markup dashed_swatch(std::size_t colour) {
  return Markup::raw(
      fmt::format("<i class=\"swatch dashed\" style=\"--s:var(--c{})\"></i>", colour));
}

Markup legend(const std::vector<LegendItem>& items) {
  Markup out;
  for (const LegendItem& i : items) out += element("li", swatch(i.colour) + i.name);
  return element("ul", "class=\"legend\"", out);
}

Markup command_line(const std::string& command) {
  Markup words;
  for (std::size_t from = 0; from <= command.size();) {
    const std::size_t to = std::min(command.find(' ', from), command.size());
    if (from > 0) words += " ";
    words += element("span", "class=\"word\"", command.substr(from, to - from));
    from = to + 1;
  }
  return element("pre", element("code", words));
}

Markup paragraph(const Markup& text) { return element("p", unbroken(text)); }
Markup note(const Markup& text) { return element("p", "class=\"note\"", unbroken(text)); }

Markup list(const std::vector<Markup>& items) {
  if (items.empty()) return {};
  Markup out;
  for (const Markup& i : items) out += element("li", unbroken(i));
  return element("ul", "class=\"list\"", out);
}

Markup facts(const std::vector<std::pair<Markup, Markup>>& rows) {
  Markup out;
  for (const auto& [name, value] : rows) {
    out += element("div", element("dt", name) + element("dd", unbroken(value)));
  }
  return element("dl", "class=\"facts\"", out);
}

Markup details(const Markup& summary, const Markup& content) {
  return element("details", element("summary", summary) + content);
}

}  // namespace forerun::sim::report
