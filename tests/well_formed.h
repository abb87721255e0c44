#pragma once

/// Whether a text is well-formed XML as far as a page or picture needs it: every element closed in
/// order, attributes quoted and named once, only the five entities of XML and numbered ones, no
/// control characters.

#include <array>
#include <cctype>
#include <set>
#include <string>
#include <string_view>
#include <vector>

namespace forerun::testing {

class XmlCheck {
 public:
  explicit XmlCheck(std::string_view text) : text_(text) {}

  /// Empty, or what is wrong and where.
  std::string run() {
    if (text_.starts_with("<!DOCTYPE html>")) at_ = text_.find('>') + 1;
    while (at_ < text_.size() && problem_.empty()) {
      if (text_[at_] == '<') {
        tag();
      } else {
        letter();
      }
    }
    if (problem_.empty() && !open_.empty()) fail("never closed: " + open_.back());
    return problem_;
  }

  /// Values of the attribute `id`, in order.
  [[nodiscard]] const std::vector<std::string>& ids() const { return ids_; }

 private:
  void fail(const std::string& what) {
    if (!problem_.empty()) return;
    problem_ = what + " at " + std::to_string(at_) + ": " +
               std::string(text_.substr(at_ < 40 ? 0 : at_ - 40, 100));
  }

  static bool is_name(char c) {
    return std::isalnum(static_cast<unsigned char>(c)) != 0 || c == '-' || c == ':' || c == '_';
  }
  std::string name() {
    std::string out;
    while (at_ < text_.size() && is_name(text_[at_])) out += text_[at_++];
    if (out.empty()) fail("a name is missing");
    return out;
  }
  void spaces() {
    while (at_ < text_.size() && std::isspace(static_cast<unsigned char>(text_[at_])) != 0) ++at_;
  }

  /// One letter of text or of a value.
  void letter() {
    const char c = text_[at_];
    if (c == '<') return fail("a bare <");
    if (static_cast<unsigned char>(c) < 0x20 && c != '\n' && c != '\t' && c != '\r') {
      return fail("a control character");
    }
    if (c == '&') {
      const std::string_view entity = text_.substr(at_ + 1, text_.find(';', at_) - at_ - 1);
      constexpr std::array<std::string_view, 5> kKnown = {"amp", "lt", "gt", "quot", "apos"};
      bool known = entity.starts_with("#") && entity.size() > 1;
      for (const std::string_view k : kKnown) known = known || entity == k;
      if (!known) return fail("a bare &");
    }
    ++at_;
  }

  void tag() {
    ++at_;
    if (at_ < text_.size() && text_[at_] == '/') {
      ++at_;
      const std::string closed = name();
      if (open_.empty() || open_.back() != closed)
        return fail("closes what is not open: " + closed);
      open_.pop_back();
      if (at_ >= text_.size() || text_[at_] != '>') return fail("an end tag without >");
      ++at_;
      return;
    }
    const std::string opened = name();
    std::set<std::string> seen;
    for (spaces(); problem_.empty() && at_ < text_.size() && is_name(text_[at_]); spaces()) {
      const std::string attribute = name();
      if (!seen.insert(attribute).second) return fail("twice: " + attribute);
      if (text_.substr(at_, 2) != "=\"") return fail("not quoted: " + attribute);
      const std::size_t from = at_ += 2;
      while (problem_.empty() && at_ < text_.size() && text_[at_] != '"') letter();
      if (attribute == "id") ids_.emplace_back(text_.substr(from, at_ - from));
      ++at_;
    }
    if (text_.substr(at_, 2) == "/>") {
      at_ += 2;
    } else if (at_ < text_.size() && text_[at_] == '>') {
      open_.push_back(opened);
      ++at_;
    } else {
      fail("a tag without >");
    }
  }

  std::string_view text_;
  std::size_t at_ = 0;
  std::vector<std::string> open_, ids_;
  std::string problem_;
};

/// Empty, or what is wrong and where.
[[nodiscard]] inline std::string xml_problem(std::string_view text) { return XmlCheck(text).run(); }

}  // namespace forerun::testing
