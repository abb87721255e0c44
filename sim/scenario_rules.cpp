// The rules across a scenario's fields: what its plan must divide, fill and leave out.

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <numeric>
#include <string>
#include <string_view>
#include <vector>

#include "hw/topology.h"
#include "sim/layout.h"
#include "sim/plan_json.h"
#include "sim/scenario.h"
#include "sim/scenario_modalities.h"
#include "sim/schedule.h"

namespace forerun::sim {
namespace {

/// A step of so many operations is answered in seconds; their numbers and their channels' fit in 32
/// bits.
constexpr std::int64_t kMostOperations = 4'000'000;

class Checker {
 public:
  Checker(const Scenario& s, Problems& problems) : s_(s), p_(s.plan), problems_(problems) {}

  void run() {
    cluster();
    model();
    experts();
    check_modalities(s_, problems_);
    batch();
    pipeline();
    sharding();
    precision();
    check_cost(s_, problems_);
  }

 private:
  void problem(std::string_view field, std::string what) {
    problems_.add(field.empty() ? "/plan" : fmt::format("/plan/{}", field), std::move(what));
  }
  /// Reports that `part` does not divide `whole`.
  void divides(std::string_view field, std::int64_t part, std::int64_t whole,
               std::string_view whole_name) {
    if (part > 0 && whole % part != 0) {
      problem(field, fmt::format("{} does not divide {}, {}", part, whole_name, whole));
    }
  }

  void cluster() {
    if (s_.topology) network_graph();
    pools();
    if (p_.accelerators() == s_.accelerators) return;
    problem("", fmt::format("data {} x tensor {} x pipeline {} x context {} = {} accelerators, but "
                            "/cluster/accelerators is {}",
                            p_.data, p_.tensor, p_.pipeline, p_.context, p_.accelerators(),
                            s_.accelerators));
  }

  void pools() {
    std::int64_t before = 0;
    for (std::size_t i = 0; i < s_.pools.size(); ++i) {
      const Pool& pool = s_.pools[i];
      const std::string where = fmt::format("/cluster/pools/{}", i);
      if (pool.first_stage <= before || pool.first_stage >= p_.pipeline) {
        problems_.add(where + "/first_stage",
                      fmt::format("{}: must be above {} and below the plan's pipeline, {}",
                                  pool.first_stage, before, p_.pipeline));
      }
      before = pool.first_stage;
    }
    if (s_.pools.empty()) return;
    if (s_.topology) {
      problems_.add("/cluster/pools",
                    "accelerators of several kinds on one network graph are not simulated; without "
                    "its topology each pool has a network of its own");
    }
    if (s_.power_cap) {
      problems_.add("/cluster/power_cap", "boards of several kinds with one cap are not simulated");
    }
    for (std::size_t i = 0; i < s_.pools.size(); ++i) {
      if (s_.price.has_value() == s_.pools[i].price.has_value()) continue;
      problems_.add(fmt::format("/cluster/pools/{}/price", i),
                    s_.price ? "missing: /price has one, and a cost needs every pool's"
                             : "given, but /price is not, and a cost needs both");
    }
    if (p_.schedule == PipelineSchedule::dualpipe) {
      problems_.add("/cluster/pools", "dualpipe puts each stage on two ranks, which must be alike");
    }
    for (std::size_t k = 0; k <= s_.pools.size() && problems_.empty(); ++k) {
      const hw::Network& network = k == 0 ? s_.network : s_.pools[k - 1].network;
      const std::int64_t ranks = p_.tensor * p_.context * p_.data * stages_of_pool(s_, k);
      if (ranks % std::min(ranks, network.domain) == 0) continue;
      problems_.add(
          k == 0 ? "/cluster/network" : fmt::format("/cluster/pools/{}/network", k - 1),
          fmt::format("{} accelerators do not fill domains of {}", ranks, network.domain));
    }
  }

  /// The graph has room for the job, and other jobs are on other accelerators.
  void network_graph() {
    const hw::NetworkGraph& graph = s_.topology->graph;
    const std::int64_t used = used_domain(s_);
    const std::int64_t domains = (s_.accelerators + used - 1) / used;
    const std::int64_t first = s_.placement.first, every = s_.placement.every;
    const std::int64_t there =
        std::ssize(graph.accelerators()) / std::max<std::int64_t>(1, s_.network.domain);
    if (first + (domains - 1) * every >= there) {
      problems_.add("/cluster/network/topology",
                    fmt::format("{} has {} domains of {}, and {} accelerators need {}{}",
                                s_.topology_name, there, s_.network.domain, s_.accelerators,
                                domains, first > 0 || every > 1 ? " as placed" : ""));
      return;
    }
    const auto taken = [&](std::int64_t place) {
      const hw::NetworkNode& at = graph.node(graph.accelerators()[static_cast<std::size_t>(place)]);
      const std::int64_t own = at.domain - first;
      return own >= 0 && own % every == 0 && own / every < domains && at.position < used;
    };
    for (std::size_t i = 0; i < s_.beside.size(); ++i) {
      for (std::int64_t g = 0; g < s_.beside[i].groups; ++g) {
        const std::vector<std::int64_t> places = hw::places(s_.beside[i], g);
        const auto at = std::ranges::find_if(places, taken);
        if (at == places.end()) continue;
        problems_.add(fmt::format("/cluster/network/beside/{}", i),
                      fmt::format("accelerator {} is one of the model's {} domains", *at, domains));
        break;
      }
    }
  }

  void model() {
    const models::Architecture& a = s_.model;
    divides("tensor", p_.tensor, a.heads, "the model's heads");
    divides("tensor", p_.tensor, a.ffn, "the model's ffn");
    if (a.kv_heads % p_.tensor != 0 && p_.tensor % std::max<std::int64_t>(a.kv_heads, 1) != 0) {
      problem("tensor", fmt::format("{} neither divides nor is a multiple of the model's kv_heads, "
                                    "{}",
                                    p_.tensor, a.kv_heads));
    }
    divides("context", p_.context, p_.sequence, "the sequence");
    if (p_.context > 1 && !s_.framework.fused_attention) {
      problem("context", fmt::format("{}, but {} does not fuse attention, and unfused attention is "
                                     "not exchanged over context ranks",
                                     p_.context, s_.framework.name));
    }
    if (p_.context > 1 && p_.context_exchange == models::ContextExchange::all_to_all) {
      divides("context", p_.context * p_.tensor, a.heads,
              "(times tensor, exchanged all to all) the model's heads");
    }
    if (p_.sequence_parallel && p_.context > 0) {
      divides("tensor", p_.tensor, p_.sequence / p_.context,
              "(with sequence parallel) the tokens of a context rank");
    }
    if (a.max_positions > 0 && p_.sequence > a.max_positions) {
      problem("sequence", fmt::format("{} tokens, but the model has {} learned positions",
                                      p_.sequence, a.max_positions));
    }
  }

  void loads() {
    const ExpertLoads& l = s_.expert_loads;
    const std::int64_t experts = s_.model.experts->count;
    if (l.kind == LoadKind::given && std::ssize(l.shares) != experts) {
      problems_.add("/expert_loads/shares", fmt::format("{} of them, but the model has {} experts",
                                                        l.shares.size(), experts));
    }
    if (l.kind != LoadKind::balanced && !s_.model.experts->groups.empty()) {
      problems_.add("/expert_loads/kind",
                    "must be balanced: the model's experts are in groups of modalities");
    }
  }

  void experts() {
    const models::Architecture& a = s_.model;
    if (!a.experts && s_.expert_loads.kind != LoadKind::balanced) {
      problems_.add("/expert_loads", "given, but the model has no experts");
    }
    if (!a.experts) {
      if (p_.expert > 1) {
        problem("expert", fmt::format("{}, but the model has no experts", p_.expert));
      }
      if (p_.expert_tensor > 1) {
        problem("expert_tensor", fmt::format("{}, but the model has no experts", p_.expert_tensor));
      }
      return;
    }
    loads();
    divides("expert_tensor", p_.expert_tensor, a.experts->ffn, "an expert's ffn");
    const std::int64_t stage = p_.tensor * p_.context * p_.data;
    divides("expert", p_.expert * p_.expert_tensor, stage,
            "(times expert_tensor) the ranks of a stage");
    if (a.experts->groups.empty()) {
      divides("expert", p_.expert, a.experts->count, "the model's experts");
    }
    for (const models::ExpertGroup& g : a.experts->groups) {
      divides("expert", p_.expert, g.count,
              fmt::format("the experts of {}", fmt::join(g.modalities, ", ")));
    }
    if (p_.tensor > 1 && !p_.sequence_parallel) {
      problem("sequence_parallel",
              fmt::format("false, but with tensor {} every rank would route the same tokens",
                          p_.tensor));
    }
  }

  void batch() {
    const std::int64_t slice = p_.data * p_.micro_batch;
    if (slice > 0 && p_.global_batch % slice != 0) {
      problem("global_batch", fmt::format("{} is no multiple of data x micro_batch = {} x {} = {}",
                                          p_.global_batch, p_.data, p_.micro_batch, slice));
    }
    if (slice > 0) operations();
  }

  /// A pass over a chunk receives, gathers, computes and sends. Where gradients or parameters are
  /// sharded, each layer is an operation of its own, with its exchanges: forward a gather, backward
  /// a gather, a reduction among the shards and one among their replicas.
  void operations() {
    constexpr std::int64_t kOfChunk = 4 + 4, kOfSplit = 2, kOfShardedLayer = 2 + 4;
    const bool by_layer =
        p_.sharding == ShardingStage::gradients || p_.sharding == ShardingStage::parameters;
    const std::int64_t chunks = p_.pipeline * p_.virtual_stages;
    const std::int64_t each = (kOfChunk + (splits_backward(p_.schedule) ? kOfSplit : 0)) * chunks +
                              (by_layer ? kOfShardedLayer * s_.model.layers : 0);
    const std::int64_t m = p_.micro_batches();
    if (m <= kMostOperations / std::max<std::int64_t>(each, 1)) return;
    problem("global_batch",
            fmt::format("{} micro-batches of {} operations each ({} stages x {} virtual stages{}), "
                        "but at most {} operations are simulated, {} micro-batches of this plan",
                        m, each, p_.pipeline, p_.virtual_stages,
                        by_layer ? fmt::format(", {} sharded layers", s_.model.layers) : "",
                        kMostOperations, kMostOperations / each));
  }

  void pipeline() {
    const bool interleaved = p_.schedule == PipelineSchedule::interleaved;
    if (p_.virtual_stages > 1 && p_.pipeline == 1) {
      problem("virtual_stages", fmt::format("{} without a pipeline", p_.virtual_stages));
    } else if (p_.virtual_stages > 1 && !interleaved) {
      problem("schedule", fmt::format("{} has one stage a rank, virtual_stages is {}",
                                      name(p_.schedule), p_.virtual_stages));
    }
    if (interleaved && p_.virtual_stages == 1) {
      problem("virtual_stages", "the interleaved schedule needs at least 2, found 1");
    }
    if (interleaved && p_.micro_batches() % p_.pipeline != 0) {
      problem("schedule",
              fmt::format("interleaved needs micro-batches that are a multiple of pipeline: {} and "
                          "{}",
                          p_.micro_batches(), p_.pipeline));
    }
    if (splits_backward(p_.schedule)) split_schedule();
    encoders();
    const std::int64_t slots = (p_.embedding_takes_slot ? 1 : 0) +
                               (p_.loss_takes_slot ? 1 + s_.model.multi_token_prediction : 0);
    const std::int64_t chunks = p_.pipeline * p_.virtual_stages - p_.encoder_stages;
    if (chunks <= 0) return;  // said already
    if (p_.layers_by_time && p_.schedule == PipelineSchedule::dualpipe) {
      problem("layers_by_time", "weighs each stage alone, but under dualpipe a rank holds two");
    }
    if (!p_.layers_of_chunks.empty()) {
      const std::int64_t sum =
          std::accumulate(p_.layers_of_chunks.begin(), p_.layers_of_chunks.end(), std::int64_t{0});
      if (std::ssize(p_.layers_of_chunks) != chunks + p_.encoder_stages || sum != s_.model.layers) {
        problem("layers_of_chunks",
                fmt::format("{} chunks of {} layers together, but the plan has {} chunks and the "
                            "model {} layers",
                            p_.layers_of_chunks.size(), sum, chunks + p_.encoder_stages,
                            s_.model.layers));
      }
    } else if (s_.model.layers > 0 && s_.model.layers + slots < chunks) {
      problem("pipeline", fmt::format("{} layers cannot fill {} stages of {} virtual stages",
                                      s_.model.layers + slots, p_.pipeline, p_.virtual_stages));
    } else if (slots > 0 && (s_.model.layers + slots) % chunks != 0) {
      problem("pipeline",
              fmt::format("{} layers and {} slots for embedding and loss do not divide into {} "
                          "chunks",
                          s_.model.layers, slots, chunks));
    }
    if (p_.activation_offload_layers > s_.model.layers) {
      problem("activation_offload_layers",
              fmt::format("{} of {} layers", p_.activation_offload_layers, s_.model.layers));
    }
  }

  void encoders() {
    const std::vector<models::Encoder>& all = s_.model.encoders;
    if (p_.encoder_stages > 0 && all.empty()) {
      problem("encoder_stages", fmt::format("{}, but the model has no encoder", p_.encoder_stages));
    }
    if (p_.encoder_stages > 0 && p_.encoder_stages >= p_.pipeline * p_.virtual_stages) {
      problem("encoder_stages",
              fmt::format("{} of {} model chunks leave none for the language model",
                          p_.encoder_stages, p_.pipeline * p_.virtual_stages));
    }
    if (p_.encoder_tensor > 1 && all.empty()) {
      problem("encoder_tensor", fmt::format("{}, but the model has no encoder", p_.encoder_tensor));
    }
    divides("encoder_tensor", p_.encoder_tensor, p_.tensor, "tensor");
    for (const models::Encoder& e : all) {
      if (p_.encoder_stages > e.layers) {
        problem("encoder_stages",
                fmt::format("{}, but {} has {} layers", p_.encoder_stages, e.name, e.layers));
      }
      divides("encoder_tensor", p_.encoder_tensor, e.heads, fmt::format("heads of {}", e.name));
      divides("encoder_tensor", p_.encoder_tensor, e.ffn, fmt::format("ffn of {}", e.name));
    }
    const auto& given = p_.layers_of_chunks;
    for (std::int64_t i = 0; i < std::min(p_.encoder_stages, std::ssize(given)); ++i) {
      if (given[static_cast<std::size_t>(i)] == 0) continue;
      problem(
          "layers_of_chunks",
          fmt::format("chunk {} encodes only, so it has no layers of the language model, not {}", i,
                      given[static_cast<std::size_t>(i)]));
    }
  }

  void split_schedule() {
    if (p_.sharding >= ShardingStage::gradients) {
      problem("schedule", fmt::format("{} puts weight gradients off, so it goes with sharding none "
                                      "or optimizer, not with {}",
                                      name(p_.schedule), name(p_.sharding)));
    }
    if (p_.schedule != PipelineSchedule::dualpipe) return;
    if (p_.virtual_stages == 1) {
      if (const auto broken = broken_rule(pipeline_shape(p_))) problem("schedule", *broken);
    }
    if (s_.framework.expert_exchange_overlap) {
      problem("schedule",
              "dualpipe overlaps the exchanges of experts itself: the framework's "
              "expert_exchange_overlap must be off");
    }
  }

  void sharding() {
    if (p_.shard_group == 0) return;
    if (p_.sharding == ShardingStage::none) {
      problem("shard_group", fmt::format("{}, but nothing is sharded", p_.shard_group));
    }
    divides("shard_group", p_.shard_group, p_.data * p_.context, "data x context");
  }

  void precision() {
    const hw::Precision product = models::product_precision(p_.precision);
    const auto has = [&](const hw::Accelerator& a) {
      if (a.peak.empty() || a.peak.contains(product)) return;
      problem("precision", fmt::format("{}: {} has no {} products", models::name(p_.precision),
                                       a.name, hw::name(product)));
    };
    has(s_.accelerator);
    for (const Pool& pool : s_.pools) has(pool.accelerator);
  }

  const Scenario& s_;
  const Plan& p_;
  Problems& problems_;
};

}  // namespace

void check_scenario(const Scenario& s, Problems& problems) { Checker(s, problems).run(); }

}  // namespace forerun::sim
