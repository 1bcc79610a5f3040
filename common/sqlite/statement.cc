// SPDX-License-Identifier: Apache-2.0
#include "common/sqlite/statement.h"

#include <cerrno>

#include "absl/strings/str_cat.h"

namespace hilum {

namespace {

// SQLite reports an I/O error where the shared memory file of its write-ahead
// log cannot grow.
bool IsDiskFull(sqlite3* database) {
  return sqlite3_extended_errcode(database) == SQLITE_IOERR_SHMSIZE ||
         sqlite3_system_errno(database) == ENOSPC;
}

}  // namespace

absl::Status SqliteStatus(sqlite3* database, int code, absl::string_view path) {
  std::string message = absl::StrCat(path, ": ", sqlite3_errmsg(database));
  switch (code & 0xff) {
    case SQLITE_IOERR:
      if (!IsDiskFull(database)) return absl::InternalError(message);
      return absl::ResourceExhaustedError(
          absl::StrCat(message, " (is the disk full?)"));
    case SQLITE_FULL:
      return absl::ResourceExhaustedError(message);
    case SQLITE_CONSTRAINT:
      return absl::AlreadyExistsError(message);
    case SQLITE_CORRUPT:
    case SQLITE_NOTADB:
      return absl::DataLossError(message);
    case SQLITE_CANTOPEN:
    case SQLITE_READONLY:
    case SQLITE_PERM:
      return absl::PermissionDeniedError(message);
    default:
      return absl::InternalError(message);
  }
}

Statement::Statement(sqlite3* database, absl::string_view path, const char* sql)
    : database_(database), path_(path) {
  Check(sqlite3_prepare_v2(database, sql, -1, &statement_, nullptr));
}

Statement::~Statement() { sqlite3_finalize(statement_); }

void Statement::Check(int code) {
  if (code != SQLITE_OK && status_.ok()) {
    status_ = SqliteStatus(database_, code, path_);
  }
}

Statement& Statement::Blob(absl::string_view value) {
  Check(sqlite3_bind_blob64(statement_, next_++,
                            value.data() == nullptr ? "" : value.data(),
                            value.size(), SQLITE_TRANSIENT));
  return *this;
}

Statement& Statement::Text(absl::string_view value) {
  Check(sqlite3_bind_text64(statement_, next_++,
                            value.data() == nullptr ? "" : value.data(),
                            value.size(), SQLITE_TRANSIENT, SQLITE_UTF8));
  return *this;
}

Statement& Statement::Int(int64_t value) {
  Check(sqlite3_bind_int64(statement_, next_++, value));
  return *this;
}

bool Statement::Step() {
  if (!status_.ok()) return false;
  int code = sqlite3_step(statement_);
  if (code == SQLITE_ROW) return true;
  if (code != SQLITE_DONE) Check(code);
  return false;
}

absl::Status Statement::Run() {
  while (Step()) {
  }
  return status_;
}

std::string Statement::Bytes(int column) const {
  const void* data = sqlite3_column_blob(statement_, column);
  int size = sqlite3_column_bytes(statement_, column);
  if (data == nullptr) return "";
  return std::string(static_cast<const char*>(data), static_cast<size_t>(size));
}

int64_t Statement::Number(int column) const {
  return sqlite3_column_int64(statement_, column);
}

}  // namespace hilum
