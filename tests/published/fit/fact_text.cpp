#include "fact_text.h"

#include <fmt/format.h>

#include "core/error.h"
#include "core/json_writer.h"

namespace forerun::published {
namespace {

struct Part {
  std::size_t first = 0, last = 0;  ///< [first, last) of the text
};

std::size_t skip_space(std::string_view text, std::size_t at) {
  return text.find_first_not_of(" \t\r\n", at);
}

/// The end of the JSON value that begins at `at`: a string, a number or a flat object of those.
std::size_t end_of(std::string_view text, std::size_t at) {
  const auto string_end = [&](std::size_t i) {
    for (++i; i < text.size() && text[i] != '"'; ++i) i += text[i] == '\\' ? 1u : 0u;
    return i + 1;
  };
  if (text[at] == '"') return string_end(at);
  if (text[at] != '{') return text.find_first_of(",} \t\r\n", at);
  for (std::size_t i = at + 1; i < text.size();) {
    if (text[i] == '}') return i + 1;
    i = text[i] == '"' ? string_end(i) : i + 1;
  }
  return std::string_view::npos;
}

/// The value of the only key `name` within `where`.
Part value_of(std::string_view text, std::string_view name, Part where) {
  const std::string key = json_quoted(name);
  Part found;
  for (std::size_t at = where.first; (at = text.find(key, at)) < where.last; ++at) {
    std::size_t i = skip_space(text, at + key.size());
    if (i >= text.size() || text[i] != ':') continue;
    i = skip_space(text, i + 1);
    const std::size_t end = i < text.size() ? end_of(text, i) : std::string_view::npos;
    if (end == std::string_view::npos || found.last != 0) {
      throw Error(ExitCode::wrong, fmt::format("\"{}\" stands there twice or is cut off", name));
    }
    found = {i, end};
  }
  if (found.last == 0) throw Error(ExitCode::wrong, fmt::format("there is no fact \"{}\"", name));
  return found;
}

std::string replaced(std::string_view text, std::string_view fact, std::string_view key,
                     std::string_view value) {
  const Part object = value_of(text, fact, {0, text.size()});
  const Part part = value_of(text, key, object);
  return fmt::format("{}{}{}", text.substr(0, part.first), value, text.substr(part.last));
}

}  // namespace

std::string with_value(std::string_view text, std::string_view name, std::string_view value) {
  return replaced(text, name, "value", value);
}

std::string with_fact(std::string_view text, std::string_view name, std::string_view value,
                      std::string_view evidence, std::string_view source) {
  std::string out = with_value(text, name, value);
  out = replaced(out, name, "evidence", json_quoted(evidence));
  return replaced(out, name, "source", json_quoted(source));
}

}  // namespace forerun::published
