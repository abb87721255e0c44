#pragma once

/// One object of a Hugging Face config.json as an importer asks it: remembers what was asked for,
/// so that what nobody asked for can be told, and what was taken in place of keys that are absent.
/// Such a file has keys of other programs, so unknown ones are no mistake.

#include <cstdint>
#include <set>
#include <string>
#include <string_view>
#include <vector>

#include "core/reader.h"

namespace forerun::models {

class ConfigReader {
 public:
  explicit ConfigReader(Reader reader) : reader_(std::move(reader)) {}

  /// Present and not null. Asking is not knowing: a key that is only asked for stays unknown.
  [[nodiscard]] bool has(std::string_view key) const { return reader_.has(key); }

  std::int64_t count(std::string_view key, std::int64_t least = 1);
  /// `otherwise` where the key is absent or null, which is noted as `why`.
  std::int64_t count_or(std::string_view key, std::int64_t otherwise, std::string_view why);
  double number(std::string_view key, double least, double most);
  bool flag_or(std::string_view key, bool otherwise);
  std::string text(std::string_view key);
  std::vector<std::string> texts(std::string_view key);
  std::vector<std::int64_t> integers(std::string_view key, std::int64_t least, std::int64_t most);
  ConfigReader object(std::string_view key);

  void problem(std::string_view key, std::string what) { reader_.problem(key, std::move(what)); }
  [[nodiscard]] const std::string& pointer() const { return reader_.pointer(); }

  /// "KEY: WHY": what stands for a key that is absent, or is made of one otherwise than it says.
  void note(std::string_view key, std::string_view why);
  [[nodiscard]] const std::vector<std::string>& notes() const { return notes_; }
  /// Takes over the notes of an object within, and its keys that nobody asked for.
  void take(ConfigReader within);
  /// Keys with a value that nobody asked for, in the file's order, each with its path.
  [[nodiscard]] std::vector<std::string> ignored();

 private:
  void known(std::string_view key) { known_.emplace(key); }

  Reader reader_;
  std::set<std::string, std::less<>> known_;
  std::vector<std::string> notes_, ignored_within_;
};

}  // namespace forerun::models
