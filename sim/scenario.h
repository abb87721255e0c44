#pragma once

/// A question: which model, on which machine, by which plan, with which framework, for how long.
/// Read from scenarios/*.json (the living specification), or made from a published row.

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "core/problem.h"
#include "core/reader.h"
#include "hw/accelerator.h"
#include "hw/collective.h"
#include "hw/network_job.h"
#include "models/architecture.h"
#include "models/mixture/mixture.h"
#include "models/recipe.h"
#include "sim/expert_loads.h"
#include "sim/framework.h"
#include "sim/plan.h"
#include "sim/scenario_cost.h"
#include "sim/scenario_loss.h"
#include "sim/scenario_operations.h"

namespace forerun::hw {
struct Topology;  // hw/topology.h
}

namespace forerun::sim {

/// What was published about this very run, to print beside the prediction. Never an input.
struct Published {
  std::optional<Seconds> step_time;
  std::optional<Bytes> memory;
  std::optional<double> accelerator_hours;  ///< of the whole run
  std::string source;
};

/// Tokens of a modality over all tokens.
struct ModalityShare {
  std::string modality;
  double share = 0;
  bool operator==(const ModalityShare&) const = default;
};

/// Files of profiles that do not come with forerun; empty where the name of one that does was
/// given.
struct ProfileFiles {
  std::string accelerator, network;
  std::uint64_t hash = 0;  ///< of what is in them, and in a topology's file
};

/// Accelerators of another kind, on machines of their own, that hold the pipeline stages from
/// `first_stage` on.
struct Pool {
  std::int64_t first_stage = 1;
  hw::Accelerator accelerator;
  hw::Network network;
  ProfileFiles files;
  std::optional<DollarRate> price;  ///< of one accelerator
  std::string price_source;
};

struct Scenario {
  std::string name;
  std::string description;
  hw::Accelerator accelerator;
  hw::Network network;
  ProfileFiles profile_files;
  /// The network as a graph on whose links exchanges share (fidelity "flow"); none: each takes what
  /// it takes alone (fidelity "analytic").
  std::shared_ptr<const hw::Topology> topology;
  std::string topology_name;  ///< as the scenario named it
  struct Placement {
    std::int64_t first = 0, every = 1;
  };
  Placement placement;  ///< the model's i-th domain is first + i x every of the graph
  std::vector<hw::NetworkJob> beside;  ///< other jobs' collectives, over and over
  std::int64_t accelerators = 0;
  std::vector<Pool> pools;         ///< by rising first stage; the first stages are not in a pool
  std::optional<Watts> power_cap;  ///< set by the owner, below the board's own; see cap_power
  Watts board_cap{};               ///< the board's own, where the owner set one
  models::Architecture model;
  Plan plan;
  /// Of every micro-batch, for models that tell modalities apart; they sum to 1.
  std::vector<ModalityShare> modality_shares;
  /// What micro-batches are drawn from, or their recording, in place of fixed shares.
  std::optional<models::Mixture> mixture;
  bool mean_compositions = false;  ///< every micro-batch is the mean of those drawn
  ExpertLoads expert_loads;
  Framework framework;
  double training_tokens = 0;  ///< 0: one step only is asked
  models::Recipe recipe = models::default_recipe();
  LossSection loss;
  Operations operations = default_operations();
  std::optional<DollarRate>
      price;  ///< of one accelerator, also where `cost` says that it is rented
  std::string price_source;
  CostSection cost;
  Published published;
  std::vector<std::string> assumptions;  ///< what the asker did not state, for people
  std::uint64_t seed = 1;
  std::uint64_t hash = 0;  ///< of the input text after --set, and of the recording it names
};

/// Of a full batch.
[[nodiscard]] double tokens_per_step(const Scenario&);
/// Which accelerators hold a stage: 0 the scenario's own, i its pool i - 1.
[[nodiscard]] std::size_t pool_of(const Scenario&, std::int64_t stage);
[[nodiscard]] const hw::Accelerator& accelerator_of(const Scenario&, std::int64_t stage);
/// Stages that are in it.
[[nodiscard]] std::int64_t stages_of_pool(const Scenario&, std::size_t pool);
/// The same question with the pool's accelerator and network for all stages.
[[nodiscard]] Scenario all_on_pool(const Scenario&, std::size_t pool);

/// Boards run at no more than `cap`, as their owner set them; `source` says who says so.
void cap_power(Scenario&, Watts cap, std::string source);

/// Reads and checks a scenario whole; every problem is reported. Profiles are loaded by name.
/// `hash` is left to the caller, who has the text.
[[nodiscard]] std::optional<Scenario> read_scenario(const JsonDocument&, Problems&);
/// The same where a search makes the plan: rules across fields are left to the caller, who puts
/// another plan in.
[[nodiscard]] std::optional<Scenario> read_unplanned_scenario(const JsonDocument&, Problems&);
/// Rules across fields, reported at the paths of a scenario file: the plan multiplies to the
/// cluster, tensor parallel divides heads and feed-forward, the global batch divides into
/// micro-batches, virtual stages have layers, the accelerator knows the precision ...
void check_scenario(const Scenario&, Problems&);
/// The text that read_scenario reads back as the same question.
[[nodiscard]] std::string scenario_json(const Scenario&);

}  // namespace forerun::sim
