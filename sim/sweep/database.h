#pragma once

/// One connection to an SQLite file, and statements on it. Whatever goes wrong is thrown as an
/// Error that names the file and says in words what the matter is: a full disk, a file that may not
/// be written, no database.

#include <cstdint>
#include <memory>
#include <string>
#include <string_view>

struct sqlite3;
struct sqlite3_stmt;

namespace forerun::sim {

class Database;

class Statement {
 public:
  Statement& bind(int parameter, std::int64_t value);  ///< parameters count from 1
  Statement& bind(int parameter, double value);
  Statement& bind(int parameter, std::string_view value);
  Statement& bind_null(int parameter);
  /// False when there is no further row; the statement can then be bound and run again.
  bool step();
  /// Runs it to its end.
  void run();
  // Of the row, columns count from 0.
  [[nodiscard]] std::int64_t integer(int column) const;
  [[nodiscard]] double number(int column) const;
  [[nodiscard]] std::string text(int column) const;
  [[nodiscard]] bool is_null(int column) const;

 private:
  friend class Database;
  struct Finalize {
    void operator()(sqlite3_stmt*) const;
  };
  Statement(const Database& database, sqlite3_stmt* statement);
  void check(int code) const;
  const Database* database_;
  std::unique_ptr<sqlite3_stmt, Finalize> statement_;
};

class Database {
 public:
  enum class Access : std::uint8_t { read, write };
  /// Opens a file that exists.
  Database(std::string path, Access);
  ~Database();
  Database(const Database&) = delete;
  Database& operator=(const Database&) = delete;
  void run(const std::string& sql);
  [[nodiscard]] Statement prepare(const std::string& sql) const;
  /// The first column of the first row; nothing is 0.
  [[nodiscard]] std::int64_t integer(const std::string& sql) const;
  [[nodiscard]] const std::string& path() const { return path_; }

 private:
  friend class Statement;
  [[noreturn]] void fail(int code) const;
  struct Close {
    void operator()(sqlite3*) const;
  };
  std::string path_;
  std::unique_ptr<sqlite3, Close> connection_;
};

/// Text as an SQL literal, and a name as an SQL identifier.
[[nodiscard]] std::string sql_text(std::string_view text);
[[nodiscard]] std::string sql_name(std::string_view name);

}  // namespace forerun::sim
