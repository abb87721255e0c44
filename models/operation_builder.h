#pragma once

/// Builds an OperationList: compute operations follow one another; an exchange begins after the
/// compute operation before it, and the next compute operation waits for it unless it was issued
/// asynchronously. Private to models/.

#include <cstdint>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "models/layer_operations.h"

namespace forerun::models {

class OperationBuilder {
 public:
  void part(LayerPart p) { part_ = p; }
  void recomputed(bool r) { recomputed_ = r; }
  /// What follows makes gradients of weights, which nothing in the backward pass waits for.
  void weight_gradient(bool w) { weight_gradient_ = w; }
  /// Whose weights what follows uses: index into the list's sets; -1: those of all tokens.
  void set(std::int32_t index) { set_ = index; }
  /// Kernels that follow work on so many copies of tokens of routed experts, `load` times the fair
  /// share; 0, 0: on none.
  void experts(double rows, double load) {
    rows_ = rows;
    load_ = load;
  }
  void name_sets(std::vector<std::string> names) { list_.sets = std::move(names); }

  void kernel(std::string_view name, const hw::Kernel& kernel, int launches = 1);
  /// Traffic in bytes an element, over `elements`.
  void memory(std::string_view name, double elements, double read, double written,
              int launches = 1);
  /// The same over a matrix of weights.
  void memory_of_weights(std::string_view name, double elements, double read, double written,
                         int launches = 1);
  /// The same where it is one elementwise kernel: gradients set to zero or added up.
  void plain_pass_of_weights(std::string_view name, double elements, double read, double written);

  /// Blocks the next compute operation.
  void exchange(std::string_view name, hw::CollectiveKind, double bytes, Dimension,
                double share = 1.0);
  /// Runs beside what follows, until require().
  std::int32_t exchange_async(std::string_view name, hw::CollectiveKind, double bytes, Dimension,
                              double share = 1.0);
  void expert_exchange(std::string_view name, const hw::ExpertExchange&);
  /// Beside the compute of this and the next layer's list, as another micro-batch's would be: only
  /// what comes after the list waits for it.
  void expert_exchange_beside(std::string_view name, const hw::ExpertExchange&);
  /// The next compute operation waits for `exchange`.
  void require(std::int32_t exchange);
  /// What the next compute operation would have waited for no longer holds it up: returned, to be
  /// required later. -1 if there was nothing.
  [[nodiscard]] std::int32_t release();
  /// The host waits for the compute stream.
  void host_wait(std::string_view name);

  [[nodiscard]] OperationList take();

 private:
  LayerOperation& add(std::string_view name);

  OperationList list_;
  LayerPart part_ = LayerPart::residual;
  bool recomputed_ = false;
  bool weight_gradient_ = false;
  std::int32_t set_ = -1;
  double rows_ = 0, load_ = 0;
  std::int32_t last_compute_ = -1;
  std::int32_t required_ = -1;
  std::int32_t at_end_ = -1;  ///< an exchange that only the end of the list waits for
};

}  // namespace forerun::models
