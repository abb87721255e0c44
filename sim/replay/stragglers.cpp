#include "sim/replay/stragglers.h"

#include <algorithm>
#include <functional>
#include <limits>

#include "sim/replay/what_if.h"

namespace forerun::replay {
namespace {

class Finder {
 public:
  explicit Finder(const Job& job)
      : job_(job),
        typical_(typical_durations(job, Alike::anywhere)),
        peers_(typical_durations(job, Alike::on_stage)) {
    result_.measured = mean_step(job, job.work.durations);
    result_.typical = mean_step(job, typical_);
  }

  Stragglers find(double budget);

 private:
  using Membership = std::function<std::int32_t(const TracedOperation&)>;
  void try_all(PartKind part, std::int32_t count, const Membership& member_of);
  [[nodiscard]] JobPart tried(PartKind part, std::int32_t index,
                              const std::vector<std::int32_t>& operations) const;
  void name_kind(JobPart& part, const std::vector<std::int32_t>& operations) const;

  const Job& job_;
  std::vector<std::int64_t> typical_;  // of all ranks
  std::vector<std::int64_t> peers_;    // of the same stage
  Stragglers result_;
};

JobPart Finder::tried(PartKind part, std::int32_t index,
                      const std::vector<std::int32_t>& operations) const {
  JobPart p;
  p.part = part;
  p.index = index;
  const bool of_ranks = part == PartKind::rank || part == PartKind::replica;
  const std::vector<std::int64_t>& usual = of_ranks ? peers_ : typical_;
  std::vector<std::int64_t> as_measured = typical_, mended = job_.work.durations;
  double measured_sum = 0, typical_sum = 0;
  for (const std::int32_t o : operations) {
    const auto i = static_cast<std::size_t>(o);
    as_measured[i] = job_.work.durations[i];
    mended[i] = usual[i];
    measured_sum += static_cast<double>(job_.work.durations[i]);
    typical_sum += static_cast<double>(usual[i]);
  }
  if (result_.typical > Seconds(0)) p.slows = mean_step(job_, as_measured) / result_.typical;
  if (result_.measured > Seconds(0)) p.mended = mean_step(job_, mended) / result_.measured;
  if (typical_sum > 0) p.longer = measured_sum / typical_sum;
  if (part == PartKind::rank) name_kind(p, operations);
  return p;
}

void Finder::name_kind(JobPart& part, const std::vector<std::int32_t>& operations) const {
  std::vector<double> measured(job_.trace.kinds.size(), 0), typical(job_.trace.kinds.size(), 0);
  for (const std::int32_t o : operations) {
    const auto i = static_cast<std::size_t>(o);
    const auto kind = static_cast<std::size_t>(job_.trace.operations[i].kind);
    measured[kind] += static_cast<double>(job_.work.durations[i]);
    typical[kind] += static_cast<double>(peers_[i]);
  }
  double most = 0;
  for (std::size_t k = 0; k < measured.size(); ++k) {
    if (measured[k] - typical[k] <= most || typical[k] <= 0) continue;
    most = measured[k] - typical[k];
    part.kind = static_cast<std::int32_t>(k);
    part.kind_longer = measured[k] / typical[k];
  }
}

void Finder::try_all(PartKind part, std::int32_t count, const Membership& member_of) {
  std::vector<std::vector<std::int32_t>> operations(static_cast<std::size_t>(count));
  for (std::size_t i = 0; i < job_.trace.operations.size(); ++i) {
    operations[static_cast<std::size_t>(member_of(job_.trace.operations[i]))].push_back(
        static_cast<std::int32_t>(i));
  }
  std::vector<JobPart> parts;
  for (std::int32_t p = 0; p < count; ++p) {
    const std::vector<std::int32_t>& own = operations[static_cast<std::size_t>(p)];
    if (!own.empty()) parts.push_back(tried(part, p, own));
  }
  std::ranges::stable_sort(parts, {}, &JobPart::mended);
  result_.parts.insert(result_.parts.end(), parts.begin(), parts.end());
}

Stragglers Finder::find(double budget) {
  const std::vector<TracedRank>& ranks = job_.trace.ranks;
  const auto rank_of = [&](const TracedOperation& o) -> const TracedRank& {
    return ranks[static_cast<std::size_t>(o.rank)];
  };
  if (!job_.rank_steps.empty()) {
    try_all(PartKind::stage, ranks.back().stage + 1,
            [&](const TracedOperation& o) { return rank_of(o).stage; });
    try_all(PartKind::replica, ranks.back().data + 1,
            [&](const TracedOperation& o) { return rank_of(o).data; });
  }
  const auto operations = static_cast<double>(job_.trace.operations.size());
  result_.ranks_left_out = 2 * operations * static_cast<double>(ranks.size()) > budget;
  if (!result_.ranks_left_out) {
    try_all(PartKind::rank, static_cast<std::int32_t>(ranks.size()),
            [](const TracedOperation& o) { return o.rank; });
  }
  if (2 * operations * static_cast<double>(job_.trace.kinds.size()) <= budget) {
    try_all(PartKind::operation, static_cast<std::int32_t>(job_.trace.kinds.size()),
            [](const TracedOperation& o) { return o.kind; });
  }
  return std::move(result_);
}

}  // namespace

std::string_view name(PartKind part) {
  switch (part) {
    case PartKind::stage:
      return "stage";
    case PartKind::replica:
      return "replica";
    case PartKind::rank:
      return "rank";
    case PartKind::operation:
      return "operation";
  }
  return "unknown";
}

Stragglers find_stragglers(const Job& job, double budget) { return Finder(job).find(budget); }

}  // namespace forerun::replay
