#include "sim/scenario_profiles.h"

#include <fmt/format.h>

#include <algorithm>
#include <filesystem>

#include "core/error.h"
#include "core/file.h"
#include "core/random.h"

namespace forerun::sim {
namespace {

/// What a profile's file holds, or nothing, with its problems reported at `key`.
template <class Profile>
std::optional<Profile> read_file_of(Reader& at, std::string_view key, const std::string& path,
                                    std::optional<Profile> (*read)(const std::string&, Problems&),
                                    std::uint64_t& hash) {
  Problems problems;
  std::optional<Profile> profile;
  try {
    const std::string text = read_file(path, kMaxJsonBytes);
    hash = hash_text(fmt::format("{:016x}{}", hash, text));
    profile = read(text, problems);
  } catch (const Error& e) {
    at.problem(key, e.what());
    return std::nullopt;
  }
  for (const Problem& p : problems.list()) {
    at.problem(key, fmt::format("{}: {}: {}", path, p.where, p.what));
  }
  return profile;
}

bool is_file(const std::string& name) {
  std::error_code none;
  return !name.empty() && std::filesystem::is_regular_file(name, none);
}

}  // namespace

bool known_name(Reader& at, std::string_view key, const std::string& name,
                const std::vector<std::string>& names, std::string_view what) {
  if (std::find(names.begin(), names.end(), name) != names.end()) return true;
  if (name.empty()) return false;
  const std::string near = nearest(name, {names.begin(), names.end()});
  at.problem(key,
             near.empty()
                 ? fmt::format("\"{}\" is no {}; there are {}", name, what, fmt::join(names, ", "))
                 : fmt::format("\"{}\" is no {}: did you mean {}?", name, what, near));
  return false;
}

std::optional<hw::Accelerator> read_accelerator_choice(Reader& at, std::string_view key,
                                                       ProfileFiles& files) {
  const std::string name = at.text(key);
  if (is_file(name)) {
    files.accelerator = name;
    return read_file_of(at, key, name, hw::read_accelerator, files.hash);
  }
  if (!known_name(at, key, name, hw::accelerator_names(), "accelerator profile")) return {};
  return hw::load_accelerator(name);
}

std::optional<hw::Network> read_network_profile(Reader& at, std::string_view key,
                                                ProfileFiles& files) {
  const std::string name = at.text(key);
  if (is_file(name)) {
    files.network = name;
    return read_file_of(at, key, name, hw::read_network, files.hash);
  }
  if (!known_name(at, key, name, hw::network_names(), "network profile")) return {};
  return hw::load_network(name);
}

}  // namespace forerun::sim
