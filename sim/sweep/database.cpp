#include "sim/sweep/database.h"

#include <fmt/format.h>
#include <sqlite3.h>

#include <system_error>
#include <utility>

#include "core/error.h"

namespace forerun::sim {
namespace {

/// Somebody who reads holds a lock for moments only.
constexpr int kPatienceMs = 10'000;

std::string quoted(std::string_view text, char quote) {
  std::string out(1, quote);
  for (const char c : text) {
    if (c == quote) out += c;
    out += c;
  }
  return out + quote;
}

}  // namespace

void Statement::Finalize::operator()(sqlite3_stmt* s) const { sqlite3_finalize(s); }
void Database::Close::operator()(sqlite3* c) const { sqlite3_close_v2(c); }

Statement::Statement(const Database& database, sqlite3_stmt* statement)
    : database_(&database), statement_(statement) {}

void Statement::check(int code) const {
  if (code != SQLITE_OK) database_->fail(code);
}

Statement& Statement::bind(int parameter, std::int64_t value) {
  check(sqlite3_bind_int64(statement_.get(), parameter, value));
  return *this;
}

Statement& Statement::bind(int parameter, double value) {
  check(sqlite3_bind_double(statement_.get(), parameter, value));
  return *this;
}

Statement& Statement::bind(int parameter, std::string_view value) {
  check(sqlite3_bind_text64(statement_.get(), parameter, value.data(), value.size(),
                            SQLITE_TRANSIENT, SQLITE_UTF8));
  return *this;
}

Statement& Statement::bind_null(int parameter) {
  check(sqlite3_bind_null(statement_.get(), parameter));
  return *this;
}

bool Statement::step() {
  const int code = sqlite3_step(statement_.get());
  if (code == SQLITE_ROW) return true;
  sqlite3_reset(statement_.get());
  if (code != SQLITE_DONE) database_->fail(code);
  return false;
}

void Statement::run() {
  while (step()) {
  }
}

std::int64_t Statement::integer(int column) const {
  return sqlite3_column_int64(statement_.get(), column);
}

double Statement::number(int column) const {
  return sqlite3_column_double(statement_.get(), column);
}

std::string Statement::text(int column) const {
  const auto* text = sqlite3_column_text(statement_.get(), column);
  const auto size = static_cast<std::size_t>(sqlite3_column_bytes(statement_.get(), column));
  return text == nullptr ? std::string{} : std::string(reinterpret_cast<const char*>(text), size);
}

bool Statement::is_null(int column) const {
  return sqlite3_column_type(statement_.get(), column) == SQLITE_NULL;
}

Database::Database(std::string path, Access access) : path_(std::move(path)) {
  sqlite3* opened = nullptr;
  const int code =
      sqlite3_open_v2(path_.c_str(), &opened,
                      (access == Access::read ? SQLITE_OPEN_READONLY : SQLITE_OPEN_READWRITE) |
                          SQLITE_OPEN_EXRESCODE,
                      nullptr);
  connection_.reset(opened);
  if (code != SQLITE_OK) fail(code);
  sqlite3_busy_timeout(opened, kPatienceMs);
}

Database::~Database() = default;

void Database::run(const std::string& sql) {
  const int code = sqlite3_exec(connection_.get(), sql.c_str(), nullptr, nullptr, nullptr);
  if (code != SQLITE_OK) fail(code);
}

Statement Database::prepare(const std::string& sql) const {
  sqlite3_stmt* statement = nullptr;
  const int code = sqlite3_prepare_v2(connection_.get(), sql.c_str(), static_cast<int>(sql.size()),
                                      &statement, nullptr);
  if (code != SQLITE_OK) fail(code);
  return {*this, statement};
}

std::int64_t Database::integer(const std::string& sql) const {
  Statement s = prepare(sql);
  return s.step() ? s.integer(0) : 0;
}

void Database::fail(int code) const {
  const int system = connection_ ? sqlite3_system_errno(connection_.get()) : 0;
  const std::string system_text =
      system == 0 ? std::string{} : ": " + std::generic_category().message(system);
  const std::string kept = "what was stored stays stored; --resume goes on from there";
  switch (code & 0xff) {
    case SQLITE_FULL:
      throw Error(ExitCode::wrong, fmt::format("can't write {}: the disk is full", path_), kept);
    case SQLITE_READONLY:
      throw Error(ExitCode::wrong,
                  fmt::format("can't write {}: the file or its folder may only be read", path_),
                  kept);
    case SQLITE_IOERR: {
      const bool reading = code == SQLITE_IOERR_READ || code == SQLITE_IOERR_SHORT_READ;
      throw Error(ExitCode::wrong,
                  fmt::format("can't {} {}{}", reading ? "read" : "write", path_,
                              !system_text.empty() ? system_text
                              : reading            ? ": input/output error"
                                        : ": the device, a quota or a limit of file sizes refuses"),
                  kept);
    }
    case SQLITE_CANTOPEN:
      throw Error(ExitCode::wrong,
                  fmt::format("can't open {}, or a file beside it{}", path_, system_text));
    case SQLITE_NOTADB:
      throw Error(ExitCode::wrong, fmt::format("{} is no SQLite database", path_));
    case SQLITE_CORRUPT:
      throw Error(ExitCode::wrong, fmt::format("{} is damaged", path_),
                  "sqlite3 FILE .recover may save what is in it");
    case SQLITE_BUSY:
    case SQLITE_LOCKED:
      throw Error(ExitCode::wrong, fmt::format("another program keeps {} locked", path_),
                  "close it; " + kept);
    default:
      throw Error(ExitCode::wrong, fmt::format("{}: {}", path_,
                                               connection_ ? sqlite3_errmsg(connection_.get())
                                                           : sqlite3_errstr(code)));
  }
}

std::string sql_text(std::string_view text) { return quoted(text, '\''); }
std::string sql_name(std::string_view name) { return quoted(name, '"'); }

}  // namespace forerun::sim
