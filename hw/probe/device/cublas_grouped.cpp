#include "hw/probe/device/cublas_grouped.h"

#include <fmt/format.h>
#include <library_types.h>

#include "core/error.h"
#include "hw/probe/device/library.h"

namespace forerun::hw::device {
namespace {

constexpr int kCompute32 = 68;

void check_status(int status, const char* call) {
  if (status == 0) return;
  throw Error(ExitCode::wrong, fmt::format("{}: cuBLAS status {}", call, status));
}

template <class T, class Member>
Buffer pointers(const std::vector<Operands>& all, Member member) {
  std::vector<T> list;
  for (const Operands& o : all) list.push_back(o.*member);
  Buffer buffer(list.size() * sizeof(T));
  const CudaStream stream;
  upload(buffer.data(), static_cast<const void*>(list.data()), buffer.size(), stream);
  return buffer;
}

}  // namespace

struct CublasGrouped::Functions {
  Library library{std::vector<std::string>{"libcublas.so.13", "libcublas.so.12"}};
  int (*create)(void**) = library.function<int(void**)>("cublasCreate_v2");
  int (*destroy)(void*) = library.function<int(void*)>("cublasDestroy_v2");
  int (*set_stream)(void*, cudaStream_t) =
      library.function<int(void*, cudaStream_t)>("cublasSetStream_v2");
  int (*gemm)(void*, const int*, const int*, const int*, const int*, const int*, const void*,
              const void* const*, int, const int*, const void* const*, int, const int*, const void*,
              void* const*, int, const int*, int, const int*, int) =
      library.function<int(void*, const int*, const int*, const int*, const int*, const int*,
                           const void*, const void* const*, int, const int*, const void* const*,
                           int, const int*, const void*, void* const*, int, const int*, int,
                           const int*, int)>("cublasGemmGroupedBatchedEx");
};

CublasGrouped::CublasGrouped() : functions_(std::make_unique<Functions>()) {
  check_status(functions_->create(&handle_), "cublasCreate");
}
CublasGrouped::~CublasGrouped() { (void)functions_->destroy(handle_); }

// As in cublas_lt.cpp, the library's A is our right operand and its sizes are ours turned around.
GroupedProduct::GroupedProduct(CublasGrouped& library, const std::vector<ProductShape>& shapes,
                               const std::vector<Operands>& operands)
    : library_(library),
      one_(shapes.size(), 1.0F),
      zero_(shapes.size(), 0.0F),
      a_(pointers<const void*>(operands, &Operands::right)),
      b_(pointers<const void*>(operands, &Operands::left)),
      c_(pointers<void*>(operands, &Operands::result)) {
  for (const ProductShape& s : shapes) {
    const bool right_by_k = s.pass == ProbePass::forward;
    const bool left_by_k = s.pass != ProbePass::weight_gradient;
    transpose_a_.push_back(right_by_k ? 1 : 0);
    transpose_b_.push_back(left_by_k ? 0 : 1);
    m_.push_back(static_cast<int>(s.n));
    n_.push_back(static_cast<int>(s.m));
    k_.push_back(static_cast<int>(s.k));
    lda_.push_back(static_cast<int>(right_by_k ? s.k : s.n));
    ldb_.push_back(static_cast<int>(left_by_k ? s.k : s.m));
    ldc_.push_back(static_cast<int>(s.n));
    sizes_.push_back(1);
    type_ = s.precision == Precision::fp16 ? CUDA_R_16F : CUDA_R_16BF;
  }
}

void GroupedProduct::run(cudaStream_t stream) const {
  CublasGrouped::Functions& f = *library_.functions_;
  check_status(f.set_stream(library_.handle_, stream), "cublasSetStream");
  check_status(f.gemm(library_.handle_, transpose_a_.data(), transpose_b_.data(), m_.data(),
                      n_.data(), k_.data(), one_.data(), a_.as<const void*>(), type_, lda_.data(),
                      b_.as<const void*>(), type_, ldb_.data(), zero_.data(), c_.as<void*>(), type_,
                      ldc_.data(), static_cast<int>(sizes_.size()), sizes_.data(), kCompute32),
               "cublasGemmGroupedBatchedEx");
}

}  // namespace forerun::hw::device
