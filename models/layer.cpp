#include "models/layer.h"

#include <fmt/format.h>

#include <algorithm>

#include "core/error.h"

namespace forerun::models {

std::int64_t rows_of(const WeightSet& set, const Slice& s, std::int64_t tokens) {
  if (set.modalities.empty()) return tokens;
  const std::int64_t whole = s.micro_batch * s.sequence;
  std::int64_t mine = 0;
  for (const ModalityTokens& m : s.modalities) {
    const auto named = [&](const std::string& name) { return name == m.modality; };
    if (std::any_of(set.modalities.begin(), set.modalities.end(), named)) mine += m.tokens;
  }
  FORERUN_ASSERT(!s.modalities.empty() && whole > 0, "weight sets without a mixture");
  // Context and sequence shards are taken to be mixed alike.
  return mine * tokens / whole;
}

std::vector<std::int64_t> rows_of(const std::vector<WeightSet>& sets, const Slice& s,
                                  std::int64_t tokens) {
  std::vector<std::int64_t> rows;
  for (const WeightSet& set : sets) rows.push_back(rows_of(set, s, tokens));
  return rows;
}

}  // namespace forerun::models
