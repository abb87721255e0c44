#pragma once

/// The answers of a sweep in one SQLite file, so that a killed sweep goes on where it was.
///
/// While the sweep runs the file is in WAL mode with synchronous = FULL: a transaction is in the
/// log, and the log on the disk, before add() returns, so neither a kill nor a power cut takes a
/// stored point (NORMAL would keep kills harmless, but lose the last points to a power cut; against
/// the milliseconds of a point's simulation the sync costs little, and one covers all points that
/// finished meanwhile). Other programs may read meanwhile.
///
/// finish() writes the rows again in the order of points into a new file that replaces the old one:
/// a sweep's finished store is the same byte for byte (with one version of SQLite) however often it
/// was killed and whatever threads or ranks finished first. No time of day is in it.
///
/// Answers are of a forerun and of the data that came with it (shipped_data.h): a store of others
/// is refused. A link is followed, so that the file that it names is replaced and the link stays.
///
/// One sweep has one writer: a second one is refused (flock). The folder must be on a local disk,
/// as WAL needs shared memory.

#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <utility>
#include <vector>

#include "sim/sweep/database.h"
#include "sim/sweep/point.h"
#include "sim/sweep/sweep.h"

namespace forerun::sim {

enum class StoreMode : std::uint8_t {
  fresh,  ///< a file that exists is refused
  resume  ///< a file that exists is gone on with
};

class SweepStore {
 public:
  /// `version`: of forerun, whose answers are in the store. Throws Error if the file is of another
  /// sweep, version or kind, is written by another sweep at the moment, or can't be.
  SweepStore(std::string path, const Sweep&, std::string version, StoreMode);
  ~SweepStore();
  SweepStore(const SweepStore&) = delete;
  SweepStore& operator=(const SweepStore&) = delete;

  /// As it was asked for.
  [[nodiscard]] const std::string& path() const { return asked_; }
  [[nodiscard]] bool has(std::int64_t point) const { return has_[static_cast<std::size_t>(point)]; }
  [[nodiscard]] std::int64_t count() const { return count_; }
  [[nodiscard]] bool finished() const { return finished_; }
  /// In one transaction; on disk when it returns. If it throws, none of them is stored.
  void add(std::span<const PointResult>);
  /// Puts the file in its final form. Asserts that every point is stored.
  void finish();

 private:
  class Lock;
  void create();
  void open_existing();
  void check_identity(const Database&) const;
  void read_contents();
  std::int64_t metric_id(const Metric&);
  void write_views();
  void write_final(const std::string& aside);
  [[nodiscard]] std::string aside() const { return path_ + "-finishing"; }

  std::string asked_;
  std::string path_;  // absolute, without links: SQLite has names (:memory:) that are no files
  const Sweep& sweep_;
  std::string version_;
  std::unique_ptr<Lock> lock_;  // outlives the connection: see there
  std::unique_ptr<Database> database_;
  std::vector<bool> has_;
  std::int64_t count_ = 0;
  bool finished_ = false;
  std::vector<std::string> metrics_;  // by id - 1
  std::map<std::string, std::int64_t> metric_ids_;
  bool new_metrics_ = false;
};

/// A point as it is stored.
struct StoredPoint {
  std::int64_t point = 0;
  std::string design;
  std::int64_t seed = 0;
  std::string settings;  ///< JSON
  std::string status, cause, reason;
  std::vector<std::optional<double>> values;  ///< by metric
};
struct StoredMetric {
  std::string name, unit;
};
/// Reads a store, finished or not.
class StoredSweep {
 public:
  explicit StoredSweep(const std::string& path);
  [[nodiscard]] const std::vector<StoredMetric>& metrics() const { return metrics_; }
  /// All points in their order.
  void each(const std::function<void(const StoredPoint&)>&) const;

 private:
  std::string path_;
  Database database_;
  std::vector<StoredMetric> metrics_;
};

}  // namespace forerun::sim
