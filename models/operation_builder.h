#pragma once

/// Builds an OperationList: compute operations follow one another; an exchange begins after the
/// compute operation before it, and the next compute operation waits for it unless it was issued
/// asynchronously. Private to models/.

#include <cstdint>
#include <string_view>

#include "models/layer_operations.h"

namespace forerun::models {

class OperationBuilder {
 public:
  void part(LayerPart p) { part_ = p; }
  void recomputed(bool r) { recomputed_ = r; }

  void kernel(std::string_view name, const hw::Kernel& kernel, int launches = 1);
  /// Traffic in bytes an element, over `elements`.
  void memory(std::string_view name, double elements, double read, double written,
              int launches = 1);
  /// The same over a matrix of weights.
  void memory_of_weights(std::string_view name, double elements, double read, double written,
                         int launches = 1);

  /// Blocks the next compute operation.
  void exchange(std::string_view name, hw::CollectiveKind, double bytes, Dimension,
                double share = 1.0);
  /// Runs beside what follows, until require().
  std::int32_t exchange_async(std::string_view name, hw::CollectiveKind, double bytes, Dimension,
                              double share = 1.0);
  /// The next compute operation waits for `exchange`.
  void require(std::int32_t exchange);

  [[nodiscard]] OperationList take();

 private:
  LayerOperation& add(std::string_view name);

  OperationList list_;
  LayerPart part_ = LayerPart::residual;
  bool recomputed_ = false;
  std::int32_t last_compute_ = -1;
  std::int32_t required_ = -1;
};

}  // namespace forerun::models
