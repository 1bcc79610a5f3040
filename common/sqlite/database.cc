// SPDX-License-Identifier: Apache-2.0
#include "common/sqlite/database.h"

#include <cstdint>

#include "absl/strings/str_cat.h"
#include "common/base/status_macros.h"
#include "common/sqlite/statement.h"

namespace hilum {
namespace {

constexpr int kPatienceMs = 10000;  // wait for other programs

absl::Status Migrate(sqlite3* database, const std::string& path,
                     absl::string_view program,
                     absl::Span<const char* const> migrations) {
  const int64_t newest = static_cast<int64_t>(migrations.size());
  int64_t version = 0;
  {
    Statement read(database, path, "PRAGMA user_version");
    if (read.Step()) version = read.Number(0);
    HILUM_RETURN_IF_ERROR(read.status());
  }
  if (version > newest) {
    return absl::FailedPreconditionError(absl::StrCat(
        path, ": written by a newer ", program, " (schema ", version,
        ", this one knows ", newest, "); install that version"));
  }
  for (; version < newest; ++version) {
    const std::string script = absl::StrCat(
        "BEGIN;", migrations[static_cast<size_t>(version)], "COMMIT;");
    HILUM_RETURN_IF_ERROR(ExecuteSql(database, path, script.c_str()));
  }
  return absl::OkStatus();
}

absl::Status Begin(sqlite3* database, const std::string& path,
                   absl::string_view program,
                   absl::Span<const char* const> migrations) {
  sqlite3_busy_timeout(database, kPatienceMs);
  HILUM_RETURN_IF_ERROR(
      ExecuteSql(database, path, "PRAGMA journal_mode = WAL"));
  HILUM_RETURN_IF_ERROR(
      ExecuteSql(database, path, "PRAGMA synchronous = FULL"));
  return Migrate(database, path, program, migrations);
}

}  // namespace

absl::StatusOr<sqlite3*> OpenDatabase(
    const std::string& path, absl::string_view program,
    absl::Span<const char* const> migrations) {
  sqlite3* database = nullptr;
  const int code = sqlite3_open_v2(
      path.c_str(), &database,
      SQLITE_OPEN_READWRITE | SQLITE_OPEN_CREATE | SQLITE_OPEN_NOMUTEX,
      nullptr);
  const absl::Status status = code == SQLITE_OK
                                  ? Begin(database, path, program, migrations)
                                  : SqliteStatus(database, code, path);
  if (status.ok()) return database;
  sqlite3_close_v2(database);
  return status;
}

absl::Status ExecuteSql(sqlite3* database, absl::string_view path,
                        const char* sql) {
  const int code = sqlite3_exec(database, sql, nullptr, nullptr, nullptr);
  return code == SQLITE_OK ? absl::OkStatus()
                           : SqliteStatus(database, code, path);
}

}  // namespace hilum
