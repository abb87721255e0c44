#include "sim/published_row.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <cmath>
#include <set>
#include <span>

#include "core/random.h"
#include "models/layers.h"
#include "sim/published_software.h"

namespace forerun::sim {
namespace {

using models::LayerPart;
using models::PrecisionRecipe;

constexpr std::array kPrecisions = {
    std::pair<std::string_view, PrecisionRecipe>{"bf16", PrecisionRecipe::bf16},
    std::pair<std::string_view, PrecisionRecipe>{"fp16", PrecisionRecipe::fp16},
    std::pair<std::string_view, PrecisionRecipe>{"fp8-delayed", PrecisionRecipe::fp8_delayed},
    std::pair<std::string_view, PrecisionRecipe>{"fp8-current", PrecisionRecipe::fp8_current},
    std::pair<std::string_view, PrecisionRecipe>{"fp8-tensorwise", PrecisionRecipe::fp8_tensorwise},
    std::pair<std::string_view, PrecisionRecipe>{"fp8-rowwise", PrecisionRecipe::fp8_rowwise},
    std::pair<std::string_view, PrecisionRecipe>{"mxfp8", PrecisionRecipe::mxfp8},
    std::pair<std::string_view, PrecisionRecipe>{"nvfp4", PrecisionRecipe::nvfp4}};
constexpr std::array kModes = {
    std::pair<std::string_view, RecomputeMode>{"none", RecomputeMode::none},
    std::pair<std::string_view, RecomputeMode>{"selective", RecomputeMode::selective},
    std::pair<std::string_view, RecomputeMode>{"full", RecomputeMode::full}};

constexpr std::int64_t kMost = 1 << 30;

const std::set<LayerPart>& all_parts() {
  static const std::set<LayerPart> parts = {LayerPart::attention_norm, LayerPart::qkv,
                                            LayerPart::query,          LayerPart::key,
                                            LayerPart::value,          LayerPart::rotary,
                                            LayerPart::core_attention, LayerPart::attention_output,
                                            LayerPart::ffn_norm,       LayerPart::ffn_up,
                                            LayerPart::ffn_gate,       LayerPart::activation,
                                            LayerPart::ffn_down,       LayerPart::residual};
  return parts;
}

std::int64_t degree(Reader& r, std::string_view key) {
  return r.has(key) ? r.integer(key, 1, 1 << 24) : 1;
}

/// Megatron-Core's names of what it recomputes (transformer_config.py, recompute_modules). "mlp" is
/// the dense feed-forward part alone.
const std::array<std::pair<std::string_view, std::vector<LayerPart>>, 7> kRecomputed = {{
    {"core_attention", {LayerPart::core_attention}},
    {"layernorm", {LayerPart::attention_norm, LayerPart::ffn_norm}},
    {"moe_act", {LayerPart::expert_activation}},
    {"mla_up_proj", {LayerPart::latent_up}},
    {"mlp", {LayerPart::ffn_up, LayerPart::ffn_gate, LayerPart::activation, LayerPart::ffn_down}},
    {"shared_experts", {LayerPart::shared_experts}},
    {"moe",
     {LayerPart::router, LayerPart::dispatch, LayerPart::expert_up, LayerPart::expert_activation,
      LayerPart::expert_down, LayerPart::combine, LayerPart::shared_experts}},
}};

/// What selective recompute redoes: a list of parts, or everything but what is kept.
std::set<LayerPart> redone(Reader& r) {
  std::set<LayerPart> parts;
  if (r.has("recomputes")) {
    for (const std::string& name : r.texts("recomputes")) {
      const auto found = std::find_if(kRecomputed.begin(), kRecomputed.end(),
                                      [&](const auto& known) { return known.first == name; });
      if (found != kRecomputed.end()) {
        parts.insert(found->second.begin(), found->second.end());
      } else {
        r.problem("recomputes", fmt::format("\"{}\" is not known", name));
      }
    }
    return parts;
  }
  parts = all_parts();
  for (const std::string& name : r.texts("keeps")) {
    if (name == "every_second_matmul") {
      // torchtitan counts a block's products in issue order, wq wk wv wo w1 w3 w2, and saves the
      // first, third ...: query, value, gate (w1) and down (w2).
      for (const LayerPart kept :
           {LayerPart::query, LayerPart::value, LayerPart::ffn_gate, LayerPart::ffn_down}) {
        parts.erase(kept);
      }
    } else if (name == "attention") {
      parts.erase(LayerPart::core_attention);
    } else if (name == "qkv_proj") {
      for (const LayerPart kept :
           {LayerPart::qkv, LayerPart::query, LayerPart::key, LayerPart::value}) {
        parts.erase(kept);
      }
    } else if (name != "collectives") {  // exchanges follow the parts that they belong to
      r.problem("keeps", fmt::format("\"{}\" is not known", name));
    }
  }
  return parts;
}

Recompute read_recompute(Reader r) {
  Recompute out;
  out.mode = r.choice("mode", std::span<const std::pair<std::string_view, RecomputeMode>>(kModes));
  if (out.mode == RecomputeMode::selective) out.parts = redone(r);
  if (r.has("layers_per_stage")) out.layers_per_stage = r.integer("layers_per_stage", 1, 10'000);
  return out;
}

void read_plan(Reader& row, Scenario& s) {
  Plan& p = s.plan;
  Reader parallel = row.object("parallelism");
  p.data = degree(parallel, "dp");
  p.tensor = degree(parallel, "tp");
  p.pipeline = degree(parallel, "pp");
  p.virtual_stages = degree(parallel, "vp");
  p.context = degree(parallel, "cp");
  p.expert = degree(parallel, "ep");
  // Megatron-Core: experts are cut as the rest is, unless the run says otherwise.
  p.expert_tensor = parallel.has("etp") ? degree(parallel, "etp") : s.model.experts ? p.tensor : 1;
  p.sequence_parallel = parallel.has("sp") && parallel.boolean("sp") && p.tensor > 1;
  if (p.virtual_stages > 1) p.schedule = PipelineSchedule::interleaved;
  p.recompute = read_recompute(row.object("recompute"));
  p.precision = row.choice(
      "precision", std::span<const std::pair<std::string_view, PrecisionRecipe>>(kPrecisions));
  p.sequence = row.integer("seq_len", 1, kMost);
  p.micro_batch = row.integer("micro_batch", 1, kMost);
  p.global_batch = row.integer("global_batch", 1, kMost);
  // Interleaving goes through the micro-batches in rounds of as many as there are stages.
  const std::int64_t round = p.data * p.micro_batch * (p.virtual_stages > 1 ? p.pipeline : 1);
  if (round > 0 && p.global_batch % round != 0) {
    const auto rounds = std::max<std::int64_t>(
        1, std::llround(static_cast<double>(p.global_batch) / static_cast<double>(round)));
    s.assumptions.push_back(
        fmt::format("global batch {} is no whole number of micro-batches{}: {} sequences are taken",
                    p.global_batch, p.virtual_stages > 1 ? " of every stage" : "", rounds * round));
    p.global_batch = rounds * round;
  }
}

/// Embedding and loss count as layers where only that makes the stages equal.
void choose_slots(Scenario& s) {
  Plan& p = s.plan;
  const std::int64_t chunks = p.pipeline * p.virtual_stages;
  if (chunks <= 1 || s.model.layers % chunks == 0 || !p.layers_of_chunks.empty()) return;
  if (s.framework.layer_division == LayerDivision::by_cost) return;
  if ((s.model.layers + s.model.multi_token_prediction + 2) % chunks == 0) {
    p.embedding_takes_slot = p.loss_takes_slot = true;
    s.assumptions.push_back(
        fmt::format("{} layers with embedding and loss as one each make {} equal chunks",
                    s.model.layers, chunks));
  } else if ((s.model.layers + 1) % chunks == 0) {
    p.loss_takes_slot = true;
    s.assumptions.push_back(
        fmt::format("{} layers with the loss as one make {} equal chunks", s.model.layers, chunks));
  } else {
    s.assumptions.push_back(
        fmt::format("{} layers in {} chunks: some hold one more", s.model.layers, chunks));
  }
}

std::optional<Bytes> gibibytes(Reader& r, std::string_view key) {
  if (!r.has(key)) return std::nullopt;
  return r.number(key, 0, 1e6) * 1.0_GiB;
}

Measured read_measured(Reader r) {
  Measured m;
  if (r.has("step_time_s")) m.step_time = Seconds(r.number("step_time_s", 1e-9, 1e9));
  m.memory = gibibytes(r, "memory_gib");
  m.after_step = gibibytes(r, "memory_after_step_gib");
  m.reserved = gibibytes(r, "memory_reserved_gib");
  m.out_of_memory = r.has("out_of_memory") && r.boolean("out_of_memory");
  return m;
}

std::string text_or_empty(Reader& r, std::string_view key) {
  return r.has(key) ? r.text(key) : std::string{};
}

std::string one_line(const Problems& problems) {
  std::vector<std::string> parts;
  for (const Problem& p : problems.list()) parts.push_back(fmt::format("{}: {}", p.where, p.what));
  return fmt::format("{}", fmt::join(parts, "; "));
}

}  // namespace

const hw::Accelerator* PublishedRowReader::accelerator(const std::string& name, Reader& at) {
  const auto found = accelerators_.find(name);
  if (found != accelerators_.end()) return &found->second;
  const std::vector<std::string> names = hw::accelerator_names();
  if (std::find(names.begin(), names.end(), name) == names.end()) {
    const std::string near = nearest(name, {names.begin(), names.end()});
    at.problem("accelerator",
               fmt::format("\"{}\" has no profile{}", name,
                           near.empty() ? "" : fmt::format(": did you mean {}?", near)));
    return nullptr;
  }
  return &accelerators_.emplace(name, hw::load_accelerator(name)).first->second;
}

const hw::Network& PublishedRowReader::network(const std::string& name) {
  const auto found = networks_.find(name);
  if (found != networks_.end()) return found->second;
  return networks_.emplace(name, hw::load_network(name)).first->second;
}

const Framework& PublishedRowReader::framework(const std::string& name) {
  const auto found = frameworks_.find(name);
  if (found != frameworks_.end()) return found->second;
  return frameworks_.emplace(name, load_framework(name)).first->second;
}

void PublishedRowReader::read_machine(Reader& row, PublishedRow& out) {
  Scenario& s = out.scenario;
  Reader cluster = row.object("cluster");
  RunIdentity run;
  run.framework = row.text("framework");
  run.source = text_or_empty(row, "source");
  run.accelerator = cluster.text("accelerator");
  if (const hw::Accelerator* found = accelerator(run.accelerator, cluster)) s.accelerator = *found;
  s.accelerators = cluster.integer("accelerators", 1, kMost);
  if (const PublishedRule* cap = rules_.power_cap(run); cap != nullptr) {
    cap_power(s, *cap->power_cap, cap->source);
    s.assumptions.push_back(
        fmt::format("power cap {:.0f} W: {}", cap->power_cap->base(), cap->source));
  }
  const std::int64_t per_node = cluster.integer("per_node", 1, 1 << 20);
  const std::int64_t domain = cluster.integer("nvlink_domain", 1, 1 << 20);
  if (cluster.has("network_gbps_per_accelerator")) {
    run.network_gbps = cluster.number("network_gbps_per_accelerator", 1e-3, 1e6);
  }
  const PublishedRule* rule = rules_.network(run);
  if (cluster.has("network")) {
    s.network = hw::load_network(cluster.text("network"));
  } else if (rule != nullptr && network(rule->network).domain == domain &&
             network(rule->network).per_node == per_node) {
    s.network = network(rule->network);
    s.assumptions.push_back(fmt::format("network {}: {}", rule->network, rule->source));
  } else if (!s.accelerator.name.empty() && per_node > 0 && domain > 0) {
    // One for all rows with these numbers: building it reads files.
    const std::string key = fmt::format("{}/{}/{}/{}", hw::scale_up_of(run.accelerator), domain,
                                        per_node, run.network_gbps);
    const auto found = networks_.find(key);
    s.network = found != networks_.end()
                    ? found->second
                    : networks_
                          .emplace(key, hw::make_network(run.accelerator, domain, per_node,
                                                         run.network_gbps * 1.0_Gbps))
                          .first->second;
    if (s.accelerators > domain) s.assumptions.push_back("a network of the generic kind");
  }
  if (const PublishedRule* exchange = rules_.context_exchange(run); exchange != nullptr) {
    s.plan.context_exchange = *exchange->context_exchange;
  }
  const PublishedRule* preset = rules_.preset(run);
  const std::vector<std::string> names = framework_names();
  if (preset != nullptr) {
    s.framework = framework(preset->preset);
  } else if (std::find(names.begin(), names.end(), run.framework) != names.end()) {
    s.framework = framework(run.framework);
  } else {
    s.framework = framework("generic");
    s.assumptions.push_back(
        fmt::format("framework \"{}\" is not known: the generic preset", run.framework));
  }
}

std::variant<PublishedRow, RefusedRow> PublishedRowReader::read(std::string_view json_line) {
  Problems problems;
  const JsonDocument document = JsonDocument::parse(json_line, problems);
  Reader row = document.root(problems);
  PublishedRow out;
  Scenario& s = out.scenario;
  out.id = row.text("id");
  out.group = row.text("group");
  out.family = text_or_empty(row, "family");
  out.split = text_or_empty(row, "split");
  out.not_scored = text_or_empty(row, "not_scored");
  s.name = out.id;
  s.hash = hash_text(json_line);
  out.measured = read_measured(row.object("measured"));
  s.published.step_time = out.measured.step_time;
  s.published.memory = out.measured.memory;
  s.published.source = text_or_empty(row, "source");
  const std::int64_t sequence = row.has("seq_len") ? row.integer("seq_len", 1, kMost) : 0;
  Reader model = row.object("model");
  if (model.has("kind") && model.has("name") &&
      !models_.knows(model.text("kind"), model.text("name"))) {
    return RefusedRow{
        out.id, out.group,
        fmt::format("a {} model, and the zoo has no {}", model.text("kind"), model.text("name")),
        true, out.measured};
  }
  s.model = models_.read(model, sequence);
  const std::vector<std::string> apart = models::modalities_of(s.model);
  for (const std::string& name : apart) {
    s.modality_shares.push_back({name, 1.0 / static_cast<double>(apart.size())});
  }
  if (!apart.empty()) s.assumptions.emplace_back("as many tokens of each modality");
  for (const auto& [field, evidence] : s.model.evidence) {
    if (evidence == Evidence::assumed) {
      s.assumptions.push_back(fmt::format("model {}: {}", field, s.model.source[field]));
    }
  }
  read_machine(row, out);
  read_plan(row, s);
  apply_published_software(row, s);
  choose_slots(s);
  if (problems.empty()) check_scenario(s, problems);
  if (!problems.empty())
    return RefusedRow{out.id, out.group, one_line(problems), false, out.measured};
  return out;
}

}  // namespace forerun::sim
