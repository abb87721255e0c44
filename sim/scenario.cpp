#include "sim/scenario.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <limits>
#include <numeric>

#include "core/error.h"
#include "models/layers.h"
#include "sim/plan_json.h"
#include "sim/schedule.h"

namespace forerun::sim {
namespace {

constexpr std::int64_t kMostAccelerators = 1 << 24;
constexpr double kMostTokens = 1e18;
constexpr std::int64_t kMostDomain = 1 << 20;
/// A step of so many operations is answered in seconds; their numbers and their channels' fit in 32
/// bits.
constexpr std::int64_t kMostOperations = 4'000'000;

/// True if `name` is one of `names`; else a problem with the nearest.
bool known(Reader& at, std::string_view key, const std::string& name,
           const std::vector<std::string>& names, std::string_view what) {
  if (std::find(names.begin(), names.end(), name) != names.end()) return true;
  if (name.empty()) return false;
  const std::string near = nearest(name, {names.begin(), names.end()});
  at.problem(key,
             near.empty()
                 ? fmt::format("\"{}\" is no {}; there are {}", name, what, fmt::join(names, ", "))
                 : fmt::format("\"{}\" is no {}: did you mean {}?", name, what, near));
  return false;
}

/// {"name": "dgx-h100"}, or {"domain": 8, "per_node": 8, "network": "400 Gb/s"} where only that is
/// known; a missing "network" is the generation's usual NIC.
hw::Network read_network_choice(Reader at, const std::string& accelerator) {
  hw::Network network;
  if (at.has("name")) {
    const std::string name = at.text("name");
    if (known(at, "name", name, hw::network_names(), "network profile")) {
      network = hw::load_network(name);
    }
  } else {
    const std::int64_t domain = at.integer("domain", 1, kMostDomain);
    const std::int64_t per_node = at.integer("per_node", 1, kMostDomain);
    Bandwidth out;
    if (at.has("network")) {
      out = at.bandwidth("network");
      if (out <= Bandwidth{}) {
        at.problem("network", "must be above 0; without it, it is the generation's usual NIC");
      }
    }
    if (!accelerator.empty() && domain > 0 && per_node > 0) {
      network = hw::make_network(accelerator, domain, per_node, out);
    }
  }
  at.finish();
  return network;
}

void read_cluster(Reader at, Scenario& s) {
  const std::string name = at.text("accelerator");
  const bool found = known(at, "accelerator", name, hw::accelerator_names(), "accelerator profile");
  if (found) s.accelerator = hw::load_accelerator(name);
  s.accelerators = at.integer("accelerators", 1, kMostAccelerators);
  s.network = read_network_choice(at.object("network"), found ? name : std::string{});
  if (at.has("power_cap")) {
    const Watts cap = at.watts("power_cap");
    const hw::PowerModel& board = s.accelerator.power;
    if (found && (cap <= board.idle || cap > board.cap)) {
      at.problem("power_cap",
                 fmt::format("{:.0f} W: must be above the {:.0f} W that the board draws "
                             "idle and at most its own cap, {:.0f} W",
                             cap.base(), board.idle.base(), board.cap.base()));
    }
    cap_power(s, cap, "the scenario");
  }
  at.finish();
}

template <class Quantity>
Quantity above_zero(Reader& at, std::string_view key, Quantity value) {
  if (value <= Quantity{}) at.problem(key, "must be above 0");
  return value;
}

void read_published(Reader at, Published& p) {
  if (at.has("step_time")) p.step_time = above_zero(at, "step_time", at.seconds("step_time"));
  if (at.has("memory")) p.memory = above_zero(at, "memory", at.bytes("memory"));
  p.source = at.text("source");
  at.finish();
}

void read_price(Reader at, Scenario& s) {
  s.price = at.dollar_rate("accelerator_hour");
  s.price_source = at.text("source");
  at.finish();
}

}  // namespace

void cap_power(Scenario& s, Watts cap, std::string source) {
  s.power_cap = cap;
  s.accelerator.power.cap = cap;
  s.accelerator.evidence["power.cap"] = Evidence::derived;
  s.accelerator.source["power.cap"] = std::move(source);
}

namespace {

class Checker {
 public:
  Checker(const Scenario& s, Problems& problems) : s_(s), p_(s.plan), problems_(problems) {}

  void run() {
    cluster();
    model();
    experts();
    modalities();
    batch();
    pipeline();
    sharding();
    precision();
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
    if (p_.accelerators() == s_.accelerators) return;
    problem("", fmt::format("data {} x tensor {} x pipeline {} x context {} = {} accelerators, but "
                            "/cluster/accelerators is {}",
                            p_.data, p_.tensor, p_.pipeline, p_.context, p_.accelerators(),
                            s_.accelerators));
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

  /// A model with towers or groups of experts must know whose each token is.
  void modalities() {
    const std::vector<std::string> known = models::modalities_of(s_.model);
    if (s_.mixture && !s_.modality_shares.empty()) {
      problems_.add("/modality_shares", "given, and so is mixture: a scenario has one of them");
    }
    if (s_.mean_compositions && !s_.mixture) {
      problems_.add("/mean_compositions", "given, but there is no mixture to take the mean of");
    }
    if (known.empty()) return;
    if (s_.mixture) {
      for (const std::string& name : s_.mixture->modalities) {
        if (std::find(known.begin(), known.end(), name) != known.end()) continue;
        problems_.add("/mixture", fmt::format("the model has no weights for {}; it has for {} (a "
                                              "span says `as` which its tokens are)",
                                              name, fmt::join(known, ", ")));
      }
      return;
    }
    if (s_.modality_shares.empty()) {
      problems_.add(
          "/modality_shares",
          fmt::format("missing, and so is mixture: the model has weights of its own for {}",
                      fmt::join(known, ", ")));
      return;
    }
    double sum = 0;
    for (const ModalityShare& m : s_.modality_shares) {
      sum += m.share;
      if (std::find(known.begin(), known.end(), m.modality) != known.end()) continue;
      problems_.add(
          fmt::format("/modality_shares/{}", m.modality),
          fmt::format("the model has no weights for it; it has for {}{}", fmt::join(known, ", "),
                      did_you_mean(m.modality, known, "").empty()
                          ? ""
                          : ": " + did_you_mean(m.modality, known, "")));
    }
    if (std::abs(sum - 1) > 1e-9) {
      problems_.add("/modality_shares", fmt::format("sum to {}, not to 1", sum));
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
    constexpr std::int64_t kOfChunk = 4 + 4, kOfShardedLayer = 2 + 4;
    const bool by_layer =
        p_.sharding == ShardingStage::gradients || p_.sharding == ShardingStage::parameters;
    const std::int64_t chunks = p_.pipeline * p_.virtual_stages;
    const std::int64_t each =
        kOfChunk * chunks + (by_layer ? kOfShardedLayer * s_.model.layers : 0);
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
    const std::int64_t slots = (p_.embedding_takes_slot ? 1 : 0) +
                               (p_.loss_takes_slot ? 1 + s_.model.multi_token_prediction : 0);
    const std::int64_t chunks = p_.pipeline * p_.virtual_stages;
    if (!p_.layers_of_chunks.empty()) {
      const std::int64_t sum =
          std::accumulate(p_.layers_of_chunks.begin(), p_.layers_of_chunks.end(), std::int64_t{0});
      if (std::ssize(p_.layers_of_chunks) != chunks || sum != s_.model.layers) {
        problem("layers_of_chunks",
                fmt::format("{} chunks of {} layers together, but the plan has {} chunks and the "
                            "model {} layers",
                            p_.layers_of_chunks.size(), sum, chunks, s_.model.layers));
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
    if (s_.accelerator.peak.empty() || s_.accelerator.peak.contains(product)) return;
    problem("precision", fmt::format("{}: {} has no {} products", models::name(p_.precision),
                                     s_.accelerator.name, hw::name(product)));
  }

  const Scenario& s_;
  const Plan& p_;
  Problems& problems_;
};

}  // namespace

std::optional<Scenario> read_scenario(const JsonDocument& document, Problems& problems) {
  if (!document.readable()) return std::nullopt;
  Reader top = document.root(problems);
  Scenario s;
  top.integer("schema", 1, 1);
  s.name = top.text("name");
  if (top.has("description")) s.description = top.text("description");
  Reader model = top.object("model");
  s.model = models::read_architecture(model);
  read_cluster(top.object("cluster"), s);
  Reader plan = top.object("plan");
  s.plan = read_plan(plan);
  if (top.has("modality_shares")) {
    Reader shares = top.object("modality_shares");
    for (const std::string& name : shares.keys()) {
      s.modality_shares.push_back({name, shares.number(name, 0, 1)});
    }
  }
  if (top.has("mixture")) {
    Reader mixture = top.object("mixture");
    s.mixture = models::read_mixture(mixture);
  }
  if (top.has("mean_compositions")) s.mean_compositions = top.boolean("mean_compositions");
  if (top.has("expert_loads")) {
    Reader loads = top.object("expert_loads");
    s.expert_loads = read_expert_loads(loads);
  }
  Reader framework = top.object("framework");
  s.framework = read_framework_choice(framework);
  if (top.has("training_tokens")) {
    s.training_tokens = top.number("training_tokens", 1.0, kMostTokens);
  }
  if (top.has("price")) read_price(top.object("price"), s);
  if (top.has("published")) read_published(top.object("published"), s.published);
  if (top.has("seed")) {
    s.seed = static_cast<std::uint64_t>(
        top.integer("seed", 0, std::numeric_limits<std::int64_t>::max()));
  }
  top.finish();
  // Rules across fields would only repeat what is wrong with the fields themselves.
  if (problems.empty()) check_scenario(s, problems);
  if (!problems.empty()) return std::nullopt;
  if (s.plan.activation_offload_layers > 0) {
    s.assumptions.emplace_back(
        "copies of offloaded activations run beside the passes and take no time");
  }
  return s;
}

void check_scenario(const Scenario& s, Problems& problems) { Checker(s, problems).run(); }

}  // namespace forerun::sim
