#include "core/json_pieces.h"

#include <fmt/format.h>

namespace forerun {
namespace {

/// Walks over values without reading them; what it passes over is checked when it is read.
class Walker {
 public:
  Walker(std::string_view text, Problems& problems) : text_(text), problems_(problems) {}

  [[nodiscard]] bool failed() const { return failed_; }
  [[nodiscard]] bool at_end() {
    skip_space();
    return at_ >= text_.size();
  }
  /// The next character that is no space; zero at the end.
  char peek() {
    skip_space();
    return at_ < text_.size() ? text_[at_] : '\0';
  }
  bool expect(char c, const char* what) {
    if (peek() == c) {
      ++at_;
      return true;
    }
    return fail(fmt::format("expected {}", what));
  }
  bool take(char c) {
    if (peek() != c) return false;
    ++at_;
    return true;
  }
  /// A string without its quotes, escapes as they stand.
  std::string_view string();
  /// A value as it stands.
  std::string_view value();
  bool fail(std::string what) {
    if (!failed_) {
      const bool ended = at_ >= text_.size();
      problems_.add(fmt::format("byte {}", at_),
                    std::move(what) + (ended ? ", found the end of the file: is it whole?" : ""));
    }
    failed_ = true;
    return false;
  }

 private:
  void skip_space() {
    while (at_ < text_.size() &&
           (text_[at_] == ' ' || text_[at_] == '\n' || text_[at_] == '\t' || text_[at_] == '\r')) {
      ++at_;
    }
  }
  bool skip_container();

  std::string_view text_;
  Problems& problems_;
  std::size_t at_ = 0;
  bool failed_ = false;
};

std::string_view Walker::string() {
  if (!expect('"', "a text in quotes")) return {};
  const std::size_t begin = at_;
  for (; at_ < text_.size(); ++at_) {
    if (text_[at_] == '"') return text_.substr(begin, at_++ - begin);
    if (text_[at_] == '\\') ++at_;
  }
  at_ = text_.size();
  fail("a text does not end");
  return {};
}

bool Walker::skip_container() {
  std::size_t depth = 0;
  while (at_ < text_.size()) {
    const char c = text_[at_];
    if (c == '"') {
      string();
      if (failed_) return false;
      continue;
    }
    ++at_;
    if (c == '{' || c == '[') ++depth;
    if ((c == '}' || c == ']') && --depth == 0) return true;
  }
  return fail("an object or a list does not end");
}

std::string_view Walker::value() {
  const char first = peek();
  const std::size_t begin = at_;
  if (first == '{' || first == '[') {
    skip_container();
  } else if (first == '"') {
    string();
  } else {
    while (at_ < text_.size() && text_[at_] != ',' && text_[at_] != '}' && text_[at_] != ']') ++at_;
    if (at_ == begin) fail("expected a value");
  }
  return failed_ ? std::string_view() : text_.substr(begin, at_ - begin);
}

void walk_list(Walker& w, std::string_view list, const OnObject& on_object) {
  if (!w.expect('[', "a list")) return;
  if (w.take(']')) return;
  for (std::size_t i = 0;; ++i) {
    const bool object = w.peek() == '{';
    const std::string_view element = w.value();
    if (w.failed()) return;
    if (object && !on_object(element, fmt::format("{}/{}", list, i))) return;
    if (w.take(']')) return;
    if (!w.expect(',', "a comma or the end of the list")) return;
  }
}

}  // namespace

void for_each_element(std::string_view text, std::string_view list, const OnObject& on_object,
                      Problems& problems) {
  Walker w(text, problems);
  bool found = false;
  if (!w.expect('{', "a JSON object")) return;
  while (!w.failed()) {
    const std::string_view key = w.string();
    if (!w.expect(':', "a colon")) return;
    if (key == list) {
      if (found) {
        w.fail(fmt::format("{} stands there twice", list));
        return;
      }
      found = true;
      const std::size_t before = problems.list().size();
      walk_list(w, list, on_object);
      if (problems.list().size() > before) return;
    } else {
      const bool object = w.peek() == '{';
      const std::string_view value = w.value();
      if (object && !w.failed() && !on_object(value, std::string(key))) return;
    }
    if (w.take('}')) break;
    if (!w.expect(',', "a comma or the end of the object")) return;
  }
  if (!w.failed() && !found) {
    problems.add("", fmt::format("there is no list \"{}\" at the top", list));
  }
}

void for_each_object(std::string_view text, const OnObject& on_object, Problems& problems) {
  Walker w(text, problems);
  for (std::size_t i = 0; !w.at_end(); ++i) {
    if (w.peek() != '{') {
      w.fail("expected an object");
      return;
    }
    const std::string_view object = w.value();
    if (w.failed() || !on_object(object, fmt::format("object {}", i))) return;
  }
}

}  // namespace forerun
