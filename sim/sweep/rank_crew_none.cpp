// Without MPI there is one process.

#include <fmt/format.h>

#include "core/error.h"
#include "sim/sweep/rank_crew.h"

namespace forerun::sim {

struct Ranks::Parts {};

std::string mpi_library() { return {}; }

Ranks::Ranks() {
  throw Error(ExitCode::wrong,
              fmt::format("started as one of {} processes, but this forerun was built without MPI",
                          job_ranks()),
              "build it where CMake finds MPI (libopenmpi-dev), or start it once with --threads");
}
Ranks::~Ranks() = default;
int Ranks::rank() const { return 0; }
int Ranks::count() const { return 1; }
bool Ranks::first_says(bool mine) const { return mine; }
bool Ranks::all_say(bool mine) const { return mine; }
bool Ranks::all_have(std::uint64_t) const { return true; }
std::unique_ptr<Crew> Ranks::crew(std::vector<std::int64_t>) { return nullptr; }
bool Ranks::serve(PointAnswerer&, int, const std::function<bool()>&) { return true; }

}  // namespace forerun::sim
