#include "core/svg.h"

#include <fmt/format.h>

#include <algorithm>

namespace forerun {

std::string SvgPaint::colour(std::size_t i) const {
  return in_page ? fmt::format("var(--c{})", i % kPageColours) : std::string(svg_colour(i));
}

std::string svg_escaped(std::string_view text) {
  std::string out;
  for (const char c : text) {
    const auto code = static_cast<unsigned char>(c);
    if (c == '&') {
      out += "&amp;";
    } else if (c == '<') {
      out += "&lt;";
    } else if (c == '>') {
      out += "&gt;";
    } else if (code < 0x20 && c != '\t' && c != '\n' && c != '\r') {
      out += "\xEF\xBF\xBD";
    } else {
      out += c;
    }
  }
  return out;
}

std::string svg_open(double width, double height, const SvgPaint& paint, const SvgWords& words) {
  if (!paint.in_page) {
    return fmt::format(
        "<svg xmlns=\"http://www.w3.org/2000/svg\" viewBox=\"0 0 {0:.0f} {1:.0f}\" "
        "font-family=\"sans-serif\" font-size=\"13\" fill=\"{2}\">\n<rect width=\"{0:.0f}\" "
        "height=\"{1:.0f}\" fill=\"{3}\"/>\n",
        width, height, paint.text, paint.ground);
  }
  std::string out = fmt::format("<svg viewBox=\"0 0 {:.0f} {:.0f}\" font-size=\"13\" fill=\"{}\"",
                                width, height, paint.text);
  if (words.id.empty()) return out + " aria-hidden=\"true\">\n";
  return out + fmt::format(
                   " role=\"img\" aria-labelledby=\"{0}-title {0}-desc\">\n"
                   "<title id=\"{0}-title\">{1}</title>\n<desc id=\"{0}-desc\">{2}</desc>\n",
                   words.id, svg_escaped(words.title), svg_escaped(words.description));
}

double svg_text_width(std::string_view text) {
  constexpr double kLetter = 7.0;  // of a sans-serif's mean letter at 13 px, a little more
  const auto letters = std::count_if(text.begin(), text.end(), [](char c) {
    return (static_cast<unsigned char>(c) & 0xc0u) != 0x80u;
  });
  return kLetter * static_cast<double>(letters);
}

}  // namespace forerun
