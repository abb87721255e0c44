// The gap between kernels that do nothing, in a stream and replayed from a graph.

#include "hw/probe/device/case.h"
#include "hw/probe/device/kernels.h"
#include "hw/probe/device/runtime.h"

namespace forerun::hw::device {
namespace {

class LaunchCase : public Case {
 public:
  explicit LaunchCase(const ProbeShape& s)
      : kernels_(s.argument("kernels")), replays_(s.family == ProbeFamily::launch_graph) {
    if (!replays_) return;
    check(cudaStreamBeginCapture(own_.get(), cudaStreamCaptureModeThreadLocal),
          "cudaStreamBeginCapture");
    issue(own_.get());
    check(cudaStreamEndCapture(own_.get(), &graph_), "cudaStreamEndCapture");
    check(cudaGraphInstantiate(&replay_, graph_, 0), "cudaGraphInstantiate");
  }
  ~LaunchCase() override {
    if (replay_ != nullptr) (void)cudaGraphExecDestroy(replay_);
    if (graph_ != nullptr) (void)cudaGraphDestroy(graph_);
  }

  void launch(cudaStream_t stream) override {
    if (replays_) {
      check(cudaGraphLaunch(replay_, stream), "cudaGraphLaunch");
    } else {
      issue(stream);
    }
  }
  std::optional<double> error(cudaStream_t) override { return std::nullopt; }
  [[nodiscard]] std::int64_t parts() const override { return kernels_; }
  [[nodiscard]] bool host_bound() const override { return true; }

 private:
  void issue(cudaStream_t stream) const {
    for (std::int64_t i = 0; i < kernels_; ++i) launch_empty(stream);
  }

  std::int64_t kernels_;
  bool replays_;
  CudaStream own_;
  cudaGraph_t graph_ = nullptr;
  cudaGraphExec_t replay_ = nullptr;
};

}  // namespace

std::unique_ptr<Case> make_launch_case(const ProbeShape& s, Context&) {
  return std::make_unique<LaunchCase>(s);
}

}  // namespace forerun::hw::device
