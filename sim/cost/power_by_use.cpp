#include "sim/cost/power_by_use.h"

#include <fmt/format.h>

#include <optional>

#include "hw/cloud.h"

namespace forerun::sim {
namespace {

using namespace literals;

/// The two measurements of a node of eight H100, in watts.
constexpr double kRated = 10'200, kBoards = 5'600;
constexpr double kInTraining = 0.76 * kRated, kMost = 8'400;

/// The machine of the data sheets with this accelerator and network.
std::optional<hw::MachineNode> data_sheet(const Scenario& s) {
  for (const hw::MachineSale& sale : hw::load_cloud("owned").sales) {
    if (sale.node.accelerator == s.accelerator.name && sale.node.network == s.network.name &&
        sale.node.power > Watts{}) {
      return sale.node;
    }
  }
  return std::nullopt;
}

}  // namespace

PowerByUse power_by_use(const Scenario& s, const StepResult& step) {
  PowerByUse p;
  p.board_computing = step.power;
  p.board_waiting = s.accelerator.power.idle;
  p.board_source = fmt::format("the step's mean, {:.0f} W, and idle, {:.0f} W, of {}",
                               step.power.base(), p.board_waiting.base(), s.accelerator.name);
  // Hosts and fans do not become smaller with a cap that the owner sets.
  const Watts cap = s.power_cap ? s.board_cap : s.accelerator.power.cap;
  const std::optional<hw::MachineNode> node = data_sheet(s);
  const Watts rated = node ? node->power / static_cast<double>(node->accelerators) : Watts{};
  if (s.cost.beside) {
    p.beside = *s.cost.beside;
  } else if (rated > cap) {
    p.beside.value = (rated - cap) * ((kInTraining - kBoards) / (kRated - kBoards));
    p.beside.most = (rated - cap) * ((kMost - kBoards) / (kRated - kBoards));
    p.beside.origin = {Evidence::derived,
                       fmt::format("47 to 61 % of what a {} may draw beyond its boards' caps, as "
                                   "nodes of eight H100 were measured (arXiv:2506.14551, "
                                   "arXiv:2412.08602)",
                                   node->name)};
  } else {
    p.beside.value = cap * ((kInTraining - kBoards) / kBoards);
    p.beside.most = cap * ((kMost - kBoards) / kBoards);
    p.beside.origin = {Evidence::assumed,
                       "38 to 50 % of the boards' caps, as nodes of eight H100 were measured "
                       "(arXiv:2506.14551, arXiv:2412.08602); no data sheet of this node is known"};
  }
  p.most = rated > cap ? rated : cap + p.beside.most.value_or(p.beside.value);
  return p;
}

}  // namespace forerun::sim
