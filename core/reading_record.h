#pragma once

/// What readers asked a document for, and what they refused of it: the format of a file as told by
/// the code that reads it, so that nobody has to keep a second list of its keys.
///
///   Problems problems;
///   const ReadingRecord record(problems);
///   read_scenario(document, problems);
///   record.asked("/plan/tensor")
///
/// Records the readers that report to these problems, in this thread, while it lives. Readers find
/// it through a variable of the thread: a hundred functions hand a Reader on, and none of them
/// should have to know that somebody listens.

#include <cstddef>
#include <set>
#include <string>
#include <string_view>

#include "core/problem.h"

namespace forerun {

class ReadingRecord {
 public:
  explicit ReadingRecord(const Problems& problems);
  ~ReadingRecord();
  ReadingRecord(const ReadingRecord&) = delete;
  ReadingRecord& operator=(const ReadingRecord&) = delete;

  /// JSON pointers that were asked for, whether or not something stands there.
  [[nodiscard]] const std::set<std::string>& asked() const { return asked_; }
  [[nodiscard]] bool asked(const std::string& pointer) const { return asked_.contains(pointer); }
  /// Whether the value there, or one inside it, is refused for itself: another type, no such name,
  /// out of range. Rules across fields are not recorded.
  [[nodiscard]] bool refused(const std::string& pointer) const;
  /// The same, but also where a reader found a rule of its object's fields broken there.
  [[nodiscard]] bool told(const std::string& pointer) const;

 private:
  friend void note_asked(const Problems*, const std::string&, std::string_view);
  friend void note_element(const Problems*, const std::string&, std::size_t);
  friend void note_refused(const Problems*, const std::string&);
  friend void note_told(const Problems*, const std::string&);

  const Problems* problems_;
  ReadingRecord* before_;  // of the thread; they nest
  std::set<std::string> asked_, refused_, told_;
};

// For readers: nothing happens unless somebody records.
void note_asked(const Problems* problems, const std::string& object, std::string_view key);
void note_element(const Problems* problems, const std::string& array, std::size_t index);
void note_refused(const Problems* problems, const std::string& pointer);
void note_told(const Problems* problems, const std::string& pointer);

}  // namespace forerun
