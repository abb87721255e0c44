#include "sim/program.h"

namespace forerun::sim {

std::string_view name(Category category) {
  switch (category) {
    case Category::compute:
      return "compute";
    case Category::recompute:
      return "recompute";
    case Category::tensor_exchange:
      return "tensor exchange";
    case Category::context_exchange:
      return "context exchange";
    case Category::expert_exchange:
      return "expert exchange";
    case Category::data_exchange:
      return "data exchange";
    case Category::pipeline_exchange:
      return "pipeline exchange";
    case Category::optimizer:
      return "optimizer";
    case Category::host:
      return "host";
    case Category::bubble:
      return "bubble";
    case Category::imbalance:
      return "imbalance";
  }
  return "unknown";
}

std::string_view name(StreamKind stream) {
  switch (stream) {
    case StreamKind::compute:
      return "compute";
    case StreamKind::tensor:
      return "tensor parallel";
    case StreamKind::data:
      return "data parallel";
    case StreamKind::pipeline_send:
      return "pipeline send";
    case StreamKind::pipeline_receive:
      return "pipeline receive";
    case StreamKind::host_copy:
      return "host copy";
  }
  return "unknown";
}

}  // namespace forerun::sim
