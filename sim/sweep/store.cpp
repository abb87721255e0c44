#include "sim/sweep/store.h"

#include <fcntl.h>
#include <fmt/format.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <cstdio>
#include <filesystem>
#include <optional>
#include <string_view>
#include <system_error>

#include "core/error.h"
#include "core/evidence.h"
#include "sim/sweep/shipped_data.h"
#include "sim/sweep/store_schema.h"

namespace forerun::sim {
namespace {

namespace fs = std::filesystem;

constexpr std::array kEvidences = {Evidence::measured, Evidence::published, Evidence::fitted,
                                   Evidence::derived, Evidence::assumed};
constexpr std::string_view kHeader("SQLite format 3\0", 16);

[[noreturn]] void refuse(const std::string& message, const std::string& hint = {}) {
  throw Error(ExitCode::wrong, message, hint);
}

std::string system_text(int code) { return std::generic_category().message(code); }

[[noreturn]] void damaged(const std::string& path) {
  refuse(fmt::format("{} is damaged", path), "sqlite3 FILE .recover may save what is in it");
}

/// The file itself, whatever links lead to it.
std::string resolved(const std::string& path) {
  std::error_code error;
  if (fs::is_directory(path, error)) {
    refuse(fmt::format("can't write {}: it is a folder", path), "name a file in it");
  }
  if (fs::is_symlink(path, error) && !fs::exists(path, error)) {
    refuse(fmt::format("can't write {}: it is a link to {}, which does not exist", path,
                       fs::read_symlink(path, error).string()));
  }
  const fs::path out = fs::weakly_canonical(fs::absolute(path, error), error);
  if (path.empty() || error) {
    refuse(fmt::format("can't write {}: {}", path.empty() ? "a file without a name" : path,
                       error ? error.message() : "name one"));
  }
  return out.string();
}

/// A file where the finished store will be written: another's, as none was left by this sweep.
void refuse_stranger(const std::string& aside) {
  std::error_code ignored;
  if (fs::symlink_status(aside, ignored).type() != fs::file_type::not_found) {
    refuse(fmt::format("{} is in the way", aside),
           "a sweep writes its finished store there first; move it, or name another store");
  }
}

void add_meta(Database& d, const Sweep& s, const std::string& version, std::string_view state) {
  Statement insert = d.prepare("INSERT INTO meta VALUES (?, ?)");
  const auto one = [&](std::string_view key, std::string_view value) {
    insert.bind(1, key).bind(2, value).run();
  };
  one("forerun", version);
  one("data", shipped_data_hash());
  one("sweep_name", s.name);
  one("sweep", s.text);
  one("base", s.base);
  one("base_name", s.base_name);
  one("hash", fmt::format("{:016x}", s.hash));
  one("seed", fmt::format("{}", s.seed));
  one("points", fmt::format("{}", s.points()));
  one("state", state);
  Statement axis = d.prepare("INSERT INTO axes VALUES (?, ?)");
  for (std::size_t i = 0; i < s.paths.size(); ++i) {
    axis.bind(1, static_cast<std::int64_t>(i + 1)).bind(2, s.paths[i]).run();
  }
  Statement evidence = d.prepare("INSERT INTO evidences VALUES (?, ?)");
  for (const Evidence e : kEvidences) {
    evidence.bind(1, static_cast<std::int64_t>(e)).bind(2, name(e)).run();
  }
}

std::string meta(const Database& d, std::string_view key) {
  Statement s = d.prepare("SELECT value FROM meta WHERE key = ?");
  return s.bind(1, key).step() ? s.text(0) : std::string{};
}

void sync_folder(const std::string& path) {
  const std::size_t slash = path.rfind('/');
  const std::string folder = slash == std::string::npos ? "." : path.substr(0, slash + 1);
  const int descriptor = ::open(folder.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC);
  if (descriptor < 0) return;  // a folder that may be written and not read
  ::fsync(descriptor);
  ::close(descriptor);
}

}  // namespace

/// Holds the file open and locked against another sweep. Closing any descriptor of a file drops the
/// locks that SQLite holds on it in this process, so it must be opened before the connection and
/// closed after it.
class SweepStore::Lock {
 public:
  /// `path`: as the file was asked for.
  Lock(const std::string& file, const std::string& path, StoreMode mode) {
    const int flags = O_CLOEXEC | O_NONBLOCK;
    descriptor_ = ::open(file.c_str(), flags | O_RDWR | O_CREAT | O_EXCL, 0666);
    if (descriptor_ < 0 && errno == EEXIST) {
      if (mode == StoreMode::fresh) {
        refuse(fmt::format("{} exists already", path),
               "--resume goes on with a store of this sweep; or name another file");
      }
      descriptor_ = ::open(file.c_str(), flags | O_RDWR);
      if (descriptor_ < 0 && (errno == EACCES || errno == EROFS || errno == EPERM)) {
        why_not_ = errno;
        descriptor_ = ::open(file.c_str(), flags | O_RDONLY);
      }
    }
    if (descriptor_ < 0) refuse(fmt::format("can't write {}: {}", path, system_text(errno)));
    struct stat info{};
    if (::fstat(descriptor_, &info) != 0 || !S_ISREG(info.st_mode)) {
      ::close(descriptor_);
      refuse(fmt::format("can't write {}: not a regular file", path));
    }
    size_ = info.st_size;
    if (::flock(descriptor_, LOCK_EX | LOCK_NB) != 0 && errno == EWOULDBLOCK) {
      ::close(descriptor_);
      refuse(fmt::format("another forerun sweep is writing {}", path));
    }
  }
  ~Lock() { ::close(descriptor_); }
  Lock(const Lock&) = delete;
  Lock& operator=(const Lock&) = delete;

  [[nodiscard]] bool empty() const { return size_ == 0; }
  [[nodiscard]] bool is_database() const {
    std::array<char, 16> head{};
    return ::pread(descriptor_, head.data(), head.size(), 0) == 16 &&
           std::string_view(head.data(), head.size()) == kHeader;
  }
  /// Why it may only be read; nothing if it may be written.
  [[nodiscard]] std::optional<int> why_not() const { return why_not_; }

 private:
  int descriptor_ = -1;
  std::int64_t size_ = 0;
  std::optional<int> why_not_;
};

SweepStore::SweepStore(std::string path, const Sweep& sweep, std::string version, StoreMode mode)
    : asked_(std::move(path)),
      path_(resolved(asked_)),
      sweep_(sweep),
      version_(std::move(version)),
      has_(static_cast<std::size_t>(sweep.points()), false) {
  std::error_code ignored;
  if (!fs::exists(path_, ignored)) refuse_stranger(aside());
  lock_ = std::make_unique<Lock>(path_, asked_, mode);
  if (!lock_->empty()) {
    if (!lock_->is_database()) refuse(fmt::format("{} is no SQLite database", asked_));
    open_existing();
  }
  if (database_ == nullptr) create();
}

SweepStore::~SweepStore() = default;

void SweepStore::open_existing() {
  auto database = std::make_unique<Database>(
      path_, lock_->why_not() ? Database::Access::read : Database::Access::write);
  // Killed before its first transaction: nothing is in it.
  if (database->integer("PRAGMA application_id") == 0 &&
      database->integer("SELECT count(*) FROM sqlite_master") == 0) {
    return;
  }
  check_identity(*database);
  database_ = std::move(database);
  read_contents();
  finished_ = meta(*database_, "state") == "finished";
  if (finished_) return;
  if (lock_->why_not()) {
    refuse(fmt::format("can't write {}: {}", asked_, system_text(*lock_->why_not())));
  }
  ::unlink(aside().c_str());  // of one that was killed while it finished
  database_->run("PRAGMA journal_mode = WAL; PRAGMA synchronous = FULL");
}

void SweepStore::check_identity(const Database& d) const {
  if (d.integer("PRAGMA application_id") != kStoreApplication) {
    refuse(fmt::format("{} is a database, but no store of a sweep", asked_));
  }
  const std::int64_t version = d.integer("PRAGMA user_version");
  if (version != kStoreVersion) {
    refuse(fmt::format("{} is a store of version {}; this forerun writes version {}", asked_,
                       version, kStoreVersion));
  }
  if (const std::string by = meta(d, "forerun"); by != version_) {
    refuse(fmt::format("{} holds answers of forerun {}; this is {}, whose answers may differ",
                       asked_, by, version_),
           "name another file to begin anew");
  }
  if (meta(d, "data") != shipped_data_hash()) {
    refuse(fmt::format("{} holds answers of other profiles, models or laws than come with this "
                       "forerun: they were edited since",
                       asked_),
           "name another file to begin anew");
  }
  const std::string hash = fmt::format("{:016x}", sweep_.hash);
  if (const std::string stored = meta(d, "hash"); stored != hash) {
    refuse(fmt::format("{} is of another sweep: \"{}\" with hash {}, but \"{}\" has {}", asked_,
                       meta(d, "sweep_name"), stored, sweep_.name, hash),
           "the sweep's file, its base or a file that they name has changed; name another file");
  }
}

void SweepStore::read_contents() {
  Statement points = database_->prepare("SELECT point FROM points");
  while (points.step()) {
    const auto point = static_cast<std::size_t>(points.integer(0));  // below 0: beyond all
    if (point >= has_.size()) damaged(asked_);
    has_[point] = true;
    ++count_;
  }
  Statement names = database_->prepare("SELECT metric, name FROM metric_names ORDER BY metric");
  while (names.step()) {
    metrics_.push_back(names.text(1));
    if (names.integer(0) != std::ssize(metrics_)) damaged(asked_);
    metric_ids_[names.text(1)] = names.integer(0);
  }
}

void SweepStore::create() {
  refuse_stranger(aside());
  database_ = std::make_unique<Database>(path_, Database::Access::write);
  database_->run("PRAGMA journal_mode = WAL; PRAGMA synchronous = FULL; BEGIN");
  database_->run(store_tables());
  add_meta(*database_, sweep_, version_, "running");
  write_views();
  database_->run("COMMIT");
}

void SweepStore::write_views() { database_->run(store_views(sweep_.paths, metrics_)); }

std::int64_t SweepStore::metric_id(const Metric& m) {
  const auto found = metric_ids_.find(m.name);
  if (found != metric_ids_.end()) return found->second;
  metrics_.push_back(m.name);
  const std::int64_t id = std::ssize(metrics_);
  metric_ids_[m.name] = id;
  database_->prepare("INSERT INTO metric_names VALUES (?, ?, ?)")
      .bind(1, id)
      .bind(2, m.name)
      .bind(3, m.unit)
      .run();
  new_metrics_ = true;
  return id;
}

void SweepStore::add(std::span<const PointResult> results) {
  FORERUN_ASSERT(!finished_, path_);
  database_->run("BEGIN IMMEDIATE");
  Statement point = database_->prepare("INSERT INTO points VALUES (?, ?, ?, ?, ?, ?, ?)");
  Statement metric = database_->prepare("INSERT INTO metrics VALUES (?, ?, ?, ?, ?)");
  for (const PointResult& r : results) {
    const std::vector<Setting> settings = sweep_.settings(r.point);
    std::int64_t seed = static_cast<std::int64_t>(sweep_.seed_of(r.point));
    for (const Setting& one : settings) {
      if (one.path == "seed") seed = std::atoll(one.value.c_str());
    }
    point.bind(1, r.point)
        .bind(2, sweep_.design_of(r.point).name())
        .bind(3, seed)
        .bind(4, settings_json(settings))
        .bind(5, name_in(kPointStatuses, r.status));
    r.cause.empty() ? point.bind_null(6) : point.bind(6, r.cause);
    r.reason.empty() ? point.bind_null(7) : point.bind(7, r.reason);
    point.run();
    for (std::size_t i = 0; i < r.metrics.size(); ++i) {
      const Metric& m = r.metrics[i];
      FORERUN_ASSERT(m.value.has_value(), m.name);
      metric.bind(1, r.point)
          .bind(2, static_cast<std::int64_t>(i + 1))
          .bind(3, metric_id(m))
          .bind(4, *m.value)
          .bind(5, static_cast<std::int64_t>(m.evidence))
          .run();
    }
  }
  if (new_metrics_) write_views();
  new_metrics_ = false;
  database_->run("COMMIT");
  for (const PointResult& r : results) has_[static_cast<std::size_t>(r.point)] = true;
  count_ += std::ssize(results);
}

void SweepStore::finish() {
  if (finished_) return;
  FORERUN_ASSERT(count_ == sweep_.points(), fmt::format("{} of {}", count_, sweep_.points()));
  // All of the log goes into the file, and the log is emptied, so that whoever is killed between
  // the files' change leaves no log that would be taken for the new file's.
  {
    Statement checkpoint = database_->prepare("PRAGMA wal_checkpoint(TRUNCATE)");
    if (checkpoint.step() && checkpoint.integer(0) != 0) {
      refuse(fmt::format("another program reads {}, which is about to be put in order", asked_),
             "all points are stored; close it, then --resume");
    }
  }
  const std::string aside = this->aside();
  const int made = ::open(aside.c_str(), O_RDWR | O_CREAT | O_EXCL | O_CLOEXEC, 0666);
  if (made < 0) refuse(fmt::format("can't write {}: {}", aside, system_text(errno)));
  ::close(made);
  try {
    write_final(aside);
  } catch (...) {
    ::unlink(aside.c_str());
    throw;
  }
  database_.reset();
  if (std::rename(aside.c_str(), path_.c_str()) != 0) {
    const int code = errno;
    ::unlink(aside.c_str());
    refuse(fmt::format("can't write {}: {}", asked_, system_text(code)),
           "all points are stored; --resume puts them in order");
  }
  // Where somebody has the old file open still, its log and index lie here, and would be taken for
  // the new file's.
  ::unlink((path_ + "-wal").c_str());
  ::unlink((path_ + "-shm").c_str());
  sync_folder(path_);
  finished_ = true;
}

void SweepStore::write_final(const std::string& aside) {
  Database to(aside, Database::Access::write);
  // A journal would save nothing: a file that was not finished is thrown away.
  to.run("PRAGMA journal_mode = MEMORY; PRAGMA synchronous = FULL");
  to.run("ATTACH " + sql_text(path_) + " AS running");
  to.run("BEGIN");
  to.run(store_tables());
  add_meta(to, sweep_, version_, "finished");
  // Metrics are numbered as the first points name them, whoever came first.
  to.run(R"(
INSERT INTO main.metric_names
  SELECT row_number() OVER (ORDER BY min(m.point * 100000 + m.position)), n.name, n.unit
  FROM running.metrics AS m JOIN running.metric_names AS n USING (metric) GROUP BY n.metric;
INSERT INTO main.points SELECT * FROM running.points ORDER BY point;
INSERT INTO main.metrics
  SELECT m.point, m.position, f.metric, m.value, m.evidence
  FROM running.metrics AS m JOIN running.metric_names AS n USING (metric)
    JOIN main.metric_names AS f USING (name)
  ORDER BY m.point, m.position;
)");
  metrics_.clear();
  {
    Statement names = to.prepare("SELECT name FROM main.metric_names ORDER BY metric");
    while (names.step()) metrics_.push_back(names.text(0));
  }
  to.run(store_views(sweep_.paths, metrics_));
  to.run("COMMIT");
  to.run("DETACH running");
}

StoredSweep::StoredSweep(const std::string& path)
    : path_(path), database_(resolved(path), Database::Access::read) {
  Statement names = database_.prepare("SELECT name, unit FROM metric_names ORDER BY metric");
  while (names.step()) metrics_.push_back({names.text(0), names.text(1)});
}

void StoredSweep::each(const std::function<void(const StoredPoint&)>& take) const {
  Statement points = database_.prepare(
      "SELECT point, design, seed, settings, status, cause, reason FROM points ORDER BY point");
  Statement values =
      database_.prepare("SELECT metric, value FROM metrics WHERE point = ? ORDER BY position");
  while (points.step()) {
    StoredPoint p;
    p.point = points.integer(0);
    p.design = points.text(1);
    p.seed = points.integer(2);
    p.settings = points.text(3);
    p.status = points.text(4);
    p.cause = points.text(5);
    p.reason = points.text(6);
    p.values.resize(metrics_.size());
    values.bind(1, p.point);
    while (values.step()) {
      const auto metric = static_cast<std::size_t>(values.integer(0) - 1);
      if (metric >= p.values.size()) damaged(path_);
      p.values[metric] = values.number(1);
    }
    take(p);
  }
}

}  // namespace forerun::sim
