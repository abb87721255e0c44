#include "sim/sweep/store_schema.h"

#include <fmt/format.h>

#include "sim/sweep/database.h"

namespace forerun::sim {
namespace {

constexpr const char* kTables = R"(
CREATE TABLE meta (key TEXT PRIMARY KEY, value TEXT NOT NULL) WITHOUT ROWID;
CREATE TABLE axes (axis INTEGER PRIMARY KEY, path TEXT NOT NULL UNIQUE);
CREATE TABLE metric_names (metric INTEGER PRIMARY KEY, name TEXT NOT NULL UNIQUE,
  unit TEXT NOT NULL);
CREATE TABLE evidences (evidence INTEGER PRIMARY KEY, name TEXT NOT NULL UNIQUE);
CREATE TABLE points (point INTEGER PRIMARY KEY, design TEXT NOT NULL, seed INTEGER NOT NULL,
  settings TEXT NOT NULL, status TEXT NOT NULL, cause TEXT, reason TEXT);
CREATE TABLE metrics (point INTEGER NOT NULL REFERENCES points, position INTEGER NOT NULL,
  metric INTEGER NOT NULL REFERENCES metric_names, value REAL NOT NULL,
  evidence INTEGER NOT NULL REFERENCES evidences, PRIMARY KEY (point, position)) WITHOUT ROWID;
)";

std::string axis_columns(std::span<const std::string> paths) {
  std::string out;
  for (const std::string& path : paths) {
    if (path == "seed") continue;  // has its column anyway
    out += fmt::format(",\n  json_extract(p.settings, {}) AS {}",
                       sql_text(fmt::format("$.\"{}\"", path)), sql_name(path));
  }
  return out;
}

}  // namespace

std::string store_tables() {
  return fmt::format("PRAGMA application_id = {};\nPRAGMA user_version = {};\n{}",
                     kStoreApplication, kStoreVersion, kTables);
}

std::string store_views(std::span<const std::string> paths, std::span<const std::string> metrics) {
  std::string columns;
  for (std::size_t i = 0; i < metrics.size(); ++i) {
    columns += fmt::format(",\n  max(CASE m.metric WHEN {} THEN m.value END) AS {}", i + 1,
                           sql_name(metrics[i]));
  }
  return fmt::format(
      R"(
DROP VIEW IF EXISTS main.results;
DROP VIEW IF EXISTS main.failed;
DROP VIEW IF EXISTS main.answers;
CREATE VIEW results AS SELECT p.point, p.design, p.seed{0}{1}
FROM points AS p LEFT JOIN metrics AS m ON m.point = p.point
WHERE p.status = 'answered' GROUP BY p.point;
CREATE VIEW failed AS SELECT p.point, p.design, p.seed{0}, p.status, p.cause, p.reason
FROM points AS p WHERE p.status <> 'answered';
CREATE VIEW answers AS SELECT m.point, n.name, m.value, n.unit, e.name AS evidence
FROM metrics AS m JOIN metric_names AS n USING (metric) JOIN evidences AS e USING (evidence);
)",
      axis_columns(paths), columns);
}

}  // namespace forerun::sim
