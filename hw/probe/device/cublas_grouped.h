#pragma once

/// Products of many sizes in one launch by cuBLAS (cublasGemmGroupedBatchedEx, since 12.5), opened
/// at run time.

#include <cuda_runtime_api.h>

#include <memory>
#include <vector>

#include "hw/probe/device/cublas_lt.h"

namespace forerun::hw::device {

class CublasGrouped {
 public:
  CublasGrouped();
  ~CublasGrouped();
  CublasGrouped(const CublasGrouped&) = delete;
  CublasGrouped& operator=(const CublasGrouped&) = delete;

 private:
  friend class GroupedProduct;
  struct Functions;
  std::unique_ptr<Functions> functions_;
  void* handle_ = nullptr;
};

struct Operands {
  const void* left;
  const void* right;
  void* result;
};

/// 16-bit products of one pass and precision.
class GroupedProduct {
 public:
  GroupedProduct(CublasGrouped&, const std::vector<ProductShape>&, const std::vector<Operands>&);
  void run(cudaStream_t) const;

 private:
  CublasGrouped& library_;
  int type_ = 0;
  std::vector<int> transpose_a_, transpose_b_, m_, n_, k_, lda_, ldb_, ldc_, sizes_;
  std::vector<float> one_, zero_;
  Buffer a_, b_, c_;  ///< lists of pointers, as the library wants them: in device memory
};

}  // namespace forerun::hw::device
