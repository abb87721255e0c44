#include "models/import/config_reader.h"

#include <fmt/format.h>

namespace forerun::models {
namespace {

constexpr std::int64_t kMost = 1ll << 32;

}  // namespace

std::int64_t ConfigReader::count(std::string_view key, std::int64_t least) {
  known(key);
  return reader_.integer(key, least, kMost);
}

std::int64_t ConfigReader::count_or(std::string_view key, std::int64_t otherwise,
                                    std::string_view why) {
  known(key);
  if (reader_.has(key)) return reader_.integer(key, 1, kMost);
  note(key, fmt::format("absent; {}", why));
  return otherwise;
}

double ConfigReader::number(std::string_view key, double least, double most) {
  known(key);
  return reader_.number(key, least, most);
}

bool ConfigReader::flag_or(std::string_view key, bool otherwise) {
  known(key);
  return reader_.has(key) ? reader_.boolean(key) : otherwise;
}

std::string ConfigReader::text(std::string_view key) {
  known(key);
  return reader_.text(key);
}

std::vector<std::string> ConfigReader::texts(std::string_view key) {
  known(key);
  return reader_.texts(key);
}

std::vector<std::int64_t> ConfigReader::integers(std::string_view key, std::int64_t least,
                                                 std::int64_t most) {
  known(key);
  return reader_.integers(key, least, most);
}

ConfigReader ConfigReader::object(std::string_view key) {
  known(key);
  return ConfigReader(reader_.object(key));
}

void ConfigReader::note(std::string_view key, std::string_view why) {
  notes_.push_back(fmt::format("{}/{}: {}", pointer(), key, why));
}

void ConfigReader::take(ConfigReader within) {
  for (const std::string& n : within.notes_) notes_.push_back(n);
  for (std::string& key : within.ignored()) ignored_within_.push_back(std::move(key));
}

std::vector<std::string> ConfigReader::ignored() {
  std::vector<std::string> out;
  for (const std::string& key : reader_.keys()) {
    if (!known_.contains(key)) out.push_back(fmt::format("{}/{}", pointer(), key));
  }
  out.insert(out.end(), ignored_within_.begin(), ignored_within_.end());
  return out;
}

}  // namespace forerun::models
