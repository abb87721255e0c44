#pragma once

/// What machines cost: offers of clouds by the hour and nodes for sale, from
/// hw/profiles/clouds/NAME.json. Every price has the date at which it held and a source; prices
/// change by a factor of two within a year, so that a price without its date means nothing.
///
/// Not modelled: commitments and their discounts beyond a price's kind, regions beside the one
/// named, taxes, storage and traffic, availability.

#include <array>
#include <compare>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "core/evidence.h"
#include "core/problem.h"
#include "core/quantity.h"
#include "core/reader.h"

namespace forerun::hw {

/// On what terms an accelerator's hour is paid.
enum class PriceKind : std::uint8_t {
  on_demand,       ///< of the provider, no commitment
  capacity_block,  ///< booked ahead for days or weeks
  spot,            ///< may be taken back
  reserved,        ///< committed for a year or more
  list,            ///< as a comparison of providers prints it, terms not stated
  marketplace,     ///< of many small providers
  survey,          ///< over providers: a median, an index, or a range
};
inline constexpr std::array kPriceKinds = {
    Choice<PriceKind>{"on_demand", PriceKind::on_demand},
    Choice<PriceKind>{"capacity_block", PriceKind::capacity_block},
    Choice<PriceKind>{"spot", PriceKind::spot},
    Choice<PriceKind>{"reserved", PriceKind::reserved},
    Choice<PriceKind>{"list", PriceKind::list},
    Choice<PriceKind>{"marketplace", PriceKind::marketplace},
    Choice<PriceKind>{"survey", PriceKind::survey}};
[[nodiscard]] inline std::string_view name(PriceKind kind) { return name_in(kPriceKinds, kind); }

/// A day, month or year, as exactly as the source says: "2026-03-17", "2026-03", "2026".
struct PriceDate {
  int year = 0, month = 0, day = 0;  ///< month and day 0: not said
  /// By their last days, so that "2025" is not before "2025-06": what holds in a year is known at
  /// its end.
  [[nodiscard]] std::strong_ordering operator<=>(const PriceDate&) const;
  bool operator==(const PriceDate&) const = default;
};
/// The date that `text` writes, or nothing if it writes none from 2000 to 2099.
[[nodiscard]] std::optional<PriceDate> price_date(std::string_view text);
[[nodiscard]] std::string text(const PriceDate&);

/// Of one accelerator, for an hour.
struct HourPrice {
  PriceKind kind = PriceKind::on_demand;
  DollarRate accelerator_hour{};
  std::optional<DollarRate> most;  ///< the upper end, of a range
  PriceDate date;
  std::string region;  ///< empty: not said
  Evidence evidence = Evidence::assumed;
  std::string source;
};

/// An instance or a node as one unit of what is rented or sold.
struct MachineNode {
  std::string name;               ///< "p5.48xlarge"
  std::string accelerator;        ///< a profile's name; empty: it has none (a switch)
  std::int64_t accelerators = 0;  ///< in one node
  std::int64_t nics = 0;          ///< in one node; 0: not known
  Bandwidth nic{};                ///< of each, per direction; zero: not known
  std::string network;            ///< a network profile's name; empty: none is of it
  std::string processors;         ///< "2 x AMD EPYC 9575F"; empty: not known
  Bytes host_memory{};            ///< zero: not known
  Watts power{};                  ///< most that it draws, by its data sheet; zero: not known
  Evidence evidence = Evidence::assumed;
  std::string source;  ///< of these
};

struct CloudOffer {
  MachineNode node;
  std::vector<HourPrice> prices;  ///< by rising date
};

struct PurchasePrice {
  Dollars price{};
  std::optional<Dollars> most;    ///< the upper end, of a range
  std::optional<PriceDate> date;  ///< absent: the source is not dated
  std::string covers;             ///< "node with InfiniBand cards"
  Evidence evidence = Evidence::assumed;
  std::string source;
};

struct MachineSale {
  MachineNode node;
  std::vector<PurchasePrice>
      prices;  ///< in the file's order; may be empty: what it costs is not known
};

struct Cloud {
  std::string name;      ///< "aws"
  std::string provider;  ///< "Amazon Web Services"
  std::vector<CloudOffer> offers;
  std::vector<MachineSale> sales;
};

/// Wrong input is reported with path and rule.
[[nodiscard]] std::optional<Cloud> read_cloud(const std::string& json_text, Problems&);
/// The cloud of that name; throws Error naming the nearest if there is none.
[[nodiscard]] Cloud load_cloud(const std::string& name);
[[nodiscard]] std::vector<std::string> cloud_names();

}  // namespace forerun::hw
