#include "core/json_edit.h"

#include <fmt/format.h>

#include <utility>
#include <variant>
#include <vector>

#include "core/error.h"
#include "core/json_value.h"
#include "core/json_writer.h"

namespace forerun {
namespace {

constexpr std::size_t kWidth = 110;

json::Value parsed(std::string_view text) {
  Problems problems;
  json::Value value;
  const bool whole = json::parse(text, value, problems);
  FORERUN_ASSERT(whole && problems.empty(), problems.text("JSON"));
  return value;
}

/// The value in one line, or empty once it is longer than `room`.
std::string in_one_line(const json::Value& value, std::size_t room) {
  std::string out;
  if (const auto* array = std::get_if<json::Array>(&value.v)) {
    out = "[";
    for (const json::Value& item : array->items) {
      const std::string one = in_one_line(item, room);
      if (one.empty() || out.size() + one.size() > room) return {};
      out += (out.size() > 1 ? ", " : "") + one;
    }
    out += "]";
  } else if (const auto* object = std::get_if<json::Object>(&value.v)) {
    out = "{";
    for (const json::Member& m : object->members) {
      const std::string one = in_one_line(m.value, room);
      if (one.empty() || out.size() + one.size() > room) return {};
      out += (out.size() > 1 ? ", " : "") + json_quoted(m.key) + ": " + one;
    }
    out += "}";
  } else {
    return json::text(value);
  }
  return out.size() > room ? std::string{} : out;
}

bool is_scalar(const json::Value& v) {
  return !std::holds_alternative<json::Array>(v.v) && !std::holds_alternative<json::Object>(v.v);
}

void write(const json::Value& value, std::size_t indent, std::size_t used, std::string& out) {
  const std::size_t room = used + indent < kWidth ? kWidth - used - indent : 1;
  if (std::string line = in_one_line(value, room); !line.empty()) {
    out += line;
    return;
  }
  const std::string inner(indent + 1, ' ');
  if (const auto* array = std::get_if<json::Array>(&value.v)) {
    out += "[";
    std::size_t column = kWidth;
    for (std::size_t i = 0; i < array->items.size(); ++i) {
      const json::Value& item = array->items[i];
      const std::string word = is_scalar(item) ? json::text(item) : std::string{};
      // Long lists of numbers fill their lines; objects have one each.
      const bool breaks = !is_scalar(item) || column + word.size() + 2 > kWidth;
      if (i > 0) out += breaks ? "," : ", ";
      if (breaks) out += "\n" + inner;
      column = breaks ? inner.size() + word.size() : column + word.size() + 2;
      write(item, indent + 1, 0, out);
    }
    out += "\n" + std::string(indent, ' ') + "]";
    return;
  }
  const auto* object = std::get_if<json::Object>(&value.v);
  if (object == nullptr) {
    out += json::text(value);
    return;
  }
  out += "{";
  for (std::size_t i = 0; i < object->members.size(); ++i) {
    const std::string key = json_quoted(object->members[i].key) + ": ";
    out.append(i > 0 ? ",\n" : "\n").append(inner).append(key);
    write(object->members[i].value, indent + 1, key.size(), out);
  }
  out += "\n" + std::string(indent, ' ') + "}";
}

void edit(json::Value& root, const JsonEdit& change) {
  const std::vector<std::string> parts = json::pointer_parts(change.pointer);
  FORERUN_ASSERT(!parts.empty(), change.pointer);
  json::Value* at = &root;
  for (std::size_t i = 0; i < parts.size(); ++i) {
    auto* object = std::get_if<json::Object>(&at->v);
    FORERUN_ASSERT(object != nullptr, change.pointer);
    if (object->find(parts[i]) == nullptr) {
      FORERUN_ASSERT(i + 1 == parts.size(), change.pointer);
      object->add(parts[i], {nullptr});
    }
    at = object->find(parts[i]);
  }
  *at = parsed(change.value);
}

}  // namespace

std::string edited_json(std::string_view text, std::span<const JsonEdit> edits) {
  json::Value root = parsed(text);
  for (const JsonEdit& change : edits) edit(root, change);
  std::string out;
  write(root, 0, 0, out);
  return out + "\n";
}

}  // namespace forerun
