#pragma once

/// The exchange that takes tokens to the ranks of their experts (dispatch) or their outputs back
/// (combine): one rank's share, alone, without launch cost.
///
///   all_to_all  a copy of each token for each of its `copies` experts, as Megatron-Core's and
///               DeepSpeed's dispatchers send them: an all-to-all whose buffer is tokens x copies.
///   all_gather  every rank gets every token (and keeps those of its experts); combine is a
///               reduce-scatter of as many.
///   fused       one copy for each rank that has any of the token's experts; to other domains one
///               copy for each domain, passed on inside it (DeepSeek's DeepEP, NVIDIA's HybridEP).
///               Domains and ranks work at the same time: the slower sets the time. At most
///               `domain_limit` domains a token, where the router keeps to that.
///
/// With experts chosen uniformly, without repetition, the expected number of R equal parts of E
/// experts that k choices reach is R (1 - C(E - E/R, k) / C(E, k)).
///
/// An uneven choice loads one rank more than the rest, and the exchange ends with it: `imbalance`
/// is its received rows over the mean.
///
/// Not modelled: the multiprocessors that a fused kernel occupies (the caller's tax), padding.

#include <cstdint>

#include "hw/collective.h"

namespace forerun::hw {

enum class ExpertExchangeKind : std::uint8_t { all_to_all, all_gather, fused };
[[nodiscard]] std::string_view name(ExpertExchangeKind);

struct ExpertExchange {
  ExpertExchangeKind kind = ExpertExchangeKind::all_to_all;
  bool combine = false;
  double tokens = 0;  ///< of one rank
  Bytes token{};
  std::int64_t copies = 1, experts = 1;  ///< experts of a token, of the whole group
  double imbalance = 1;
  std::int64_t domain_limit = 0;  ///< 0: none
  auto operator<=>(const ExpertExchange&) const = default;
};

/// Expected number of `parts` equal parts of `experts` experts that `copies` distinct ones lie in.
[[nodiscard]] double parts_reached(std::int64_t experts, std::int64_t copies, std::int64_t parts);

/// The collective whose bytes load the links as the exchange does: its kind and buffer. Of a fused
/// one: the all-to-all that puts as much on the NICs (on NVLink, where the group is one domain).
struct EquivalentCollective {
  CollectiveKind kind = CollectiveKind::all_to_all;
  Bytes bytes{};
};
[[nodiscard]] EquivalentCollective equivalent_collective(const ExpertExchange&, const Group&);

/// Zero for a group of one rank.
[[nodiscard]] CollectiveTime expert_exchange_time(const ExpertExchange&, const Group&,
                                                  const Network&);

}  // namespace forerun::hw
