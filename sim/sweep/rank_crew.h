#pragma once

/// Points answered by the other processes of an MPI job: `mpirun -n K forerun sweep ...`.
///
/// Rank 0 hands out points and alone writes the store; the others answer them, each with its own
/// threads, and ask for more as they finish, so that a slow machine does less. Rank 0 sleeps while
/// nothing comes. If a process dies Open MPI ends the job; what rank 0 had stored stays.
///
/// MPI is optional where forerun is built; without it these functions say so.

#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "sim/sweep/crew.h"

namespace forerun::sim {

/// How many processes the job has that this one was started in, from the variables that launchers
/// set (Open MPI's mpirun, PMI of MPICH and Slurm): MPI itself is not started for that.
[[nodiscard]] int job_ranks();
/// Whether this forerun was built with MPI, and with which ("Open MPI 4.1.4"); empty: without.
[[nodiscard]] std::string mpi_library();

/// MPI, from its start to its end. Throws Error if forerun was built without.
class Ranks {
 public:
  Ranks();
  ~Ranks();
  Ranks(const Ranks&) = delete;
  Ranks& operator=(const Ranks&) = delete;
  [[nodiscard]] int rank() const;
  [[nodiscard]] int count() const;
  // Each to be called by all ranks together.
  /// What rank 0 says.
  [[nodiscard]] bool first_says(bool mine) const;
  /// Whether all say true.
  [[nodiscard]] bool all_say(bool mine) const;
  /// Whether all say the same.
  [[nodiscard]] bool all_have(std::uint64_t mine) const;

  /// Rank 0's: the points are answered by the others.
  [[nodiscard]] std::unique_ptr<Crew> crew(std::vector<std::int64_t> points);
  /// The others': answers what rank 0 hands out until it hands out no more, or `stopped` says so.
  /// What goes wrong is told to rank 0, whose crew throws it; false then.
  [[nodiscard]] bool serve(PointAnswerer&, int threads, const std::function<bool()>& stopped);

 private:
  struct Parts;
  std::unique_ptr<Parts> parts_;
};

}  // namespace forerun::sim
