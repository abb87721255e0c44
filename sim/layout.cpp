#include "sim/layout.h"

#include <fmt/format.h>

#include <algorithm>
#include <cstdlib>
#include <numeric>
#include <span>

#include "core/error.h"
#include "sim/schedule.h"

namespace forerun::sim {
namespace {

/// Layers of each of `chunks` chunks; `first` and `last` are slots that embedding and loss take.
std::vector<std::int64_t> divide_equally(std::int64_t layers, std::int64_t chunks,
                                         std::int64_t first, std::int64_t last) {
  const std::int64_t slots = layers + first + last;
  const std::int64_t rest = slots % chunks;
  std::vector<std::int64_t> counts(static_cast<std::size_t>(chunks), slots / chunks);
  const std::int64_t begin = (chunks - rest) / 2;
  for (std::int64_t i = begin; i < begin + rest; ++i) ++counts[static_cast<std::size_t>(i)];
  counts.front() -= first;
  counts.back() -= last;
  FORERUN_ASSERT(counts.front() >= 0 && counts.back() >= 0,
                 fmt::format("{} layers in {} chunks leave none for the ends", layers, chunks));
  return counts;
}

void fill_equally(const Scenario& s, std::span<Chunk> chunks) {
  const std::int64_t last = s.plan.loss_takes_slot ? 1 + s.model.multi_token_prediction : 0;
  const std::vector<std::int64_t> counts =
      !s.plan.layers_of_chunks.empty()
          ? std::vector(s.plan.layers_of_chunks.begin() + s.plan.encoder_stages,
                        s.plan.layers_of_chunks.end())
          : divide_equally(s.model.layers, std::ssize(chunks), s.plan.embedding_takes_slot ? 1 : 0,
                           last);
  for (std::size_t i = 0; i < chunks.size(); ++i) chunks[i].layers = counts[i];
  chunks.front().embedding = true;
  chunks.back().head = chunks.back().cast = chunks.back().loss = true;
}

/// Costs are products of integers below 2^53, so the comparison with a share is exact in double.
void fill_by_cost(const Scenario& s, std::span<Chunk> chunks) {
  const models::Architecture& m = s.model;
  const double hidden = static_cast<double>(m.hidden);
  const double layer =
      hidden * (4.0 * static_cast<double>(m.query_width()) + 3.0 * static_cast<double>(m.ffn));
  const double head = hidden * static_cast<double>(m.vocab);
  const double share =
      (layer * static_cast<double>(m.layers) + head) / static_cast<double>(chunks.size());
  std::size_t at = 0;
  double sum = 0;
  const auto ended = [&] {
    return at + 1 < chunks.size() && sum >= share * static_cast<double>(at + 1);
  };
  chunks.front().embedding = true;
  for (std::int64_t i = 0; i < m.layers; ++i) {
    ++chunks[at].layers;
    sum += layer;
    if (ended()) ++at;
  }
  chunks[at].head = true;
  sum += head;
  if (ended()) ++at;
  chunks[at].cast = true;
  if (ended()) ++at;
  chunks[at].loss = true;
}

/// Where the ranks of groups of `ranks` members `stride` apart lie on domains of `domain`.
PlacedGroup place(std::int64_t ranks, std::int64_t stride, std::int64_t domain) {
  PlacedGroup g;
  g.ranks = ranks;
  g.stride = stride;
  g.per_domain = std::clamp<std::int64_t>(domain / stride, 1, ranks);
  g.sharing = g.per_domain < ranks ? std::max<std::int64_t>(1, domain / g.per_domain) : 1;
  return g;
}

/// Two ranks `stride` apart: over NVLink when both lie in one domain.
PlacedGroup place_pair(std::int64_t stride, std::int64_t domain) {
  return {{2, stride < domain ? 2 : 1, stride < domain ? 1 : domain}, stride};
}

std::int64_t norm_parameters(const models::Architecture& a) {
  return a.norm == models::Norm::rms_norm ? a.hidden : 2 * a.hidden;
}

}  // namespace

std::vector<std::int64_t> members_in_stage(const PlacedGroup& g, std::int64_t within) {
  const std::int64_t ranks = g.mirrored ? g.ranks / 2 : g.ranks;
  const std::int64_t first = within - within % (ranks * g.stride) + within % g.stride;
  std::vector<std::int64_t> members;
  for (std::int64_t k = 0; k < ranks; ++k) members.push_back(first + k * g.stride);
  return members;
}

std::int64_t used_domain(const Scenario& s) {
  const std::int64_t domain = s.network.domain, all = s.plan.accelerators();
  if (all <= domain) return all;
  for (std::int64_t d = domain; d >= (domain + 1) / 2; --d) {
    if (all % d == 0) return d;
  }
  return domain;
}

std::int64_t Layout::stage_layers(std::int64_t rank) const {
  const std::vector<Chunk>& own = chunks[static_cast<std::size_t>(rank)];
  return std::accumulate(own.begin(), own.end(), std::int64_t{0},
                         [](std::int64_t sum, const Chunk& c) { return sum + c.layers; });
}

bool Layout::holds_embedding(std::int64_t rank) const {
  const std::vector<Chunk>& own = chunks[static_cast<std::size_t>(rank)];
  return std::any_of(own.begin(), own.end(), [](const Chunk& c) { return c.embedding; });
}

bool Layout::holds_head(std::int64_t rank) const {
  const std::vector<Chunk>& own = chunks[static_cast<std::size_t>(rank)];
  return std::any_of(own.begin(), own.end(), [](const Chunk& c) { return c.head; });
}

bool Layout::holds_loss(std::int64_t rank) const {
  const std::vector<Chunk>& own = chunks[static_cast<std::size_t>(rank)];
  return std::any_of(own.begin(), own.end(), [](const Chunk& c) { return c.loss; });
}

Layout make_layout(const Scenario& s) {
  const Plan& p = s.plan;
  std::vector<Chunk> in_order(static_cast<std::size_t>(p.pipeline * p.virtual_stages));
  const std::span<Chunk> of_language =
      std::span(in_order).subspan(static_cast<std::size_t>(p.encoder_stages));
  if (s.framework.layer_division == LayerDivision::by_cost && p.virtual_stages == 1 &&
      p.layers_of_chunks.empty()) {
    fill_by_cost(s, of_language);
  } else {
    fill_equally(s, of_language);
  }
  for (std::int64_t i = 0; i < p.encoder_stages; ++i) {
    in_order[static_cast<std::size_t>(i)].encoder = models::EncoderPart{i, p.encoder_stages};
  }
  if (p.encoder_stages == 0 && !s.model.encoders.empty()) {
    in_order.front().encoder = models::EncoderPart{};
  }
  Layout layout;
  std::int64_t first = 0;
  for (Chunk& chunk : in_order) {
    chunk.first_layer = first;
    first += chunk.layers;
  }
  const PipelineShape shape = pipeline_shape(p);
  layout.chunks.resize(static_cast<std::size_t>(p.pipeline));
  for (std::int64_t r = 0; r < p.pipeline; ++r) {
    for (std::int64_t c = 0; c < chunks_of_rank(shape); ++c) {
      layout.chunks[static_cast<std::size_t>(r)].push_back(
          in_order[static_cast<std::size_t>(model_chunk(shape, {r, c}))]);
    }
  }
  layout.kinds = models::layer_kinds(s.model);
  const std::int64_t multiple = s.framework.vocabulary_multiple * p.tensor;
  layout.padded_vocab = (s.model.vocab + multiple - 1) / multiple * multiple;

  const std::int64_t domain = used_domain(s);
  const std::int64_t stage = p.tensor * p.context * p.data;
  layout.tensor = place(p.tensor, 1, domain);
  layout.context = place(p.context, p.tensor, domain);
  // Ranks of a stage and, of two pipeline ranks that hold the same, those of the other.
  const auto place_copies = [&](std::int64_t ranks, std::int64_t stride) {
    PlacedGroup g = place(ranks, stride, domain);
    if (p.schedule != PipelineSchedule::dualpipe) return g;
    g.ranks *= 2;
    g.mirrored = true;
    if (domain == p.accelerators()) g.per_domain = g.ranks;
    return g;
  };
  layout.data = place_copies(p.data * p.context, p.tensor);
  layout.encoder = place(p.encoder_tensor, 1, domain);
  layout.expert_tensor = place(p.expert_tensor, 1, domain);
  layout.expert = place(p.expert, p.expert_tensor, domain);
  const std::int64_t of_experts = p.expert_tensor * p.expert;
  layout.expert_data = place_copies(stage / of_experts, of_experts);
  if (p.sharding != ShardingStage::none) {
    layout.expert_shard = layout.expert_data;
    const std::int64_t copy = p.shard_group > 0 ? std::min(p.shard_group, p.data) : p.data;
    const bool part = copy < p.data;
    layout.shard = part ? place(copy * p.context, p.tensor, domain)
                        : place_copies(p.data * p.context, p.tensor);
    if (part) layout.replicas = place_copies(p.data / copy, p.tensor * p.context * copy);
  }
  if (p.pipeline > 1) {
    std::int64_t embedding = 0, head = 0;
    for (std::int64_t r = 0; r < p.pipeline; ++r) {
      if (layout.holds_embedding(r)) embedding = r;
      if (layout.holds_head(r)) head = r;
    }
    if (embedding != head)
      layout.embedding = place_pair(stage * std::abs(head - embedding), domain);
    layout.pipeline_link = place_pair(stage, domain);
  }
  return layout;
}

models::Cut cut_of(const Plan& p) { return {p.tensor, p.expert, p.expert_tensor}; }

StageParameters stage_parameters(const Scenario& s, const Layout& layout, std::int64_t rank) {
  const models::Architecture& a = s.model;
  const std::int64_t matrix = layout.padded_vocab / s.plan.tensor * a.hidden;
  StageParameters p;
  const models::Cut cut = cut_of(s.plan);
  std::vector<models::LayerParameters> of_kind;
  for (const models::Architecture& kind : layout.kinds.kinds) {
    of_kind.push_back(models::layer_parameters(kind, cut));
  }
  for (const Chunk& chunk : layout.chunks[static_cast<std::size_t>(rank)]) {
    for (std::int64_t i = chunk.first_layer; i < chunk.first_layer + chunk.layers; ++i) {
      const models::LayerParameters& one = of_kind[layout.kinds.of[static_cast<std::size_t>(i)]];
      p.layers += one.total() - one.routed();
      p.experts += one.routed();
    }
    if (!chunk.encoder) continue;
    const models::HeldEncoders held =
        models::held_encoders(a, *chunk.encoder, s.plan.encoder_tensor);
    p.encoders += held.trained;
    p.frozen += held.frozen;
  }
  if (layout.holds_embedding(rank)) {
    p.embedding = matrix;
    if (a.position == models::Position::learned) p.embedding += a.max_positions * a.hidden;
    if (a.embedding_norm) p.embedding += norm_parameters(a);
    p.adapters = a.conditioning_parameters;
    for (const models::Adapter& adapter : a.adapters) {
      p.adapters += models::adapter_parameters(a, adapter);
    }
  }
  if (layout.holds_head(rank) && a.multi_token_prediction > 0) {
    // Its layers are like the last; it holds a copy of the word embedding.
    const models::LayerParameters& last = of_kind[layout.kinds.of.back()];
    p.layers += a.multi_token_prediction * (last.total() - last.routed());
    p.experts += a.multi_token_prediction * last.routed();
    p.multi_token = a.multi_token_prediction * models::multi_token_join_parameters(a);
    if (!layout.holds_embedding(rank)) p.multi_token_embedding = matrix;
  }
  if (layout.holds_head(rank)) {
    if (!a.tied_embeddings || !layout.holds_embedding(rank)) p.head = matrix;
    if (a.final_norm) p.head += norm_parameters(a);
  }
  return p;
}

}  // namespace forerun::sim
