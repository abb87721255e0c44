#pragma once

/// The tables and views of a sweep's store. docs/sweep.md describes them for people.

#include <cstdint>
#include <span>
#include <string>
#include <vector>

namespace forerun::sim {

/// In the file's header, where `file` and SQLite's application_id show it: "fsw1".
inline constexpr std::int64_t kStoreApplication = 0x66737731;
/// Of the tables, SQLite's user_version. Another version is refused.
inline constexpr std::int64_t kStoreVersion = 1;

/// Statements that make the tables of an empty database.
[[nodiscard]] std::string store_tables();
/// Statements that make the views, in place of older ones, whose columns are the sweep's paths and
/// the metrics that are known so far. They are of the main database: another may be attached.
[[nodiscard]] std::string store_views(std::span<const std::string> paths,
                                      std::span<const std::string> metrics);

}  // namespace forerun::sim
