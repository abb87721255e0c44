#include "models/operation_builder.h"

#include <algorithm>
#include <utility>

namespace forerun::models {

LayerOperation& OperationBuilder::add(std::string_view name) {
  LayerOperation& o = list_.operations.emplace_back();
  o.name = name;
  o.part = part_;
  o.recomputed = recomputed_;
  o.weight_gradient = weight_gradient_;
  o.set = set_;
  return o;
}

void OperationBuilder::kernel(std::string_view name, const hw::Kernel& kernel, int launches) {
  const auto index = static_cast<std::int32_t>(list_.operations.size());
  LayerOperation& o = add(name);
  o.work = kernel;
  o.launches = launches;
  o.rows = rows_;
  o.load = load_;
  o.wait = required_;
  required_ = -1;
  last_compute_ = index;
}

void OperationBuilder::memory(std::string_view name, double elements, double read, double written,
                              int launches) {
  kernel(name, hw::MemoryBound{Bytes(elements * read), Bytes(elements * written)}, launches);
}

void OperationBuilder::memory_of_weights(std::string_view name, double elements, double read,
                                         double written, int launches) {
  memory(name, elements, read, written, launches);
  list_.operations.back().of_weights = true;
}

void OperationBuilder::plain_pass_of_weights(std::string_view name, double elements, double read,
                                             double written) {
  kernel(name, hw::MemoryBound{Bytes(elements * read), Bytes(elements * written), true});
  list_.operations.back().of_weights = true;
}

std::int32_t OperationBuilder::exchange_async(std::string_view name, hw::CollectiveKind kind,
                                              double bytes, Dimension dimension, double share) {
  const auto index = static_cast<std::int32_t>(list_.operations.size());
  LayerOperation& o = add(name);
  o.work = Exchange{kind, Bytes(bytes), dimension, share};
  o.wait = last_compute_;
  return index;
}

void OperationBuilder::exchange(std::string_view name, hw::CollectiveKind kind, double bytes,
                                Dimension dimension, double share) {
  require(exchange_async(name, kind, bytes, dimension, share));
}

void OperationBuilder::require(std::int32_t exchange) {
  // Exchanges run in order on one stream: waiting for a later one covers an earlier one.
  required_ = std::max(required_, exchange);
}

void OperationBuilder::expert_exchange(std::string_view name, const hw::ExpertExchange& x) {
  const auto index = static_cast<std::int32_t>(list_.operations.size());
  LayerOperation& o = add(name);
  o.work = x;
  o.wait = last_compute_;
  require(index);
}

void OperationBuilder::expert_exchange_beside(std::string_view name, const hw::ExpertExchange& x) {
  at_end_ = static_cast<std::int32_t>(list_.operations.size());
  LayerOperation& o = add(name);
  o.work = x;
  // Its data are another micro-batch's: it begins when the stream is free.
}

std::int32_t OperationBuilder::release() { return std::exchange(required_, -1); }

void OperationBuilder::host_wait(std::string_view name) {
  const auto index = static_cast<std::int32_t>(list_.operations.size());
  LayerOperation& o = add(name);
  o.work = HostWait{};
  o.launches = 0;
  o.wait = required_;
  required_ = -1;
  last_compute_ = index;
}

OperationList OperationBuilder::take() {
  list_.trailing = std::max(required_, at_end_);
  return std::move(list_);
}

}  // namespace forerun::models
