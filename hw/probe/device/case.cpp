#include "hw/probe/device/case.h"

#include "hw/probe/device/cublas_grouped.h"
#include "hw/probe/device/cublas_lt.h"
#include "hw/probe/device/cudnn.h"
#include "hw/probe/device/nccl.h"

namespace forerun::hw::device {
namespace {

template <class T>
T& opened(std::unique_ptr<T>& library) {
  if (!library) library = std::make_unique<T>();
  return *library;
}

}  // namespace

Context::Context(std::uint64_t seed) : seed_(seed) {}
Context::~Context() = default;
CublasLt& Context::cublas_lt() { return opened(cublas_lt_); }
CublasGrouped& Context::cublas_grouped() { return opened(cublas_grouped_); }
Cudnn& Context::cudnn() { return opened(cudnn_); }
Nccl& Context::nccl() { return opened(nccl_); }

std::unique_ptr<Case> make_case(const ProbeShape& s, Context& context) {
  switch (s.family) {
    case ProbeFamily::gemm:
      return make_gemm_case(s, context);
    case ProbeFamily::grouped_gemm:
    case ProbeFamily::modality_gemm:
      return make_split_case(s, context);
    case ProbeFamily::attention:
      return make_attention_case(s, context);
    case ProbeFamily::rms_norm:
    case ProbeFamily::layer_norm:
    case ProbeFamily::swiglu:
    case ProbeFamily::gelu:
    case ProbeFamily::rotary:
    case ProbeFamily::cross_entropy:
      return make_row_case(s, context);
    case ProbeFamily::embedding:
    case ProbeFamily::modality_gather:
    case ProbeFamily::modality_scatter:
      return make_token_case(s, context);
    case ProbeFamily::adam:
      return make_adam_case(s, context);
    case ProbeFamily::copy_device:
    case ProbeFamily::copy_to_device:
    case ProbeFamily::copy_from_device:
      return make_copy_case(s, context);
    case ProbeFamily::launch_stream:
    case ProbeFamily::launch_graph:
      return make_launch_case(s, context);
    case ProbeFamily::all_reduce:
    case ProbeFamily::all_gather:
    case ProbeFamily::reduce_scatter:
    case ProbeFamily::all_to_all:
      return make_collective_case(s, context);
    case ProbeFamily::beside_copy:
    case ProbeFamily::beside_host_copy:
    case ProbeFamily::beside_all_reduce:
      break;
  }
  return make_tax_case(s, context);
}

}  // namespace forerun::hw::device
