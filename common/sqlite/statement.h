// SPDX-License-Identifier: Apache-2.0
#ifndef HILUM_COMMON_SQLITE_STATEMENT_H_
#define HILUM_COMMON_SQLITE_STATEMENT_H_

#include <sqlite3.h>

#include <cstdint>
#include <string>

#include "absl/status/status.h"
#include "absl/strings/string_view.h"

namespace hilum {

// Returns the status of a failed call on `database`; `path` names the file.
absl::Status SqliteStatus(sqlite3* database, int code, absl::string_view path);

// One prepared statement, bound from left to right.
// Life: Bind*, then Step while it returns true; then ok().
class Statement {
 public:
  Statement(sqlite3* database, absl::string_view path, const char* sql);
  ~Statement();
  Statement(const Statement&) = delete;
  Statement& operator=(const Statement&) = delete;

  Statement& Blob(absl::string_view value);
  Statement& Text(absl::string_view value);
  Statement& Int(int64_t value);

  // Returns true while there is a row.
  bool Step();
  // Runs a statement without rows.
  absl::Status Run();
  const absl::Status& status() const { return status_; }

  std::string Bytes(int column) const;  // BLOB or TEXT
  int64_t Number(int column) const;

 private:
  void Check(int code);

  sqlite3* database_;
  std::string path_;
  sqlite3_stmt* statement_ = nullptr;
  int next_ = 1;
  absl::Status status_;
};

}  // namespace hilum

#endif  // HILUM_COMMON_SQLITE_STATEMENT_H_
