#pragma once

/// One scale-up domain (NVLink, xGMI, a TPU's torus, a PCIe host) as its profile
/// hw/profiles/scale_up/NAME.json describes it: measured curves of collectives between a few ranks,
/// and the constants of NCCL's own tuning model for group sizes that nobody measured.
///
/// A curve is kept as bus bandwidth over size: interpolated linearly in log size and log bus
/// bandwidth; below the smallest size the time of the smallest holds, above the largest size its
/// bus bandwidth. Between measured rank counts it is interpolated in log ranks.

#include <array>
#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "core/evidence.h"
#include "core/problem.h"
#include "core/quantity.h"

namespace forerun::hw {

enum class CollectiveKind : std::uint8_t {
  all_reduce,
  all_gather,
  reduce_scatter,
  all_to_all,
  broadcast,
  send_receive
};
inline constexpr std::size_t kCollectiveKinds = 6;
[[nodiscard]] std::string_view name(CollectiveKind);
/// The kind of that name ("all_reduce", "all_to_all" or nccl-tests' "alltoall" ...), if there is
/// one.
[[nodiscard]] std::optional<CollectiveKind> collective_named(std::string_view);

/// Bytes that each rank's links carry in one direction, per byte of the buffer as nccl-tests counts
/// it: 2(n-1)/n for all-reduce, (n-1)/n for all-gather, reduce-scatter and all-to-all, 1 for the
/// rest.
[[nodiscard]] constexpr double bus_factor(CollectiveKind kind, std::int64_t ranks) {
  const double n = static_cast<double>(ranks);
  switch (kind) {
    case CollectiveKind::all_reduce:
      return 2.0 * (n - 1.0) / n;
    case CollectiveKind::all_gather:
    case CollectiveKind::reduce_scatter:
    case CollectiveKind::all_to_all:
      return (n - 1.0) / n;
    default:
      return 1.0;
  }
}

/// Measured times of one kind between one number of ranks, by rising size. Sizes and times are
/// logarithms to base 2 of bytes and seconds: what both interpolation and the caller need.
class Curve {
 public:
  Curve(std::int64_t ranks, const std::vector<Bytes>& sizes, const std::vector<Seconds>& times);
  [[nodiscard]] double log_time(double log_size) const;
  [[nodiscard]] DurationEvidence evidence(double log_size) const;
  [[nodiscard]] bool covers(double log_size) const {
    return log_size >= log_size_.front() && log_size <= log_size_.back();
  }
  [[nodiscard]] double smallest() const { return log_size_.front(); }
  [[nodiscard]] double largest() const { return log_size_.back(); }
  [[nodiscard]] std::int64_t ranks() const { return ranks_; }
  /// The measured sizes about a covered one: twice the same where it is measured itself.
  [[nodiscard]] std::pair<double, double> around(double log_size) const;

 private:
  std::int64_t ranks_;
  std::vector<double> log_size_, log_time_;
};

struct ScaleUp {
  std::string name;
  std::string usual_network;  ///< the network profile of a machine that says no more than this
  Bandwidth link{};           ///< per accelerator and direction, published
  Bandwidth pair{};           ///< a large copy between two accelerators
  Bandwidth all_to_all{};     ///< bus bandwidth of a large all-to-all; as pair behind a switch
  Bandwidth ring{};           ///< bus bandwidth of a large ring collective
  Bandwidth nvls{};           ///< bus bandwidth of a large in-switch all-reduce; zero: none
  Bandwidth low_latency{};    ///< bus bandwidth limit of the low-latency protocol in one node
  Seconds start{};            ///< of a ring or tree, low-latency protocol
  Seconds hop{};              ///< one step of it inside the domain
  Seconds bulk_hop{};         ///< one step of the Simple protocol inside the domain
  Seconds nvls_latency{};
  std::array<std::vector<Curve>, kCollectiveKinds> curves;  ///< by kind, by rising ranks
  std::map<std::string, Evidence> evidence;                 ///< by field name
  std::map<std::string, std::string> source;                ///< by field name
};

[[nodiscard]] std::optional<ScaleUp> read_scale_up(const std::string& json_text, Problems&);
/// The scale-up profile of that name; throws Error naming the nearest if there is none.
[[nodiscard]] ScaleUp load_scale_up(const std::string& name);
[[nodiscard]] std::vector<std::string> scale_up_names();

}  // namespace forerun::hw
