#pragma once

/// Puts times on lists of kernels and exchanges: what the hardware takes for each, on which stream,
/// and how much host time its launch costs. Also folds a list that nothing outside interrupts into
/// one duration, by running it alone on the event engine.

#include <array>
#include <cstdint>
#include <map>
#include <string>
#include <string_view>
#include <tuple>
#include <vector>

#include "hw/collective_flows.h"
#include "hw/power.h"
#include "models/layer_operations.h"
#include "sim/known_times.h"
#include "sim/layout.h"
#include "sim/program.h"
#include "sim/scenario.h"

namespace forerun::sim {

/// A kernel or exchange with its times. Ticks are rounded once, here.
struct PricedOperation {
  std::int64_t ticks = 0;
  std::int64_t host = 0;  ///< host ticks to issue it
  std::int32_t label = 0;
  std::int32_t wait = -1;      ///< index in the list
  std::int32_t exchange = -1;  ///< index into Pricer::exchanges() of what shares links
  StreamKind stream = StreamKind::compute;
  Category category = Category::compute;
  std::uint8_t tax = 0;
  bool host_waits = false;   ///< the host goes on when this has ended
  bool of_backward = false;  ///< of a forward and a backward pass together, the latter's
};

/// A collective of which each byte moves at `rate` while nothing else is on its links: what the
/// fidelity "flow" needs to know of an exchange.
struct PricedExchange {
  PlacedGroup group;
  hw::CollectiveKind kind = hw::CollectiveKind::all_reduce;
  hw::FlowAlgorithm algorithm = hw::FlowAlgorithm::ring;
  Bandwidth rate{};          ///< bytes of the collective over what is not latency
  double latency_share = 0;  ///< of its time
  auto operator<=>(const PricedExchange&) const = default;
};

/// What a list of operations does to an accelerator, for power and evidence.
struct Work {
  Flops flops{};
  Flops weighted_flops{};  ///< by the energy of their precision (hw::energy_weight)
  Bytes traffic{};
  Seconds busy{};           ///< kernels' time at the clock
  Seconds compute_bound{};  ///< at the burst clock, the part that stretches as the clock falls
  std::array<Seconds, 4> by_evidence{};
  Work& operator+=(const Work&);
  /// As the power model sees it, in a window of `time`.
  [[nodiscard]] hw::PowerWindow window(Seconds time) const;
};

/// A priced list, and the same list folded.
struct Segment {
  std::vector<PricedOperation> operations;
  std::int32_t trailing = -1;
  /// Alone, with the host far ahead; of a list in which the host waits, one of many such lists in a
  /// row, the host's time included.
  std::int64_t ticks = 0;
  std::int64_t host = 0;  ///< of all launches, unless they are in `ticks`
  std::int64_t first_host = 0;
  bool waits = false;  ///< the host waits in it, and so cannot be ahead of what comes after
  std::array<std::int64_t, kCategories> breakdown{};  ///< of `ticks` on the compute stream
  Work work;
};

/// Fills what a segment says of its operations folded; `work` is left alone.
void fold(Segment&);

class Pricer {
 public:
  /// `clock` of the burst clock; labels are collected into `labels`, or, if that is null, left out:
  /// they are for people, and writing them takes longer than all the rest.
  /// `known`: times of the scenario's machine that were asked for before, or null.
  Pricer(const Scenario&, const Layout&, double clock, std::vector<Label>* labels,
         KnownTimes* known = nullptr);

  [[nodiscard]] Segment segment(const models::OperationList&);
  /// `name` is static text.
  [[nodiscard]] PricedOperation collective(std::string_view name, hw::CollectiveKind, Bytes,
                                           const PlacedGroup&, StreamKind, Category);
  /// Of operations priced so far; empty unless the scenario's network is a graph.
  [[nodiscard]] const std::vector<PricedExchange>& exchanges() const { return exchanges_; }
  [[nodiscard]] PricedOperation memory_pass(const char* name, Bytes read, Bytes written,
                                            int launches, Category, Work* = nullptr,
                                            bool plain = false);

  /// A label for a folded run of `layers` units ("forward, 8 units"), or for a plain name.
  /// `name` is static text.
  [[nodiscard]] std::int32_t named(std::string_view name, std::size_t units);

 private:
  /// A collective as it was asked for; of `name` the text counts.
  using CollectiveKey =
      std::tuple<std::string_view, hw::CollectiveKind, Bytes, PlacedGroup, StreamKind, Category>;

  /// Whose tokens an operation works on; `rows` and `load` as of a Label.
  struct Owner {
    std::string_view modality;
    double rows = 0, load = 0;
  };
  PricedOperation price_kernel(std::string_view name, const hw::Kernel&, int launches, Category,
                               Work&, const Owner&);
  [[nodiscard]] hw::Kernel with_unlisted_traffic(const hw::Kernel&, models::LayerPart) const;
  PricedOperation price(const models::LayerOperation&, const models::OperationList&, Work&);
  /// Whether a partial graph holds that part of a layer, so that its kernels cost no launch.
  [[nodiscard]] bool in_graph(models::LayerPart) const;
  PricedOperation price_exchange(const models::LayerOperation&, const models::Exchange&);
  PricedOperation price_expert_exchange(const models::LayerOperation&, const hw::ExpertExchange&);
  /// An exchange of a group that takes `time` alone and loads links as a collective of that kind.
  PricedOperation exchange_of(const hw::CollectiveTime& time, hw::CollectiveKind, Bytes,
                              const PlacedGroup&, StreamKind, Category, bool by_nccl);
  std::int32_t exchange_index(const hw::CollectiveTime& time, hw::CollectiveKind, Bytes,
                              const PlacedGroup&, double kept);
  PricedOperation price_collective(const CollectiveKey&);
  std::int32_t label(Label);

  const Scenario& scenario_;
  const Layout& layout_;
  double clock_;
  std::int64_t launch_ = 0, expert_launch_ = 0;
  std::vector<Label>* labels_;
  KnownTimes* known_;
  /// By name, shape and load; of an exchange also bytes and stride, which the shape rounds or
  /// omits.
  std::map<std::tuple<std::string, std::string, double, double, std::int64_t>, std::int32_t>
      label_index_;
  // Asked for in every pass, so kept. Names are static text.
  std::map<std::pair<std::string_view, std::size_t>, std::int32_t> named_;
  std::map<CollectiveKey, PricedOperation> collectives_;
  std::vector<PricedExchange> exchanges_;
  std::map<PricedExchange, std::int32_t> exchange_index_;
};

/// A kernel's shape for people: "4096 x 12288 x 12288 bf16".
[[nodiscard]] std::string shape_text(const hw::Kernel&);

}  // namespace forerun::sim
