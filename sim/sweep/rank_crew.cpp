#include "sim/sweep/rank_crew.h"

// The C++ bindings, which mpi.h would include, left the standard long ago.
#define OMPI_SKIP_MPICXX 1
#define MPICH_SKIP_MPICXX 1
#include <fmt/format.h>
#include <mpi.h>

#include <algorithm>
#include <array>
#include <chrono>
#include <cstring>
#include <exception>
#include <iterator>
#include <thread>
#include <utility>

#include "core/error.h"
#include "sim/sweep/thread_crew.h"

namespace forerun::sim {
namespace {

using Clock = std::chrono::steady_clock;

constexpr int kToFirst = 1, kFromFirst = 2;  // tags
constexpr auto kMoment = std::chrono::milliseconds(50);
/// Between looks for messages: MPI's own waiting would keep a core busy.
constexpr auto kNap = std::chrono::microseconds(300);
/// Points in one message: such small ones are sent without waiting for their receiver, so that
/// two who send to each other never wait for each other.
constexpr std::int64_t kMostShare = 256;
/// A worker holds as many points as it answers in this time, so that asking costs little.
constexpr double kAhead = 0.1;

/// A worker's message: how many points it wants, whether it leaves, what went wrong, its results.
struct Report {
  std::int32_t wanted = 0;
  bool leaves = false;
  std::string error;
  std::vector<PointResult> results;
};

void add_text(std::string& out, std::string_view text) {
  const std::uint64_t size = text.size();
  std::array<char, sizeof size> bytes{};
  std::memcpy(bytes.data(), &size, sizeof size);
  out.append(bytes.data(), bytes.size());
  out += text;
}

std::string_view take_text(std::string_view& from) {
  std::uint64_t size = 0;
  FORERUN_ASSERT(from.size() >= sizeof size, "a message that was cut off");
  std::memcpy(&size, from.data(), sizeof size);
  from.remove_prefix(sizeof size);
  FORERUN_ASSERT(from.size() >= size, "a message that was cut off");
  const std::string_view text = from.substr(0, size);
  from.remove_prefix(size);
  return text;
}

void send(const Report& r) {
  std::string bytes;
  add_text(bytes, std::to_string(r.wanted));
  add_text(bytes, r.leaves ? "leaves" : "");
  add_text(bytes, r.error);
  for (const PointResult& result : r.results) add_text(bytes, packed(result));
  MPI_Send(bytes.data(), static_cast<int>(bytes.size()), MPI_BYTE, 0, kToFirst, MPI_COMM_WORLD);
}

/// A report that lies ready, and whose it is.
bool receive(Report& r, int& from) {
  int ready = 0;
  MPI_Status status;
  MPI_Iprobe(MPI_ANY_SOURCE, kToFirst, MPI_COMM_WORLD, &ready, &status);
  if (ready == 0) return false;
  int size = 0;
  MPI_Get_count(&status, MPI_BYTE, &size);
  std::string bytes(static_cast<std::size_t>(size), '\0');
  from = status.MPI_SOURCE;
  MPI_Recv(bytes.data(), size, MPI_BYTE, from, kToFirst, MPI_COMM_WORLD, MPI_STATUS_IGNORE);
  std::string_view rest = bytes;
  r = {};
  r.wanted = std::atoi(std::string(take_text(rest)).c_str());
  r.leaves = !take_text(rest).empty();
  r.error = take_text(rest);
  while (!rest.empty()) r.results.push_back(unpacked(take_text(rest)));
  return true;
}

/// Rank 0's side.
class RankCrew : public Crew {
 public:
  RankCrew(std::vector<std::int64_t> points, int workers)
      : points_(std::move(points)), workers_(workers) {}
  ~RankCrew() override {
    stop();
    while (!done()) (void)gather();  // they finish what they have, and leave
  }
  RankCrew(const RankCrew&) = delete;
  RankCrew& operator=(const RankCrew&) = delete;

  std::vector<PointResult> take() override {
    std::vector<PointResult> out = gather();
    if (!error_.empty()) {
      throw Error(ExitCode::wrong, std::exchange(error_, {}), "what was stored stays stored");
    }
    return out;
  }
  void stop() override { next_ = points_.size(); }
  [[nodiscard]] bool done() const override { return left_ == workers_; }

 private:
  std::vector<PointResult> gather() {
    std::vector<PointResult> out;
    const Clock::time_point until = Clock::now() + kMoment;
    while (!done()) {
      Report report;
      int from = 0;
      if (receive(report, from)) {
        std::ranges::move(report.results, std::back_inserter(out));
        if (error_.empty()) error_ = std::move(report.error);
        if (!error_.empty()) stop();
        if (report.wanted > 0) share(from, report.wanted);
        if (report.leaves) ++left_;
        continue;
      }
      if (!out.empty() || Clock::now() >= until) break;
      std::this_thread::sleep_for(kNap);
    }
    return out;
  }
  /// The next points; none: there are no more.
  void share(int to, std::int32_t wanted) {
    const auto count = std::min(points_.size() - next_, static_cast<std::size_t>(wanted));
    MPI_Send(points_.data() + next_, static_cast<int>(count), MPI_INT64_T, to, kFromFirst,
             MPI_COMM_WORLD);
    next_ += count;
  }

  std::vector<std::int64_t> points_;
  std::size_t next_ = 0;
  int workers_, left_ = 0;
  std::string error_;
};

/// The others' side.
class Worker {
 public:
  Worker(PointAnswerer& answerer, int threads) : crew_(answerer, threads), threads_(threads) {}

  bool work(const std::function<bool()>& stopped) {
    while (more_ || asked_ || crew_.pending() > 0) {
      if (stopped() && more_) give_up();
      Report report = finished();
      if (more_ && !asked_ && crew_.pending() <= ahead() / 2) {
        report.wanted = static_cast<std::int32_t>(
            std::clamp<std::int64_t>(ahead() - crew_.pending(), 1, kMostShare));
        asked_ = true;
      }
      if (!report.results.empty() || !report.error.empty() || report.wanted > 0) send(report);
      if (asked_ && !hear() && crew_.pending() == 0) std::this_thread::sleep_for(kNap);
    }
    Report last;
    last.leaves = true;
    send(last);
    return well_;
  }

 private:
  void give_up() {
    more_ = false;
    crew_.stop();
  }
  Report finished() {
    Report report;
    if (crew_.pending() == 0) return report;
    try {
      report.results = crew_.take();
      answered_ += std::ssize(report.results);
    } catch (const std::exception& e) {
      report.error = e.what();
      well_ = false;
      give_up();
    }
    return report;
  }
  /// How many points to hold.
  [[nodiscard]] std::int64_t ahead() const {
    const double seconds = std::chrono::duration<double>(Clock::now() - begin_).count();
    const double fast = static_cast<double>(answered_) / std::max(seconds, 0.01) * kAhead;
    return std::clamp(static_cast<std::int64_t>(fast), std::int64_t{2} * threads_,
                      std::max(kMostShare, std::int64_t{2} * threads_));
  }
  bool hear() {
    int ready = 0;
    MPI_Status status;
    MPI_Iprobe(0, kFromFirst, MPI_COMM_WORLD, &ready, &status);
    if (ready == 0) return false;
    int count = 0;
    MPI_Get_count(&status, MPI_INT64_T, &count);
    std::vector<std::int64_t> points(static_cast<std::size_t>(count));
    MPI_Recv(points.data(), count, MPI_INT64_T, 0, kFromFirst, MPI_COMM_WORLD, MPI_STATUS_IGNORE);
    asked_ = false;
    if (points.empty()) more_ = false;
    if (more_) crew_.give(points);  // of a worker that gave up they are left for another time
    return true;
  }

  ThreadCrew crew_;
  int threads_;
  bool more_ = true, asked_ = false, well_ = true;
  std::int64_t answered_ = 0;
  Clock::time_point begin_ = Clock::now();
};

}  // namespace

struct Ranks::Parts {
  int rank = 0, count = 1;
};

std::string mpi_library() {
  std::array<char, MPI_MAX_LIBRARY_VERSION_STRING> text{};
  int length = 0;
  MPI_Get_library_version(text.data(), &length);
  const std::string all(text.data(), static_cast<std::size_t>(std::max(0, length)));
  return all.substr(0, all.find_first_of(",\n"));
}

Ranks::Ranks() : parts_(std::make_unique<Parts>()) {
  int given = 0;
  MPI_Init_thread(nullptr, nullptr, MPI_THREAD_FUNNELED, &given);
  if (given < MPI_THREAD_FUNNELED) {
    MPI_Finalize();
    throw Error(ExitCode::wrong, "this MPI allows no threads beside the one that sends");
  }
  MPI_Comm_rank(MPI_COMM_WORLD, &parts_->rank);
  MPI_Comm_size(MPI_COMM_WORLD, &parts_->count);
}

Ranks::~Ranks() {
  if (parts_) MPI_Finalize();
}

int Ranks::rank() const { return parts_->rank; }
int Ranks::count() const { return parts_->count; }

bool Ranks::first_says(bool mine) const {
  int says = mine ? 1 : 0;
  MPI_Bcast(&says, 1, MPI_INT, 0, MPI_COMM_WORLD);
  return says != 0;
}

bool Ranks::all_say(bool mine) const {
  const int says = mine ? 1 : 0;
  int all = 0;
  MPI_Allreduce(&says, &all, 1, MPI_INT, MPI_MIN, MPI_COMM_WORLD);
  return all != 0;
}

bool Ranks::all_have(std::uint64_t mine) const {
  std::uint64_t first = mine;
  MPI_Bcast(&first, 1, MPI_UINT64_T, 0, MPI_COMM_WORLD);
  return all_say(first == mine);
}

std::unique_ptr<Crew> Ranks::crew(std::vector<std::int64_t> points) {
  return std::make_unique<RankCrew>(std::move(points), parts_->count - 1);
}

bool Ranks::serve(PointAnswerer& answerer, int threads, const std::function<bool()>& stopped) {
  return Worker(answerer, threads).work(stopped);
}

}  // namespace forerun::sim
