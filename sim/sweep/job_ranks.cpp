#include <algorithm>
#include <cstdlib>

#include "sim/sweep/rank_crew.h"

namespace forerun::sim {
namespace {

int number_of(const char* variable) {
  const char* text = std::getenv(variable);
  return text == nullptr ? 0 : std::atoi(text);
}

}  // namespace

int job_ranks() {
  int ranks = std::max({1, number_of("OMPI_COMM_WORLD_SIZE"), number_of("PMI_SIZE")});
  // srun with PMIx says only who one is; the size is Slurm's.
  if (std::getenv("PMIX_RANK") != nullptr) {
    ranks = std::max(ranks, number_of("SLURM_STEP_NUM_TASKS"));
  }
  return ranks;
}

}  // namespace forerun::sim
