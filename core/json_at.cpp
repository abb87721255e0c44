#include "core/json_at.h"

#include <algorithm>
#include <charconv>
#include <cstddef>
#include <system_error>
#include <variant>

#include "core/json_value.h"

namespace forerun {
namespace {

const json::Value* child(const json::Value& parent, const std::string& part) {
  if (const auto* object = std::get_if<json::Object>(&parent.v)) return object->find(part);
  const auto* array = std::get_if<json::Array>(&parent.v);
  if (array == nullptr) return nullptr;
  std::size_t index = 0;
  const char* const end = part.data() + part.size();
  const auto [rest, error] = std::from_chars(part.data(), end, index);
  const bool good = error == std::errc{} && rest == end && index < array->items.size();
  return good ? &array->items[index] : nullptr;
}

const json::Value* value_at(const json::Value& root, std::string_view pointer) {
  if (!pointer.empty() && pointer.front() != '/') return nullptr;
  const json::Value* at = &root;
  for (const std::string& part : json::pointer_parts(pointer)) {
    at = child(*at, part);
    if (at == nullptr) return nullptr;
  }
  return at;
}

bool parsed(std::string_view text, json::Value& root) {
  Problems ignored;
  return json::parse(text, root, ignored);
}

void add_pointers(const json::Value& value, const std::string& pointer,
                  std::vector<std::string>& out) {
  const auto add = [&](std::string_view key, const json::Value& inner) {
    const std::string inside = pointer + json::pointer_part(key);
    out.push_back(inside);
    add_pointers(inner, inside, out);
  };
  if (const auto* object = std::get_if<json::Object>(&value.v)) {
    for (const json::Member& m : object->members) add(m.key, m.value);
  } else if (const auto* array = std::get_if<json::Array>(&value.v)) {
    for (std::size_t i = 0; i < array->items.size(); ++i) add(std::to_string(i), array->items[i]);
  }
}

void add_texts(const json::Value& value, const std::string& pointer, std::vector<JsonText>& out) {
  if (const auto* text = std::get_if<std::string>(&value.v)) {
    out.push_back({pointer, *text});
  } else if (const auto* object = std::get_if<json::Object>(&value.v)) {
    for (const json::Member& m : object->members) {
      add_texts(m.value, pointer + json::pointer_part(m.key), out);
    }
  } else if (const auto* array = std::get_if<json::Array>(&value.v)) {
    for (std::size_t i = 0; i < array->items.size(); ++i) {
      add_texts(array->items[i], pointer + json::pointer_part(std::to_string(i)), out);
    }
  }
}

}  // namespace

std::optional<std::string> json_at(std::string_view text, std::string_view pointer) {
  json::Value root;
  if (!parsed(text, root)) return std::nullopt;
  const json::Value* value = value_at(root, pointer);
  return value == nullptr ? std::nullopt : std::optional(json::text(*value));
}

std::optional<std::vector<std::string>> json_elements(std::string_view text,
                                                      std::string_view pointer) {
  json::Value root;
  if (!parsed(text, root)) return std::nullopt;
  const json::Value* value = value_at(root, pointer);
  const auto* array = value == nullptr ? nullptr : std::get_if<json::Array>(&value->v);
  if (array == nullptr) return std::nullopt;
  std::vector<std::string> out;
  for (const json::Value& item : array->items) out.push_back(json::text(item));
  return out;
}

std::vector<std::string> json_pointers(std::string_view text) {
  json::Value root;
  std::vector<std::string> out;
  if (parsed(text, root)) add_pointers(root, "", out);
  return out;
}

std::vector<JsonText> json_texts(std::string_view text) {
  json::Value root;
  std::vector<JsonText> out;
  if (parsed(text, root)) add_texts(root, "", out);
  return out;
}

std::string json_pointer(std::string_view path) {
  if (path.starts_with('/')) return std::string(path);
  std::string pointer;
  while (true) {
    const std::size_t dot = path.find('.');
    pointer += json::pointer_part(path.substr(0, dot));
    if (dot == std::string_view::npos) return pointer;
    path.remove_prefix(dot + 1);
  }
}

std::string json_path(std::string_view pointer) {
  const std::vector<std::string> parts = json::pointer_parts(pointer);
  std::string path;
  for (const std::string& part : parts) {
    if (part.empty() || part.find('.') != std::string::npos) return std::string(pointer);
    path += (path.empty() ? "" : ".") + part;
  }
  return path;
}

}  // namespace forerun
