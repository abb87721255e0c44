#pragma once

/// Graphs of known shapes. Nodes are named accelerator-DOMAIN-POSITION, nic-DOMAIN-POSITION,
/// nvlink-DOMAIN, leaf-UNIT (leaf-UNIT-RAIL where there are rails), spine-POD-I, core-I, all
/// counted from 0.

#include <cstdint>
#include <vector>

#include "hw/network_graph.h"

namespace forerun::hw {

/// Scale-up domains, each accelerator with a NIC of its own.
struct DomainShape {
  std::int64_t domains = 1;
  std::int64_t per_domain = 8;
  Bandwidth scale_up{};    ///< of an accelerator and direction, to the domain's switch
  Seconds scale_up_hop{};  ///< between two accelerators of a domain
  Bandwidth nic{};         ///< of an accelerator and direction
  Seconds hop{};           ///< of every network link
};

/// Domains in units of `domains_per_leaf` that share a leaf (with rails: one leaf for each position
/// of a domain), leaves joined by the spines of their pod, pods by cores (Clos). Spine i of every
/// pod joins cores i, i + spines, i + 2 spines ...
///
/// A leaf's links upward carry together what its links downward carry, over `oversubscription`;
/// likewise a spine's, over `core_oversubscription`.
struct ClosShape {
  bool rails = false;
  std::int64_t domains_per_leaf = 1;
  std::int64_t spines = 1;  ///< of a pod
  std::int64_t pods = 1;    ///< must divide the units
  std::int64_t cores = 0;   ///< a multiple of spines; 0 with one pod
  double oversubscription = 1;
  double core_oversubscription = 1;
};

/// The Clos of a fat tree of switches with `ports` ports (Al-Fares et al. 2008): two levels of
/// ports/2 spines and up to `ports` leaves, or three of up to `ports` pods with ports/2 leaves and
/// ports/2 spines each and (ports/2)^2 cores; ports/2 NICs a leaf. Takes whole domains at a leaf.
/// `pods` is how many of its pods are built (three levels).
[[nodiscard]] ClosShape fat_tree(std::int64_t ports, std::int64_t levels, std::int64_t per_domain,
                                 std::int64_t pods, double oversubscription);

/// Routers all joined within a group; each with `hosts` accelerators' NICs and `global` links to
/// other groups; between any two groups at least one link (Kim et al. 2008).
struct DragonflyShape {
  std::int64_t groups = 1, routers = 1, hosts = 1, global = 1;
  Bandwidth local_link{}, global_link{};
};

struct TorusShape {
  std::vector<std::int64_t> size;  ///< 2 or 3 axes
  bool wraps = true;               ///< of axes longer than two
  Bandwidth link{};
  Seconds hop{};
};

/// One domain, no network.
[[nodiscard]] NetworkGraph nvlink_domain(const DomainShape&);
[[nodiscard]] NetworkGraph clos(const DomainShape&, const ClosShape&);
/// `domains` x `per_domain` of the DomainShape must be groups x routers x hosts.
[[nodiscard]] NetworkGraph dragonfly(const DomainShape&, const DragonflyShape&);
[[nodiscard]] NetworkGraph torus(const TorusShape&);

}  // namespace forerun::hw
