#include "sim/replay/what_if.h"

#include <fmt/format.h>

#include <algorithm>
#include <charconv>
#include <cmath>
#include <map>
#include <tuple>

#include "core/reader.h"

namespace forerun::replay {
namespace {

constexpr double kMostFactor = 1e6;

std::int64_t typical(std::vector<std::int64_t>& values, bool exchange) {
  if (!exchange) {
    double sum = 0;
    for (const std::int64_t v : values) sum += static_cast<double>(v);
    return std::llround(sum / static_cast<double>(values.size()));
  }
  const auto half = static_cast<std::ptrdiff_t>(values.size() / 2);
  std::ranges::nth_element(values, values.begin() + half);
  const std::int64_t upper = values[static_cast<std::size_t>(half)];
  if (values.size() % 2 == 1) return upper;
  const std::int64_t lower = *std::max_element(values.begin(), values.begin() + half);
  return lower + (upper - lower) / 2;
}

}  // namespace

std::vector<std::int64_t> typical_durations(const Job& job, Alike alike) {
  using Key = std::tuple<std::int32_t, std::int32_t>;
  std::map<Key, std::vector<std::int64_t>> samples;
  const auto key = [&](const TracedOperation& o) {
    if (job.rank_steps.empty()) return Key(o.kind, o.sequence);
    const std::int32_t stage = job.trace.ranks[static_cast<std::size_t>(o.rank)].stage;
    return Key(o.kind, alike == Alike::on_stage ? stage : -1);
  };
  const std::vector<TracedOperation>& all = job.trace.operations;
  for (std::size_t i = 0; i < all.size(); ++i) {
    samples[key(all[i])].push_back(job.work.durations[i]);
  }
  std::map<Key, std::int64_t> means;
  for (auto& [k, values] : samples) {
    means[k] = typical(values, job.trace.kinds[static_cast<std::size_t>(std::get<0>(k))].exchange);
  }
  std::vector<std::int64_t> durations;
  durations.reserve(all.size());
  for (const TracedOperation& o : all) durations.push_back(means.at(key(o)));
  return durations;
}

std::vector<std::int64_t> without_transfers(const Job& job) {
  std::vector<std::int64_t> durations = job.work.durations;
  for (std::size_t i = 0; i < durations.size(); ++i) {
    const auto kind = static_cast<std::size_t>(job.trace.operations[i].kind);
    const bool grouped = job.graph.group(static_cast<std::int32_t>(i)) >= 0;
    if (grouped || job.trace.kinds[kind].exchange) durations[i] = 0;
  }
  return durations;
}

std::optional<Faster> parse_faster(std::string_view words, Problems& problems) {
  const std::size_t equals = words.rfind('=');
  Faster faster;
  if (equals != std::string_view::npos && equals > 0) {
    const std::string_view number = words.substr(equals + 1);
    const char* const end = number.data() + number.size();
    const auto [rest, error] = std::from_chars(number.data(), end, faster.factor);
    faster.name = words.substr(0, equals);
    if (error == std::errc{} && rest == end && faster.factor >= 1 / kMostFactor &&
        faster.factor <= kMostFactor) {
      return faster;
    }
  }
  problems.add("--faster", fmt::format("expected KIND=FACTOR with a factor from {} to {}, found "
                                       "\"{}\"",
                                       1 / kMostFactor, kMostFactor, words));
  return std::nullopt;
}

std::optional<std::vector<std::int64_t>> faster_durations(const Job& job, const Faster& faster,
                                                          Problems& problems) {
  const std::vector<OperationKind>& kinds = job.trace.kinds;
  const bool exact = std::ranges::find(kinds, faster.name, &OperationKind::name) != kinds.end();
  const bool parts = !exact && job.rank_steps.empty();
  std::vector<bool> chosen;
  for (const OperationKind& k : kinds) {
    chosen.push_back(parts ? k.name.find(faster.name) != std::string::npos : k.name == faster.name);
  }
  std::vector<std::int64_t> durations = job.work.durations;
  std::size_t found = 0;
  for (std::size_t i = 0; i < durations.size(); ++i) {
    if (!chosen[static_cast<std::size_t>(job.trace.operations[i].kind)]) continue;
    ++found;
    durations[i] = std::llround(static_cast<double>(durations[i]) / faster.factor);
  }
  if (found > 0) return durations;
  std::vector<std::string_view> names;
  for (const OperationKind& k : kinds) names.push_back(k.name);
  problems.add("--faster",
               fmt::format("the trace has no operation \"{}\"; {}", faster.name,
                           did_you_mean(faster.name, names, "forerun replay TRACE lists them")));
  return std::nullopt;
}

}  // namespace forerun::replay
