#pragma once

/// Puts a program's exchanges on the links of the scenario's network graph (fidelity "flow").
///
/// Rank i of the plan is accelerator i, domain by domain (the used part of a domain that does not
/// divide the job: sim/layout.h). A simulated rank stands for all ranks of its stage, or of its
/// lane's part of it, so an exchange of it is that of every group of the kind, which move together
/// at the pace of the slowest: one flow. Where several simulated ranks take part in one exchange,
/// each brings an equal part of its load.
///
/// The flow's own rate is what the analytic model says the exchange reaches alone. Links carry its
/// bytes over the reached share of the wires' bandwidth (hw/collective_flows.h). Where the analytic
/// model is faster than that pattern on the wires of accelerator and NIC (reduction in the switch,
/// several NICs that one accelerator may fill), they are loaded less, in proportion; only what
/// leaves, the switches, others' traffic and failed links, can then slow it. So without contention
/// both fidelities agree.
///
/// Left out: groups of one stage that collide at a switch count as one flow there when they meet
/// traffic of another kind; a fused expert exchange's own traffic inside a domain; the four bytes
/// of a gradient norm.

#include <vector>

#include "sim/compile.h"
#include "sim/price.h"
#include "sim/scenario.h"
#include "sim/variation.h"

namespace forerun::sim {

/// `exchange_of` by rank, by operation: which of `exchanges`, or -1. Throws Error where failed
/// links leave a group without a way.
[[nodiscard]] SharedLinks place_exchanges(
    const Scenario&, const Program&, std::int64_t lanes,
    const std::vector<PricedExchange>& exchanges,
    const std::vector<std::vector<std::int32_t>>& exchange_of);

}  // namespace forerun::sim
