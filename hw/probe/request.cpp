#include "hw/probe/request.h"

#include <fmt/format.h>

#include <charconv>
#include <string_view>
#include <system_error>

#include "core/error.h"
#include "core/reader.h"

namespace forerun::hw {
namespace {

template <class T>
T number_of(const std::string& flag, const std::string& word) {
  T value{};
  const char* const end = word.data() + word.size();
  const auto [rest, error] = std::from_chars(word.data(), end, value);
  if (error != std::errc{} || rest != end) {
    throw Error(ExitCode::usage, fmt::format("{}: expected a number, found {}", flag, word));
  }
  return value;
}

std::int64_t seed_of(const std::string& word) {
  const auto seed = number_of<std::int64_t>("--seed", word);
  if (seed >= 0) return seed;
  throw Error(ExitCode::usage, fmt::format("--seed: must be at least 0, found {}", word));
}

}  // namespace

ProbeFamily probe_family_named(const std::string& wanted) {
  std::vector<std::string_view> names;
  for (const ProbeFamilyFacts& f : probe_families()) {
    if (f.name == wanted) return f.family;
    names.push_back(f.name);
  }
  throw Error(ExitCode::usage, fmt::format("the probe has no family \"{}\"", wanted),
              did_you_mean(wanted, names, "forerun probe --plan shows the families"));
}

void check_request(const ProbeRequest& r) {
  // Not between: so that no number is refused too.
  if (!(r.budget >= kLeastBudget && r.budget <= kMostBudget)) {
    throw Error(ExitCode::usage,
                fmt::format("--budget: must be from {} to {} seconds, found {}",
                            kLeastBudget.base(), kMostBudget.base(), r.budget.base()));
  }
  if (r.output.empty() && !r.plan_only && !r.help) {
    throw Error(ExitCode::usage, "no file to write the measurements to",
                "-o FILE, or --plan to see what would be measured");
  }
}

ProbeRequest parse_request(const std::vector<std::string>& words) {
  ProbeRequest r;
  for (std::size_t i = 0; i < words.size(); ++i) {
    const std::string& flag = words[i];
    const auto value = [&]() -> const std::string& {
      if (i + 1 < words.size()) return words[++i];
      throw Error(ExitCode::usage, fmt::format("{} needs a value", flag));
    };
    if (flag == "-o" || flag == "--output") {
      r.output = value();
    } else if (flag == "--budget") {
      r.budget = Seconds(number_of<double>(flag, value()));
    } else if (flag == "--seed") {
      r.seed = seed_of(value());
    } else if (flag == "--family") {
      r.families.push_back(probe_family_named(value()));
    } else if (flag == "--plan") {
      r.plan_only = true;
    } else if (flag == "--help" || flag == "-h") {
      r.help = true;
    } else {
      throw Error(ExitCode::usage, fmt::format("forerun-probe has no flag {}", flag),
                  did_you_mean(flag,
                               std::vector<std::string>{"--output", "--budget", "--seed",
                                                        "--family", "--plan", "--help"},
                               "forerun-probe --help"));
    }
  }
  check_request(r);
  return r;
}

std::vector<std::string> request_words(const ProbeRequest& r) {
  std::vector<std::string> words;
  if (!r.output.empty()) words.insert(words.end(), {"--output", r.output});
  words.insert(words.end(), {"--budget", fmt::format("{}", r.budget.base())});
  words.insert(words.end(), {"--seed", fmt::format("{}", r.seed)});
  for (const ProbeFamily f : r.families)
    words.insert(words.end(), {"--family", std::string(name(f))});
  if (r.plan_only) words.emplace_back("--plan");
  if (r.help) words.emplace_back("--help");
  return words;
}

}  // namespace forerun::hw
