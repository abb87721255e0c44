#include "sim/report/not_modelled.h"

#include <array>

#include "sim/report/page.h"
#include "sim/report/sections.h"

namespace forerun::sim::report {
namespace {

using Of = LeftOut::Of;

constexpr std::array kLeftOut = {
    LeftOut{Of::step,
            "data loading inside a step, logging to disk, pauses of Python's garbage collector, "
            "limits of how far the host runs ahead",
            "sim/compile.h"},
    LeftOut{Of::step,
            "experts that stay popular over many micro-batches, and how balancing losses change "
            "loads during training",
            "sim/expert_loads.h"},
    LeftOut{Of::memory,
            "checkpoints being written, evaluations, data loaders, memory of CUDA graphs",
            "sim/memory.h"},
    LeftOut{
        Of::run,
        "two jobs on one machine, queues of a scheduler, repair crews, checkpoints that turn out "
        "broken",
        "sim/run/run_events.h"},
    LeftOut{
        Of::run,
        "how load, heat or the hour move the rate of failures; single bad nodes that fail again "
        "and again; links one by one",
        "hw/reliability.h"},
    LeftOut{Of::cost,
            "started hours that are paid whole, discounts, taxes, traffic, transport, insurance, "
            "support contracts, repair of owned machines, embodied carbon, seasons",
            "sim/cost/bill.h"},
    LeftOut{Of::cost, "the power of switches and of storage outside the nodes",
            "sim/cost/power_by_use.h"},
    LeftOut{Of::losses,
            "which token follows which, interactions of three modalities, other data or tokenisers",
            "models/loss/interaction_law.h"},
    LeftOut{Of::losses, "learning rate and batch size off their optimum",
            "models/loss/power_law.h"},
    LeftOut{Of::losses, "forgetting of a modality that a later stage leaves out",
            "models/loss/run_course.h"},
};

bool concerns(const Answer& a, Of of) {
  switch (of) {
    case Of::step:
      return a.step.has_value();
    case Of::memory:
      return true;
    case Of::run:
      return a.run.has_value();
    case Of::cost:
      return a.cost.has_value();
    case Of::losses:
      return a.loss && a.loss->losses;
    case Of::stability:
      return a.loss && a.loss->stability;
  }
  return false;
}

}  // namespace

std::span<const LeftOut> left_out() { return kLeftOut; }

Markup not_modelled_section(const Scenario&, const Answer& a) {
  std::vector<Markup> items;
  for (const LeftOut& l : kLeftOut) {
    if (concerns(a, l.of)) items.push_back(l.what);
  }
  if (a.loss && a.loss->stability) {
    items.emplace_back(
        "what data, hardware and the routers of experts do to the stability of training");
  }
  return card("left-out", "What is not modelled", list(items));
}

}  // namespace forerun::sim::report
