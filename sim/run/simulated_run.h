#pragma once

/// A run while it is simulated: the state that the events of sim/run/run_events.h move. For the
/// .cpp files of this folder only: run_events.cpp has what happens when, run_computing.cpp steps
/// and checkpoints, run_interruptions.cpp what stops the job and how it comes back.

#include <array>
#include <cstdint>
#include <string>
#include <vector>

#include "sim/engine.h"
#include "sim/engine.inl"
#include "sim/run/arrivals.h"
#include "sim/run/node_pool.h"
#include "sim/run/run_events.h"
#include "sim/run/run_ticks.h"
#include "sim/run/saved_states.h"
#include "sim/run/segment.h"

namespace forerun::sim {

enum class RunEventKind : std::uint8_t {
  boundary,  // the segment of steps has ended
  activity,  // checkpoint, evaluation, stall, detection, restart or maintenance has ended
  written,   // a checkpoint behind the training counts now
  failure,
  noticed,  // silent corruption
  slow_begin,
  slow_end,
  give_up,  // the longest time that is simulated is over
  node_back,
  maintenance,
  stall
};

struct RunEvent {
  RunEventKind kind;
  std::int32_t index = 0;        // of a cause, a tier, a slow kind
  std::uint32_t generation = 0;  // of the activity or write that it ends
};

enum class RunState : std::uint8_t {
  computing,
  saving,
  evaluating,
  stalled,
  dead,
  restarting,
  waiting,
  maintaining,
  done
};

/// What a save is made for.
enum class AfterSave : std::uint8_t { training, stop, maintenance, exchange, growth };

inline bool is_up(RunState s) {
  using enum RunState;
  return s == computing || s == saving || s == evaluating || s == stalled;
}

class SimulatedRun {
 public:
  SimulatedRun(const RunSetup& setup, std::uint64_t seed, std::uint64_t draw,
               std::vector<RunMoment>* moments);
  RunDraw simulate();

 private:
  struct Slow {
    std::int32_t kind = 0;
    double factor = 1;
    std::uint32_t id = 0;
  };

  void handle(const RunEvent&);
  void begin_arrivals();
  void next_failure(std::int32_t cause);
  void next_slow(std::int32_t kind);
  void next_stall();

  void close();  // accounts for the activity that runs
  void close_segment(std::int64_t elapsed);
  void plan_segment();
  void enter(RunState, double lasts);
  void enter(RunState);
  void compute();  // plans the next segment, or what is due at its beginning
  bool at_boundary();
  [[nodiscard]] Pace pace() const;
  [[nodiscard]] const RunPhase& phase() const { return s_.phases[phase_]; }
  [[nodiscard]] double target() const;

  void begin_save(std::int32_t tier);
  void end_save();
  void begin_writing(std::size_t tier, const Saved&, double lasts);
  void restore(double not_after, Survives at_least);
  void on_failure(std::int32_t cause);
  void interrupt(std::int32_t cause, double not_after, bool silent);
  void come_back();
  void lose_nodes(std::int64_t);
  void on_node_back();
  [[nodiscard]] double shrunk() const;
  [[nodiscard]] std::size_t quickest_tier() const;
  [[nodiscard]] bool short_of_nodes() const;
  void roll_back();
  void on_noticed(const RunEvent&);
  void save_then(AfterSave, std::int32_t cause = -1);
  void after_save();
  void give_up();
  void finish();
  void schedule(double seconds, const RunEvent& e) {
    engine_.at(Tick{now() + run_ticks(seconds)}, Phase::finish, e);
  }
  [[nodiscard]] std::int64_t now() const { return count(engine_.now()); }
  [[nodiscard]] Saved here() const { return {step_, counted_}; }
  [[nodiscard]] const TierTimes* saves_on_the_way() const;

  const RunSetup& s_;
  std::uint64_t seed_;
  std::string name_;
  std::vector<RunMoment>* moments_;
  Engine<RunEvent> engine_;
  std::vector<Arrivals> causes_, slow_kinds_;
  Draws steps_, times_, repairs_, stalls_;
  const std::vector<Rollback>* rollbacks_ = nullptr;

  RunDraw out_;
  std::array<std::int64_t, kTimeUses> use_{};
  RunState state_ = RunState::restarting;
  std::int64_t began_ = 0;        // the activity
  std::uint32_t generation_ = 0;  // of the activity
  std::int32_t reason_ = -1;      // cause of the interruption that is being mended
  double error_ = 1;              // of the step's time
  double straggles_ = 1;          // the whole run, by so much

  double step_ = 0;
  Counted counted_;
  std::size_t phase_ = 0;
  Segment segment_;          // that is being computed, or was last
  std::int32_t saves_ = -1;  // the one tier in storage, whose checkpoints may be on a segment's way

  SavedStates states_;
  std::vector<double> due_;  // step of a tier's next checkpoint
  std::int32_t saving_ = -1;
  double load_ = 0;  // seconds, of the checkpoint to start from
  double evaluate_at_ = 0;
  std::size_t rollback_ = 0;
  struct Corruption {
    std::uint32_t id = 0;
    double step = 0;
  };
  std::vector<Corruption> corrupt_;  // that nobody knows of, and that will be noticed
  std::uint32_t corruptions_ = 0;
  // What follows the save that is being made.
  AfterSave after_ = AfterSave::training;
  std::int32_t after_cause_ = -1;
  std::int64_t without_ = 0;  // nodes that the job runs without
  std::uint64_t events_ = 0;
  NodePool pool_;
  bool maintenance_due_ = false, grows_ = false;
  std::vector<Slow> slow_;
  std::uint32_t slow_ids_ = 0;
};

}  // namespace forerun::sim
