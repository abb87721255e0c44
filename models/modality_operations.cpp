#include "models/modality_operations.h"

namespace forerun::models {
namespace {

/// One move of rows a set that has any.
void move(const Layer& l, std::string_view name, const std::vector<WeightSet>& sets, double width,
          double read, double written) {
  for (std::size_t i = 0; i < sets.size(); ++i) {
    const std::int64_t rows = rows_of(sets[i], l.s, l.s.tokens());
    if (rows == 0) continue;
    l.b.set(static_cast<std::int32_t>(i));
    if (l.c.modality_mask_syncs) l.b.host_wait("wait for modality indices");
    l.b.memory(name, static_cast<double>(rows) * width, read, written);
  }
  l.b.set(-1);
}

}  // namespace

void gather_by_modality(const Layer& l, std::string_view name, const std::vector<WeightSet>& sets,
                        double width) {
  if (sets.size() > 1) move(l, name, sets, width, 2, 2);
}

void scatter_by_modality(const Layer& l, std::string_view name, const std::vector<WeightSet>& sets,
                         double width) {
  if (sets.size() == 1) return;
  l.b.memory("zero merged tokens", l.inner() * width, 0, 2);
  move(l, name, sets, width, 2, 2);
}

std::vector<std::string> names_of(const std::vector<WeightSet>& sets) {
  std::vector<std::string> names;
  for (const WeightSet& set : sets) {
    names.push_back(set.modalities.empty() ? std::string() : set.modalities.front());
  }
  return names;
}

}  // namespace forerun::models
