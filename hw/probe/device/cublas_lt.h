#pragma once

/// Matrix products by cuBLASLt, opened at run time.

#include <cuda_runtime_api.h>

#include <compare>
#include <cstdint>
#include <memory>
#include <string>

#include "hw/probe/device/runtime.h"
#include "hw/probe/families.h"

namespace forerun::hw::device {

/// A product to plan: sizes and operands' layouts as hw/probe/families.h says.
struct ProductShape {
  std::int64_t m = 0, n = 0, k = 0;
  Precision precision = Precision::bf16;
  ProbePass pass = ProbePass::forward;
  bool accumulates = false;  ///< adds to a 32-bit result
  auto operator<=>(const ProductShape&) const = default;
};

class CublasLt {
 public:
  CublasLt();
  ~CublasLt();
  CublasLt(const CublasLt&) = delete;
  CublasLt& operator=(const CublasLt&) = delete;
  [[nodiscard]] std::string version() const;

 private:
  friend class Product;
  struct Functions;
  std::unique_ptr<Functions> functions_;
  void* handle_ = nullptr;
};

/// One planned product. `left` is the operand with m rows, `right` the one with n.
class Product {
 public:
  /// The first algorithm that the heuristics name; throws Error if they name none.
  Product(CublasLt&, const ProductShape&);
  ~Product();
  Product(const Product&) = delete;
  Product& operator=(const Product&) = delete;

  void run(const void* left, const void* right, void* result, const Buffer& workspace,
           cudaStream_t) const;
  /// Times each algorithm that the heuristics named on these operands, warm, and keeps the fastest.
  /// One that fails is passed over; throws Error if all do.
  void choose(const void* left, const void* right, void* result, const Buffer& workspace,
              cudaStream_t);
  [[nodiscard]] const ProductShape& shape() const { return shape_; }

 private:
  struct Plan;
  void run(std::size_t algorithm, const void* left, const void* right, void* result,
           const Buffer& workspace, cudaStream_t) const;
  CublasLt& library_;
  ProductShape shape_;
  std::unique_ptr<Plan> plan_;
};

inline constexpr std::size_t kWorkspaceBytes = std::size_t{64} << 20;

/// Element of a product's result, which accumulation makes 32 bit.
[[nodiscard]] Element result_element(const ProductShape&);
/// Largest error of sampled entries (hw/probe/verdict.h) against sums in double precision, of a
/// result that held zeros before.
[[nodiscard]] double product_error(const ProductShape&, const void* left, const void* right,
                                   const void* result);

}  // namespace forerun::hw::device
