#include "core/json_value.h"

#include <fmt/format.h>

#include <algorithm>
#include <nlohmann/json.hpp>
#include <numeric>
#include <utility>

#include "core/json_writer.h"
#include "core/reader.h"

namespace forerun::json {
namespace {

/// Cuts at a letter's boundary, so that what is printed stays UTF-8.
std::string shortened(std::string_view text, std::size_t most) {
  if (text.size() <= most) return std::string(text);
  while (most > 0 && (static_cast<unsigned char>(text[most]) & 0xc0u) == 0x80u) --most;
  return std::string(text.substr(0, most)) + "...";
}

/// Builds the document from the parser's events. The parser keeps its own stack on the heap, so
/// depth is limited here, before any recursive walk over the values can meet it.
class Builder : public nlohmann::json_sax<nlohmann::json> {
 public:
  Builder(std::string_view text, Value& root, Problems& problems)
      : text_(text), root_(root), problems_(problems) {}

  bool null() override { return put({nullptr}); }
  bool boolean(bool v) override { return put({v}); }
  bool number_integer(std::int64_t v) override { return put({v}); }
  bool number_unsigned(std::uint64_t v) override {
    if (std::in_range<std::int64_t>(v)) return put({static_cast<std::int64_t>(v)});
    return put({v});
  }
  bool number_float(double v, const std::string& spelling) override {
    return put({Real{v, spelling}});
  }
  bool string(std::string& v) override { return put({std::move(v)}); }
  bool binary(binary_t&) override { return false; }  // JSON text has none

  bool start_object(std::size_t) override { return open({Object{}}); }
  bool start_array(std::size_t) override { return open({Array{}}); }
  bool key(std::string& key) override {
    std::get<Object>(open_.back()->v).members.push_back({std::move(key), {}});
    return true;
  }
  bool end_object() override {
    for (const std::string& key : std::get<Object>(open_.back()->v).index()) {
      problems_.add(pointer() + pointer_part(key), "the same key stands here more than once");
    }
    open_.pop_back();
    return true;
  }
  bool end_array() override {
    open_.pop_back();
    return true;
  }

  bool parse_error(std::size_t position, const std::string&,
                   const nlohmann::detail::exception& error) override {
    // "[json.exception...] parse error at line 3, column 17: syntax error while ...": the place is
    // told in our own form, so only what follows it is kept.
    std::string_view what = error.what();
    if (const auto prefix = what.find("] "); prefix != what.npos) what.remove_prefix(prefix + 2);
    if (const auto at = what.find("column "); at != what.npos) {
      if (const auto colon = what.find(": ", at); colon != what.npos) what.remove_prefix(colon + 2);
    }
    problems_.add(place(position), shortened(what, 200));
    return false;
  }

 private:
  bool put(Value value) {
    slot() = std::move(value);
    return true;
  }
  bool open(Value value) {
    if (open_.size() == static_cast<std::size_t>(kMaxJsonDepth)) {
      problems_.add(shortened(pointer(), 60),
                    fmt::format("nested deeper than {} levels", kMaxJsonDepth));
      return false;
    }
    Value& place = slot();
    place = std::move(value);
    open_.push_back(&place);
    return true;
  }
  /// Where the next value goes. Pointers in open_ stay good: a container grows only when all that
  /// it held is closed.
  Value& slot() {
    if (open_.empty()) return root_;
    if (auto* object = std::get_if<Object>(&open_.back()->v)) return object->members.back().value;
    auto& items = std::get<Array>(open_.back()->v).items;
    return items.emplace_back();
  }
  /// Pointer to the innermost open container.
  [[nodiscard]] std::string pointer() const {
    std::string out;
    for (std::size_t i = 0; i + 1 < open_.size(); ++i) {
      if (const auto* object = std::get_if<Object>(&open_[i]->v)) {
        out += pointer_part(object->members.back().key);
      } else {
        out += fmt::format("/{}", std::get<Array>(open_[i]->v).items.size() - 1);
      }
    }
    return out;
  }
  [[nodiscard]] std::string place(std::size_t position) const {
    const std::string_view before = text_.substr(0, position > 0 ? position - 1 : 0);
    const auto line = 1 + std::count(before.begin(), before.end(), '\n');
    const std::size_t start = before.rfind('\n') + 1;  // npos + 1 is 0
    return fmt::format("{}:{}", line, before.size() - start + 1);
  }

  std::string_view text_;
  Value& root_;
  Problems& problems_;
  std::vector<Value*> open_;
};

}  // namespace

const Value* Object::find(std::string_view key) const {
  const auto at =
      std::lower_bound(sorted.begin(), sorted.end(), key,
                       [this](std::uint32_t i, std::string_view k) { return members[i].key < k; });
  return at != sorted.end() && members[*at].key == key ? &members[*at].value : nullptr;
}

Value* Object::find(std::string_view key) {
  return const_cast<Value*>(std::as_const(*this).find(key));
}

void Object::add(std::string key, Value value) {
  members.push_back({std::move(key), std::move(value)});
  index();
}

std::vector<std::string> Object::index() {
  sorted.resize(members.size());
  std::iota(sorted.begin(), sorted.end(), 0u);
  std::stable_sort(sorted.begin(), sorted.end(), [this](std::uint32_t a, std::uint32_t b) {
    return members[a].key < members[b].key;
  });
  std::vector<std::string> repeated;
  for (std::size_t i = 1; i < sorted.size(); ++i) {
    const std::string& key = members[sorted[i]].key;
    if (key != members[sorted[i - 1]].key) continue;
    if (repeated.empty() || repeated.back() != key) repeated.push_back(key);
  }
  return repeated;
}

std::string pointer_part(std::string_view key) {
  std::string out = "/";
  for (const char c : key) {
    if (c == '~') {
      out += "~0";
    } else if (c == '/') {
      out += "~1";
    } else {
      out += c;
    }
  }
  return out;
}

std::vector<std::string> pointer_parts(std::string_view pointer) {
  std::vector<std::string> parts;
  for (std::size_t i = 0; i < pointer.size(); ++i) {
    if (pointer[i] == '/') {
      parts.emplace_back();
    } else if (pointer[i] == '~' && i + 1 < pointer.size()) {
      parts.back() += pointer[++i] == '1' ? '/' : '~';
    } else {
      parts.back() += pointer[i];
    }
  }
  return parts;
}

std::string quoted(std::string_view text) { return fmt::format("\"{}\"", shortened(text, 60)); }

std::string shown(const Value& value) {
  struct Show {
    std::string operator()(std::nullptr_t) const { return "null"; }
    std::string operator()(bool v) const { return v ? "true" : "false"; }
    std::string operator()(std::int64_t v) const { return fmt::format("{}", v); }
    std::string operator()(std::uint64_t v) const { return fmt::format("{}", v); }
    std::string operator()(const Real& v) const { return shortened(v.spelling, 60); }
    std::string operator()(const std::string& v) const { return json::quoted(v); }
    std::string operator()(const Array&) const { return "an array"; }
    std::string operator()(const Object&) const { return "an object"; }
  };
  return std::visit(Show{}, value.v);
}

std::string text(const Value& value) {
  struct Write {
    std::string operator()(std::nullptr_t) const { return "null"; }
    std::string operator()(bool v) const { return v ? "true" : "false"; }
    std::string operator()(std::int64_t v) const { return fmt::format("{}", v); }
    std::string operator()(std::uint64_t v) const { return fmt::format("{}", v); }
    std::string operator()(const Real& v) const { return v.spelling; }
    std::string operator()(const std::string& v) const { return json_quoted(v); }
    std::string operator()(const Array& v) const {
      std::string out = "[";
      for (const Value& item : v.items) out += (out.size() > 1 ? ", " : "") + text(item);
      return out + "]";
    }
    std::string operator()(const Object& v) const {
      std::string out = "{";
      for (const Member& m : v.members) {
        out += (out.size() > 1 ? ", " : "") + json_quoted(m.key) + ": " + text(m.value);
      }
      return out + "}";
    }
  };
  return std::visit(Write{}, value.v);
}

bool parse(std::string_view text, Value& root, Problems& problems) {
  // The parser takes a NUL byte for the end of the text and would not look at what follows.
  const auto nul =
      static_cast<std::size_t>(std::find(text.begin(), text.end(), '\0') - text.begin());
  Builder builder(text, root, problems);
  if (nul < text.size()) {
    const std::string_view before = text.substr(0, nul);
    problems.add(fmt::format("{}:{}", 1 + std::count(before.begin(), before.end(), '\n'),
                             nul - (before.rfind('\n') + 1) + 1),
                 "a zero byte is not JSON");
    return false;
  }
  return nlohmann::json::sax_parse(text.begin(), text.end(), &builder);
}

}  // namespace forerun::json
