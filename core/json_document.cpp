#include <fmt/format.h>

#include <charconv>
#include <utility>

#include "core/file.h"
#include "core/json_value.h"
#include "core/reader.h"

namespace forerun {
namespace {

/// The parts of "/plan/tensor" or "plan.tensor".
std::vector<std::string> parts_of(std::string_view path) {
  const bool pointer = path.starts_with('/');
  if (pointer) path.remove_prefix(1);
  std::vector<std::string> parts(1);
  for (std::size_t i = 0; i < path.size(); ++i) {
    if (path[i] == (pointer ? '/' : '.')) {
      parts.emplace_back();
    } else if (pointer && path[i] == '~' && i + 1 < path.size()) {
      parts.back() += path[++i] == '1' ? '/' : '~';
    } else {
      parts.back() += path[i];
    }
  }
  return parts;
}

json::Value* child(json::Value& parent, const std::string& part) {
  if (auto* object = std::get_if<json::Object>(&parent.v)) return object->find(part);
  if (auto* array = std::get_if<json::Array>(&parent.v)) {
    std::size_t index = 0;
    const char* const end = part.data() + part.size();
    const auto [rest, error] = std::from_chars(part.data(), end, index);
    if (error == std::errc{} && rest == end && index < array->items.size()) {
      return &array->items[index];
    }
  }
  return nullptr;
}

/// " (did you mean plan?)" if a child's name is near `part`.
std::string near_child(const json::Value& parent, const std::string& part) {
  const auto* object = std::get_if<json::Object>(&parent.v);
  if (object == nullptr) return {};
  std::vector<std::string_view> names;
  for (const json::Member& member : object->members) names.push_back(member.key);
  const std::string near = nearest(part, names);
  return near.empty() ? std::string{} : fmt::format(" (did you mean {}?)", near);
}

}  // namespace

struct JsonDocument::Impl {
  json::Value root;
  bool read = false;  ///< false: the text was no JSON object, and that has been reported
};

JsonDocument::JsonDocument(std::unique_ptr<Impl> impl) : impl_(std::move(impl)) {}
JsonDocument::JsonDocument(JsonDocument&&) noexcept = default;
JsonDocument& JsonDocument::operator=(JsonDocument&&) noexcept = default;
JsonDocument::~JsonDocument() = default;

JsonDocument JsonDocument::parse(std::string_view text, Problems& problems) {
  auto impl = std::make_unique<Impl>();
  if (json::parse(text, impl->root, problems)) {
    impl->read = std::holds_alternative<json::Object>(impl->root.v);
    if (!impl->read) problems.add("", "expected an object, found " + json::shown(impl->root));
  }
  return JsonDocument(std::move(impl));
}

JsonDocument JsonDocument::load(const std::string& path, Problems& problems) {
  return parse(read_file(path, kMaxJsonBytes), problems);
}

Reader JsonDocument::root(Problems& problems) const {
  return Reader(impl_->read ? &impl_->root : nullptr, "", &problems);
}

bool JsonDocument::readable() const { return impl_->read; }

void JsonDocument::set(std::string_view path, std::string_view value, Problems& problems) {
  if (!impl_->read) return;
  const std::vector<std::string> parts = parts_of(path);
  json::Value* parent = &impl_->root;
  std::string pointer;
  for (std::size_t i = 0; i + 1 < parts.size(); ++i) {
    json::Value* next = child(*parent, parts[i]);
    pointer += json::pointer_part(parts[i]);
    auto* const object = std::get_if<json::Object>(&parent->v);
    if (next == nullptr && object != nullptr && near_child(*parent, parts[i]).empty()) {
      // A section that the document leaves out; whoever reads it knows whether there is one.
      json::Value section;
      section.v = json::Object{};
      object->add(parts[i], std::move(section));
      next = child(*parent, parts[i]);
    }
    if (next == nullptr) {
      problems.add(pointer, fmt::format("can't set {}: there is nothing here{}", json::quoted(path),
                                        near_child(*parent, parts[i])));
      return;
    }
    parent = next;
  }
  json::Value parsed;
  Problems reasons;
  if (!json::parse(value, parsed, reasons)) {
    // A word such as fsdp, or a quantity such as 400 Gb/s, needs no quotation marks on a command
    // line; what begins as JSON was meant as JSON.
    if (value.find_first_of("{[\"") == 0) {
      for (const Problem& reason : reasons.list()) {
        problems.add(pointer + json::pointer_part(parts.back()),
                     fmt::format("can't set to {}: {}", json::quoted(value), reason.what));
      }
      return;
    }
    parsed.v = std::string(value);
  }
  if (json::Value* place = child(*parent, parts.back())) {
    *place = std::move(parsed);
  } else if (auto* object = std::get_if<json::Object>(&parent->v)) {
    object->add(parts.back(), std::move(parsed));
  } else {
    problems.add(pointer + json::pointer_part(parts.back()),
                 fmt::format("can't set {}: no object, and no array with such an element",
                             json::quoted(path)));
  }
}

}  // namespace forerun
