#include "sim/scenario.h"

#include <fmt/format.h>

#include <algorithm>
#include <limits>

#include "core/error.h"
#include "sim/layers_by_time.h"
#include "sim/plan_json.h"
#include "sim/scenario_modalities.h"
#include "sim/scenario_network.h"
#include "sim/scenario_profiles.h"

namespace forerun::sim {
namespace {

constexpr std::int64_t kMostAccelerators = 1 << 24;

/// Of a scenario or of a pool.
template <class Priced>
void read_price(Reader at, Priced& of) {
  of.price = at.dollar_rate("accelerator_hour");
  of.price_source = at.text("source");
  at.finish();
}

/// Machines that are rented have a price by the hour, wherever it was said.
void read_cost(Reader& top, Scenario& s) {
  Reader cost = top.object("cost");
  s.cost = read_cost_section(cost);
  if (!s.cost.rent) return;
  if (s.price) top.problem("price", "given, and so is the cost's rent");
  s.price = s.cost.rent->accelerator_hour.value;
  const std::string& source = s.cost.rent->accelerator_hour.origin.source;
  s.price_source = source.empty() ? "assumed by the scenario" : source;
}

/// {"first_stage": 4, "accelerator": "a100-sxm-80gb", "network": {"name": "dgx-a100"}}
void read_pool(Reader& at, Scenario& s) {
  Pool& pool = s.pools.emplace_back();
  pool.first_stage = at.integer("first_stage", 1, kMostAccelerators);
  auto accelerator = read_accelerator_choice(at, "accelerator", pool.files);
  if (accelerator) pool.accelerator = *std::move(accelerator);
  pool.network = read_analytic_network(at.object("network"), pool.accelerator.name, pool.files);
  if (at.has("price")) read_price(at.object("price"), pool);
  at.finish();
}

void read_cluster(Reader at, Scenario& s) {
  auto accelerator = read_accelerator_choice(at, "accelerator", s.profile_files);
  const bool found = accelerator.has_value();
  if (found) s.accelerator = *std::move(accelerator);
  s.accelerators = at.integer("accelerators", 1, kMostAccelerators);
  read_network_choice(at.object("network"), s.accelerator.name, s);
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
  std::vector<Reader> pools;
  if (at.has("pools")) pools = at.objects("pools");
  for (Reader& pool : pools) read_pool(pool, s);
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
  if (at.has("accelerator_hours")) {
    p.accelerator_hours = at.number("accelerator_hours", 1, 1e12);
  }
  p.source = at.text("source");
  at.finish();
}

}  // namespace

void cap_power(Scenario& s, Watts cap, std::string source) {
  if (!s.power_cap) s.board_cap = s.accelerator.power.cap;
  s.power_cap = cap;
  s.accelerator.power.cap = cap;
  s.accelerator.evidence["power.cap"] = Evidence::derived;
  s.accelerator.source["power.cap"] = std::move(source);
}

double tokens_per_step(const Scenario& s) {
  return static_cast<double>(s.plan.global_batch) * static_cast<double>(s.plan.sequence);
}

std::size_t pool_of(const Scenario& s, std::int64_t stage) {
  std::size_t pool = 0;
  while (pool < s.pools.size() && s.pools[pool].first_stage <= stage) ++pool;
  return pool;
}

const hw::Accelerator& accelerator_of(const Scenario& s, std::int64_t stage) {
  const std::size_t pool = pool_of(s, stage);
  return pool == 0 ? s.accelerator : s.pools[pool - 1].accelerator;
}

std::int64_t stages_of_pool(const Scenario& s, std::size_t pool) {
  const std::int64_t first = pool == 0 ? 0 : s.pools[pool - 1].first_stage;
  return (pool < s.pools.size() ? s.pools[pool].first_stage : s.plan.pipeline) - first;
}

Scenario all_on_pool(const Scenario& s, std::size_t pool) {
  Scenario all = s;
  all.pools.clear();
  if (pool == 0) return all;
  all.accelerator = s.pools[pool - 1].accelerator;
  all.network = s.pools[pool - 1].network;
  return all;
}

std::optional<Scenario> read_unplanned_scenario(const JsonDocument& document, Problems& problems) {
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
  read_modalities(top, s);
  if (top.has("expert_loads")) {
    Reader loads = top.object("expert_loads");
    s.expert_loads = read_expert_loads(loads);
  }
  Reader framework = top.object("framework");
  s.framework = read_framework_choice(framework);
  if (top.has("training_tokens")) {
    s.training_tokens = top.number("training_tokens", 1.0, kMostTokens);
  }
  if (top.has("recipe")) {
    Reader recipe = top.object("recipe");
    s.recipe = models::read_recipe(recipe);
  }
  if (top.has("loss")) {
    Reader loss = top.object("loss");
    s.loss = read_loss_section(loss);
  }
  if (top.has("operations")) {
    Reader operations = top.object("operations");
    s.operations = read_operations(operations);
  }
  if (top.has("price")) read_price(top.object("price"), s);
  if (top.has("cost")) read_cost(top, s);
  if (top.has("published")) read_published(top.object("published"), s.published);
  if (top.has("seed")) {
    s.seed = static_cast<std::uint64_t>(
        top.integer("seed", 0, std::numeric_limits<std::int64_t>::max()));
  }
  top.finish();
  if (!problems.empty()) return std::nullopt;
  return s;
}

std::optional<Scenario> read_scenario(const JsonDocument& document, Problems& problems) {
  std::optional<Scenario> read = read_unplanned_scenario(document, problems);
  // Rules across fields would only repeat what is wrong with the fields themselves.
  if (!read) return std::nullopt;
  Scenario& s = *read;
  check_scenario(s, problems);
  if (!problems.empty()) return std::nullopt;
  if (s.plan.layers_by_time) s.plan.layers_of_chunks = layers_by_time(s);
  assume_recorded(s);
  if (s.plan.activation_offload_layers > 0) {
    s.assumptions.emplace_back(
        "copies of offloaded activations run beside the passes and take no time");
  }
  return read;
}

}  // namespace forerun::sim
