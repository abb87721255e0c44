#pragma once

/// cuDNN's graph interface, opened at run time: descriptors with attributes, and fused attention
/// built of them. Fused attention is a graph of products, pointwise operations and reductions that
/// the library recognises and runs as one kernel (forward) or few (backward).

#include <cuda_runtime_api.h>

#include <cstdint>
#include <map>
#include <memory>
#include <string>
#include <vector>

#include "hw/probe/device/runtime.h"

namespace forerun::hw::device {

class Cudnn {
 public:
  Cudnn();
  ~Cudnn();
  Cudnn(const Cudnn&) = delete;
  Cudnn& operator=(const Cudnn&) = delete;
  [[nodiscard]] std::string version() const;

  struct Functions;
  [[nodiscard]] Functions& functions() const { return *functions_; }
  /// Made when first asked for: needs an accelerator, which building a graph does not.
  [[nodiscard]] void* handle();

 private:
  std::unique_ptr<Functions> functions_;
  void* handle_ = nullptr;
};

/// A tensor of the graph: what leads to it is a number that is also its address's key.
using TensorId = std::int64_t;
using Extents = std::vector<std::int64_t>;  ///< batch, heads, rows, columns

enum class Pointwise : int {
  add = 0,
  multiply = 1,
  subtract = 9,
  divide = 6,
  exponential = 13,
  logarithm = 15,
  identity = 21,
  greater_or_equal = 303,
  index = 501,
  select = 601
};
enum class Reduction : int { add = 0, largest = 3 };
enum class GraphType : int { real32 = 0, real16 = 2, integer32 = 4, brain16 = 9, truth = 11 };

/// Builds a graph step by step, then plans and runs it. Tensors between operations are virtual
/// unless said otherwise; those between have 32 bits.
class CudnnGraph {
 public:
  explicit CudnnGraph(Cudnn&);
  ~CudnnGraph();
  CudnnGraph(const CudnnGraph&) = delete;
  CudnnGraph& operator=(const CudnnGraph&) = delete;

  /// In device memory. `blocked`: in the order that the backward pass's 32-bit sums have.
  TensorId tensor(const Extents& size, const Extents& strides, GraphType, bool blocked = false);
  TensorId between(const Extents& size, const Extents& strides, GraphType = GraphType::real32);
  /// A number given with each run.
  TensorId scalar(float value);
  TensorId scalar(std::int32_t value);

  void product(TensorId a, TensorId b, TensorId result);
  void pointwise(Pointwise, TensorId x, TensorId result, GraphType compute = GraphType::real32);
  void pointwise(Pointwise, TensorId x, TensorId b, TensorId result,
                 GraphType compute = GraphType::real32);
  /// mask ? x : otherwise
  void select(TensorId x, TensorId otherwise, TensorId mask, TensorId result);
  void index(int axis, TensorId like, TensorId result);
  void reduce(Reduction, TensorId x, TensorId result);
  void reshape(TensorId x, TensorId result);

  /// The first plan of the heuristics that the library can build; throws Error if there is none.
  void plan();
  /// How many ways to run the graph the library has on an accelerator that is described and not
  /// here (cuDNN 9.8): JSON text with the members that the library asks for.
  [[nodiscard]] std::size_t ways_on(const std::string& device_properties);
  [[nodiscard]] std::int64_t workspace_bytes() const { return workspace_bytes_; }
  /// `addresses`: of every tensor in device memory.
  void run(const std::map<TensorId, void*>& addresses, void* workspace, cudaStream_t) const;

 private:
  struct Attributes;
  void* make(int kind, const std::vector<Attributes>&);
  void* described(TensorId id) const { return tensors_.at(id); }
  TensorId add_tensor(const Extents&, const Extents&, GraphType, bool is_virtual, bool by_value,
                      bool blocked);
  /// Configurations of engines, best first; `described`: null for the accelerator that is here.
  std::vector<void*> configurations(void* described);
  void* pointwise_mode(Pointwise, GraphType compute, std::int64_t axis);

  Cudnn& library_;
  std::vector<void*> made_;  // every descriptor, destroyed from the last to the first
  std::map<TensorId, void*> tensors_;
  std::map<TensorId, float> reals_;
  std::map<TensorId, std::int32_t> integers_;
  std::vector<void*> operations_;
  void* plan_ = nullptr;
  std::int64_t workspace_bytes_ = 0;
};

}  // namespace forerun::hw::device
