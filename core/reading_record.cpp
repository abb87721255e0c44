#include "core/reading_record.h"

#include "core/json_value.h"

namespace forerun {
namespace {

thread_local ReadingRecord* current = nullptr;

/// Whether `pointers` has this one or one inside it.
bool at_or_inside(const std::set<std::string>& pointers, const std::string& pointer) {
  if (pointers.contains(pointer)) return true;
  const auto inside = pointers.lower_bound(pointer + "/");
  return inside != pointers.end() && inside->starts_with(pointer + "/");
}

}  // namespace

ReadingRecord::ReadingRecord(const Problems& problems) : problems_(&problems), before_(current) {
  current = this;
}

ReadingRecord::~ReadingRecord() { current = before_; }

bool ReadingRecord::refused(const std::string& pointer) const {
  return at_or_inside(refused_, pointer);
}

bool ReadingRecord::told(const std::string& pointer) const { return at_or_inside(told_, pointer); }

void note_asked(const Problems* problems, const std::string& object, std::string_view key) {
  if (current == nullptr || current->problems_ != problems) return;
  current->asked_.insert(object + json::pointer_part(key));
}

void note_element(const Problems* problems, const std::string& array, std::size_t index) {
  if (current == nullptr || current->problems_ != problems) return;
  current->asked_.insert(array + "/" + std::to_string(index));
}

void note_refused(const Problems* problems, const std::string& pointer) {
  if (current != nullptr && current->problems_ == problems) current->refused_.insert(pointer);
}

void note_told(const Problems* problems, const std::string& pointer) {
  if (current != nullptr && current->problems_ == problems) current->told_.insert(pointer);
}

}  // namespace forerun
