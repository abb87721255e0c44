// forerun-probe: times kernels on the accelerator of the machine that it runs on. Needs the driver,
// libc and libstdc++; what else it uses it opens where it finds it.

#include <fmt/format.h>

#include <csignal>
#include <string>
#include <vector>

#include "core/report_errors.h"
#include "hw/probe/device/session.h"
#include "hw/probe/plan_report.h"

namespace forerun::hw::device {
namespace {

constexpr std::string_view kHelp =
    R"(forerun-probe -o FILE [--budget SECONDS] [--seed N] [--family NAME]... [--plan]

Times the kernels of training on accelerator 0 (collectives: on all) and writes FILE, after every
group of shapes. Copies of this one program run on machines that have nothing but a driver.

  -o, --output FILE   where the measurements go
  --budget SECONDS    most that the run takes (480)
  --seed N            of the random operands (1)
  --family NAME       only this family of kernels; may be given again
  --plan              show what would be timed, in what order, and end

Exit codes: 0 done, 1 the world is wrong, 2 usage, 4 no driver or no accelerator.
)";

extern "C" void on_signal(int) { stop_probe(); }

void show_plan(const ProbeRequest& r) {
  require_accelerator();
  const Nvml nvml(bus_id());
  const ProbeMachine m = probe_machine(device_facts(nvml));
  fmt::print("{}", plan_text(plan_probe(m, r.budget, r.families), m, r.budget, true));
}

int answer(const std::vector<std::string>& words) {
  const ProbeRequest r = parse_request(words);
  if (r.help) {
    fmt::print("{}", kHelp);
  } else if (r.plan_only) {
    show_plan(r);
  } else {
    std::signal(SIGINT, on_signal);
    std::signal(SIGTERM, on_signal);
    run_probe(r);
  }
  return 0;
}

}  // namespace
}  // namespace forerun::hw::device

int main(int count, char** words) {
  return forerun::report_errors(
      [&] { return forerun::hw::device::answer({words + 1, words + count}); });
}
