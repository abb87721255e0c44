#include "sim/list_price.h"

namespace forerun::sim {

std::optional<Dollars> list_price(const Scenario& s, Seconds time) {
  Dollars sum{};
  const std::int64_t of_stage = s.accelerators / s.plan.pipeline;
  for (std::size_t k = 0; k <= s.pools.size(); ++k) {
    const std::optional<DollarRate>& price = k == 0 ? s.price : s.pools[k - 1].price;
    if (!price) return std::nullopt;
    sum += *price * (static_cast<double>(of_stage * stages_of_pool(s, k)) * time);
  }
  return sum;
}

}  // namespace forerun::sim
